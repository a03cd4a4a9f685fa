// SPDX-License-Identifier: Apache-2.0
#include "server/daemon.h"

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"

#include "base/mutex.h"
#include "base/thread.h"
#include "base/version.h"
#include "engine/database.h"
#include "engine/simd_level.h"
#include "server/api/api_environment.h"
#include "server/http/http_server.h"
#include "server/serving_state.h"
#include "server/signals.h"
#include "server/telemetry/log.h"
#include "server/telemetry/request_metrics.h"
#include "server/transport/grpc_server.h"

namespace sextant {
namespace {

using std::chrono::steady_clock;

double SecondsSince(steady_clock::time_point start) {
  return std::chrono::duration<double>(steady_clock::now() - start).count();
}

LogOptions LogOptionsOf(const Config::Logging& config) {
  LogOptions options;
  options.format =
      config.format == "json" ? LogFormat::kJson : LogFormat::kText;
  if (config.level == "debug") {
    options.level = LogLevel::kDebug;
  } else if (config.level == "warning") {
    options.level = LogLevel::kWarning;
  } else if (config.level == "error") {
    options.level = LogLevel::kError;
  }
  return options;
}

DatabaseOptions DatabaseOptionsOf(const Config& config) {
  DatabaseOptions options;
  options.store.path = config.storage.data_dir;
  options.store.durability =
      config.storage.durability == "os" ? Durability::kOs : Durability::kSync;
  options.store.memory_bytes = config.storage.memory_mb << 20U;
  options.store.max_wal_bytes = config.storage.max_wal_mb << 20U;
  const Config::Engine& engine = config.engine;
  options.default_recall_target = engine.default_recall_target;
  options.recall_probe_every = static_cast<uint32_t>(engine.recall_probe_every);
  options.recall_probe_cpu_percent =
      static_cast<uint32_t>(engine.recall_probe_cpu_percent);
  options.default_ef = static_cast<uint32_t>(engine.default_ef);
  options.seal_rows = static_cast<uint32_t>(engine.seal_rows);
  options.seal_idle_ms = static_cast<uint32_t>(engine.seal_idle_ms);
  options.min_graph_rows = static_cast<uint32_t>(engine.min_graph_rows);
  options.build_threads = static_cast<uint32_t>(engine.build_threads);
  options.group_commit_us = static_cast<uint32_t>(engine.group_commit_us);
  options.group_commit_bytes = engine.group_commit_kb << 10U;
  return options;
}

// What the main thread waits for: a stop signal, the end of loading.
class Events {
 public:
  void RequestStop() {
    const MutexLock lock(&mutex_);
    stop_ = true;
    changed_.NotifyAll();
  }
  void SetLoaded() {
    const MutexLock lock(&mutex_);
    loaded_ = true;
    changed_.NotifyAll();
  }
  // Returns whether a stop was requested.
  bool WaitForLoadedOrStop() {
    const MutexLock lock(&mutex_);
    while (!loaded_ && !stop_) {
      changed_.Wait(&mutex_);
    }
    return stop_;
  }
  // False when it took longer than `seconds`.
  bool WaitForLoaded(uint64_t seconds) {
    const auto deadline = steady_clock::now() + std::chrono::seconds(seconds);
    const MutexLock lock(&mutex_);
    while (!loaded_) {
      if (!changed_.WaitUntil(&mutex_, deadline)) {
        return loaded_;
      }
    }
    return true;
  }
  void WaitForStop() {
    const MutexLock lock(&mutex_);
    while (!stop_) {
      changed_.Wait(&mutex_);
    }
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  bool loaded_ ABSL_GUARDED_BY(mutex_) = false;
};

// The parts of a running server, in the order of their life.
class Daemon {
 public:
  explicit Daemon(const Config& config)
      : config_(config), log_(LogOptionsOf(config.log)) {}

  int Run();

 private:
  absl::Status Listen();
  // Opens the data on another thread, so that a stop signal is heard.
  void Load();
  int StopWhileLoading();
  int Stop();
  int Fail(ExitCode code, const absl::Status& status);

