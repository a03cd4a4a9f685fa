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
constexpr size_t kHeaderBytes = 5 * sizeof(uint32_t);
constexpr size_t kDepths = kRecallDepths.size();
constexpr size_t kPointBytes = (2 + 3 * kDepths) * sizeof(uint32_t);
constexpr uint32_t kPointsMax = 1024;
constexpr float kSlackMax = std::numeric_limits<float>::max();

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

float LoadFloat(const char* bytes) {
  return std::bit_cast<float>(LoadLittleEndian<uint32_t>(bytes));
}

// Whether the point is one that a calibration can have made.
bool IsSound(const RecallPoint& point) {
  const auto in_range = [](float x) { return x >= 0 && x <= 1; };
  const auto is_count = [](float x) { return x >= 0 && std::isfinite(x); };
  return point.effort.ef > 0 && point.effort.slack > 0 &&
         std::ranges::all_of(point.recall, in_range) &&
         std::ranges::all_of(point.error, in_range) &&
         std::ranges::all_of(point.distances, is_count);
}

bool IsInOrder(const SearchEffort& a, const SearchEffort& b) {
  if (a.has_slack()) {
    return b.ef == a.ef && b.slack > a.slack && b.has_slack();
  }
  return b.has_slack() || b.ef > a.ef;
}

RecallPoint DecodePoint(const char* bytes) {
  RecallPoint point;
  point.effort.ef = LoadLittleEndian<uint32_t>(bytes);
  point.effort.slack = LoadFloat(bytes + sizeof(uint32_t));
  bytes += 2 * sizeof(uint32_t);
  for (size_t depth = 0; depth < kDepths; ++depth) {
    point.recall[depth] = LoadFloat(bytes);
    point.error[depth] = LoadFloat(bytes + sizeof(float));
    point.distances[depth] = LoadFloat(bytes + 2 * sizeof(float));
    bytes += 3 * sizeof(float);
  }
  return point;
}

// Where k lies between the depths: at `lower`, or `share` of the way (in the
// logarithm) from there to the next.
struct DepthPlace {
  size_t lower = 0;
  double share = 0;
};

DepthPlace PlaceOf(uint32_t k) {
  DepthPlace place;
  while (place.lower + 1 < kDepths && kRecallDepths[place.lower + 1] <= k) {
    ++place.lower;
  }
  if (place.lower + 1 < kDepths) {
    const double low = std::log(kRecallDepths[place.lower]);
    const double high = std::log(kRecallDepths[place.lower + 1]);
    place.share = (std::log(std::max(k, 1U)) - low) / (high - low);
  }
  return place;
}

// `share` of the way from a to b, in the logarithm: widths and slacks are
// ratios.
double Between(double a, double b, double share) {
  return a * std::pow(b / a, share);
}

}  // namespace

RecallCurve::RecallCurve(std::vector<RecallPoint> points, uint32_t sample,
                         float longest_row)
    : points_(std::move(points)), sample_(sample), longest_row_(longest_row) {
  CHECK(!points_.empty()) << "a recall curve without points";
  for (const RecallPoint& point : points_) {
    if (point.effort.has_slack()) {
      by_slack_.Add(point, point.effort.slack);
      slack_width_ = point.effort.ef;
    } else {
      by_width_.Add(point, point.effort.ef);
    }
  }
  by_width_.Finish();
  by_slack_.Finish();
}

void RecallCurve::Family::Add(const RecallPoint& point, double number) {
  numbers.push_back(number);
  for (size_t depth = 0; depth < kDepths; ++depth) {
    expected[depth].push_back(
        point.effort.ef < kRecallDepths[depth]
            ? 0
            : Expected(point.recall[depth], point.error[depth]));
    distances[depth].push_back(point.distances[depth]);
  }
}

// Where a greater effort found less by chance, the lesser gets no more.
void RecallCurve::Family::Finish() {
  for (std::vector<double>& recalls : expected) {
    for (size_t i = recalls.size(); i-- > 1;) {
      recalls[i - 1] = std::min(recalls[i - 1], recalls[i]);
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
        (i > 0 && !IsInOrder(points[i - 1].effort, points[i].effort))) {
      return damaged(absl::StrCat("effort ", i, " is out of range or order"));
    }
  }
  const auto longest_row = std::bit_cast<float>(word(4));
  if (!(longest_row >= 0) || !std::isfinite(longest_row)) {
    return damaged("the longest row is no length");
  }
  return RecallCurve(std::move(points), word(3), longest_row);
}

