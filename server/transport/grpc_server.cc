// SPDX-License-Identifier: Apache-2.0
#include "server/transport/grpc_server.h"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/impl/server_builder_option.h"
#include "grpcpp/impl/server_builder_plugin.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"

#include "base/clock.h"
#include "base/status_macros.h"
#include "server/address.h"
#include "server/transport/call_runner.h"
#include "server/transport/health_service.h"
#include "server/transport/search_loop.h"
#include "server/transport/services.h"
#include "server/unix_socket.h"

namespace sextant {
namespace {

// The cores that this process may use. hardware_concurrency() counts all of the
// machine's, and a search thread too many costs a switch for each search.
size_t UsableCores() {
  cpu_set_t usable;
  CPU_ZERO(&usable);
  if (::sched_getaffinity(0, sizeof(usable), &usable) != 0) {
    // More cores than fit the set.
    return std::max(1U, std::thread::hardware_concurrency());
  }
  return static_cast<size_t>(std::max(1, CPU_COUNT(&usable)));
}

CallRunner::Options RunnerOptions(const Config::Grpc& config,
                                  const ApiEnvironment& environment) {
  CallRunner::Options options;
  options.pools[IndexOf(Pool::kSearch)] = {
      config.search_threads == 0 ? UsableCores() : config.search_threads,
      config.search_queue};
  options.pools[IndexOf(Pool::kRead)] = {config.read_threads,
                                         config.read_queue};
  options.pools[IndexOf(Pool::kWrite)] = {config.write_threads,
                                          config.write_queue};
  options.pools[IndexOf(Pool::kAnalysis)] = {config.analysis_threads,
                                             config.analysis_queue};
  options.state = environment.state;
  options.metrics = environment.metrics;
  options.log = environment.log;
  return options;
}

ApiEnvironment WithSearches(ApiEnvironment environment, SearchLoop* searches) {
  environment.parallel_for = [searches](size_t n,
                                        absl::FunctionRef<void(size_t)> fn) {
    searches->ParallelFor(n, fn);
  };
  return environment;
}

absl::StatusOr<bool> WantsReflection(const Config::Grpc& config) {
  if (config.reflection != "auto") {
    return config.reflection == "on";
  }
  if (config.listen.empty()) {
    return true;
  }
  ASSIGN_OR_RETURN(const Address address, ParseAddress(config.listen));
  return IsLoopback(address);
}

void SetLimits(const Config::Grpc& config, grpc::ServerBuilder* builder) {
  constexpr int kMegabyte = 1 << 20;
  const int message_bytes = static_cast<int>(config.max_message_mb) * kMegabyte;
  builder->SetMaxReceiveMessageSize(message_bytes);
  // Answers are bounded where they are made, with a better message.
  builder->SetMaxSendMessageSize(-1);
  // Else a second server could take the same port unnoticed.
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                              static_cast<int>(config.max_concurrent_streams));
  builder->AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 16 << 10);
  // Clients may ask every 10 s whether an idle connection still lives.
  builder->AddChannelArgument(
      GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  // A client that vanished without a word is noticed within two minutes.
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
}

// Linking gRPC's reflection turns it on for every server of the process; this
// takes it out of one.
class WithoutReflection final : public grpc::ServerBuilderOption {
 public:
  void UpdateArguments(grpc::ChannelArguments* /*arguments*/) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>*
                         plugins) override {
    plugins->erase(std::remove_if(plugins->begin(), plugins->end(),
                                  [](const auto& plugin) {
                                    return plugin->name() ==
                                           "proto_server_reflection";
                                  }),
                   plugins->end());
  }
};

absl::Status CannotListen(absl::string_view key, absl::string_view address,
                          absl::string_view reason) {
  return absl::UnavailableError(
      absl::StrCat(key, ": cannot listen on ", address, ": ", reason));
}

}  // namespace

struct GrpcServer::Rep {
  Rep(const Config& config, const ApiEnvironment& environment,
      std::unique_ptr<grpc::ServerCompletionQueue> completion_queue)
      : queue(std::move(completion_queue)),
        runner(queue.get(), RunnerOptions(config.grpc, environment)),
        collection_api(environment),
        point_api(environment),
        search_api(WithSearches(environment, runner.searches())),
        normalizer_api(environment),
        hubness_api(environment),
        adapter_api(environment),
        query_sample_api(environment),
        services({&collection_api, &point_api, &search_api, &normalizer_api,
                  &hubness_api, &adapter_api, &query_sample_api},
                 &runner),
        health(environment.state, &runner) {}

