// SPDX-License-Identifier: Apache-2.0
#include "index/text/text_merger.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "index/text/posting_cursor.h"
#include "index/text/text_index_writer.h"

namespace sextant {
namespace {

// The terms of a source in a row, with their lists.
class TermWalk {
 public:
  explicit TermWalk(const TextIndex* index) : index_(index) { Refill(""); }

  bool at_end() const { return next_ == terms_.size(); }
  const std::string& term() const { return terms_[next_].first; }
  const PostingList& postings() const { return terms_[next_].second; }
  void Next() {
    if (++next_ == terms_.size() && terms_.size() == kAtOnce) {
      // The next string after a term is itself and a zero byte.
      Refill(terms_.back().first + '\0');
    }
  }

 private:
  static constexpr size_t kAtOnce = 1024;

  void Refill(const std::string& first) {
    std::vector<std::pair<std::string, PostingList>> terms;
    index_->VisitFrom(first,
                      [&](absl::string_view term, const PostingList& postings) {
                        terms.emplace_back(std::string(term), postings);
                        return terms.size() < kAtOnce;
                      });
    terms_ = std::move(terms);
    next_ = 0;
  }

  const TextIndex* index_;
  std::vector<std::pair<std::string, PostingList>> terms_;
  size_t next_ = 0;
};

// The postings of one term from all sources, in the order of their new rows.
class TermMerge {
 public:
  explicit TermMerge(bool positions) : with_positions_(positions) {}

  void Clear() {
    entries_.clear();
    positions_.clear();
    ascending_ = true;
  }
  void Add(const PostingList& postings, std::span<const Ordinal> new_rows) {
    for (PostingCursor cursor(postings); cursor.row() != kEndRow;
         cursor.Next()) {
      const Ordinal row = new_rows[cursor.row()];
      if (row == kDroppedRow) {
        continue;
      }
      ascending_ =
          ascending_ && (entries_.empty() || entries_.back().row < row);
      entries_.push_back({row, cursor.tf(), positions_.size()});
      if (with_positions_) {
        cursor.AppendPositions(&positions_);
      }
    }
  }
  bool empty() const { return entries_.empty(); }

  // Valid until the next call.
  TermPostings Take() {
    if (!ascending_) {
      std::sort(entries_.begin(), entries_.end(),
                [](const Entry& a, const Entry& b) { return a.row < b.row; });
    }
    rows_.clear();
    tfs_.clear();
    for (const Entry& entry : entries_) {
      rows_.push_back(entry.row);
      tfs_.push_back(entry.tf);
    }
    if (ascending_ || !with_positions_) {
      return {rows_, tfs_, {}, positions_};
    }
    sorted_.clear();
    for (const Entry& entry : entries_) {
      const auto first =
          positions_.begin() + static_cast<std::ptrdiff_t>(entry.position);
      sorted_.insert(sorted_.end(), first, first + entry.tf);
    }
    return {rows_, tfs_, {}, sorted_};
  }

 private:
  struct Entry {
    Ordinal row;
    uint32_t tf;
    size_t position;  // of the first, in positions_
  };
  bool with_positions_;
  bool ascending_ = true;
  std::vector<Entry> entries_;
  std::vector<uint32_t> positions_;
  std::vector<Ordinal> rows_;
  std::vector<uint32_t> tfs_;
  std::vector<uint32_t> sorted_;
};

absl::StatusOr<std::vector<uint32_t>> MergedLengths(
    std::span<const TextMergeSource> sources, uint32_t rows) {
  std::vector<uint32_t> lengths(rows);
  std::vector<bool> taken(rows);
  for (const TextMergeSource& source : sources) {
    if (source.new_rows.size() != source.index->rows()) {
      return absl::InvalidArgumentError(
          "text merge: one new row is needed for each row of a source");
    }
    for (Ordinal row = 0; row < source.index->rows(); ++row) {
      const Ordinal new_row = source.new_rows[row];
      if (new_row == kDroppedRow) {
        continue;
      }
      if (new_row >= rows || taken[new_row]) {
        return absl::InvalidArgumentError(
            "text merge: a new row is past the end or taken twice");
      }
      taken[new_row] = true;
      lengths[new_row] = source.index->length(row);
    }
  }
  return lengths;
}

}  // namespace

absl::StatusOr<std::string> MergeTextIndexes(
    std::span<const TextMergeSource> sources, uint32_t rows,
    const RequestContext& context) {
  bool positions = true;
  std::vector<TermWalk> walks;
  for (const TextMergeSource& source : sources) {
    positions = positions &&
                (source.index->has_positions() || source.index->terms() == 0);
    walks.emplace_back(source.index);
  }
  ASSIGN_OR_RETURN(std::vector<uint32_t> lengths, MergedLengths(sources, rows));
  TextIndexWriter writer(positions, std::move(lengths));
  TermMerge merge(positions);
  std::string term;
  for (uint64_t i = 0;; ++i) {
    if (i % 256 == 0) {
      RETURN_IF_ERROR(context.Check());
    }
    const std::string* least = nullptr;
    for (const TermWalk& walk : walks) {
      if (!walk.at_end() && (least == nullptr || walk.term() < *least)) {
        least = &walk.term();
      }
    }
    if (least == nullptr) {
      return std::move(writer).Finish();
    }
    term = *least;
    merge.Clear();
    for (size_t s = 0; s < walks.size(); ++s) {
      if (!walks[s].at_end() && walks[s].term() == term) {
        merge.Add(walks[s].postings(), sources[s].new_rows);
        walks[s].Next();
      }
    }
    if (!merge.empty()) {
      writer.Add(term, merge.Take());
    }
  }
}

}  // namespace sextant
