// SPDX-License-Identifier: Apache-2.0
#include "bench/server_search.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <functional>
#include <random>
#include <thread>
#include <utility>
#include <variant>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "base/status_macros.h"
#include "bench/processor.h"
#include "bench/server_data.h"
#include "bench/server_echo.h"
#include "bench/server_engine.h"
#include "bench/server_python.h"

namespace sextant {
namespace {

constexpr uint32_t kEfMax = 4096;
constexpr uint32_t kBatches[] = {1, 16, 64};

std::string NameOf(uint32_t batch) {
  return batch == 1 ? "unary" : absl::StrCat("batch_", batch);
}

double MedianOf(const std::vector<LoadResult>& runs,
                absl::FunctionRef<double(const LoadResult&)> value) {
  std::vector<double> values;
  values.reserve(runs.size());
  for (const LoadResult& run : runs) {
    values.push_back(value(run));
  }
  return Median(values);
}

// The least beam width whose recall reaches `recall`, by bisection.
absl::StatusOr<uint32_t> FindEf(
    uint32_t k, double recall,
    absl::FunctionRef<absl::StatusOr<double>(uint32_t)> recall_at) {
  uint32_t low = k - 1;
  uint32_t high = kEfMax;
  while (high - low > 1) {
    const uint32_t middle =
        low < 128 && high == kEfMax ? std::max(2 * low, k) : (low + high) / 2;
    ASSIGN_OR_RETURN(const double reached, recall_at(middle));
    (reached >= recall ? high : low) = middle;
  }
  ASSIGN_OR_RETURN(const double reached, recall_at(high));
  if (reached < recall) {
    return absl::NotFoundError(absl::StrCat(
        "recall ", recall, " is not reached; ef ", high, " gives ", reached));
  }
  return high;
}

// The least recall target, in thousandths, that reaches the recall.
absl::StatusOr<double> FindTarget(
    double recall,
    absl::FunctionRef<absl::StatusOr<double>(double)> recall_at) {
  int low = 499;
  int high = 999;
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    ASSIGN_OR_RETURN(const double reached, recall_at(middle / 1000.0));
    (reached >= recall ? high : low) = middle;
  }
  ASSIGN_OR_RETURN(const double reached, recall_at(high / 1000.0));
  if (reached < recall) {
    return absl::NotFoundError(absl::StrCat("recall ", recall,
                                            " is not reached; target ",
                                            high / 1000.0, " gives ", reached));
  }
  return high / 1000.0;
}

// All queries through the C++ client.
absl::StatusOr<double> ServerRecall(client::Client& client,
                                    const AnnDataset& dataset, uint32_t k,
                                    double recall_target) {
  constexpr uint32_t kSearches = 100;
  double sum = 0;
  for (uint32_t first = 0; first < dataset.queries; first += kSearches) {
    std::vector<client::SearchRequest> requests(
        std::min(kSearches, dataset.queries - first));
    for (uint32_t i = 0; i < requests.size(); ++i) {
      const float* const query = dataset.query(first + i);
      requests[i].target = std::vector<float>(query, query + dataset.dimension);
      requests[i].limit = k;
      requests[i].recall_target = recall_target;
    }
    ASSIGN_OR_RETURN(const std::vector<client::SearchResult> results,
                     client.SearchBatch(kBenchCollection, requests));
    for (uint32_t i = 0; i < results.size(); ++i) {
      std::vector<uint32_t> rows;
      for (const client::Hit& hit : results[i].hits) {
        const auto* const id = std::get_if<uint64_t>(&hit.id);
        rows.push_back(id == nullptr ? ~0U : static_cast<uint32_t>(*id));
      }
      rows.resize(k, ~0U);
      sum += TieAwareRecall(dataset, first + i, rows.data(), k);
    }
  }
  return sum / dataset.queries;
}

double RecallOf(AnnContestant& contestant, const AnnDataset& dataset,
                uint32_t k, const AnnEffort& effort) {
  std::vector<uint32_t> answers(uint64_t{dataset.queries} * k);
  contestant.SearchAll(dataset, k, effort, answers.data());
  double sum = 0;
  for (uint32_t query = 0; query < dataset.queries; ++query) {
    sum += TieAwareRecall(dataset, query, &answers[uint64_t{query} * k], k);
  }
  return sum / dataset.queries;
}

// Passes over all queries for at least `seconds`.
double QpsOf(AnnContestant& contestant, const AnnDataset& dataset, uint32_t k,
             const AnnEffort& effort, double seconds) {
  std::vector<uint32_t> answers(uint64_t{dataset.queries} * k);
  const double start = ThreadCpuSeconds();
  double queries = 0;
  while (ThreadCpuSeconds() - start < seconds) {
    contestant.SearchAll(dataset, k, effort, answers.data());
    queries += dataset.queries;
  }
  return queries / (ThreadCpuSeconds() - start);
}

// Overwrites points with their own vectors at a steady rate, as long as it
// lives: the exact answers stay what they are.
class SteadyWriter {
 public:
  SteadyWriter(const AnnDataset& dataset, const std::string& target,
               double points_per_s)
      : dataset_(dataset),
        target_(target),
        points_per_s_(points_per_s),
        thread_([this]() { Run(); }) {}
  ~SteadyWriter() { Join(); }

