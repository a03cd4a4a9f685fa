// SPDX-License-Identifier: Apache-2.0
#include "index/text/scored_postings.h"

#include <algorithm>
#include <cmath>

namespace sextant {

// The buffer is written before it is read.
// NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init)
ScoredPostings::ScoredPostings(const PostingList& list,
                               const PostingScorer& scorer)
    : list_(list), scorer_(scorer), cursor_(list) {
  if (list.empty()) {
    return;
  }
  if (list.impacts != nullptr || list.weights != nullptr) {
    list_bound_ = Bound(cursor_.blocks());
    magnitude_ = list_bound_;
    if (list.weights != nullptr) {
      const WeightRange range = list.weights[cursor_.blocks()];
      const float a = scorer.weight * range.min;
      const float b = scorer.weight * range.max;
      has_negative_ = a < 0 || b < 0;
      magnitude_ = std::max(std::abs(a), std::abs(b));
    }
  } else {
    BoundByScores();
  }
}

std::unique_ptr<ScoredPostings> ScoredPostings::Clone() const {
  return std::make_unique<ScoredPostings>(list_, scorer_);
}

float ScoredPostings::Bound(uint32_t entry) const {
  if (!scorer_.is_product) {
    return scorer_.bm25.Bound(list_.impacts[entry]);
  }
  const WeightRange range = list_.weights[entry];
  return std::max(
      {0.0F, scorer_.weight * range.min, scorer_.weight * range.max});
}

// A single block is cheaper scored than bounded, and memory has no bounds.
void ScoredPostings::BoundByScores() {
  for (uint32_t block = 0; block < cursor_.blocks(); ++block) {
    cursor_.SeekBlock(cursor_.LastRow(block));
    cursor_.LoadBlock();
    const float* scores = BlockScores();
    float bound = 0;
    for (uint32_t i = 0; i < cursor_.size(); ++i) {
      bound = std::max(bound, scores[i]);
      magnitude_ = std::max(magnitude_, std::abs(scores[i]));
      has_negative_ = has_negative_ || scores[i] < 0;
    }
    bounds_.push_back(bound);
    list_bound_ = std::max(list_bound_, bound);
  }
  cursor_.Rewind();
}

float ScoredPostings::BlockBound(uint32_t block) {
  if (!bounds_.empty()) {
    return bounds_[block];
  }
  if (bound_block_ != block) {
    bound_block_ = block;
    bound_ = Bound(block);
  }
  return bound_;
}

float ScoredPostings::WindowBound(Ordinal from, Ordinal to) {
  float bound = 0;
  uint32_t block = cursor_.SeekBlock(from);
  // The block before says where this one begins at the earliest.
  while (block < cursor_.blocks() &&
         (block == 0 || cursor_.LastRow(block - 1) < to)) {
    bound = std::max(bound, BlockBound(block));
    ++block;
  }
  return bound;
}

float ScoredPostings::Score() {
  if (scorer_.is_product) {
    return scorer_.weight * cursor_.weight();
  }
  return ScoreOf(cursor_.row(), cursor_.tf());
}

const float* ScoredPostings::BlockScores() {
  if (scores_block_ == cursor_.block()) {
    return scores_.data();
  }
  scores_block_ = cursor_.block();
  const uint32_t size = cursor_.size();
  if (scorer_.is_product) {
    const float* weights = cursor_.LoadWeights();
    for (uint32_t i = 0; i < size; ++i) {
      scores_[i] = scorer_.weight * weights[i];
    }
    return scores_.data();
  }
  const uint32_t* tfs = cursor_.LoadCounts();
  const Ordinal* rows = cursor_.rows();
  std::array<uint32_t, kBlockPostings> lengths;
  for (uint32_t i = 0; i < size; ++i) {
    lengths[i] = scorer_.lengths[rows[i]];
  }
  for (uint32_t i = 0; i < size; ++i) {
    scores_[i] = scorer_.bm25(tfs[i], lengths[i]);
  }
  return scores_.data();
}

}  // namespace sextant
