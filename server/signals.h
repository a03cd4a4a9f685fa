// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "base/thread.h"

namespace sextant {

// To be called once, before any other thread is started: SIGTERM and SIGINT are
// for SignalWatch, whatever thread the kernel picks for them; SIGPIPE and
// SIGXFSZ are ignored, so that a vanished client or a file-size limit is an
// error to handle, not the end.
void PrepareSignals();

// Waits for SIGTERM and SIGINT on a thread of its own. The first one calls
// `on_stop`, a second one ends the process at once (exit code 128 + signal).
//
// Owned by the daemon. `on_stop` runs on the watching thread.
class SignalWatch {
 public:
  explicit SignalWatch(std::function<void(int signal)> on_stop);
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

 private:
  void Watch();

  const std::function<void(int signal)> on_stop_;
  int end_fd_ = -1;
  std::unique_ptr<Thread> thread_;
};

}  // namespace sextant
