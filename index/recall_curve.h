// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "index/search_effort.h"

namespace sextant {

// The numbers of nearest rows that recall is measured for.
inline constexpr std::array<uint32_t, 3> kRecallDepths = {1, 10, 100};

// What one effort found in a sample of searches.
struct RecallPoint {
  SearchEffort effort;
  // For each depth: mean share of the exact nearest rows that were found, its
  // standard error, and the distances that a search computed on average. 0
  // where the beam is narrower than the depth.
  std::array<float, kRecallDepths.size()> recall = {};
  std::array<float, kRecallDepths.size()> error = {};
  std::array<float, kRecallDepths.size()> distances = {};
};

// How the recall of graph searches in one segment grows with their effort, as
// it was measured after the build (recall_calibration.h).
//
// Immutable, thread-safe. Its recalls are what to expect, not what was seen:
// lowered by the uncertainty of a sample and by the distance at which real
// queries lie from stored rows (docs/explanation/recall.md).
class RecallCurve {
 public:
  // `points`: first those without slack by ascending beam width, then those
  // with, all of one width, by ascending slack; at least one. `longest_row` is
  // the greatest norm of a row.
  RecallCurve(std::vector<RecallPoint> points, uint32_t sample,
              float longest_row);

  // kDataLoss unless the bytes are a whole curve: checksum, ascending efforts,
  // recalls from 0 to 1.
  static absl::StatusOr<RecallCurve> Open(absl::string_view bytes);
  // Layout, little-endian: u32 magic "SXRC", u32 version = 1, u32 points, u32
  // searches of the sample, f32 longest row; for each point u32 ef, f32 slack,
  // and for each depth f32 recall, f32 error, f32 distances; XXH3-64 of all
  // before it.
  std::string Encode() const;

  // The least effort whose expected recall of the best k is at least `target`,
  // which is below 1; never less than k wide. By slack where that was measured,
  // else by beam width. Does not fall when `target` grows. Empty where no
  // measured effort is enough.
  std::optional<SearchEffort> EffortFor(double target, uint32_t k) const;
  // Expected recall of the best k, 0 to 1: the largest target that needs no
  // more than `effort`.
  double RecallOf(const SearchEffort& effort, uint32_t k) const;
  // Distances that a search for the best k computes on average.
  double DistancesOf(const SearchEffort& effort, uint32_t k) const;

  const std::vector<RecallPoint>& points() const { return points_; }
  uint32_t sample() const { return sample_; }
  float longest_row() const { return longest_row_; }

 private:
  // Points that differ in one number, the beam width or the slack.
  struct Family {
    std::vector<double> numbers;
    // For each depth: expected recall of each point, never falling; 0 where it
    // was not measured. And the distances.
    std::array<std::vector<double>, kRecallDepths.size()> expected;
    std::array<std::vector<double>, kRecallDepths.size()> distances;

    void Add(const RecallPoint& point, double number);
    void Finish();
    // The number that is needed, interpolated.
    std::optional<double> Needed(double target, size_t depth) const;
    std::optional<double> NeededFor(double target, uint32_t k) const;
    double DistancesAt(double number, size_t depth) const;
  };

  const Family& FamilyOf(const SearchEffort& effort) const {
    return effort.has_slack() ? by_slack_ : by_width_;
  }

  std::vector<RecallPoint> points_;
  uint32_t sample_ = 0;  // searches that were measured
  float longest_row_ = 0;
  Family by_width_;
  Family by_slack_;
  uint32_t slack_width_ = 0;  // beam width of the points with slack
};

}  // namespace sextant
