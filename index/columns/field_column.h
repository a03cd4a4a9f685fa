// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "index/columns/field_value.h"
#include "index/columns/keyword_column.h"
#include "index/columns/number_column.h"

namespace sextant {

// One payload field of one sealed segment, of whichever type. Reads bytes it
// does not own (a mapped segment file). Immutable, thread-safe.
class FieldColumn {
 public:
  // `bytes` as ColumnBuilder made them for this type, at an address divisible
  // by 8; kDataLoss when they are not a whole column of `rows` rows. Reads all
  // of them.
  static absl::StatusOr<FieldColumn> Open(FieldType type,
                                          absl::string_view bytes,
                                          uint32_t rows);

  FieldType type() const { return type_; }
  // Null when the field is of the other kind.
  const NumberColumn* number() const {
    return std::get_if<NumberColumn>(&column_);
  }
  const KeywordColumn* keyword() const {
    return std::get_if<KeywordColumn>(&column_);
  }
  const PostingTable& postings() const;
  bool is_single() const { return postings().is_single(); }

  // Ascending and distinct; empty where the field is absent. What ColumnBuilder
  // takes, for merges.
  FieldValues ValuesOf(Ordinal row) const;

  size_t file_bytes() const { return file_bytes_; }
  size_t memory_bytes() const;  // beside those of the file

 private:
  FieldType type_ = FieldType::kInteger;
  size_t file_bytes_ = 0;
  std::variant<NumberColumn, KeywordColumn> column_;
};

}  // namespace sextant
