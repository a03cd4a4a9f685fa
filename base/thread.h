// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <thread>

namespace sextant {

// One named thread that runs `body` once and is joined by the destructor. The
// owner tells the body to end before that. For work in small pieces use
// ThreadPool. An exception that leaves `body` ends the program.
class Thread {
 public:
  // `name` shows in top, gdb and perf; the kernel keeps 15 characters.
  Thread(std::string name, std::function<void()> body);
  ~Thread();
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

 private:
  std::thread thread_;
};

}  // namespace sextant
