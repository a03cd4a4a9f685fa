// SPDX-License-Identifier: Apache-2.0
//
// What a gRPC call costs the server, by the way it is received: an empty echo
// with messages of a search's size. docs/how-to/benchmark.md tells how to
// read it.

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "bench/transport_design.h"
#include "bench/transport_load.h"
#include "sextant/v1/search_service.pb.h"

namespace sextant {
namespace {

struct Options {
  std::vector<std::string> designs;
  std::vector<int> cores = {1, 2};
  std::vector<std::string> networks = {"tcp", "unix"};
  std::vector<std::string> methods = {"unary", "batch"};
  std::string json;
  size_t dimension = 100;
  double seconds = 0.5;
  int rounds = 3;
  int outstanding = 32;
  double work_us = 0;
};

constexpr int kBatch = 64;

// One search by a raw vector, or a batch of them.
std::string RequestOf(const Options& options, bool batch) {
  v1::SearchRequest search;
  search.set_collection("benchmark");
  search.set_limit(10);
  search.add_sources()->mutable_dense()->mutable_vector()->set_raw(
      std::string(options.dimension * sizeof(float), 'v'));
  if (!batch) {
    return search.SerializeAsString();
  }
  v1::SearchBatchRequest many;
  for (int i = 0; i < kBatch; ++i) {
    *many.add_searches() = search;
  }
  return many.SerializeAsString();
}

// Answers as long as ten hits of number and score are.
EchoWork WorkOf(const Options& options) {
  v1::SearchResponse answer;
  answer.set_applied_seq(1'000'000);
  answer.set_server_seconds(1e-4);
  for (int i = 0; i < 10; ++i) {
    v1::Hit* const hit = answer.add_hits();
    hit->mutable_id()->set_num(100'000);
    hit->set_score(0.5F);
  }
  const size_t bytes = answer.ByteSizeLong();
  return {bytes, (bytes + 3) * kBatch, options.work_us};
}

void PinTo(size_t first, size_t count) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (size_t cpu = first; cpu < first + count; ++cpu) {
    CPU_SET(cpu, &set);
  }
  CHECK_EQ(::sched_setaffinity(0, sizeof(set), &set), 0);
}

struct Case {
  const TransportDesign* design = nullptr;
  int cores = 1;
  std::string network;
  bool batch = false;
  std::vector<TransportRun> runs;

