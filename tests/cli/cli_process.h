// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

namespace sextant {

// How a run of the real command line client ended.
struct CliResult {
  int exit_code = -1;  // 128 + signal when it was killed
  std::string output;
  std::string error;
};

// The `sextant` of this build, running. Its standard output and error go to
// files in `folder`. Used by one thread; killed by the destructor if it still
// runs.
class CliProcess {
 public:
  CliProcess(const std::string& folder,
             const std::vector<std::string>& arguments,
             const std::string& input = "");
  ~CliProcess();
  CliProcess(const CliProcess&) = delete;
  CliProcess& operator=(const CliProcess&) = delete;

  // kill -9.
  void Kill();
  CliResult Wait();

 private:
  std::string Path(const char* name) const;

  const std::string folder_;
  const int number_;
  pid_t pid_ = -1;
};

// Runs it to its end.
CliResult RunCli(const std::string& folder,
                 const std::vector<std::string>& arguments,
                 const std::string& input = "");

// Runs a bash script in which $SEXTANT is the client.
CliResult RunScript(const std::string& folder, const std::string& script);

}  // namespace sextant
