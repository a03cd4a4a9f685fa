// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/strings/string_view.h"

#include "index/metric.h"
#include "index/row_set.h"
#include "index/text/text_part.h"

namespace sextant {

// The text fields of one segment as of one snapshot: its parts, the rows that
// are dead, and the totals of those that are not. What statistics and searches
// read.
//
// Immutable, thread-safe; copies share everything. An overwritten row is a dead
// row, so statistics are exact with the first search after a write.
class TextSegment {
 public:
  TextSegment() : TextSegment({}, 0, RowSet()) {}
  // Counts the totals: reads the length of each dead row. `fields`: how many
  // each part has.
  TextSegment(TextParts parts, size_t fields, RowSet dead);

  // The same segment with more rows and more dead ones; of dead rows it reads
  // the lengths of the new ones only. `parts` holds the rows of parts();
  // `newly_dead` is distinct and not in dead(); `dead` holds both.
  TextSegment Advance(TextParts parts, std::span<const Ordinal> newly_dead,
                      RowSet dead) const;

  // The same state with some of the fields, in this order. Reads the length of
  // each dead row.
  TextSegment Select(std::span<const size_t> numbers) const;

  const TextParts& parts() const { return parts_; }
  const RowSet& dead() const { return dead_; }
  uint32_t rows() const { return rows_; }
  // Of live rows.
  const TextTotals& totals(size_t field) const { return totals_[field]; }
  size_t fields() const { return totals_.size(); }

  // Tokens of a row; 0 where the field is absent. row < rows().
  uint32_t length(size_t field, Ordinal row) const;

  // Live rows that have the term, exactly. Counts the dead rows among the
  // postings; the count is kept, so that later searches, of later states of the
  // segment too, look at the rows that died since.
  uint64_t DocumentFrequency(size_t field, absl::string_view term) const;

 private:
  class DeadCounts;

  const TextPart& PartOf(Ordinal row) const;
  void AddTotals(size_t first_part);
  void SubtractRow(Ordinal row);
  std::vector<Ordinal> StartDeadCounts();  // the dead rows
  uint64_t CountDead(const PostingList& postings, Ordinal first_row,
                     std::span<const Ordinal> dead) const;

  uint32_t rows_ = 0;
  TextParts parts_;
  RowSet dead_;
  std::vector<TextTotals> totals_;  // by field
  // Of this state and of those that it was made from.
  std::shared_ptr<DeadCounts> dead_counts_;
  size_t dead_logged_ = 0;  // dead rows of this state, the first of that log
};

}  // namespace sextant
