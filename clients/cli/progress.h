// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace sextant::cli {

// Where a long work stands.
struct ProgressState {
  uint64_t done = 0;
  // 0 = not known.
  uint64_t total = 0;
  // 0 to 1; below 0 = not known. For work whose total is known in bytes only.
  double fraction = -1;
  // Since the start of this run, which did `done - skipped`.
  absl::Duration elapsed;
  uint64_t skipped = 0;
  std::string unit = "points";
};

// " 45 % [#########           ] 1,800 of 4,000 points, 12,345/s, 3 s left".
std::string ProgressLine(const ProgressState& state, bool with_bar);

// Shows a work's progress on standard error: one line that is drawn again on a
// terminal, a line every few seconds elsewhere. Used by one thread.
class ProgressMeter {
 public:
  explicit ProgressMeter(bool terminal);

  // Cheap when called often.
  void Show(ProgressState state);
  // Ends the drawn line.
  void Done(ProgressState state);
  absl::Duration elapsed() const;

 private:
  void Draw(const ProgressState& state);

  const bool terminal_;
  const absl::Time start_;
  absl::Time last_;
  bool drawn_ = false;
};

}  // namespace sextant::cli
