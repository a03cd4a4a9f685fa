// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ranking/hubness/bank_statistics.h"

namespace sextant {

// Margin scores of pairs and the mining of pairs by them: Artetxe and Schwenk,
// "Margin-based parallel corpus mining with multilingual sentence embeddings",
// ACL 2019. a is the similarity of x and y; b = (m(x) + m(y)) / 2, m the mean
// similarity to the k nearest of the other side.
enum class MarginKind : uint8_t {
  kAbsolute,  // a
  kDistance,  // a - b, half of CSLS
  kRatio,     // a / b, b at least kMarginFloor: a mean below 0 would turn the
              // order
};
inline constexpr double kMarginFloor = 1e-6;
double MarginScore(MarginKind kind, double a, double b);

enum class MiningMode : uint8_t {
  kForward,       // the best target of every source
  kBackward,      // the best source of every target
  kIntersection,  // pairs that both choose
  kMax,           // best pairs of both first, each side used once
};

struct MiningOptions {
  MarginKind margin = MarginKind::kRatio;
  MiningMode mode = MiningMode::kMax;
  // Only pairs with a greater score are returned. Applied last: a pair below it
  // still uses up its sides.
  double threshold = 0;
  // Neighbours that means are over; lists may hold more, as candidates. All of
  // them if there are fewer.
  size_t neighbors = 4;
};

// The k nearest rows of the other side for every row of one, nearest first:
// k consecutive neighbours a row.
struct NeighborLists {
  std::span<const Neighbor> all;
  size_t k = 0;

  size_t rows() const { return k == 0 ? 0 : all.size() / k; }
  std::span<const Neighbor> of(size_t row) const {
    return all.subspan(row * k, k);
  }
};

struct MinedPair {
  uint32_t source = 0;
  uint32_t target = 0;
  double score = 0;

  friend bool operator==(const MinedPair&, const MinedPair&) = default;
};

// Mean similarity to the first `neighbors` neighbours, by row.
std::vector<double> MeansOf(const NeighborLists& lists, size_t neighbors);

// Pairs by descending score, equal ones by source, then target. Candidates are
// the neighbours alone, and among them the margin chooses, not the similarity.
std::vector<MinedPair> MinePairs(const NeighborLists& forward,
                                 const NeighborLists& backward,
                                 const MiningOptions& options);

}  // namespace sextant
