// SPDX-License-Identifier: Apache-2.0
#include "ranking/hubness/rescoring.h"

#include <algorithm>
#include <cmath>
#include <vector>

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

absl::Status FindNeighborhoods(const VectorRows& items, const VectorRows& bank,
                               Similarity similarity,
                               const NearestOptions& options,
                               const PassRun& run,
                               std::span<Neighborhood> out) {
  CHECK_EQ(out.size(), items.count) << "a place for every item";
  const size_t count = NeighborsOf(bank, options);
  std::vector<Neighbor> nearest(items.count * count);
  RETURN_IF_ERROR(
      NearestOfItems(items, bank, similarity, options, run, nearest));
  std::vector<double> distances(count);
  for (size_t i = 0; i < items.count; ++i) {
    for (size_t j = 0; j < count; ++j) {
      distances[j] = DistanceOf(nearest[i * count + j].similarity, similarity);
    }
    out[i] = NeighborhoodOf(distances, count);
  }
  return absl::OkStatus();
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
  return FindNeighborhoods(items, items, similarity,
                           {.k = k, .same_rows = true}, run, out);
}

absl::Status NeighborhoodsInBank(const VectorRows& items,
                                 const VectorRows& bank, Similarity similarity,
                                 size_t k, const PassRun& run,
                                 std::span<Neighborhood> out) {
  return FindNeighborhoods(items, bank, similarity, {.k = k}, run, out);
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

absl::Status GloballyCorrectedOfItems(
    const VectorRows& items, const VectorRows& bank, Similarity similarity,
    std::span<const double> scores, const PassRun& run, std::span<double> out) {
  CHECK_EQ(scores.size(), items.count) << "a score for every item";
  CHECK_EQ(out.size(), items.count) << "a place for every item";
  return ForEachBankBlocks(
      items, bank, similarity, run, [&](BankBlocks& blocks) {
        std::vector<uint64_t> above(blocks.items(), 0);
        for (SimilarityBlock block; blocks.Next(&block);) {
          for (size_t i = 0; i < block.items; ++i) {
            const float* const row = block.row(i);
            const double score = scores[block.first_item + i];
            for (size_t j = 0; j < block.bank_rows; ++j) {
              above[i] += static_cast<double>(row[j]) > score ? 1U : 0U;
            }
          }
        }
        for (size_t i = 0; i < blocks.items(); ++i) {
          const size_t item = blocks.first_item() + i;
          out[item] = scores[item] - static_cast<double>(above[i] + 1);
        }
      });
}

bool UsesNeighborhoods(NormalizerMethod method) {
  return method == NormalizerMethod::kMutualProximity ||
         method == NormalizerMethod::kLocalScaling ||
         method == NormalizerMethod::kNicdm;
}

double ScoreByNeighborhoods(NormalizerMethod method, double distance,
                            const Neighborhood& query,
                            const Neighborhood& item) {
  switch (method) {
    case NormalizerMethod::kLocalScaling:
      return LocalScaling(distance, query, item);
    case NormalizerMethod::kNicdm:
      return Nicdm(distance, query, item);
    default:
      CHECK(method == NormalizerMethod::kMutualProximity)
          << NameOf(method) << " does not use neighbourhoods";
      return MutualProximity(distance, query, item);
  }
}

}  // namespace sextant
