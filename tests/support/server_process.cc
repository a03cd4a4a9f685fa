// SPDX-License-Identifier: Apache-2.0
#include "tests/support/server_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "httplib.h"
#include "nlohmann/json.hpp"

#include "base/check.h"
#include "base/status_macros.h"

namespace sextant {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(120);

// Arguments or environment as execve wants them. Points into `texts`.
std::vector<char*> Pointers(std::vector<std::string>* texts) {
  std::vector<char*> pointers;
  for (std::string& text : *texts) {
    pointers.push_back(text.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

// This process's environment without the server's own settings, so that a test
// means the same everywhere.
std::vector<std::string> CleanEnvironment(
    const std::vector<std::string>& additions) {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!absl::StartsWith(*entry, "SEXTANT_") ||
        absl::StartsWith(*entry, "SEXTANT_SIMD")) {
      entries.emplace_back(*entry);
    }
  }
  entries.insert(entries.end(), additions.begin(), additions.end());
  return entries;
}

struct ChildSetup {
  int out_fd = -1;
  int error_fd = -1;
  uint64_t file_size_max = 0;
};

// Only async-signal-safe calls: the parent has threads.
[[noreturn]] void RunChild(const ChildSetup& setup, char** arguments,
                           char** environment) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (setup.out_fd >= 0) {
    ::dup2(setup.out_fd, STDOUT_FILENO);
  }
  ::dup2(setup.error_fd, STDERR_FILENO);
  if (setup.file_size_max != 0) {
    const rlimit limit = {setup.file_size_max, setup.file_size_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ::execve(arguments[0], arguments, environment);
  ::_exit(127);
}

pid_t Spawn(const ChildSetup& setup, std::vector<std::string> arguments,
            std::vector<std::string> environment) {
  std::vector<char*> argument_pointers = Pointers(&arguments);
  std::vector<char*> environment_pointers = Pointers(&environment);
  const pid_t pid = ::fork();
  CHECK(pid >= 0) << "fork: errno " << errno;
  if (pid == 0) {
    RunChild(setup, argument_pointers.data(), environment_pointers.data());
  }
  return pid;
}

int ExitCodeOf(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status)
                                  : WEXITSTATUS(wait_status);
}

std::string ReadToEnd(int fd) {
  std::string text;
  char buffer[4096];
  ssize_t count = 0;
  while ((count = ::read(fd, buffer, sizeof(buffer))) != 0) {
    if (count > 0) {
      text.append(buffer, static_cast<size_t>(count));
    } else if (errno != EINTR) {
      break;
    }
  }
  return text;
}

// Both ends close on exec; dup2 in the child makes the ones it needs.
void MakePipe(int (&ends)[2]) {
  CHECK_EQ(::pipe2(ends, O_CLOEXEC), 0) << "errno " << errno;
}

std::string JsonString(const std::string& line, const char* member) {
  const nlohmann::json object = nlohmann::json::parse(line, nullptr, false);
  const bool found = object.is_object() && object.contains(member) &&
                     object[member].is_string();
  return found ? object[member].get<std::string>() : std::string();
}

}  // namespace

std::string ServerBinary() {
  const char* const chosen = std::getenv("SEXTANTD_BINARY");
  return chosen != nullptr ? chosen : SEXTANTD_PATH;
}

absl::StatusOr<std::unique_ptr<ServerProcess>> ServerProcess::Launch(
    const ServerProcessOptions& options) {
  std::vector<std::string> arguments = {
      ServerBinary(),      "--storage.data_dir", options.data_dir,
      "--grpc.listen",     options.grpc_listen,  "--http.listen",
      options.http_listen, "--log.format",       "json"};
  arguments.insert(arguments.end(), options.arguments.begin(),
                   options.arguments.end());
  if (::access(arguments[0].c_str(), X_OK) != 0) {
    return absl::NotFoundError(absl::StrCat(arguments[0], " is not built"));
  }
  int log_pipe[2];
  MakePipe(log_pipe);
  ChildSetup setup;
  setup.error_fd = log_pipe[1];
  setup.file_size_max = options.file_size_max;
  const pid_t pid =
      Spawn(setup, std::move(arguments), CleanEnvironment(options.environment));
  ::close(log_pipe[1]);
  return std::unique_ptr<ServerProcess>(new ServerProcess(pid, log_pipe[0]));
}

absl::StatusOr<std::unique_ptr<ServerProcess>> ServerProcess::Start(
    const ServerProcessOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<ServerProcess> server, Launch(options));
  RETURN_IF_ERROR(server->WaitUntilServing());
  return server;
}

ServerProcess::ServerProcess(pid_t pid, int log_fd)
    : pid_(pid), pid_fd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {
  CHECK(pid_fd_ >= 0) << "pidfd_open: errno " << errno;
  reader_ = std::make_unique<Thread>("server-log",
                                     [this, log_fd] { ReadLog(log_fd); });
}

