// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/crash/workload.h"

namespace sextant::test {

struct DriverOptions {
  std::string path;
  uint64_t seed = 0;
  Progress done = {};       // requests to leave out
  uint64_t requests = 0;    // of each client, then a clean end; 0 = no end
  std::string environment;  // "NAME=value" or empty
};

// A process of its own that opens a data directory and writes the workload
// with four threads, sealing, merging, creating and dropping collections
// meanwhile. It is this very binary, started with other arguments.
//
// One thread. The destructor kills it.
class DriverProcess {
 public:
  explicit DriverProcess(const DriverOptions& options);
  ~DriverProcess();
  DriverProcess(const DriverProcess&) = delete;
  DriverProcess& operator=(const DriverProcess&) = delete;

  // Takes in what it reports for this long, or until its end.
  void Run(int for_ms);
  // Takes in what it reports until it serves; false if it ends before.
  bool RunUntilReady();
  // kill -9; takes in the last reports.
  void Kill();
  // Waits for its end: the exit code, or 128 + signal.
  int Wait();

  bool ready() const { return ready_; }
  // Told to be done.
  const Progress& acknowledged() const { return acknowledged_; }
  // One more may have begun.
  Progress attempted() const;

 private:
  // False at the end of the reports, or after `timeout_ms` (-1: never).
  bool Read(int timeout_ms);

  pid_t pid_ = -1;
  int reports_ = -1;
  bool ready_ = false;
  Progress acknowledged_ = {};
};

// The other side; returns the exit code. `arguments` as DriverProcess passes
// them.
int RunDriver(const std::vector<std::string>& arguments);

}  // namespace sextant::test
