// SPDX-License-Identifier: Apache-2.0
#include "index/text/phrase_iterator.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "index/text/impacts.h"
#include "index/text/posting_cursor.h"

namespace sextant {
namespace {

// Counts above are not exact as float32.
constexpr uint32_t kPhraseCountMax = uint32_t{1} << 24U;

// The words found with their places counted from `start`; kept sorted by word.
class PhraseFit {
 public:
  PhraseFit(std::span<const std::vector<uint32_t>> positions,
            std::span<const uint32_t> places, std::span<const uint32_t> terms,
            uint32_t slop)
      : positions_(positions),
        places_(places),
        terms_(terms),
        slop_(slop),
        next_(positions.size()),
        chosen_(positions.size()) {}

  // Starts ascend.
  bool At(int64_t start) {
    for (size_t word = 0; word < positions_.size(); ++word) {
      const int64_t first = start + places_[word];
      const std::vector<uint32_t>& positions = positions_[word];
      size_t& next = next_[word];
      while (next < positions.size() && positions[next] < first) {
        ++next;
      }
      size_t at = next;
      while (at < positions.size() && IsTaken(word, positions[at])) {
        ++at;
      }
      if (at == positions.size() || positions[at] > first + slop_) {
        return false;
      }
      chosen_[word] = positions[at];
    }
    return true;
  }
  const std::vector<uint32_t>& chosen() const { return chosen_; }

 private:
  bool IsTaken(size_t word, uint32_t position) const {
    for (size_t i = 0; i < word; ++i) {
      if (terms_[i] == terms_[word] && chosen_[i] == position) {
        return true;
      }
    }
    return false;
  }

  std::span<const std::vector<uint32_t>> positions_;
  std::span<const uint32_t> places_;
  std::span<const uint32_t> terms_;
  uint32_t slop_;
  std::vector<size_t> next_;
  std::vector<uint32_t> chosen_;
};

}  // namespace

uint32_t CountPhrase(std::span<const std::vector<uint32_t>> positions,
                     std::span<const uint32_t> places,
                     std::span<const uint32_t> terms, uint32_t slop,
                     std::vector<uint32_t>* found) {
  std::vector<int64_t> starts;
  for (size_t word = 0; word < positions.size(); ++word) {
    for (const uint32_t position : positions[word]) {
      starts.push_back(int64_t{position} - places[word]);
    }
    if (slop == 0) {
      break;  // every word stands in its own place, the first one too
    }
  }
  std::sort(starts.begin(), starts.end());
  starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
  PhraseFit fit(positions, places, terms, slop);
  uint32_t count = 0;
  for (const int64_t start : starts) {
    if (fit.At(start)) {
      ++count;
      if (found != nullptr) {
        found->insert(found->end(), fit.chosen().begin(), fit.chosen().end());
      }
    }
  }
  return count;
}

struct PhraseIterator::Word {
  explicit Word(const PostingList& postings)
      : cursor(postings), list(postings) {}

