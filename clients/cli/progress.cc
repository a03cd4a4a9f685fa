// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/progress.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"

#include "clients/cli/output.h"
#include "clients/cli/text.h"

namespace sextant::cli {
namespace {

constexpr absl::Duration kRedraw = absl::Milliseconds(100);
constexpr absl::Duration kNextLine = absl::Seconds(5);
constexpr int kBarColumns = 24;

double Fraction(const ProgressState& state) {
  if (state.total > 0) {
    return std::min(1.0, static_cast<double>(state.done) /
                             static_cast<double>(state.total));
  }
  return std::min(1.0, state.fraction);
}

}  // namespace

std::string ProgressLine(const ProgressState& state, bool with_bar) {
  const double fraction = Fraction(state);
  const double seconds = absl::ToDoubleSeconds(state.elapsed);
  const uint64_t moved = state.done - std::min(state.skipped, state.done);
  std::string line;
  if (fraction >= 0) {
    absl::StrAppendFormat(&line, "%3.0f %% ", std::floor(fraction * 100));
    if (with_bar) {
      const auto full = static_cast<size_t>(std::floor(fraction * kBarColumns));
      absl::StrAppend(&line, "[", std::string(full, '#'),
                      std::string(kBarColumns - full, ' '), "] ");
    }
  }
  absl::StrAppend(&line, WithCommas(state.done));
  if (state.total > 0) {
    absl::StrAppend(&line, " of ", WithCommas(state.total));
  }
  absl::StrAppend(&line, " ", state.unit);
  if (seconds > 0 && moved > 0) {
    const double rate = static_cast<double>(moved) / seconds;
    absl::StrAppend(&line, ", ",
                    WithCommas(static_cast<uint64_t>(std::round(rate))), "/s");
    // What a resumed run skipped took no time, so it tells nothing.
    const double before = state.done == 0
                              ? 0
                              : fraction * static_cast<double>(state.skipped) /
                                    static_cast<double>(state.done);
    if (fraction > before && fraction < 1) {
      const double left = seconds * (1 - fraction) / (fraction - before);
      absl::StrAppend(&line, ", ", HumanTime(absl::Seconds(std::ceil(left))),
                      " left");
    }
  }
  return line;
}

ProgressMeter::ProgressMeter(bool terminal)
    : terminal_(terminal), start_(absl::Now()), last_(start_) {}

absl::Duration ProgressMeter::elapsed() const {
  return absl::Now() - start_;
}

void ProgressMeter::Draw(const ProgressState& state) {
  const std::string line = ProgressLine(state, terminal_);
  if (terminal_) {
    // Back to the start of the line, write, clear what is left of the old one.
    absl::FPrintF(stderr, "\r%s\x1b[K", line);
    drawn_ = true;
  } else {
    Note(line);
  }
}

void ProgressMeter::Show(ProgressState state) {
  const absl::Time now = absl::Now();
  if (now - last_ < (terminal_ ? kRedraw : kNextLine)) {
    return;
  }
  last_ = now;
  state.elapsed = now - start_;
  Draw(state);
}

void ProgressMeter::Done(ProgressState state) {
  if (terminal_) {
    state.elapsed = elapsed();
    Draw(state);
  }
  if (drawn_) {
    Note("");
    drawn_ = false;
  }
}

}  // namespace sextant::cli
