// SPDX-License-Identifier: Apache-2.0
#include "index/insertion_order.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>
#include <utility>

#include "base/status_macros.h"
#include "index/aligned_array.h"
#include "index/distance.h"
#include "index/scan.h"

namespace sextant {
namespace {

constexpr uint32_t kSampleRows = 256;
constexpr uint32_t kNearest = 6;

// Random rows of the input, side by side.
class Sample {
 public:
  Sample(const VectorIndexInput& input, const std::vector<uint32_t>& rows)
      : scorer_(input.shape.metric),
        dimension_(input.shape.dimension),
        stride_(PaddedStride(dimension_)),
        vectors_(kSampleRows * stride_) {
    constexpr uint32_t kSeed = 20240607;
    std::mt19937 random(kSeed);
    for (uint32_t i = 0; i < kSampleRows; ++i) {
      const uint32_t row = rows[random() % rows.size()];
      std::memcpy(vectors_.data() + i * stride_, input.rows[row].vector,
                  dimension_ * sizeof(float));
    }
    std::iota(all_.begin(), all_.end(), 0U);
  }

  // The score of the kNearest-th nearest row of the sample: low = isolated.
  float Density(const float* vector) const {
    std::array<float, kSampleRows> scores;
    scorer_.rows(vector, vectors_.data(), stride_, dimension_, all_,
                 scores.data());
    for (float& score : scores) {
      // Products of huge numbers can cancel to "not a number", which would
      // break the sort.
      score = std::isnan(score) ? -std::numeric_limits<float>::infinity()
                                : scorer_.sign * score;
    }
    std::nth_element(scores.begin(), scores.begin() + kNearest, scores.end(),
                     [](float a, float b) { return a > b; });
    return scores[kNearest];
  }

 private:
  const Scorer scorer_;
  const uint32_t dimension_;
  const size_t stride_;
  AlignedArray<float> vectors_;
  std::array<uint32_t, kSampleRows> all_ = {};
};

}  // namespace

absl::Status OrderForInsertion(const VectorIndexInput& input,
                               const BuildRun& run,
                               std::vector<uint32_t>& rows) {
  if (rows.empty()) {
    return absl::OkStatus();
  }
  const Sample sample(input, rows);
  std::vector<std::pair<float, uint32_t>> by_density(rows.size());
  const BuildRun quiet{run.pool, run.context, nullptr};
  RETURN_IF_ERROR(ForEachNode(
      quiet, 0, static_cast<uint32_t>(rows.size()), [&](uint32_t i) {
        by_density[i] = {sample.Density(input.rows[rows[i]].vector), rows[i]};
        return absl::OkStatus();
      }));
  std::ranges::sort(by_density);
  std::ranges::transform(by_density, rows.begin(),
                         [](const auto& row) { return row.second; });
  return absl::OkStatus();
}

}  // namespace sextant
