// SPDX-License-Identifier: Apache-2.0
#include "base/crash_point.h"

#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/numbers.h"

#include "base/check.h"

namespace sextant::crash_point_internal {
namespace {

struct Target {
  std::string name;
  int64_t pass = 0;
};

// "name:n", where the name may hold colons itself. A malformed value is a
// broken test: it must not look like a run without crash points.
Target ParseEnvironment() {
  const char* const value =
      std::getenv("SEXTANT_CRASH_POINT");  // NOLINT(concurrency-mt-unsafe):
                                           // read once, nothing here sets it.
  if (value == nullptr || *value == '\0') {
    return {};
  }
  const absl::string_view text(value);
  const size_t colon = text.rfind(':');
  CHECK(colon != absl::string_view::npos)
      << "SEXTANT_CRASH_POINT must be name:n, got '" << text << "'";
  Target target;
  target.name = std::string(text.substr(0, colon));
  CHECK(absl::SimpleAtoi(text.substr(colon + 1), &target.pass) &&
        target.pass > 0)
      << "SEXTANT_CRASH_POINT: n must be at least 1, got '" << text << "'";
  return target;
}

const Target& Chosen() {
  static const Target kTarget = ParseEnvironment();
  return kTarget;
}

}  // namespace

bool IsArmed() {
  return !Chosen().name.empty();
}

void Pass(absl::string_view name) {
  static std::atomic<int64_t> passes{0};
  if (name == Chosen().name && passes.fetch_add(1) + 1 == Chosen().pass) {
    _exit(kExitCode);
  }
}

}  // namespace sextant::crash_point_internal