  // Ends it. Points a second that were acknowledged, or the first error.
  absl::StatusOr<double> Stop() {
    Join();
    RETURN_IF_ERROR(status_);
    return written_ / seconds_;
  }

 private:
  static constexpr int kPointsACall = 100;

  void Join() {
    stop_ = true;
    if (thread_.joinable()) {
      thread_.join();
    }
  }

  void Run() {
    const double start = WallSeconds();
    status_ = Write(start);
    seconds_ = WallSeconds() - start;
  }

  absl::Status Write(double start) {
    ASSIGN_OR_RETURN(const std::unique_ptr<client::Client> client,
                     client::Client::Connect(target_));
    std::mt19937_64 random(1);
    std::vector<client::Point> points(kPointsACall);
    while (!stop_) {
      for (client::Point& point : points) {
        const uint64_t row = random() % dataset_.rows;
        point.id = row;
        point.vectors[kBenchField].assign(
            dataset_.row(row), dataset_.row(row) + dataset_.dimension);
      }
      RETURN_IF_ERROR(client->Upsert(kBenchCollection, points).status());
      written_ += kPointsACall;
      const double due = start + written_ / points_per_s_;
      absl::SleepFor(absl::Seconds(std::max(0.0, due - WallSeconds())));
    }
    return absl::OkStatus();
  }

  const AnnDataset& dataset_;
  const std::string target_;
  const double points_per_s_;
  std::atomic<bool> stop_{false};
  absl::Status status_;
  double written_ = 0;
  double seconds_ = 1;
  std::thread thread_;
};

class SearchBench {
 public:
  SearchBench(const AnnDataset& dataset, const SearchSettings& settings)
      : dataset_(dataset), settings_(settings) {}

  absl::Status Open() {
    ASSIGN_OR_RETURN(scratch_, ScratchData::Make(settings_.cache_folder,
                                                 settings_.data_folder));
    ServerPlace place;
    place.data_dir = scratch_->path();
    place.cpu = settings_.server_cpu;
    if (settings_.unix_socket) {
      place.unix_socket = scratch_->path() + "/s";
    }
    ASSIGN_OR_RETURN(server_, StartServer(place));
    target_ = settings_.unix_socket ? absl::StrCat("unix:", place.unix_socket)
                                    : server_->grpc_address();
    // gRPC's threads in this process are started below, on this processor.
    PinThread(settings_.client_cpu);
    ASSIGN_OR_RETURN(client_, client::Client::Connect(target_));
    ASSIGN_OR_RETURN(engine_, EngineInProcess::Open(settings_.cache_folder,
                                                    settings_.data_folder));
    return absl::OkStatus();
  }

  absl::Status ChooseEfforts(AnnContestant& hnswlib, SearchFigures& figures) {
    ASSIGN_OR_RETURN_WITH(figures.recall_target,
                          FindTarget(settings_.recall,
                                     [&](double target) {
                                       return ServerRecall(*client_, dataset_,
                                                           settings_.k, target);
                                     }),
                          "server");
    ASSIGN_OR_RETURN_WITH(figures.hnswlib.effort.ef,
                          FindEf(settings_.k, settings_.recall,
                                 [&](uint32_t ef) -> absl::StatusOr<double> {
                                   return RecallOf(hnswlib, dataset_,
                                                   settings_.k, {.ef = ef});
                                 }),
                          "hnswlib");
    recall_target_ = figures.recall_target;
    figures.engine.effort.recall_target = figures.recall_target;
    figures.hnswlib.recall =
        RecallOf(hnswlib, dataset_, settings_.k, figures.hnswlib.effort);
    ASSIGN_OR_RETURN(
        figures.engine.recall,
        engine_->Recall(dataset_, settings_.k, figures.recall_target));
    figures.server_mb = ResidentMegabytes(server_->pid());
    std::fprintf(stderr, "recall target of the server %g, ef of hnswlib %u\n",
                 figures.recall_target, figures.hnswlib.effort.ef);
    return absl::OkStatus();
  }

