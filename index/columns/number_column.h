// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "index/columns/field_value.h"
#include "index/columns/key_search.h"
#include "index/columns/posting_table.h"

namespace sextant {

// An integer, float, timestamp or boolean field of one sealed segment. Its
// entries (one a value; equal values of a row count once) are in rank order: by
// key, then by ordinal. So a range of values is a run of positions, whose
// length is the exact number of entries - of rows, too, when is_single().
//
// Reads bytes it does not own. Immutable, thread-safe.
class NumberColumn {
 public:
  // `bytes` as ColumnBuilder made them, at an address divisible by 8; kDataLoss
  // when they are not a whole column of `rows` rows.
  static absl::StatusOr<NumberColumn> Open(absl::string_view bytes,
                                           uint32_t rows);

  NumberColumn() = default;

  uint32_t rows() const { return postings_.rows(); }
  uint32_t size() const { return postings_.size(); }  // entries
  bool is_single() const { return postings_.is_single(); }

  // Entries with a smaller key. Tens of nanoseconds to a few hundred.
  uint32_t Rank(NumberKey key) const { return keys_.LowerBound(key); }
  // Entries with low <= key <= high; an empty run when low > high.
  PositionRun Range(NumberKey low, NumberKey high) const;
  NumberKey KeyAt(uint32_t position) const { return keys_.KeyAt(position); }
  // Ordinals in rank order.
  std::span<const Ordinal> ordinals() const { return postings_.entries(); }
  std::span<const Ordinal> ordinals(PositionRun run) const {
    return postings_.entries(run);
  }
  // Positions of a row's values, ascending; empty where the field is absent.
  std::span<const uint32_t> PositionsOf(Ordinal row) const {
    return postings_.codes(row);
  }
  // Keys, ascending and distinct.
  FieldValues ValuesOf(Ordinal row) const;

  // Codes are positions.
  const PostingTable& postings() const { return postings_; }
  // Beside the bytes of the file.
  size_t memory_bytes() const;

 private:
  absl::Status CheckEntries() const;
  void FindDense();

  KeySearch keys_;
  PostingTable postings_;
};

}  // namespace sextant
