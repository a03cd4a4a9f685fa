// SPDX-License-Identifier: Apache-2.0
#include "ranking/hubness/hubness_measures.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "base/check.h"

namespace sextant {
namespace {

// Sum over all pairs of |N_i - N_j| / (2 n sum N).
double Gini(std::span<const uint32_t> counts, double sum) {
  std::vector<uint32_t> sorted(counts.begin(), counts.end());
  std::sort(sorted.begin(), sorted.end());
  const auto n = static_cast<double>(sorted.size());
  double weighted = 0;
  for (size_t i = 0; i < sorted.size(); ++i) {
    weighted += (2 * static_cast<double>(i + 1) - n - 1) *
                static_cast<double>(sorted[i]);
  }
  return weighted / (n * sum);
}

}  // namespace

Hubness MeasureHubness(std::span<const uint32_t> counts, uint32_t k,
                       uint64_t queries) {
  Hubness found;
  found.items = counts.size();
  found.queries = queries;
  found.k = k;
  const auto sum = static_cast<double>(
      std::accumulate(counts.begin(), counts.end(), uint64_t{0}));
  if (counts.empty() || sum == 0) {
    return found;
  }
  const auto n = static_cast<double>(counts.size());
  const double mean = sum / n;
  double squares = 0;
  double cubes = 0;
  double away = 0;
  double held_by_hubs = 0;
  uint64_t anti_hubs = 0;
  for (const uint32_t count : counts) {
    const double off = static_cast<double>(count) - mean;
    squares += off * off;
    cubes += off * off * off;
    away += std::abs(off);
    held_by_hubs += count >= 2 * uint64_t{k} ? static_cast<double>(count) : 0;
    anti_hubs += count == 0 ? 1 : 0;
    found.greatest = std::max(found.greatest, count);
  }
  const double deviation = std::sqrt(squares / n);
  if (deviation > 0) {
    found.skewness = cubes / n / (deviation * deviation * deviation);
  }
  found.robin_hood = 0.5 * away / sum;
  found.gini = Gini(counts, sum);
  found.anti_hub_share = static_cast<double>(anti_hubs) / n;
  found.hub_occurrence = held_by_hubs / sum;
  return found;
}

HubnessByChance ByChance(uint64_t items, uint64_t queries, uint32_t k) {
  HubnessByChance chance;
  if (items == 0 || queries == 0) {
    return chance;
  }
  const double p = std::min(1.0, k / static_cast<double>(items));
  const auto n = static_cast<double>(queries);
  const double variance = n * p * (1 - p);
  chance.skewness = variance > 0 ? (1 - 2 * p) / std::sqrt(variance) : 0;
  chance.anti_hub_share = std::pow(1 - p, n);
  return chance;
}

std::vector<uint32_t> CountOccurrences(std::span<const Neighbor> nearest,
                                       size_t items) {
  std::vector<uint32_t> counts(items, 0);
  for (const Neighbor& neighbor : nearest) {
    CHECK_LT(neighbor.row, items) << "a neighbour that is no item";
    ++counts[neighbor.row];
  }
  return counts;
}

std::vector<Hub> WorstHubs(std::span<const uint32_t> counts, size_t most) {
  std::vector<Hub> hubs;
  for (size_t item = 0; item < counts.size(); ++item) {
    if (counts[item] > 0) {
      hubs.push_back({static_cast<uint32_t>(item), counts[item]});
    }
  }
  const auto worse = [](const Hub& a, const Hub& b) {
    return a.occurrences != b.occurrences ? a.occurrences > b.occurrences
                                          : a.item < b.item;
  };
  const size_t kept = std::min(most, hubs.size());
  std::partial_sort(hubs.begin(),
                    hubs.begin() + static_cast<std::ptrdiff_t>(kept),
                    hubs.end(), worse);
  hubs.resize(kept);
  return hubs;
}

std::vector<uint64_t> OccurrenceHistogram(std::span<const uint32_t> counts) {
  std::vector<uint64_t> histogram;
  for (const uint32_t count : counts) {
    const auto bucket = static_cast<size_t>(std::bit_width(count));
    if (bucket >= histogram.size()) {
      histogram.resize(bucket + 1, 0);
    }
    ++histogram[bucket];
  }
  return histogram;
}

}  // namespace sextant
