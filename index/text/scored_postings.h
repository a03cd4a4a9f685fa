// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "index/text/bm25.h"
#include "index/text/posting_cursor.h"
#include "index/text/posting_list.h"

namespace sextant {

// How the postings of a list score: BM25 of a count and the row's length, or
// the product of two weights.
struct PostingScorer {
  bool is_product = false;
  float weight = 0;     // is_product: of the query
  Bm25Scorer bm25;      // else
  TextLengths lengths;  // else
};

// A list, its cursor, and what its postings score: one leaf of a search. Bounds
// are exact upper bounds of the float32 scores, and never below 0, which is
// what a row without the term gets.
//
// Owned by one thread.
class ScoredPostings {
 public:
  ScoredPostings(const PostingList& list, const PostingScorer& scorer);

  // The same list from its beginning.
  std::unique_ptr<ScoredPostings> Clone() const;

  PostingCursor& cursor() { return cursor_; }
  const PostingCursor& cursor() const { return cursor_; }

  // Of the posting at which the cursor stands.
  float Score();
  // Of all postings of the cursor's block, which is loaded.
  const float* BlockScores();

  float ListBound() const { return list_bound_; }
  // Of the score that is farthest from 0, and whether one is below 0.
  float magnitude() const { return magnitude_; }
  bool has_negative() const { return has_negative_; }
  float BlockBound(uint32_t block);
  // Over rows [from, to]; moves the cursor's block to the first that ends at or
  // after `from`.
  float WindowBound(Ordinal from, Ordinal to);

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};

  float Bound(uint32_t entry) const;
  void BoundByScores();
  float ScoreOf(Ordinal row, uint32_t tf) const {
    return scorer_.bm25(tf, scorer_.lengths[row]);
  }

  PostingList list_;
  PostingScorer scorer_;
  PostingCursor cursor_;
  float list_bound_ = 0;
  float magnitude_ = 0;
  bool has_negative_ = false;
  std::vector<float> bounds_;  // by block, where the list has none
  uint32_t bound_block_ = kNone;
  float bound_ = 0;
  uint32_t scores_block_ = kNone;
  alignas(64) std::array<float, kBlockPostings> scores_;
};

}  // namespace sextant