  absl::StatusOr<LoadResult> Run(uint32_t batch, double searches_per_s) {
    ServerLoad load = LoadOf(batch);
    load.calls_per_s = searches_per_s / batch;
    return RunLoad(load, dataset_);
  }

  absl::StatusOr<LoadResult> RunEcho(double calls_per_s) {
    ServerLoad load = LoadOf(1);
    load.calls_per_s = calls_per_s;
    load.target = echo_->target();
    load.server = echo_->pid();
    return RunLoad(load, dataset_);
  }

  // In turns, so that a slow moment of the machine hits all alike.
  absl::Status RunIdle(AnnContestant& hnswlib, SearchFigures& figures) {
    for (const uint32_t batch : kBatches) {
      figures.idle.push_back({.name = NameOf(batch), .batch = batch});
    }
    figures.echo.name = "echo";
    figures.echo_at_rate.name = "echo at the unary rate";
    for (int round = 0; round < settings_.rounds; ++round) {
      {
        const PinnedScope pinned(settings_.server_cpu);
        figures.hnswlib.qps.push_back(QpsOf(hnswlib, dataset_, settings_.k,
                                            figures.hnswlib.effort,
                                            settings_.seconds));
        ASSIGN_OR_RETURN(const double engine_qps,
                         engine_->Qps(dataset_, settings_.k, recall_target_,
                                      settings_.seconds / 2));
        figures.engine.qps.push_back(engine_qps);
      }
      for (LoadRuns& load : figures.idle) {
        ASSIGN_OR_RETURN(LoadResult result, Run(load.batch, 0));
        load.runs.push_back(std::move(result));
      }
      if (echo_ == nullptr) {
        const LoadResult& unary = figures.idle[0].runs[0];
        figures.request_bytes = unary.request_bytes;
        figures.answer_bytes = unary.answer.size();
        ASSIGN_OR_RETURN(
            echo_, EchoProcess::Start(unary.answer, settings_.server_cpu));
      }
      ASSIGN_OR_RETURN(LoadResult fastest, RunEcho(0));
      figures.echo.runs.push_back(std::move(fastest));
      ASSIGN_OR_RETURN(LoadResult at_rate,
                       RunEcho(figures.idle[0].runs.back().calls_per_s()));
      figures.echo_at_rate.runs.push_back(std::move(at_rate));
      std::fprintf(stderr, "round %d of %d\n", round + 1, settings_.rounds);
    }
    return absl::OkStatus();
  }

  absl::Status RunOpenLoop(SearchFigures& figures) {
    const double most = figures.idle[0].searches_per_s();
    for (const double share : settings_.loads) {
      LoadRuns load{.name = "unary", .offered_per_s = share * most};
      ASSIGN_OR_RETURN(LoadResult result, Run(1, load.offered_per_s));
      load.runs.push_back(std::move(result));
      figures.open_loop.push_back(std::move(load));
    }
    return absl::OkStatus();
  }

  // Says why if it cannot run: it is a courtesy.
  void RunPython(SearchFigures& figures) {
    if (settings_.python.empty()) {
      return;
    }
    absl::StatusOr<std::string> output =
        RunPythonClient({.python = settings_.python,
                         .target = target_,
                         .folder = scratch_->path(),
                         .recall_target = recall_target_,
                         .seconds = settings_.seconds,
                         .cpu = settings_.client_cpu},
                        dataset_);
    if (output.ok()) {
      figures.python_json = *std::move(output);
    } else {
      std::fprintf(stderr, "Python client left out: %s\n",
                   output.status().ToString().c_str());
    }
  }

