// SPDX-License-Identifier: Apache-2.0
#include "tests/cli/cli_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/check.h"

namespace sextant {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void Redirect(const std::string& path, int flags, int target) {
  const int fd = open(path.c_str(), flags, 0600);
  if (fd < 0 || dup2(fd, target) < 0) {
    _exit(126);
  }
}

// In the child: only what is safe after fork.
[[noreturn]] void Execute(const std::vector<char*>& arguments) {
  execv(arguments[0], arguments.data());
  _exit(127);
}

pid_t Start(std::vector<std::string> command, const std::string& input,
            const std::string& output, const std::string& error) {
  std::vector<char*> arguments;
  for (std::string& argument : command) {
    arguments.push_back(argument.data());
  }
  arguments.push_back(nullptr);
  const pid_t pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    Redirect(input, O_RDONLY, STDIN_FILENO);
    Redirect(output, O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
    Redirect(error, O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
    Execute(arguments);
  }
  return pid;
}

int NextNumber() {
  static std::atomic<int> next = 0;
  return next++;
}

int WaitForExit(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    CHECK(errno == EINTR);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

CliProcess::CliProcess(const std::string& folder,
                       const std::vector<std::string>& arguments,
                       const std::string& input)
    : folder_(folder), number_(NextNumber()) {
  std::ofstream(Path("in"), std::ios::binary) << input;
  std::vector<std::string> command = {SEXTANT_CLI_PATH};
  command.insert(command.end(), arguments.begin(), arguments.end());
  pid_ = Start(std::move(command), Path("in"), Path("out"), Path("err"));
}

CliProcess::~CliProcess() {
  if (pid_ > 0) {
    Kill();
    WaitForExit(pid_);
  }
}

std::string CliProcess::Path(const char* name) const {
  return absl::StrCat(folder_, "/cli", number_, ".", name);
}

void CliProcess::Kill() {
  kill(pid_, SIGKILL);
}

CliResult CliProcess::Wait() {
  const int exit_code = WaitForExit(pid_);
  pid_ = -1;
  return {.exit_code = exit_code,
          .output = ReadFile(Path("out")),
          .error = ReadFile(Path("err"))};
}

CliResult RunCli(const std::string& folder,
                 const std::vector<std::string>& arguments,
                 const std::string& input) {
  return CliProcess(folder, arguments, input).Wait();
}

CliResult RunScript(const std::string& folder, const std::string& script) {
  const std::string prefix = absl::StrCat(folder, "/script", NextNumber());
  const pid_t pid =
      Start({"/bin/bash", "-c",
             absl::StrCat("SEXTANT='", SEXTANT_CLI_PATH, "'\n", script)},
            "/dev/null", prefix + ".out", prefix + ".err");
  const int exit_code = WaitForExit(pid);
  return {.exit_code = exit_code,
          .output = ReadFile(prefix + ".out"),
          .error = ReadFile(prefix + ".err")};
}

}  // namespace sextant