  // The median of `value` over the runs.
  double Median(const std::function<double(const TransportRun&)>& value) const {
    std::vector<double> values;
    for (const TransportRun& run : runs) {
      values.push_back(value(run));
    }
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  }
  double qps() const {
    return Median([](const TransportRun& run) {
      return static_cast<double>(run.calls) / run.wall_s;
    });
  }
  double server_us() const {
    return Median([](const TransportRun& run) {
      return run.server_cpu_s * 1e6 / static_cast<double>(run.calls);
    });
  }
  double client_us() const {
    return Median([](const TransportRun& run) {
      return run.client_cpu_s * 1e6 / static_cast<double>(run.calls);
    });
  }
};

// A child that serves until its end of the pipe is closed. gRPC must not be
// used before a fork, so each measurement has a process for each side.
[[noreturn]] void Serve(const Case& one, const Options& options,
                        const std::string& address, std::array<int, 2> stop,
                        int ready) {
  ::close(stop[1]);
  PinTo(0, static_cast<size_t>(one.cores));
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
  {
    const auto server = one.design->start(WorkOf(options), &builder);
    CHECK_EQ(::write(ready, &port, sizeof(port)), ssize_t{sizeof(port)});
    char end = 0;
    while (::read(stop[0], &end, 1) > 0) {
    }
  }
  std::_Exit(0);
}

// The load runs in a child too, on the last core.
TransportRun Load(const TransportLoad& load) {
  std::array<int, 2> result{};
  CHECK_EQ(::pipe(result.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    PinTo(std::thread::hardware_concurrency() - 1, 1);
    const TransportRun run = RunTransportLoad(load);
    CHECK_EQ(::write(result[1], &run, sizeof(run)), ssize_t{sizeof(run)});
    std::_Exit(0);
  }
  ::close(result[1]);
  TransportRun run;
  const bool complete =
      ::read(result[0], &run, sizeof(run)) == ssize_t{sizeof(run)};
  ::close(result[0]);
  ::waitpid(child, nullptr, 0);
  if (!complete) {
    std::_Exit(1);  // the child has said why
  }
  return run;
}

void Measure(const Options& options, Case* one) {
  const std::string path =
      absl::StrCat("/tmp/sextant-transport-", ::getpid(), ".sock");
  const bool tcp = one->network == "tcp";
  std::array<int, 2> stop{};
  std::array<int, 2> ready{};
  CHECK_EQ(::pipe(stop.data()), 0);
  CHECK_EQ(::pipe(ready.data()), 0);
  const pid_t server = ::fork();
  if (server == 0) {
    Serve(*one, options, tcp ? "127.0.0.1:0" : absl::StrCat("unix:", path),
          stop, ready[1]);
  }
  ::close(stop[0]);
  ::close(ready[1]);
  int port = 0;
  CHECK_EQ(::read(ready[0], &port, sizeof(port)), ssize_t{sizeof(port)});
  ::close(ready[0]);
  CHECK_GT(port, 0) << "the server cannot listen";
  TransportLoad load;
  load.target =
      tcp ? absl::StrCat("127.0.0.1:", port) : absl::StrCat("unix:", path);
  load.server = server;
  load.batch = one->batch;
  load.request = RequestOf(options, one->batch);
  load.outstanding = options.outstanding;
  load.seconds = options.seconds;
  one->runs.push_back(Load(load));
  ::close(stop[1]);
  ::waitpid(server, nullptr, 0);
  ::unlink(path.c_str());
}

std::vector<TransportDesign> AllDesigns() {
  std::vector<TransportDesign> designs;
  for (const auto& some : {SyncDesigns(), CallbackDesigns(), QueueDesigns()}) {
    designs.insert(designs.end(), some.begin(), some.end());
  }
  return designs;
}

void Print(const std::vector<Case>& cases, const Options& options) {
  nlohmann::json rows = nlohmann::json::array();
  std::printf("%-14s %5s %-5s %-6s %10s %10s %10s\n", "design", "cores", "net",
              "call", "calls/s", "server us", "client us");
  for (const Case& one : cases) {
    const char* const method = one.batch ? "batch" : "unary";
    std::printf("%-14s %5d %-5s %-6s %10.0f %10.2f %10.2f\n", one.design->name,
                one.cores, one.network.c_str(), method, one.qps(),
                one.server_us(), one.client_us());
    rows.push_back({{"design", one.design->name},
                    {"cores", one.cores},
                    {"network", one.network},
                    {"method", method},
                    {"calls_per_s", one.qps()},
                    {"server_us", one.server_us()},
                    {"client_us", one.client_us()}});
  }
  if (!options.json.empty()) {
    std::ofstream(options.json) << rows.dump(1) << "\n";
  }
}

int Run(const Options& options, const std::vector<TransportDesign>& designs) {
  std::vector<Case> cases;
  for (const std::string& network : options.networks) {
    for (const std::string& method : options.methods) {
      for (const int cores : options.cores) {
        for (const TransportDesign& design : designs) {
          const bool wanted =
              options.designs.empty() ||
              std::find(options.designs.begin(), options.designs.end(),
                        design.name) != options.designs.end();
          if (wanted) {
            cases.push_back({&design, cores, network, method == "batch", {}});
          }
        }
      }
    }
  }
  // Rounds, so that a slow moment of the machine hits all alike.
  for (int round = 0; round < options.rounds; ++round) {
    for (Case& one : cases) {
      Measure(options, &one);
    }
  }
  Print(cases, options);
  return 0;
}

}  // namespace
}  // namespace sextant

int main(int argc, char** argv) {
  CLI::App app{"What a gRPC call costs, by the way a server receives it.",
               "transport_bench"};
  sextant::Options options;
  const std::vector<sextant::TransportDesign> designs = sextant::AllDesigns();
  std::vector<std::string> names;
  std::string footer = "Designs:\n";
  for (const sextant::TransportDesign& design : designs) {
    names.emplace_back(design.name);
    absl::StrAppend(&footer, "  ", design.name, ": ", design.what, "\n");
  }
  app.footer(footer);
  app.add_option("--designs", options.designs, "which take part")
      ->check(CLI::IsMember(names));
  app.add_option("--cores", options.cores, "cores the server may use")
      ->check(
          CLI::Range(1, static_cast<int>(std::thread::hardware_concurrency())))
      ->capture_default_str();
  app.add_option("--networks", options.networks, "how it is reached")
      ->check(CLI::IsMember({"tcp", "unix"}))
      ->capture_default_str();
  app.add_option("--methods", options.methods, "sizes of the messages")
      ->check(CLI::IsMember({"unary", "batch"}))
      ->capture_default_str();
  app.add_option("--dimension", options.dimension, "of the query vectors")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "of each run")
      ->check(CLI::Range(0.1, 60.0))
      ->capture_default_str();
  app.add_option("--rounds", options.rounds, "runs; the median counts")
      ->check(CLI::Range(1, 99))
      ->capture_default_str();
  app.add_option("--outstanding", options.outstanding, "calls in flight")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--work-us", options.work_us,
                 "processor time that answering a call takes")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  app.add_option("--json", options.json, "write the numbers to this file too");
  CLI11_PARSE(app, argc, argv);
  return sextant::Run(options, designs);
}
