// SPDX-License-Identifier: Apache-2.0
#include "server/signals.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigset_t is POSIX
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "base/check.h"

namespace sextant {
namespace {

sigset_t StopSignals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGTERM);
  ::sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

void PrepareSignals() {
  const sigset_t set = StopSignals();
  CHECK_EQ(::pthread_sigmask(SIG_BLOCK, &set, nullptr), 0);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
}

SignalWatch::SignalWatch(std::function<void(int signal)> on_stop)
    : on_stop_(std::move(on_stop)), end_fd_(::eventfd(0, EFD_CLOEXEC)) {
  const sigset_t set = StopSignals();
  signal_fd_ = ::signalfd(-1, &set, SFD_CLOEXEC);
  CHECK(signal_fd_ >= 0 && end_fd_ >= 0) << "errno " << errno;
  thread_ = std::make_unique<Thread>("signals", [this] { Watch(); });
}

SignalWatch::~SignalWatch() {
  const uint64_t one = 1;
  CHECK_EQ(::write(end_fd_, &one, sizeof(one)), ssize_t{sizeof(one)});
  thread_.reset();
  ::close(signal_fd_);
  ::close(end_fd_);
}

void SignalWatch::Watch() {
  bool stopping = false;
  for (;;) {
    pollfd waits[] = {{signal_fd_, POLLIN, 0}, {end_fd_, POLLIN, 0}};
    if (::poll(waits, 2, -1) < 0) {
      continue;  // EINTR
    }
    if (waits[1].revents != 0) {
      return;
    }
    signalfd_siginfo info{};
    if (::read(signal_fd_, &info, sizeof(info)) != ssize_t{sizeof(info)}) {
      continue;
    }
    const int signal = static_cast<int>(info.ssi_signo);
    if (stopping) {
      std::_Exit(128 + signal);
    }
    stopping = true;
    on_stop_(signal);
  }
}

}  // namespace sextant
