// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "index/text/bm25.h"
#include "index/text/posting_list.h"
#include "index/text/row_iterator.h"

namespace sextant {

// Where a phrase is in a row. `positions[i]` are those of word i, ascending, in
// the row; `places[i]` its place in the phrase; words with equal `terms[i]`
// need tokens of their own. Counts the places p of the row at which some word
// stands in its own place and every other at most `slop` behind its own. If
// `found` is not null, appends for each of them the positions of all words.
uint32_t CountPhrase(std::span<const std::vector<uint32_t>> positions,
                     std::span<const uint32_t> places,
                     std::span<const uint32_t> terms, uint32_t slop,
                     std::vector<uint32_t>* found);

struct PhraseOptions {
  std::vector<PostingList> lists;  // by word; memory outlives the iterator
  std::vector<uint32_t> places;
  std::vector<uint32_t> terms;
  uint32_t slop = 0;
  Bm25Scorer scorer;
  TextLengths lengths;
};

class PhraseIterator final : public RowIterator {
 public:
  explicit PhraseIterator(PhraseOptions options);
  ~PhraseIterator() override;

  Ordinal Advance(Ordinal target) override;
  void AddScore(float* score) override;
  void AddBound(Ordinal from, Ordinal* end, float* bound) override;
  void SetWanted(float score) override { wanted_ = score; }
  uint64_t cost() const override;
  uint32_t tf() const { return tf_; }

 private:
  struct Word;

  Ordinal AdvanceRarest(Ordinal target);
  void FindWantedOfBlock();
  Ordinal Align(Ordinal target);
  bool MayBeWanted();
  // What a row, and any row of a block, scores at most where a word is so
  // often.
  float Bound(uint32_t tf, Ordinal row) const;
  float BlockBound(const Word& word, uint32_t block) const;
  bool IsPhrase();

  PhraseOptions options_;
  std::vector<std::unique_ptr<Word>> words_;  // by place
  std::vector<Word*> by_cost_;
  std::vector<std::vector<uint32_t>> positions_;
  std::vector<uint32_t> starts_;
  float wanted_;
  uint32_t tf_ = 0;
  // Of the rarest word's block `wanted_block_`: which postings may be wanted.
  uint32_t wanted_block_ = ~uint32_t{0};
  uint32_t wanted_size_ = 0;
  uint32_t wanted_next_ = 0;
  std::array<uint8_t, kBlockPostings> wanted_postings_{};
};

}  // namespace sextant
