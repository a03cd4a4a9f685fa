// SPDX-License-Identifier: Apache-2.0
#include "index/recall_curve.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/checksum.h"
#include "base/coding.h"

namespace sextant {
namespace {

constexpr uint32_t kMagic = 0x43525853;  // "SXRC"
constexpr uint32_t kVersion = 1;
constexpr size_t kHeaderBytes = 4 * sizeof(uint32_t);
constexpr size_t kDepths = kRecallDepths.size();
constexpr size_t kReservedWords = 3;
constexpr size_t kPointBytes =
    (1 + kReservedWords + 2 * kDepths) * sizeof(uint32_t);
constexpr uint32_t kPointsMax = 1024;

// A measured recall is taken for less than it is by this many standard errors
// of the sample ...
constexpr double kErrors = 1;
// ... and its misses for more by this factor, because real queries lie farther
// from the stored rows than these from each other.
constexpr double kMissFactor = 1.25;

double Expected(double recall, double error) {
  return std::max(0.0, 1 - (1 - recall + kErrors * error) * kMissFactor);
}

void AppendFloat(std::string* output, float value) {
  AppendLittleEndian<uint32_t>(output, std::bit_cast<uint32_t>(value));
}

// Whether the point is one that a calibration can have made.
bool IsSound(const RecallPoint& point) {
  const auto in_range = [](float x) { return x >= 0 && x <= 1; };
  return point.effort.ef > 0 && std::ranges::all_of(point.recall, in_range) &&
         std::ranges::all_of(point.error, in_range);
}

RecallPoint DecodePoint(const char* bytes) {
  RecallPoint point;
  point.effort.ef = LoadLittleEndian<uint32_t>(bytes);
  bytes += (1 + kReservedWords) * sizeof(uint32_t);
  for (size_t depth = 0; depth < kDepths; ++depth) {
    point.recall[depth] =
        std::bit_cast<float>(LoadLittleEndian<uint32_t>(bytes));
    point.error[depth] = std::bit_cast<float>(
        LoadLittleEndian<uint32_t>(bytes + sizeof(uint32_t)));
    bytes += 2 * sizeof(uint32_t);
  }
  return point;
}

}  // namespace

RecallCurve::RecallCurve(std::vector<RecallPoint> points, uint32_t sample)
    : points_(std::move(points)), sample_(sample) {
  CHECK(!points_.empty()) << "a recall curve without points";
  for (size_t depth = 0; depth < kDepths; ++depth) {
    std::vector<double>& expected = expected_[depth];
    for (const RecallPoint& point : points_) {
      expected.push_back(
          point.effort.ef < kRecallDepths[depth]
              ? 0
              : Expected(point.recall[depth], point.error[depth]));
    }
    // Where a greater effort found less by chance, the lesser gets no more.
    for (size_t i = expected.size() - 1; i-- > 0;) {
      expected[i] = std::min(expected[i], expected[i + 1]);
    }
  }
}

absl::StatusOr<RecallCurve> RecallCurve::Open(absl::string_view bytes) {
  const auto damaged = [](absl::string_view what) {
    return absl::DataLossError(absl::StrCat("calibration: ", what));
  };
  if (bytes.size() < kHeaderBytes + sizeof(uint64_t)) {
    return damaged("shorter than its header");
  }
  const absl::string_view body =
      bytes.substr(0, bytes.size() - sizeof(uint64_t));
  if (Checksum64(body) !=
      LoadLittleEndian<uint64_t>(bytes.data() + body.size())) {
    return damaged("fails its checksum");
  }
  const auto word = [&body](size_t i) {
    return LoadLittleEndian<uint32_t>(body.data() + i * sizeof(uint32_t));
  };
  if (word(0) != kMagic || word(1) != kVersion) {
    return damaged(
        absl::StrCat("unknown form ", word(0), " version ", word(1)));
  }
  const uint32_t count = word(2);
  if (count == 0 || count > kPointsMax ||
      body.size() != kHeaderBytes + count * kPointBytes) {
    return damaged(
        absl::StrCat(bytes.size(), " bytes do not fit ", count, " efforts"));
  }
  std::vector<RecallPoint> points;
  for (uint32_t i = 0; i < count; ++i) {
    points.push_back(DecodePoint(body.data() + kHeaderBytes + i * kPointBytes));
    if (!IsSound(points.back()) ||
        (i > 0 && points[i].effort.ef <= points[i - 1].effort.ef)) {
      return damaged(absl::StrCat("effort ", i, " is out of range or order"));
    }
  }
  return RecallCurve(std::move(points), word(3));
}

std::string RecallCurve::Encode() const {
  std::string bytes;
  for (const uint32_t word :
       {kMagic, kVersion, static_cast<uint32_t>(points_.size()), sample_}) {
    AppendLittleEndian<uint32_t>(&bytes, word);
  }
  for (const RecallPoint& point : points_) {
    AppendLittleEndian<uint32_t>(&bytes, point.effort.ef);
    bytes.append(kReservedWords * sizeof(uint32_t), '\0');
    for (size_t depth = 0; depth < kDepths; ++depth) {
      AppendFloat(&bytes, point.recall[depth]);
      AppendFloat(&bytes, point.error[depth]);
    }
  }
  AppendLittleEndian<uint64_t>(&bytes, Checksum64(bytes));
  return bytes;
}

// Linear in the logarithm of the width. Recall bends down as it nears 1, so
// the straight line between two efforts promises no more than they keep.
std::optional<double> RecallCurve::WidthFor(double target, size_t depth) const {
  const std::vector<double>& expected = expected_[depth];
  const auto above = std::ranges::lower_bound(expected, target);
  if (above == expected.end()) {
    return std::nullopt;
  }
  const auto i = static_cast<size_t>(above - expected.begin());
  const double width = points_[i].effort.ef;
  if (i == 0 || points_[i - 1].effort.ef < kRecallDepths[depth]) {
    return width;
  }
  const double narrower = points_[i - 1].effort.ef;
  const double share =
      (target - expected[i - 1]) / (expected[i] - expected[i - 1]);
  return narrower * std::pow(width / narrower, share);
}

std::optional<double> RecallCurve::WidthFor(double target, uint32_t k) const {
  size_t upper = 0;
  while (upper < kDepths && kRecallDepths[upper] < k) {
    ++upper;
  }
  if (upper < kDepths && kRecallDepths[upper] == k) {
    return WidthFor(target, upper);
  }
  const size_t lower = upper - 1;  // depth 1 is below every other k
  const std::optional<double> narrow = WidthFor(target, lower);
  if (upper == kDepths) {
    // The width that is needed grows more slowly than the rows to be found.
    return narrow.has_value()
               ? std::optional(*narrow * k / kRecallDepths[lower])
               : std::nullopt;
  }
  const std::optional<double> wide = WidthFor(target, upper);
  if (!narrow.has_value() || !wide.has_value()) {
    return std::nullopt;
  }
  const double share =
      (std::log(k) - std::log(kRecallDepths[lower])) /
      (std::log(kRecallDepths[upper]) - std::log(kRecallDepths[lower]));
  return std::max(*narrow,
                  std::pow(*narrow, 1 - share) * std::pow(*wide, share));
}

std::optional<SearchEffort> RecallCurve::EffortFor(double target,
                                                   uint32_t k) const {
  const std::optional<double> width = WidthFor(target, std::max(k, 1U));
  // Past this a client could not have asked for it; a scan is faster anyway.
  constexpr double kWidthMax = 1U << 30U;
  if (!width.has_value() || *width > kWidthMax) {
    return std::nullopt;
  }
  return SearchEffort{
      .ef = std::max(k, static_cast<uint32_t>(std::ceil(*width)))};
}

double RecallCurve::RecallOf(const SearchEffort& effort, uint32_t k) const {
  // EffortFor() has no closed inverse between two depths; it rises with the
  // target, so bisection finds it.
  constexpr int kSteps = 14;
  double low = 0;
  double high = 1;
  for (int i = 0; i < kSteps; ++i) {
    const double middle = (low + high) / 2;
    const std::optional<SearchEffort> needed = EffortFor(middle, k);
    (needed.has_value() && needed->ef <= effort.ef ? low : high) = middle;
  }
  return low;
}

}  // namespace sextant
