// SPDX-License-Identifier: Apache-2.0
#include "index/columns/field_column.h"

#include "base/status_macros.h"

namespace sextant {

absl::StatusOr<FieldColumn> FieldColumn::Open(FieldType type,
                                              absl::string_view bytes,
                                              uint32_t rows) {
  FieldColumn column;
  column.type_ = type;
  column.file_bytes_ = bytes.size();
  if (type == FieldType::kKeyword) {
    ASSIGN_OR_RETURN(column.column_, KeywordColumn::Open(bytes, rows));
  } else {
    ASSIGN_OR_RETURN(column.column_, NumberColumn::Open(bytes, rows));
  }
  return column;
}

const PostingTable& FieldColumn::postings() const {
  return std::visit(
      [](const auto& column) -> const PostingTable& {
        return column.postings();
      },
      column_);
}

FieldValues FieldColumn::ValuesOf(Ordinal row) const {
  return std::visit([&](const auto& column) { return column.ValuesOf(row); },
                    column_);
}

size_t FieldColumn::memory_bytes() const {
  return std::visit([](const auto& column) { return column.memory_bytes(); },
                    column_);
}

}  // namespace sextant