ServerProcess::~ServerProcess() {
  Kill();
  reader_.reset();
  ::close(pid_fd_);
}

void ServerProcess::ReadLog(int log_fd) {
  char buffer[4096];
  for (;;) {
    const ssize_t count = ::read(log_fd, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    const MutexLock lock(&mutex_);
    if (count > 0) {
      log_.append(buffer, static_cast<size_t>(count));
    }
    log_ended_ = count <= 0;
    changed_.NotifyAll();
    if (log_ended_) {
      break;
    }
  }
  ::close(log_fd);
}

std::string ServerProcess::log() const {
  const MutexLock lock(&mutex_);
  return log_;
}

std::string ServerProcess::LogLineWith(absl::string_view text) const {
  const std::string all = log();
  for (const absl::string_view line : absl::StrSplit(all, '\n')) {
    if (absl::StrContains(line, text)) {
      return std::string(line);
    }
  }
  return "";
}

absl::Status ServerProcess::WaitUntil(
    absl::string_view what,
    const std::function<bool(const std::string&)>& done) {
  const auto deadline =
      std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(kPatience);
  const MutexLock lock(&mutex_);
  while (!done(log_)) {
    if (log_ended_) {
      return absl::UnavailableError(
          absl::StrCat("sextantd ended before ", what, "; its log:\n", log_));
    }
    if (!changed_.WaitUntil(&mutex_, deadline) && !done(log_)) {
      return absl::DeadlineExceededError(
          absl::StrCat("waited in vain for ", what, "; the log:\n", log_));
    }
  }
  return absl::OkStatus();
}

absl::Status ServerProcess::WaitForLog(absl::string_view text) {
  return WaitUntil(text, [text](const std::string& log) {
    const size_t found = log.find(std::string(text));
    // The whole line must be there.
    return found != std::string::npos &&
           log.find('\n', found) != std::string::npos;
  });
}

absl::Status ServerProcess::WaitUntilListening() {
  constexpr absl::string_view kStarts = "\"message\":\"sextantd starts\"";
  RETURN_IF_ERROR(WaitForLog(kStarts));
  const std::string line = LogLineWith(kStarts);
  grpc_address_ = JsonString(line, "grpc");
  http_address_ = JsonString(line, "http");
  return absl::OkStatus();
}

absl::Status ServerProcess::WaitUntilServing() {
  RETURN_IF_ERROR(WaitUntilListening());
  return WaitForLog("\"message\":\"serving\"");
}

void ServerProcess::Signal(int signal) {
  ::syscall(SYS_pidfd_send_signal, pid_fd_, signal, nullptr, 0);
}

void ServerProcess::Kill() {
  Signal(SIGKILL);
  WaitForExit().IgnoreError();
}

absl::StatusOr<int> ServerProcess::Terminate() {
  Signal(SIGTERM);
  return WaitForExit();
}

absl::StatusOr<int> ServerProcess::WaitForExit(absl::Duration timeout) {
  const auto deadline =
      std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(timeout);
  const MutexLock lock(&exit_mutex_);
  while (!reaped_) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd wait = {pid_fd_, POLLIN, 0};
    const int ready = left.count() <= 0
                          ? 0
                          : ::poll(&wait, 1, static_cast<int>(left.count()));
    if (ready == 0) {
      return absl::DeadlineExceededError("sextantd still runs");
    }
    int status = 0;
    if (ready > 0 && ::waitpid(pid_, &status, 0) == pid_) {
      reaped_ = true;
      exit_code_ = ExitCodeOf(status);
    }
  }
  return exit_code_;
}

CommandResult RunServerCommand(const std::vector<std::string>& arguments,
                               const std::vector<std::string>& environment) {
  int out_pipe[2];
  int error_pipe[2];
  MakePipe(out_pipe);
  MakePipe(error_pipe);
  ChildSetup setup;
  setup.out_fd = out_pipe[1];
  setup.error_fd = error_pipe[1];
  std::vector<std::string> all = {ServerBinary()};
  all.insert(all.end(), arguments.begin(), arguments.end());
  const pid_t pid = Spawn(setup, std::move(all), CleanEnvironment(environment));
  ::close(out_pipe[1]);
  ::close(error_pipe[1]);
  CommandResult result;
  {
    // Both at once, or a full pipe would stop the child.
    const Thread reader("stderr", [&result, fd = error_pipe[0]] {
      result.error = ReadToEnd(fd);
    });
    result.output = ReadToEnd(out_pipe[0]);
  }
  ::close(out_pipe[0]);
  ::close(error_pipe[0]);
  int status = 0;
  CHECK_EQ(::waitpid(pid, &status, 0), pid);
  result.exit_code = ExitCodeOf(status);
  return result;
}

HttpAnswer HttpGet(const std::string& address, const std::string& path) {
  httplib::Client client("http://" + address);
  const httplib::Result result = client.Get(path);
  if (!result) {
    return {};
  }
  return {result->status, result->body};
}

}  // namespace sextant
