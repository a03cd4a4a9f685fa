// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "base/mutex.h"
#include "base/thread.h"

namespace sextant {

struct ServerProcessOptions {
  std::string data_dir;
  // "127.0.0.1:0": any free port, which the server then names in its log. Give
  // a port to come back under the same address.
  std::string grpc_listen = "127.0.0.1:0";
  std::string http_listen = "127.0.0.1:0";
  // More arguments: {"--log.slow_query_ms", "1"}. Later ones win.
  std::vector<std::string> arguments;
  // More environment: {"SEXTANT_CRASH_POINT=..."}.
  std::vector<std::string> environment;
  // RLIMIT_FSIZE of the process, to make its disk writes fail; 0 = none.
  uint64_t file_size_max = 0;
};

// A real sextantd with its standard error in view. Killed, if it still runs,
// by the destructor, and by the kernel when the thread that started it ends.
//
// The binary is the one of this build, or $SEXTANTD_BINARY. One thread at a
// time, except where said.
class ServerProcess {
 public:
  // Starts it and waits until it serves. The error holds the log.
  static absl::StatusOr<std::unique_ptr<ServerProcess>> Start(
      const ServerProcessOptions& options);
  // Starts it and waits for nothing.
  static absl::StatusOr<std::unique_ptr<ServerProcess>> Launch(
      const ServerProcessOptions& options);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // Waits until the log says so; an error if the process ends before.
  absl::Status WaitUntilListening();
  absl::Status WaitUntilServing();
  // Waits for a log line that holds `text`.
  absl::Status WaitForLog(absl::string_view text);

  // kill -9, and waits for the end. Any thread.
  void Kill();
  // SIGTERM, or any other signal; does not wait. Any thread.
  void Signal(int signal);
  // SIGTERM, waits, returns the exit code.
  absl::StatusOr<int> Terminate();
  // The exit code, or 128 + signal. kDeadlineExceeded when it still runs.
  absl::StatusOr<int> WaitForExit(absl::Duration timeout = absl::Seconds(60));

  // Set once it listens.
  const std::string& grpc_address() const { return grpc_address_; }
  const std::string& http_address() const { return http_address_; }
  pid_t pid() const { return pid_; }
  // All of its log so far (JSON lines). Any thread.
  std::string log() const;

 private:
  explicit ServerProcess(pid_t pid, int log_fd);

  void ReadLog(int log_fd);
  absl::Status WaitUntil(absl::string_view what,
                         const std::function<bool(const std::string&)>& done);
  std::string LogLineWith(absl::string_view text) const;

  const pid_t pid_;
  int pid_fd_ = -1;
  // Not mutex_: the log must be read on while somebody waits for the end.
  Mutex exit_mutex_;
  bool reaped_ ABSL_GUARDED_BY(exit_mutex_) = false;
  int exit_code_ ABSL_GUARDED_BY(exit_mutex_) = 0;
  std::string grpc_address_;
  std::string http_address_;

  mutable Mutex mutex_;
  CondVar changed_;
  std::string log_ ABSL_GUARDED_BY(mutex_);
  bool log_ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<Thread> reader_;
};

// The path of the binary that tests start.
std::string ServerBinary();

// Runs sextantd with these arguments to its end: exit code, and what it wrote
// to standard output and standard error.
struct CommandResult {
  int exit_code = -1;
  std::string output;
  std::string error;
};
CommandResult RunServerCommand(
    const std::vector<std::string>& arguments,
    const std::vector<std::string>& environment = {});

// The body of an HTTP GET and its status code (0: no answer).
struct HttpAnswer {
  int status = 0;
  std::string body;
};
HttpAnswer HttpGet(const std::string& address, const std::string& path);

}  // namespace sextant