  const Config config_;
  Log log_;
  RequestMetrics metrics_;
  Events events_;
  ServingState state_;
  // Set by the loading thread before SetLoaded().
  absl::StatusOr<std::unique_ptr<Database>> database_;
  std::unique_ptr<Thread> loader_;
  std::unique_ptr<SignalWatch> signals_;
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<GrpcServer> grpc_;
};

int Daemon::Fail(ExitCode code, const absl::Status& status) {
  log_.Error(status.message());
  return code;
}

absl::Status Daemon::Listen() {
  ApiEnvironment environment;
  environment.state = &state_;
  environment.metrics = &metrics_;
  environment.log = &log_;
  environment.slow_query_ms = config_.log.slow_query_ms;
  environment.response_bytes_max = config_.grpc.max_message_mb << 20U;
  auto grpc = GrpcServer::Start(config_, environment);
  if (!grpc.ok()) {
    return grpc.status();
  }
  grpc_ = *std::move(grpc);
  if (config_.http.enabled) {
    auto http = HttpServer::Start(config_.http, &state_, &metrics_);
    if (!http.ok()) {
      return http.status();
    }
    http_ = *std::move(http);
  }
  return absl::OkStatus();
}

void Daemon::Load() {
  DatabaseOptions options = DatabaseOptionsOf(config_);
  options.on_progress = [this](size_t done, size_t total,
                               absl::string_view name) {
    state_.SetLoadProgress(done, total, name);
    log_.Info("loading", {{"collections_done", uint64_t{done}},
                          {"collections", uint64_t{total}},
                          {"collection", name}});
  };
  options.on_event = [this](bool severe, const std::string& line) {
    if (severe) {
      log_.Warning(line);
    } else {
      log_.Info(line);
    }
  };
  loader_ = std::make_unique<Thread>(
      "load", [this, options = std::move(options)]() mutable {
        database_ = Database::Open(std::move(options));
        events_.SetLoaded();
      });
}

int Daemon::Run() {
  const auto start = steady_clock::now();
  Log::CaptureLibraries(&log_);
  signals_ = std::make_unique<SignalWatch>([this](int signal) {
    log_.Info("stopping", {{"signal", int64_t{signal}}});
    events_.RequestStop();
  });
  if (const absl::Status status = Listen(); !status.ok()) {
    return Fail(kExitConfiguration, status);
  }
  std::error_code no_path;
  const std::string data_dir =
      std::filesystem::absolute(config_.storage.data_dir, no_path).string();
  log_.Info(
      "sextantd starts",
      {{"version", Version()},
       {"grpc", absl::string_view(grpc_->listen_address())},
       {"unix_socket", absl::string_view(config_.grpc.unix_socket)},
       {"http", http_ == nullptr ? absl::string_view()
                                 : absl::string_view(http_->listen_address())},
       {"data_dir", absl::string_view(data_dir)},
       {"durability", absl::string_view(config_.storage.durability)},
       {"simd", SimdLevel()},
       {"pid", int64_t{::getpid()}}});
  if (config_.server.insecure) {
    log_.Warning(
        "server.insecure: there is neither encryption nor "
        "authentication; keep strangers off this network");
  }
  Load();
  if (events_.WaitForLoadedOrStop()) {
    return StopWhileLoading();
  }
  loader_.reset();
  if (!database_.ok()) {
    return Fail(kExitFailed,
                absl::Status(database_.status().code(),
                             absl::StrCat("storage.data_dir: ",
                                          database_.status().message())));
  }
  state_.StartServing(database_->get());
  log_.Info("serving",
            {{"collections", uint64_t{(*database_)->collection_count()}},
             {"seconds", SecondsSince(start)}});
  events_.WaitForStop();
  return Stop();
}

int Daemon::StopWhileLoading() {
  state_.StartDraining();
  if (!events_.WaitForLoaded(config_.server.drain_seconds)) {
    // Opening cannot be interrupted, but nothing was acknowledged yet and the
    // store is made for sudden ends.
    log_.Info("stopped while loading");
    std::_Exit(kExitOk);
  }
  loader_.reset();
  return Stop();
}

int Daemon::Stop() {
  const auto start = steady_clock::now();
  state_.StartDraining();
  const bool drained = grpc_->Stop(absl::Seconds(config_.server.drain_seconds));
  if (!drained) {
    log_.Warning("calls that still ran were cancelled",
                 {{"drain_seconds", config_.server.drain_seconds}});
  }
  // No call is left that could use the database; /metrics could.
  http_.reset();
  if (database_.ok()) {
    const absl::Status closed = (*database_)->Close();
    if (!closed.ok()) {
      return Fail(kExitFailed,
                  absl::Status(closed.code(),
                               absl::StrCat("closing the data directory: ",
                                            closed.message())));
    }
  }
  log_.Info("stopped", {{"seconds", SecondsSince(start)}});
  return kExitOk;
}

}  // namespace

int RunDaemon(const Config& config) {
  // What the server writes is for its own user only.
  ::umask(S_IRWXG | S_IRWXO);
  PrepareSignals();
  Daemon daemon(config);
  return daemon.Run();
}

}  // namespace sextant