  PostingCursor cursor;
  PostingList list;
  ImpactSet impacts{};  // of a list that has none
  uint32_t number = 0;  // in the phrase
  uint32_t place = 0;
};

PhraseIterator::PhraseIterator(PhraseOptions options)
    : options_(std::move(options)),
      positions_(options_.lists.size()),
      wanted_(-std::numeric_limits<float>::infinity()) {
  for (const PostingList& list : options_.lists) {
    auto word = std::make_unique<Word>(list);
    word->number = static_cast<uint32_t>(words_.size());
    word->place = options_.places[words_.size()];
    if (list.impacts == nullptr && !list.empty()) {
      ImpactCollector impacts;
      for (; word->cursor.row() != kEndRow; word->cursor.Next()) {
        impacts.Add(word->cursor.tf(), options_.lengths[word->cursor.row()]);
      }
      word->impacts = impacts.Finish(1);
      word->cursor.Rewind();
    }
    by_cost_.push_back(word.get());
    words_.push_back(std::move(word));
  }
  std::stable_sort(by_cost_.begin(), by_cost_.end(),
                   [](const Word* a, const Word* b) {
                     return a->list.count < b->list.count;
                   });
}

PhraseIterator::~PhraseIterator() = default;

uint64_t PhraseIterator::cost() const {
  return by_cost_.front()->list.count;
}

// A phrase is in a row at most as often as any of its words; with slop, a word
// may serve as many phrases as it has places.
float PhraseIterator::Bound(uint32_t tf, Ordinal row) const {
  const uint64_t count = uint64_t{tf} * (options_.slop + 1);
  return options_.scorer(
      static_cast<uint32_t>(std::min(count, uint64_t{kPhraseCountMax})),
      options_.lengths[row]);
}

// To be wanted when the block is looked at is enough: less is wanted later.
void PhraseIterator::FindWantedOfBlock() {
  PostingCursor& rarest = by_cost_.front()->cursor;
  const uint32_t* tfs = rarest.LoadCounts();
  const Ordinal* rows = rarest.rows();
  wanted_size_ = 0;
  for (uint32_t i = 0; i < rarest.size(); ++i) {
    wanted_postings_[wanted_size_] = static_cast<uint8_t>(i);
    wanted_size_ += Bound(tfs[i], rows[i]) >= wanted_ ? 1U : 0U;
  }
  wanted_block_ = rarest.block();
  wanted_next_ = 0;
}

// To the first row of the rarest word at or after `target` that may be wanted
// as far as that word tells, so that the others are not asked about the rest.
Ordinal PhraseIterator::AdvanceRarest(Ordinal target) {
  PostingCursor& rarest = by_cost_.front()->cursor;
  Ordinal row = rarest.Advance(target);
  if (wanted_ <= 0) {
    return row;
  }
  while (row != kEndRow) {
    if (wanted_block_ != rarest.block()) {
      FindWantedOfBlock();
    }
    while (wanted_next_ < wanted_size_ &&
           rarest.rows()[wanted_postings_[wanted_next_]] < row) {
      ++wanted_next_;
    }
    if (wanted_next_ < wanted_size_) {
      rarest.MoveTo(wanted_postings_[wanted_next_]);
      return rarest.row();
    }
    do {
      const Ordinal next = rarest.LastRow(rarest.block()) + 1;
      if (rarest.SeekBlock(next) == rarest.blocks()) {
        return kEndRow;
      }
    } while (BlockBound(*by_cost_.front(), rarest.block()) < wanted_);
    rarest.LoadBlock();
    rarest.MoveTo(0);
    row = rarest.row();
  }
  return kEndRow;
}

Ordinal PhraseIterator::Align(Ordinal target) {
  Ordinal row = AdvanceRarest(target);
  for (size_t i = 1; i < by_cost_.size() && row != kEndRow;) {
    const Ordinal other = by_cost_[i]->cursor.Advance(row);
    if (other == row) {
      ++i;
    } else {
      row = other == kEndRow ? kEndRow : AdvanceRarest(other);
      i = 1;
    }
  }
  return row;
}

Ordinal PhraseIterator::Advance(Ordinal target) {
  if (row_ >= target && tf_ > 0) {
    return row_;
  }
  for (;; ++target) {
    target = Align(target);
    if (target == kEndRow || (MayBeWanted() && IsPhrase())) {
      return row_ = target;
    }
  }
}

bool PhraseIterator::MayBeWanted() {
  if (wanted_ <= 0) {
    return true;
  }
  uint32_t rarest = std::numeric_limits<uint32_t>::max();
  for (Word* word : by_cost_) {
    rarest = std::min(rarest, word->cursor.tf());
  }
  return Bound(rarest, by_cost_.front()->cursor.row()) >= wanted_;
}

bool PhraseIterator::IsPhrase() {
  if (options_.slop > 0) {
    for (const auto& word : words_) {
      positions_[word->number].clear();
      word->cursor.AppendPositions(&positions_[word->number]);
    }
    tf_ = CountPhrase(positions_, options_.places, options_.terms,
                      options_.slop, nullptr);
    return tf_ > 0;
  }
  // The rarest word's starts, less those that another word denies.
  starts_.clear();
  by_cost_.front()->cursor.AppendPositions(&starts_);
  const uint32_t place = by_cost_.front()->place;
  std::erase_if(starts_, [&](uint32_t at) { return at < place; });
  for (uint32_t& start : starts_) {
    start -= place;
  }
  std::vector<uint32_t>& positions = positions_.front();
  for (size_t i = 1; i < by_cost_.size() && !starts_.empty(); ++i) {
    positions.clear();
    by_cost_[i]->cursor.AppendPositions(&positions);
    size_t next = 0;
    std::erase_if(starts_, [&](uint32_t start) {
      const uint64_t wanted = uint64_t{start} + by_cost_[i]->place;
      while (next < positions.size() && positions[next] < wanted) {
        ++next;
      }
      return next == positions.size() || positions[next] != wanted;
    });
  }
  tf_ = static_cast<uint32_t>(starts_.size());
  return tf_ > 0;
}

void PhraseIterator::AddScore(float* score) {
  *score += options_.scorer(tf_, options_.lengths[row_]);
}

float PhraseIterator::BlockBound(const Word& word, uint32_t block) const {
  float bound = 0;
  for (Impact impact :
       word.list.impacts != nullptr ? word.list.impacts[block] : word.impacts) {
    const uint64_t tf = uint64_t{impact.tf} * (options_.slop + 1);
    impact.tf =
        static_cast<uint16_t>(std::min(tf, uint64_t{Bm25Scorer::kAnyCount}));
    bound = std::max(bound, options_.scorer.Bound(impact));
  }
  return bound;
}

void PhraseIterator::AddBound(Ordinal from, Ordinal* end, float* bound) {
  float least = options_.scorer.weight();
  Ordinal last = *end;
  for (Word* word : by_cost_) {
    const uint32_t block = word->cursor.SeekBlock(from);
    if (block == word->cursor.blocks()) {
      return;
    }
    last = std::min(last, word->cursor.LastRow(block));
    least = std::min(least, BlockBound(*word, block));
  }
  *end = last;
  *bound += least;
}

}  // namespace sextant