std::string RecallCurve::Encode() const {
  std::string bytes;
  for (const uint32_t word :
       {kMagic, kVersion, static_cast<uint32_t>(points_.size()), sample_}) {
    AppendLittleEndian<uint32_t>(&bytes, word);
  }
  AppendFloat(&bytes, longest_row_);
  for (const RecallPoint& point : points_) {
    AppendLittleEndian<uint32_t>(&bytes, point.effort.ef);
    AppendFloat(&bytes, point.effort.slack);
    for (size_t depth = 0; depth < kDepths; ++depth) {
      AppendFloat(&bytes, point.recall[depth]);
      AppendFloat(&bytes, point.error[depth]);
      AppendFloat(&bytes, point.distances[depth]);
    }
  }
  AppendLittleEndian<uint64_t>(&bytes, Checksum64(bytes));
  return bytes;
}

// Linear in the logarithm of the number. Recall bends down as it nears 1, so
// the straight line between two efforts promises no more than they keep.
std::optional<double> RecallCurve::Family::Needed(double target,
                                                  size_t depth) const {
  const std::vector<double>& recalls = expected[depth];
  const auto above = std::ranges::lower_bound(recalls, target);
  if (above == recalls.end()) {
    return std::nullopt;
  }
  const auto i = static_cast<size_t>(above - recalls.begin());
  if (i == 0 || recalls[i - 1] == 0) {
    return numbers[i];
  }
  return Between(numbers[i - 1], numbers[i],
                 (target - recalls[i - 1]) / (recalls[i] - recalls[i - 1]));
}

std::optional<double> RecallCurve::Family::NeededFor(double target,
                                                     uint32_t k) const {
  const DepthPlace place = PlaceOf(k);
  const std::optional<double> lower = Needed(target, place.lower);
  if (!lower.has_value() || place.share == 0) {
    return lower;
  }
  const std::optional<double> upper = Needed(target, place.lower + 1);
  if (!upper.has_value()) {
    return std::nullopt;
  }
  return std::max(*lower, Between(*lower, *upper, place.share));
}

double RecallCurve::Family::DistancesAt(double number, size_t depth) const {
  const std::vector<double>& counts = distances[depth];
  const auto above = std::ranges::lower_bound(numbers, number);
  if (above == numbers.end()) {
    return counts.back();
  }
  const auto i = static_cast<size_t>(above - numbers.begin());
  if (i == 0 || counts[i - 1] == 0) {
    return counts[i];
  }
  const double share =
      std::log(number / numbers[i - 1]) / std::log(numbers[i] / numbers[i - 1]);
  return Between(counts[i - 1], counts[i], share);
}

std::optional<SearchEffort> RecallCurve::EffortFor(double target,
                                                   uint32_t k) const {
  if (!by_slack_.numbers.empty()) {
    const std::optional<double> slack = by_slack_.NeededFor(target, k);
    if (!slack.has_value()) {
      return std::nullopt;
    }
    // Not a float below what is needed.
    return SearchEffort{
        .ef = std::max(k, slack_width_),
        .slack = std::nextafter(static_cast<float>(*slack), kSlackMax)};
  }
  std::optional<double> width = by_width_.NeededFor(target, k);
  // Past this a client could not have asked for it; a scan is faster anyway.
  constexpr double kWidthMax = 1U << 30U;
  if (!width.has_value()) {
    return std::nullopt;
  }
  // The width that is needed grows more slowly than the rows to be found.
  *width *= std::max(1.0, static_cast<double>(k) / kRecallDepths.back());
  if (*width > kWidthMax) {
    return std::nullopt;
  }
  return SearchEffort{
      .ef = std::max(k, static_cast<uint32_t>(std::ceil(*width)))};
}

double RecallCurve::RecallOf(const SearchEffort& effort, uint32_t k) const {
  // NeededFor() has no closed inverse between two depths; it rises with the
  // target, so bisection finds it.
  constexpr int kSteps = 14;
  const Family& family = FamilyOf(effort);
  // Past the greatest depth a beam is worth what it is for one row of so many.
  const double number =
      effort.has_slack() ? static_cast<double>(effort.slack)
                         : effort.ef / std::max(1.0, static_cast<double>(k) /
                                                         kRecallDepths.back());
  double low = 0;
  double high = 1;
  for (int i = 0; i < kSteps; ++i) {
    const double middle = (low + high) / 2;
    const std::optional<double> needed = family.NeededFor(middle, k);
    (needed.has_value() && *needed <= number ? low : high) = middle;
  }
  return low;
}

double RecallCurve::DistancesOf(const SearchEffort& effort, uint32_t k) const {
  const Family& family = FamilyOf(effort);
  if (family.numbers.empty()) {
    return 0;
  }
  const double number =
      effort.has_slack() ? static_cast<double>(effort.slack) : effort.ef;
  const DepthPlace place = PlaceOf(k);
  const double lower = family.DistancesAt(number, place.lower);
  if (place.share == 0) {
    return lower;
  }
  return std::max(
      lower, lower + place.share *
                         (family.DistancesAt(number, place.lower + 1) - lower));
}

}  // namespace sextant
