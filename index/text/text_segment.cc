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

// The dead rows of a segment in the order of their deaths, and how many of the
// first ones each term has that searches asked for. Grows with those terms, up
// to a limit; then it forgets. Thread-safe.
class TextSegment::DeadCounts {
 public:
  struct Count {
    uint64_t rows = 0;
    size_t logged = 0;  // dead rows that were looked at
  };

  // After the first `logged` ones; false when others came there.
  bool Append(size_t logged, std::span<const Ordinal> rows) {
    MutexLock lock(&mutex_);
    if (log_.size() != logged) {
      return false;
    }
    log_.insert(log_.end(), rows.begin(), rows.end());
    return true;
  }
  // What is known of the first `logged` dead rows, and those among them that
  // were not looked at yet, ascending.
  Count Find(const std::string& key, size_t logged,
             std::vector<Ordinal>* rest) {
    MutexLock lock(&mutex_);
    Count count;
    const auto found = counts_.find(key);
    // A search of an earlier state may come after one of a later.
    if (found != counts_.end() && found->second.logged <= logged) {
      count = found->second;
    }
    rest->assign(log_.begin() + static_cast<std::ptrdiff_t>(count.logged),
                 log_.begin() + static_cast<std::ptrdiff_t>(logged));
    std::sort(rest->begin(), rest->end());
    return count;
  }
  void Keep(const std::string& key, const Count& count) {
    MutexLock lock(&mutex_);
    if (counts_.size() >= kTermsMax) {
      counts_.clear();
    }
    Count& kept = counts_[key];
    if (kept.logged <= count.logged) {
      kept = count;
    }
  }

 private:
  static constexpr size_t kTermsMax = 8192;

  Mutex mutex_;
  std::vector<Ordinal> log_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, Count> counts_ ABSL_GUARDED_BY(mutex_);
};

TextSegment::TextSegment(TextParts parts, size_t fields, RowSet dead)
    : parts_(std::move(parts)), dead_(std::move(dead)), totals_(fields) {
  AddTotals(0);
  for (const Ordinal row : StartDeadCounts()) {
    SubtractRow(row);
  }
}

std::vector<Ordinal> TextSegment::StartDeadCounts() {
  const std::vector<uint64_t> words = dead_.ToWords();
  std::vector<Ordinal> dead_rows;
  for (size_t word = 0; word < words.size(); ++word) {
    for (uint64_t bits = words[word]; bits != 0; bits &= bits - 1) {
      dead_rows.push_back(static_cast<Ordinal>(word * 64) +
                          static_cast<Ordinal>(std::countr_zero(bits)));
    }
  }
  dead_counts_ = std::make_shared<DeadCounts>();
  dead_counts_->Append(0, dead_rows);
  dead_logged_ = dead_rows.size();
  return dead_rows;
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
  if (dead_counts_->Append(dead_logged_, newly_dead)) {
    next.dead_counts_ = dead_counts_;
    next.dead_logged_ = dead_logged_ + newly_dead.size();
  } else {
    next.StartDeadCounts();  // another state came from this one before
  }
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

TextSegment TextSegment::Select(std::span<const size_t> numbers) const {
  TextParts selected;
  selected.reserve(parts_.size());
  for (const TextPart& part : parts_) {
    selected.push_back(part.Select(numbers));
  }
  return {std::move(selected), numbers.size(), dead_};
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

uint64_t TextSegment::CountDead(const PostingList& postings, Ordinal first_row,
                                std::span<const Ordinal> dead) const {
  uint64_t count = 0;
  PostingCursor cursor(postings);
  for (const Ordinal row : dead) {
    if (row >= first_row) {
      const Ordinal at = cursor.Advance(row - first_row);
      if (at == kEndRow) {
        break;
      }
      count += at == row - first_row ? 1U : 0U;
    }
  }
  return count;
}

uint64_t TextSegment::DocumentFrequency(size_t field,
                                        absl::string_view term) const {
  const std::string key = absl::StrCat(field, "/", term);
  DeadCounts::Count dead;
  std::vector<Ordinal> rest;
  if (dead_logged_ > 0) {
    dead = dead_counts_->Find(key, dead_logged_, &rest);
  }
  uint64_t postings = 0;
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
    dead.rows += CountDead(list, part.first_row, rest);
  }
  if (!rest.empty()) {
    dead.logged = dead_logged_;
    dead_counts_->Keep(key, dead);
  }
  return postings - dead.rows;
}

}  // namespace sextant
