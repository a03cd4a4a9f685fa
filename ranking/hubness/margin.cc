// SPDX-License-Identifier: Apache-2.0
#include "ranking/hubness/margin.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/check.h"

namespace sextant {
namespace {

constexpr uint32_t kNobody = std::numeric_limits<uint32_t>::max();

// Whom each row chooses.
struct Choice {
  uint32_t row = kNobody;
  double score = -std::numeric_limits<double>::infinity();
};

std::vector<Choice> Choose(const NeighborLists& lists,
                           std::span<const double> own_means,
                           std::span<const double> other_means,
                           MarginKind kind) {
  std::vector<Choice> choices(lists.rows());
  for (size_t row = 0; row < choices.size(); ++row) {
    for (const Neighbor& neighbor : lists.of(row)) {
      CHECK_LT(neighbor.row, other_means.size()) << "a neighbour of no side";
      const double score =
          MarginScore(kind, static_cast<double>(neighbor.similarity),
                      (own_means[row] + other_means[neighbor.row]) / 2);
      Choice& best = choices[row];
      if (score > best.score ||
          (score == best.score && neighbor.row < best.row)) {
        best = {neighbor.row, score};
      }
    }
  }
  return choices;
}

bool Before(const MinedPair& a, const MinedPair& b) {
  if (a.score != b.score) {
    return a.score > b.score;
  }
  return a.source != b.source ? a.source < b.source : a.target < b.target;
}

// Best pairs first, as long as neither side is taken.
std::vector<MinedPair> TakeGreedily(std::vector<MinedPair> pairs,
                                    size_t sources, size_t targets) {
  std::sort(pairs.begin(), pairs.end(), Before);
  std::vector<bool> source_taken(sources, false);
  std::vector<bool> target_taken(targets, false);
  std::erase_if(pairs, [&](const MinedPair& pair) {
    if (source_taken[pair.source] || target_taken[pair.target]) {
      return true;
    }
    source_taken[pair.source] = true;
    target_taken[pair.target] = true;
    return false;
  });
  return pairs;
}

}  // namespace

double MarginScore(MarginKind kind, double a, double b) {
  switch (kind) {
    case MarginKind::kAbsolute:
      return a;
    case MarginKind::kDistance:
      return a - b;
    case MarginKind::kRatio:
      break;
  }
  return a / std::max(b, kMarginFloor);
}

std::vector<double> MeansOf(const NeighborLists& lists, size_t neighbors) {
  const size_t count =
      std::clamp<size_t>(neighbors, 1, std::max<size_t>(1, lists.k));
  std::vector<double> means(lists.rows(), 0);
  for (size_t row = 0; row < means.size(); ++row) {
    for (const Neighbor& neighbor : lists.of(row).first(count)) {
      means[row] += static_cast<double>(neighbor.similarity);
    }
    means[row] /= static_cast<double>(count);
  }
  return means;
}

std::vector<MinedPair> MinePairs(const NeighborLists& forward,
                                 const NeighborLists& backward,
                                 const MiningOptions& options) {
  const std::vector<double> source_means = MeansOf(forward, options.neighbors);
  const std::vector<double> target_means = MeansOf(backward, options.neighbors);
  const std::vector<Choice> of_sources =
      Choose(forward, source_means, target_means, options.margin);
  const std::vector<Choice> of_targets =
      Choose(backward, target_means, source_means, options.margin);
  const MiningMode mode = options.mode;
  std::vector<MinedPair> pairs;
  for (uint32_t x = 0; x < of_sources.size(); ++x) {
    const Choice& choice = of_sources[x];
    const bool taken =
        mode == MiningMode::kForward || mode == MiningMode::kMax ||
        (mode == MiningMode::kIntersection && choice.row != kNobody &&
         of_targets[choice.row].row == x);
    if (taken && choice.row != kNobody) {
      pairs.push_back({x, choice.row, choice.score});
    }
  }
  if (mode == MiningMode::kBackward || mode == MiningMode::kMax) {
    for (uint32_t y = 0; y < of_targets.size(); ++y) {
      if (of_targets[y].row != kNobody) {
        pairs.push_back({of_targets[y].row, y, of_targets[y].score});
      }
    }
  }
  if (mode == MiningMode::kMax) {
    pairs =
        TakeGreedily(std::move(pairs), of_sources.size(), of_targets.size());
  } else {
    std::sort(pairs.begin(), pairs.end(), Before);
  }
  std::erase_if(pairs, [&](const MinedPair& pair) {
    return !(pair.score > options.threshold);
  });
  return pairs;
}

}  // namespace sextant
