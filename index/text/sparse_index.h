// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "base/sparse_entry.h"
#include "index/metric.h"
#include "index/text/posting_list.h"

namespace sextant {

inline constexpr size_t kSparseEntriesMax = 65'536;  // of one vector
// So that products and their sums are finite.
inline constexpr float kSparseWeightMax = 1e15F;

// Sorts by index. InvalidField below `field` when there are more than
// kSparseEntriesMax entries, an index occurs twice or a weight is above
// kSparseWeightMax, in either direction, or not a number.
// Entries of weight 0 are left out.
absl::Status NormalizeSparse(std::vector<SparseEntry>& entries,
                             absl::string_view field);

// The sparse vectors of one field of one sealed segment, by index: for each
// the rows that have it and their weights, with the range of weights of each
// block. Made by SparseIndexBuilder or MergeSparseIndexes.
//
// Reads bytes it does not own (a mapped segment file). Immutable, thread-safe.
class SparseIndex {
 public:
  SparseIndex() = default;

  // At an address divisible by 8; kDataLoss when the bytes are not a whole
  // index of `rows` rows. Reads all of them.
  static absl::StatusOr<SparseIndex> Open(absl::string_view bytes,
                                          uint32_t rows);

  uint32_t rows() const { return rows_; }
  uint64_t entries() const { return entries_; }
  PostingList Find(uint32_t index) const;
  std::span<const uint32_t> indexes() const { return indexes_; }  // ascending
  size_t file_bytes() const { return file_bytes_; }

 private:
  uint32_t rows_ = 0;
  uint64_t entries_ = 0;
  size_t file_bytes_ = 0;
  std::span<const uint32_t> indexes_;
  std::span<const PostingListRecord> lists_;
  PostingStore postings_;
};

}  // namespace sextant
