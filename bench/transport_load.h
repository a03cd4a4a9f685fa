// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace sextant {

struct TransportLoad {
  std::string target;
  pid_t server = 0;
  bool batch = false;    // which method
  std::string request;   // serialised
  int outstanding = 32;  // calls in flight
  double seconds = 1;
};

struct TransportRun {
  uint64_t calls = 0;
  double wall_s = 0;
  double server_cpu_s = 0;
  double client_cpu_s = 0;
};

// Closed loop, from the calling thread over one connection: whenever a call is
// answered the next is sent. Ends the process when a call fails, since the
// numbers would mean nothing.
TransportRun RunTransportLoad(const TransportLoad& load);

}  // namespace sextant
