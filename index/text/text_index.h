// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "index/metric.h"
#include "index/text/posting_list.h"
#include "index/text/term_dictionary.h"

namespace sextant {

// Rows that have the field, and their tokens: what BM25 averages.
struct TextTotals {
  uint64_t rows = 0;
  uint64_t tokens = 0;

  double average_length() const {
    return rows == 0 ? 0.0
                     : static_cast<double>(tokens) / static_cast<double>(rows);
  }
  friend bool operator==(const TextTotals&, const TextTotals&) = default;
};

// The postings of one text field of one sealed segment: for each term the rows
// that have it, how often, and where. text_layout.h has the bytes.
//
// Reads bytes it does not own (a mapped segment file). Immutable, thread-safe.
class TextIndex {
 public:
  TextIndex() = default;

  // `bytes` as TextIndexBuilder or MergeTextIndexes made them, at an address
  // divisible by 8. kDataLoss when they are not a whole index of `rows` rows.
  // Reads all of them, so that nothing read later can lead out of bounds.
  static absl::StatusOr<TextIndex> Open(absl::string_view bytes, uint32_t rows);

  uint32_t rows() const { return lengths_.rows(); }
  // Of all rows, dead ones too.
  const TextTotals& totals() const { return totals_; }
  bool has_positions() const { return postings_.has_positions; }
  // Tokens of a row; 0 where the field is absent. row < rows().
  uint32_t length(Ordinal row) const { return lengths_[row]; }
  const TextLengths& lengths() const { return lengths_; }

  // Empty when no row has the term.
  PostingList Find(absl::string_view term) const;
  uint32_t terms() const { return dictionary_.size(); }
  // Terms from `first` on, ascending, until `visit` returns false.
  void VisitFrom(absl::string_view first,
                 absl::FunctionRef<bool(absl::string_view term,
                                        const PostingList& postings)>
                     visit) const;
  // Terms that begin with `prefix`, ascending, until `visit` returns false.
  void VisitPrefix(absl::string_view prefix,
                   absl::FunctionRef<bool(absl::string_view term,
                                          const PostingList& postings)>
                       visit) const;

  size_t file_bytes() const { return file_bytes_; }

 private:
  size_t file_bytes_ = 0;
  TextTotals totals_;
  TextLengths lengths_;
  TermDictionary dictionary_;
  PostingStore postings_;
};

}  // namespace sextant