  const std::unique_ptr<grpc::ServerCompletionQueue> queue;
  CallRunner runner;
  CollectionApi collection_api;
  PointApi point_api;
  SearchApi search_api;
  NormalizerApi normalizer_api;
  HubnessApi hubness_api;
  AdapterApi adapter_api;
  QuerySampleApi query_sample_api;
  Services services;
  HealthService health;
  std::string listen_address;
  // Last: its destructor ends all calls, which use what is above.
  std::unique_ptr<grpc::Server> server;
};

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(
    const Config& config, const ApiEnvironment& environment) {
  const Config::Grpc& grpc_config = config.grpc;
  // Both are settings of the process that the builder reads.
  grpc::EnableDefaultHealthCheckService(false);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  ASSIGN_OR_RETURN(const bool reflection, WantsReflection(grpc_config));
  grpc::ServerBuilder builder;
  auto rep =
      std::make_unique<Rep>(config, environment, builder.AddCompletionQueue());
  if (!reflection) {
    builder.SetOption(std::make_unique<WithoutReflection>());
  }
  SetLimits(grpc_config, &builder);
  int port = 0;
  Address address;
  if (!grpc_config.listen.empty()) {
    ASSIGN_OR_RETURN_WITH(address, ParseAddress(grpc_config.listen),
                          "grpc.listen");
    // gRPC says only "failed"; this says why.
    if (const absl::Status free = CheckListenable(address); !free.ok()) {
      return CannotListen("grpc.listen", grpc_config.listen, free.message());
    }
    builder.AddListeningPort(grpc_config.listen,
                             grpc::InsecureServerCredentials(), &port);
  }
  int socket_result = 0;
  if (!grpc_config.unix_socket.empty()) {
    // gRPC would take the path away from a server that uses it.
    if (const absl::Status free = PrepareSocketPath(grpc_config.unix_socket);
        !free.ok()) {
      return CannotListen("grpc.unix_socket", grpc_config.unix_socket,
                          free.message());
    }
    builder.AddListeningPort(absl::StrCat("unix:", grpc_config.unix_socket),
                             grpc::InsecureServerCredentials(), &socket_result);
  }
  rep->services.RegisterWith(&builder);
  builder.RegisterService(rep->health.service());
  rep->server = builder.BuildAndStart();
  if (!grpc_config.unix_socket.empty() && socket_result == 0) {
    return CannotListen("grpc.unix_socket", grpc_config.unix_socket,
                        "another process may have taken it just now");
  }
  if (rep->server == nullptr || (!grpc_config.listen.empty() && port == 0)) {
    return CannotListen("grpc.listen", grpc_config.listen,
                        "another process may have taken it just now");
  }
  if (!grpc_config.listen.empty()) {
    address.port = static_cast<uint16_t>(port);
    rep->listen_address = address.ToString();
  }
  rep->services.Arm();
  rep->health.Arm();
  rep->runner.searches()->Start();
  HealthService* const health = &rep->health;
  environment.state->OnChange(
      [health](ServingState::Phase /*phase*/) { health->Announce(); });
  return std::unique_ptr<GrpcServer>(new GrpcServer(std::move(rep)));
}

GrpcServer::GrpcServer(std::unique_ptr<Rep> rep) : rep_(std::move(rep)) {}

GrpcServer::~GrpcServer() {
  Stop(absl::ZeroDuration());
}

const std::string& GrpcServer::listen_address() const {
  return rep_->listen_address;
}

bool GrpcServer::Stop(absl::Duration drain) {
  // Connections close after the calls are done: clients that poll rarely take
  // seconds to notice that they should.
  constexpr std::chrono::milliseconds kForConnections(200);
  constexpr std::chrono::milliseconds kQuiet(100);
  constexpr std::chrono::milliseconds kQuietMax(1000);
  if (rep_->server == nullptr) {
    return true;
  }
  const auto deadline =
      RealClock::Get()->MonotonicNow() + absl::ToChronoNanoseconds(drain);
  rep_->services.DrainStreams();
  rep_->health.EndWatches();
  OpenCalls& open_calls = rep_->runner.open_calls();
  const bool drained = open_calls.WaitForNone(deadline);
  // Who was told UNAVAILABLE stays away. A call that comes while connections
  // close would see CANCELLED instead, so wait for the last ones.
  open_calls.WaitForQuiet(
      kQuiet, std::min(deadline, RealClock::Get()->MonotonicNow() + kQuietMax));
  rep_->runner.StopTaking();
  rep_->server->Shutdown(std::chrono::system_clock::now() + kForConnections);
  rep_->server->Wait();
  rep_->runner.Stop();
  rep_->hubness_api.Close();
  rep_->server.reset();
  return drained;
}

}  // namespace sextant
