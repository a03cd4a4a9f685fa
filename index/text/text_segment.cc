// SPDX-License-Identifier: Apache-2.0
#include "index/text/text_segment.h"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"

#include "base/mutex.h"
#include "index/text/posting_cursor.h"
#include "index/text/text_tail.h"

namespace sextant {

// How many dead rows each term has. Grows with the terms that searches ask for,
// up to a limit; then it forgets.
class TextSegment::DeadCounts {
 public:
  bool Find(size_t field, absl::string_view term, uint64_t* count) {
    MutexLock lock(&mutex_);
    const auto found = counts_.find(Key(field, term));
    if (found == counts_.end()) {
      return false;
    }
    *count = found->second;
    return true;
  }
  void Add(size_t field, absl::string_view term, uint64_t count) {
    MutexLock lock(&mutex_);
    if (counts_.size() >= kTermsMax) {
      counts_.clear();
    }
    counts_.emplace(Key(field, term), count);
  }

 private:
  static constexpr size_t kTermsMax = 8192;

  static std::string Key(size_t field, absl::string_view term) {
    return absl::StrCat(field, "/", term);
  }

  Mutex mutex_;
  absl::flat_hash_map<std::string, uint64_t> counts_ ABSL_GUARDED_BY(mutex_);
};

TextSegment::TextSegment(TextParts parts, size_t fields, RowSet dead)
    : parts_(std::move(parts)),
      dead_(std::move(dead)),
      totals_(fields),
      dead_counts_(std::make_shared<DeadCounts>()) {
  AddTotals(0);
  const std::vector<uint64_t> words = dead_.ToWords();
  for (size_t word = 0; word < words.size(); ++word) {
    for (uint64_t bits = words[word]; bits != 0; bits &= bits - 1) {
      SubtractRow(static_cast<Ordinal>(word * 64) +
                  static_cast<Ordinal>(std::countr_zero(bits)));
    }
  }
}

void TextSegment::AddTotals(size_t first_part) {
  for (size_t i = first_part; i < parts_.size(); ++i) {
    const TextPart& part = parts_[i];
    rows_ = part.first_row + part.rows;
    for (size_t field = 0; field < totals_.size(); ++field) {
      if (part.tail == nullptr) {
        totals_[field].rows += part.fields[field]->totals().rows;
        totals_[field].tokens += part.fields[field]->totals().tokens;
        continue;
      }
      const TextLengths lengths = part.lengths(field);
      for (Ordinal row = 0; row < part.rows; ++row) {
        totals_[field].rows += lengths[row] > 0 ? 1U : 0U;
        totals_[field].tokens += lengths[row];
      }
    }
  }
}

void TextSegment::SubtractRow(Ordinal row) {
  if (row >= rows_) {
    return;
  }
  for (size_t field = 0; field < totals_.size(); ++field) {
    const uint32_t tokens = length(field, row);
    totals_[field].rows -= tokens > 0 ? 1U : 0U;
    totals_[field].tokens -= tokens;
  }
}

TextSegment TextSegment::Advance(TextParts parts,
                                 std::span<const Ordinal> newly_dead,
                                 RowSet dead) const {
  TextSegment next;
  next.parts_ = std::move(parts);
  next.dead_ = std::move(dead);
  next.totals_.resize(totals_.size());
  next.dead_counts_ = std::make_shared<DeadCounts>();
  // What the dead rows so far have, is the difference of all and the live ones.
  TextSegment all;
  all.parts_ = parts_;
  all.totals_.resize(totals_.size());
  all.AddTotals(0);
  next.AddTotals(0);
  for (size_t field = 0; field < totals_.size(); ++field) {
    next.totals_[field].rows -= all.totals_[field].rows - totals_[field].rows;
    next.totals_[field].tokens -=
        all.totals_[field].tokens - totals_[field].tokens;
  }
  for (const Ordinal row : newly_dead) {
    next.SubtractRow(row);
  }
  return next;
}

const TextPart& TextSegment::PartOf(Ordinal row) const {
  const auto after = std::upper_bound(parts_.begin(), parts_.end(), row,
                                      [](Ordinal wanted, const TextPart& part) {
                                        return wanted < part.first_row;
                                      });
  return *(after - 1);
}

uint32_t TextSegment::length(size_t field, Ordinal row) const {
  const TextPart& part = PartOf(row);
  return part.lengths(field)[row - part.first_row];
}

uint64_t TextSegment::CountDead(const PostingList& postings,
                                Ordinal first_row) const {
  uint64_t count = 0;
  for (PostingCursor cursor(postings); cursor.row() != kEndRow; cursor.Next()) {
    count += dead_.Contains(first_row + cursor.row()) ? 1U : 0U;
  }
  return count;
}

uint64_t TextSegment::DocumentFrequency(size_t field,
                                        absl::string_view term) const {
  uint64_t postings = 0;
  uint64_t dead = 0;
  const bool known = dead_.empty() || dead_counts_->Find(field, term, &dead);
  for (const TextPart& part : parts_) {
    MemoryPostings memory;
    PostingList list;
    if (part.tail != nullptr) {
      memory = part.tail->Find(field, term, part.rows);
      list.count = static_cast<uint32_t>(memory.rows.size());
      list.memory = &memory;
    } else {
      list = part.fields[field]->Find(term);
    }
    postings += list.count;
    if (!known) {
      dead += CountDead(list, part.first_row);
    }
  }
  if (!known) {
    dead_counts_->Add(field, term, dead);
  }
  return postings - dead;
}

}  // namespace sextant
