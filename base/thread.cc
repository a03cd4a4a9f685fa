// SPDX-License-Identifier: Apache-2.0
#include "base/thread.h"

#include <pthread.h>

#include <utility>

namespace sextant {

Thread::Thread(std::string name, std::function<void()> body)
    : thread_([name = std::move(name), body = std::move(body)]() {
        // A name is a convenience: failing to set it changes nothing.
        static_cast<void>(
            pthread_setname_np(pthread_self(), name.substr(0, 15).c_str()));
        body();
      }) {}

Thread::~Thread() {
  thread_.join();
}

}  // namespace sextant
