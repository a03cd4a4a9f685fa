// SPDX-License-Identifier: Apache-2.0
#include "ranking/hubness/rescoring.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/status_macros.h"
#include "ranking/hubness/bank_statistics.h"

namespace sextant {
namespace {

// Duplicates have neighbours at distance 0.
constexpr double kSmallest = 1e-12;

// How probable a greater distance is.
double Survival(double distance, const Neighborhood& neighborhood) {
  const double beyond = distance - neighborhood.mean;
  if (neighborhood.deviation < kSmallest) {
    return beyond < 0 ? 1.0 : beyond > 0 ? 0.0 : 0.5;
  }
  return 0.5 * std::erfc(beyond / (neighborhood.deviation * std::sqrt(2.0)));
}

}  // namespace

double DistanceOf(float similarity, Similarity measure) {
  const auto value = static_cast<double>(similarity);
  return measure == Similarity::kProduct ? std::max(0.0, 1 - value)
                                         : std::sqrt(std::max(0.0, -value));
}

Neighborhood NeighborhoodOf(std::span<const double> distances, size_t k) {
  const size_t count = std::min(k, distances.size());
  Neighborhood found;
  if (count == 0) {
    return found;
  }
  for (size_t i = 0; i < count; ++i) {
    found.mean += distances[i];
  }
  found.mean /= static_cast<double>(count);
  for (size_t i = 0; i < count; ++i) {
    const double off = distances[i] - found.mean;
    found.deviation += off * off;
  }
  found.deviation = std::sqrt(found.deviation / static_cast<double>(count));
  found.kth = distances[count - 1];
  return found;
}

absl::Status NeighborhoodsOfItems(const VectorRows& items,
                                  Similarity similarity, size_t k,
                                  const PassRun& run,
                                  std::span<Neighborhood> out) {
  CHECK_EQ(out.size(), items.count) << "a place for every item";
  const NearestOptions options{.k = k, .same_rows = true};
  const size_t count = NeighborsOf(items, options);
  std::vector<Neighbor> nearest(items.count * count);
  RETURN_IF_ERROR(
      NearestOfItems(items, items, similarity, options, run, nearest));
  std::vector<double> distances(count);
  for (size_t i = 0; i < items.count; ++i) {
    for (size_t j = 0; j < count; ++j) {
      distances[j] = DistanceOf(nearest[i * count + j].similarity, similarity);
    }
    out[i] = NeighborhoodOf(distances, count);
  }
  return absl::OkStatus();
}

double MutualProximity(double distance, const Neighborhood& query,
                       const Neighborhood& item) {
  return Survival(distance, query) * Survival(distance, item);
}

double LocalScaling(double distance, const Neighborhood& query,
                    const Neighborhood& item) {
  const double scale =
      std::max(query.kth, kSmallest) * std::max(item.kth, kSmallest);
  return std::exp(-distance * distance / scale);
}

double Nicdm(double distance, const Neighborhood& query,
             const Neighborhood& item) {
  return -distance / std::sqrt(std::max(query.mean, kSmallest) *
                               std::max(item.mean, kSmallest));
}

double GloballyCorrected(float score, std::span<const float> bank_scores) {
  const auto above = std::count_if(bank_scores.begin(), bank_scores.end(),
                                   [score](float s) { return s > score; });
  return static_cast<double>(score) - static_cast<double>(above + 1);
}

std::vector<double> RescoreByNeighborhoods(NormalizerMethod method,
                                           std::span<const double> distances,
                                           std::span<const Neighborhood> items,
                                           size_t k) {
  CHECK_EQ(distances.size(), items.size()) << "a neighbourhood a candidate";
  const Neighborhood query = NeighborhoodOf(distances, k);
  std::vector<double> scores(distances.size());
  for (size_t i = 0; i < scores.size(); ++i) {
    switch (method) {
      case NormalizerMethod::kLocalScaling:
        scores[i] = LocalScaling(distances[i], query, items[i]);
        break;
      case NormalizerMethod::kNicdm:
        scores[i] = Nicdm(distances[i], query, items[i]);
        break;
      default:
        CHECK(method == NormalizerMethod::kMutualProximity)
            << NameOf(method) << " does not use neighbourhoods";
        scores[i] = MutualProximity(distances[i], query, items[i]);
    }
  }
  return scores;
}

}  // namespace sextant
