// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "index/columns/column_layout.h"
#include "index/columns/document_set.h"
#include "index/metric.h"

namespace sextant {

// Consecutive entries of a column, by position: [first, last).
struct PositionRun {
  uint32_t first = 0;
  uint32_t last = 0;
  uint32_t count() const { return last - first; }
  friend bool operator==(const PositionRun&, const PositionRun&) = default;
};

// The heart of a column: its entries, one for each distinct value of each row,
// in the order of (value, ordinal), and from each row back to what it has.
//
//   entries   ordinal by position; the entries of a range of values are a run
//   codes     by row, ascending: for numbers the position of the entry, for
//             keywords the number of the term
//
// Values that at least one row in 32 has are kept as bitmaps too.
//
// Reads bytes it does not own (a mapped segment file). Immutable, thread-safe.
class PostingTable {
 public:
  // The code of a row without a value, where rows have one code each.
  static constexpr uint32_t kAbsent = std::numeric_limits<uint32_t>::max();

  PostingTable() = default;

  uint32_t rows() const { return rows_; }
  uint32_t size() const { return static_cast<uint32_t>(entries_.size()); }
  // Every row has at most one value.
  bool is_single() const { return offsets_.empty(); }
  // The rows that have a value.
  const DocumentSet& present() const { return present_; }
  uint32_t present_count() const { return present_count_; }

  std::span<const Ordinal> entries() const { return entries_; }
  std::span<const Ordinal> entries(PositionRun run) const {
    return entries_.subspan(run.first, run.count());
  }
  std::span<const uint32_t> codes(Ordinal row) const {
    if (offsets_.empty()) {
      return codes_.subspan(row, codes_[row] == kAbsent ? 0 : 1);
    }
    return codes_.subspan(offsets_[row], offsets_[row + 1] - offsets_[row]);
  }
  // The rows of runs that ascend, do not overlap and hold whole values.
  DocumentSet RowsOf(std::span<const PositionRun> runs) const;

  // RowsOf(run), if it is one of the bitmaps kept; else null.
  const DocumentSet* Kept(PositionRun run) const;

  // Of the bitmaps, beside the bytes of the file.
  size_t memory_bytes() const;

 private:
  // They read the table and say which entries have equal values.
  friend class NumberColumn;
  friend class KeywordColumn;

  struct DenseValue {
    PositionRun run;
    DocumentSet rows;
  };

  // Checked so far that no code reaches `code_limit` and no entry the rows.
  static absl::StatusOr<PostingTable> Read(const ColumnHeader& header,
                                           uint32_t code_limit,
                                           ColumnReader* reader);
  absl::Status CheckOffsets() const;
  absl::Status CheckCodes(uint32_t code_limit) const;
  void FindPresent();
  // The entries of one value; ordinals ascend. Runs come in ascending order.
  void AddValue(PositionRun run);
  // The first that does not begin before this position.
  std::vector<DenseValue>::const_iterator DenseFrom(uint32_t position) const;
  // Calls visit(dense value or null, run) for the parts of a run.
  template <typename Visit>
  void VisitParts(PositionRun run, Visit visit) const;

  DocumentSet Collect(std::span<const PositionRun> runs) const;

  uint32_t rows_ = 0;
  uint32_t present_count_ = 0;
  std::span<const Ordinal> entries_;
  std::span<const uint32_t> offsets_;  // rows + 1, or empty
  std::span<const uint32_t> codes_;
  DocumentSet present_;
  std::vector<DenseValue> dense_;  // by run
};

}  // namespace sextant
