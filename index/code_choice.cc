// SPDX-License-Identifier: Apache-2.0
#include "index/code_choice.h"

#include <algorithm>
#include <memory>
#include <random>
#include <span>
#include <vector>

#include "base/status_macros.h"

namespace sextant {
namespace {

constexpr uint64_t kSeed = 20250311;
constexpr uint32_t kQueries = 200;
constexpr uint32_t kHits = 10;
constexpr uint32_t kEf = 64;
// Of all hits. Half of it is chance: the sample has 2,000 hits.
constexpr double kLossMax = 0.01;

absl::StatusOr<std::vector<ScoredRow>> Search(const VectorIndex& index,
                                              std::span<const float> query,
                                              const RequestContext& context) {
  TopK top(kHits);
  SearchWork work;
  RETURN_IF_ERROR(
      index.Search(query, {.ef = kEf}, RowSet(), context, top, work));
  return top.TakeSorted();
}

// Hits that belong to the best `kHits` of both answers together.
int Found(const std::vector<ScoredRow>& hits, float worst_score) {
  return static_cast<int>(
      std::ranges::count_if(hits, [worst_score](const ScoredRow& hit) {
        return hit.score >= worst_score;
      }));
}

// Lowest score among the best of both answers. A row that is in both counts
// once.
float WorstScore(const std::vector<ScoredRow>& a,
                 const std::vector<ScoredRow>& b) {
  TopK best(kHits);
  for (const ScoredRow& hit : a) {
    best.Offer(hit.score, hit.row);
  }
  for (const ScoredRow& hit : b) {
    if (std::ranges::none_of(a, [&hit](const ScoredRow& other) {
          return other.row == hit.row;
        })) {
      best.Offer(hit.score, hit.row);
    }
  }
  return best.TakeSorted().back().score;
}

}  // namespace

absl::StatusOr<bool> CodesKeepRecall(VectorShape shape,
                                     uint32_t segment_ordinals,
                                     const VectorIndexBytes& bytes,
                                     const RequestContext& context) {
  VectorIndexBytes without = bytes;
  without.codes = {};
  ASSIGN_OR_RETURN(const std::unique_ptr<VectorIndex> floats,
                   VectorIndex::Open(shape, segment_ordinals, without));
  ASSIGN_OR_RETURN(const std::unique_ptr<VectorIndex> codes,
                   VectorIndex::Open(shape, segment_ordinals, bytes));
  std::mt19937_64 random(kSeed);
  int loss = 0;
  for (uint32_t i = 0; i < kQueries; ++i) {
    const auto row = static_cast<uint32_t>(random() % floats->rows());
    const std::span<const float> query(floats->row_vector(row),
                                       shape.dimension);
    ASSIGN_OR_RETURN(const std::vector<ScoredRow> by_floats,
                     Search(*floats, query, context));
    ASSIGN_OR_RETURN(const std::vector<ScoredRow> by_codes,
                     Search(*codes, query, context));
    const float worst = WorstScore(by_floats, by_codes);
    loss += Found(by_floats, worst) - Found(by_codes, worst);
  }
  return loss <= kLossMax * kQueries * kHits;
}

}  // namespace sextant
