// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <string>

#include "bench/ann_contestant.h"

namespace sextant {

struct AnnProgress::State {
  std::string name;
  uint64_t total = 0;
  std::chrono::steady_clock::time_point start =
      std::chrono::steady_clock::now();
  bool is_terminal = isatty(STDERR_FILENO) != 0;
  std::atomic<int64_t> last_print_ms{0};
};

AnnProgress::AnnProgress(absl::string_view name, uint64_t total)
    : state_(std::make_unique<State>()) {
  state_->name = std::string(name);
  state_->total = total;
  std::fprintf(stderr, "%s: %llu rows\n", state_->name.c_str(),
               static_cast<unsigned long long>(total));
}

AnnProgress::~AnnProgress() {
  if (state_->is_terminal) {
    std::fputc('\n', stderr);
  }
}

void AnnProgress::Set(uint64_t done) {
  const int64_t elapsed_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(
          std::chrono::steady_clock::now() - state_->start)
          .count();
  // A terminal line is rewritten; a log gets a line now and then.
  const int64_t every_ms = state_->is_terminal ? 500 : 10'000;
  int64_t last = state_->last_print_ms.load(std::memory_order_relaxed);
  if (elapsed_ms - last < every_ms ||
      !state_->last_print_ms.compare_exchange_strong(last, elapsed_ms)) {
    return;
  }
  std::fprintf(stderr, "%s%s: %llu / %llu rows, %lld s%s",
               state_->is_terminal ? "\r" : "", state_->name.c_str(),
               static_cast<unsigned long long>(done),
               static_cast<unsigned long long>(state_->total),
               static_cast<long long>(elapsed_ms / 1000),
               state_->is_terminal ? "   " : "\n");
}

}  // namespace sextant
