// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace sextant {

// A process that answers every search with the same bytes and does nothing
// else, over gRPC as sextantd uses it: one completion queue, one thread that
// polls and answers, messages as bytes. What it spends on a call is what gRPC
// costs, whatever the engine does.
//
// Owned by the benchmark; the process ends with it.
class EchoProcess {
 public:
  // Runs this program again as the echo, pinned to `cpu`; `answer` is what a
  // Search gets.
  static absl::StatusOr<std::unique_ptr<EchoProcess>> Start(
      const std::string& answer, int cpu);
  ~EchoProcess();
  EchoProcess(const EchoProcess&) = delete;
  EchoProcess& operator=(const EchoProcess&) = delete;

  pid_t pid() const { return pid_; }
  const std::string& target() const { return target_; }

 private:
  EchoProcess(pid_t pid, int stop_fd, std::string target)
      : pid_(pid), stop_fd_(stop_fd), target_(std::move(target)) {}

  const pid_t pid_;
  const int stop_fd_;
  const std::string target_;
};

// First argument of the process above.
inline constexpr char kEchoArgument[] = "--internal-echo";

// The process above: reads the answer's length and bytes from standard input,
// writes its port to standard output, serves until standard input ends.
int RunEcho();

}  // namespace sextant
