// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ranking/hubness/bank_statistics.h"

namespace sextant {

// How unevenly the k nearest items of many queries fall upon the items. N(x),
// the k-occurrence of x, is how many queries have it among their k nearest.
// Definitions as in Radovanovic et al., JMLR 2010, and Feldbauer et al.,
// "Fast approximate hubness reduction", ICBK 2018.
struct Hubness {
  uint64_t items = 0;
  uint64_t queries = 0;
  uint32_t k = 0;
  // Third standardised moment of N, of the population; 0 where N is constant.
  // Above 1.2 or so hubness is worth a correction.
  double skewness = 0;
  // Share of all occurrences that would have to move for every item to have as
  // many: 0.5 sum |N - mean| / sum N.
  double robin_hood = 0;
  double gini = 0;
  // Share of items that are nobody's neighbour.
  double anti_hub_share = 0;
  // Share of all occurrences that items with N >= 2 k hold.
  double hub_occurrence = 0;
  uint32_t greatest = 0;  // N of the worst hub
};

// All zero without items or queries. `counts` is N by item.
Hubness MeasureHubness(std::span<const uint32_t> counts, uint32_t k,
                       uint64_t queries);

// What it would be if every item were as likely a neighbour as any other: N is
// binomial then, of `queries` tries with probability k / items. Measures of few
// queries among many items are to be compared with this.
struct HubnessByChance {
  double skewness = 0;
  double anti_hub_share = 0;
};
HubnessByChance ByChance(uint64_t items, uint64_t queries, uint32_t k);

// N of `items` items, from the k nearest of each query one after the other.
std::vector<uint32_t> CountOccurrences(std::span<const Neighbor> nearest,
                                       size_t items);

struct Hub {
  uint32_t item = 0;
  uint32_t occurrences = 0;

  friend bool operator==(const Hub&, const Hub&) = default;
};

// The items that occur most, worst first, equal ones by lower item; those that
// never occur are not hubs.
std::vector<Hub> WorstHubs(std::span<const uint32_t> counts, size_t most);

// How many items occur 0 times, once, 2 to 3 times, 4 to 7 and so on, up to
// the greatest count.
std::vector<uint64_t> OccurrenceHistogram(std::span<const uint32_t> counts);

}  // namespace sextant
