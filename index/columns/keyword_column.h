// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "index/columns/field_value.h"
#include "index/columns/posting_table.h"

namespace sextant {

// Terms by number: [first, last).
struct TermRange {
  uint32_t first = 0;
  uint32_t last = 0;
};

// A keyword field of one sealed segment: a sorted dictionary of its terms, the
// rows of each term, and the terms of each row.
//
// Reads bytes it does not own. Immutable, thread-safe.
class KeywordColumn {
 public:
  // `bytes` as ColumnBuilder made them, at an address divisible by 8; kDataLoss
  // when they are not a whole column of `rows` rows.
  static absl::StatusOr<KeywordColumn> Open(absl::string_view bytes,
                                            uint32_t rows);

  KeywordColumn() = default;

  uint32_t rows() const { return postings_.rows(); }
  bool is_single() const { return postings_.is_single(); }

  uint32_t term_count() const { return term_count_; }
  // Terms ascend by their bytes.
  absl::string_view term(uint32_t number) const;
  std::optional<uint32_t> FindTerm(absl::string_view text) const;
  TermRange TermsWithPrefix(absl::string_view prefix) const;
  // The entries of some terms: of one term its rows, ascending.
  PositionRun EntriesOf(TermRange terms) const {
    return {starts_[terms.first], starts_[terms.last]};
  }
  std::span<const Ordinal> ordinals(uint32_t term) const {
    return postings_.entries(EntriesOf({term, term + 1}));
  }
  // Numbers of a row's terms, ascending; empty where the field is absent.
  std::span<const uint32_t> TermsOf(Ordinal row) const {
    return postings_.codes(row);
  }
  // Texts, ascending and distinct.
  FieldValues ValuesOf(Ordinal row) const;

  // Codes are numbers of terms.
  const PostingTable& postings() const { return postings_; }
  // Beside the bytes of the file.
  size_t memory_bytes() const { return postings_.memory_bytes(); }

 private:
  absl::Status CheckTerms() const;
  absl::Status CheckEntries() const;

  uint32_t term_count_ = 0;
  std::span<const uint64_t> text_ends_;  // term_count; where a term's text ends
  absl::string_view texts_;
  std::span<const uint32_t> starts_;  // term_count + 1, into the entries
  PostingTable postings_;
};

}  // namespace sextant
