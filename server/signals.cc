// SPDX-License-Identifier: Apache-2.0
#include "server/signals.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigset_t is POSIX
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "base/check.h"

namespace sextant {
namespace {

// From the handler to the thread that watches. What comes before there is one
// waits in it.
int stop_pipe[2] = {-1, -1};

sigset_t StopSignals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGTERM);
  ::sigaddset(&set, SIGINT);
  return set;
}

void OnStopSignal(int signal) {
  const int saved = errno;
  const auto number = static_cast<unsigned char>(signal);
  // A full pipe holds more signals than anybody waits for.
  static_cast<void>(::write(stop_pipe[1], &number, 1) == 1);
  errno = saved;
}

}  // namespace

void PrepareSignals() {
  CHECK_EQ(::pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK), 0) << "errno " << errno;
  // Libraries may have started threads before main(), which do not block
  // signals (OpenBLAS does): a handler, so that it does not matter whose thread
  // is asked.
  struct sigaction action {};
  action.sa_handler = OnStopSignal;
  action.sa_mask = StopSignals();
  action.sa_flags = SA_RESTART;
  CHECK_EQ(::sigaction(SIGTERM, &action, nullptr), 0);
  CHECK_EQ(::sigaction(SIGINT, &action, nullptr), 0);
  const sigset_t set = StopSignals();
  CHECK_EQ(::pthread_sigmask(SIG_BLOCK, &set, nullptr), 0);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
}

SignalWatch::SignalWatch(std::function<void(int signal)> on_stop)
    : on_stop_(std::move(on_stop)), end_fd_(::eventfd(0, EFD_CLOEXEC)) {
  CHECK_GE(end_fd_, 0) << "errno " << errno;
  thread_ = std::make_unique<Thread>("signals", [this] { Watch(); });
}

SignalWatch::~SignalWatch() {
  const uint64_t one = 1;
  CHECK_EQ(::write(end_fd_, &one, sizeof(one)), ssize_t{sizeof(one)});
  thread_.reset();
  ::close(end_fd_);
}

void SignalWatch::Watch() {
  const sigset_t set = StopSignals();
  CHECK_EQ(::pthread_sigmask(SIG_UNBLOCK, &set, nullptr), 0);
  bool stopping = false;
  for (;;) {
    pollfd waits[] = {{stop_pipe[0], POLLIN, 0}, {end_fd_, POLLIN, 0}};
    if (::poll(waits, 2, -1) < 0) {
      continue;  // EINTR
    }
    if (waits[1].revents != 0) {
      return;
    }
    unsigned char signal = 0;
    if (::read(stop_pipe[0], &signal, 1) != 1) {
      continue;
    }
    if (stopping) {
      std::_Exit(128 + signal);
    }
    stopping = true;
    on_stop_(signal);
  }
}

}  // namespace sextant