  absl::Status RunWriting(SearchFigures& figures) {
    SteadyWriter writer(dataset_, target_, settings_.write_points_per_s);
    for (const uint32_t batch : kBatches) {
      LoadRuns load{.name = NameOf(batch), .batch = batch};
      ASSIGN_OR_RETURN(LoadResult result, Run(batch, 0));
      load.runs.push_back(std::move(result));
      figures.writing.push_back(std::move(load));
    }
    ASSIGN_OR_RETURN_WITH(figures.written_per_s, writer.Stop(), "writing");
    return absl::OkStatus();
  }

 private:
  ServerLoad LoadOf(uint32_t batch) const {
    ServerLoad load;
    load.target = target_;
    load.server = server_->pid();
    load.collection = kBenchCollection;
    load.k = settings_.k;
    load.recall_target = recall_target_;
    load.batch = batch;
    load.connections = settings_.connections;
    load.outstanding =
        std::max(2, settings_.outstanding / static_cast<int>(batch));
    load.seconds = settings_.seconds;
    return load;
  }

  const AnnDataset& dataset_;
  const SearchSettings& settings_;
  std::unique_ptr<ScratchData> scratch_;
  std::unique_ptr<ServerProcess> server_;
  std::unique_ptr<EchoProcess> echo_;
  std::unique_ptr<client::Client> client_;
  std::unique_ptr<EngineInProcess> engine_;
  std::string target_;
  double recall_target_ = 0;
};

}  // namespace

double LoadRuns::searches_per_s() const {
  return MedianOf(runs, [this](const LoadResult& run) {
    return run.calls_per_s() * batch;
  });
}

double LoadRuns::server_us() const {
  return MedianOf(runs, [this](const LoadResult& run) {
    return run.server_cpu_s * 1e6 / (static_cast<double>(run.calls) * batch);
  });
}

double LoadRuns::client_us() const {
  return MedianOf(runs, [this](const LoadResult& run) {
    return run.client_cpu_s * 1e6 / (static_cast<double>(run.calls) * batch);
  });
}

double LoadRuns::PercentileMs(double percent) const {
  return MedianOf(runs, [percent](const LoadResult& run) {
    return run.PercentileMs(percent);
  });
}

double LoadRuns::recall() const {
  return MedianOf(runs, [](const LoadResult& run) { return run.recall; });
}

uint64_t LoadRuns::errors() const {
  uint64_t sum = 0;
  for (const LoadResult& run : runs) {
    sum += run.errors;
  }
  return sum;
}

double SearchFigures::RatioToHnswlib(const LoadRuns& load) const {
  std::vector<double> ratios;
  for (size_t i = 0; i < load.runs.size(); ++i) {
    ratios.push_back(load.runs[i].calls_per_s() * load.batch / hnswlib.qps[i]);
  }
  return Median(ratios);
}

double SearchFigures::CpuRatioToHnswlib(const LoadRuns& load) const {
  std::vector<double> ratios;
  for (size_t i = 0; i < load.runs.size(); ++i) {
    const LoadResult& run = load.runs[i];
    const double searches = static_cast<double>(run.calls) * load.batch;
    ratios.push_back(searches / run.server_cpu_s / hnswlib.qps[i]);
  }
  return Median(ratios);
}

double SearchFigures::OverheadTo(const LoadRuns& echo_runs) const {
  std::vector<double> ratios;
  for (size_t i = 0; i < echo_runs.runs.size(); ++i) {
    const auto us = [](const LoadResult& run) {
      return run.server_cpu_s * 1e6 / static_cast<double>(run.calls);
    };
    ratios.push_back((us(idle[0].runs[i]) - 1e6 / engine.qps[i]) /
                     us(echo_runs.runs[i]));
  }
  return Median(ratios);
}

absl::StatusOr<SearchFigures> MeasureSearches(const AnnDataset& dataset,
                                              const SearchSettings& settings,
                                              AnnContestant& hnswlib) {
  SearchFigures figures;
  SearchBench bench(dataset, settings);
  RETURN_IF_ERROR(bench.Open());
  RETURN_IF_ERROR(bench.ChooseEfforts(hnswlib, figures));
  RETURN_IF_ERROR(bench.RunIdle(hnswlib, figures));
  RETURN_IF_ERROR(bench.RunOpenLoop(figures));
  bench.RunPython(figures);
  RETURN_IF_ERROR(bench.RunWriting(figures));
  return figures;
}

}  // namespace sextant
