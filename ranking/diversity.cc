// SPDX-License-Identifier: Apache-2.0
#include "ranking/diversity.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "absl/status/status.h"

namespace sextant {

absl::StatusOr<std::vector<uint32_t>> SelectDiverse(
    std::span<const float> relevance, double strength, size_t count,
    SimilarityToAll similarity) {
  // Candidates that are left, ascending, and their nearest chosen one.
  std::vector<uint32_t> left(relevance.size());
  std::iota(left.begin(), left.end(), 0U);
  std::vector<float> nearest(left.size(),
                             -std::numeric_limits<float>::infinity());
  std::vector<float> to_last(left.size());
  std::vector<uint32_t> chosen;
  while (chosen.size() < count && !left.empty()) {
    if (!chosen.empty() && strength > 0) {
      const std::span<float> out(to_last.data(), left.size());
      if (absl::Status status = similarity(chosen.back(), left, out);
          !status.ok()) {
        return status;
      }
      for (size_t i = 0; i < left.size(); ++i) {
        nearest[i] = std::max(nearest[i], to_last[i]);
      }
    }
    size_t best = 0;
    double best_value = -std::numeric_limits<double>::infinity();
    for (size_t i = 0; i < left.size(); ++i) {
      const double good = relevance[left[i]];
      const double value =
          chosen.empty() || strength == 0
              ? good
              : (1 - strength) * good - strength * double{nearest[i]};
      if (value > best_value) {
        best = i;
        best_value = value;
      }
    }
    chosen.push_back(left[best]);
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(best));
    nearest.erase(nearest.begin() + static_cast<std::ptrdiff_t>(best));
  }
  return chosen;
}

}  // namespace sextant
