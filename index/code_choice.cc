// SPDX-License-Identifier: Apache-2.0
#include "index/code_choice.h"

#include <algorithm>
#include <memory>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "index/vector_codes.h"

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

// Share of the hits that searches by `codes` lose; below 0 if they find more.
absl::StatusOr<double> RecallLoss(const VectorIndex& floats,
                                  const VectorIndex& codes,
                                  const RequestContext& context) {
  std::mt19937_64 random(kSeed);
  int loss = 0;
  int hits = 0;
  for (uint32_t i = 0; i < kQueries; ++i) {
    const auto row = static_cast<uint32_t>(random() % floats.rows());
    const std::span<const float> query(floats.row_vector(row),
                                       floats.shape().dimension);
    ASSIGN_OR_RETURN(const std::vector<ScoredRow> by_floats,
                     Search(floats, query, context));
    ASSIGN_OR_RETURN(const std::vector<ScoredRow> by_codes,
                     Search(codes, query, context));
    const float worst = WorstScore(by_floats, by_codes);
    loss += Found(by_floats, worst) - Found(by_codes, worst);
    hits += static_cast<int>(by_floats.size());
  }
  return static_cast<double>(loss) / std::max(1, hits);
}

// Fewest first.
std::vector<uint32_t> BitsToTry(Encoding encoding) {
  switch (encoding) {
    case Encoding::kAuto:
      return {4, 8, 16};
    case Encoding::kFloat:
      return {};
    case Encoding::kBf16:
      return {16};
    case Encoding::kInt8:
      return {8};
    case Encoding::kInt4:
      return {4};
    case Encoding::kBinary:
      return {1};
  }
  return {};
}

}  // namespace

absl::StatusOr<AlignedBytes> ChooseCodes(const CodeChoice& choice,
                                         const VectorIndexBytes& floats,
                                         AlignedBytes built,
                                         const BuildRun& run) {
  ASSIGN_OR_RETURN(
      const std::unique_ptr<VectorIndex> by_floats,
      VectorIndex::Open(choice.shape, choice.segment_ordinals, floats));
  for (const uint32_t bits : BitsToTry(choice.encoding)) {
    AlignedBytes codes =
        BitsOf(built) == bits
            ? std::exchange(built, AlignedBytes())
            : EncodeVectors(
                  choice.shape,
                  reinterpret_cast<const float*>(floats.vectors.data()),
                  choice.nodes, bits, run.pool);
    if (codes.size() == 0) {
      break;
    }
    VectorIndexBytes with_codes = floats;
    with_codes.codes = codes;
    ASSIGN_OR_RETURN(
        const std::unique_ptr<VectorIndex> by_codes,
        VectorIndex::Open(choice.shape, choice.segment_ordinals, with_codes));
    ASSIGN_OR_RETURN(const double loss,
                     RecallLoss(*by_floats, *by_codes, run.context));
    if (choice.encoding != Encoding::kAuto || loss <= kLossMax) {
      SetRecallLoss(static_cast<float>(loss), codes);
      return codes;
    }
  }
  return AlignedBytes();
}

}  // namespace sextant
