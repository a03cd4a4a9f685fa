// SPDX-License-Identifier: Apache-2.0
#include "index/columns/number_column.h"

#include <limits>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "index/columns/column_layout.h"

namespace sextant {

absl::StatusOr<NumberColumn> NumberColumn::Open(absl::string_view bytes,
                                                uint32_t rows) {
  ColumnReader reader(bytes);
  ColumnHeader header;
  RETURN_IF_ERROR(reader.TakeHeader(kNumberKind, rows, &header));
  const uint32_t width = header.width_or_terms;
  if (width != 1 && width != 2 && width != 4 && width != 8) {
    return DamagedColumn(absl::StrCat("keys of ", width, " bytes"));
  }
  NumberColumn column;
  ASSIGN_OR_RETURN(column.postings_,
                   PostingTable::Read(header, header.entries, &reader));
  std::span<const char> packed;
  RETURN_IF_ERROR(reader.Take(uint64_t{header.entries} * width, &packed));
  RETURN_IF_ERROR(reader.Finish());
  column.keys_ = KeySearch({packed.data(), packed.size()}, header.entries,
                           width, header.base_or_text_bytes);
  RETURN_IF_ERROR(column.CheckEntries());
  column.FindDense();
  return column;
}

// Each entry lies where its row says, and the entries are in order.
absl::Status NumberColumn::CheckEntries() const {
  for (Ordinal row = 0; row < rows(); ++row) {
    for (const uint32_t position : PositionsOf(row)) {
      if (ordinals()[position] != row) {
        return DamagedColumn(absl::StrCat("no entry of row ", row));
      }
    }
  }
  for (uint32_t i = 0; i < size(); ++i) {
    const bool ordered =
        i == 0 ? KeyAt(0) == keys_.base()
               : KeyAt(i - 1) < KeyAt(i) || (KeyAt(i - 1) == KeyAt(i) &&
                                             ordinals()[i - 1] < ordinals()[i]);
    if (!ordered) {
      return DamagedColumn(absl::StrCat("entry ", i, " is out of order"));
    }
  }
  return absl::OkStatus();
}

void NumberColumn::FindDense() {
  uint32_t first = 0;
  for (uint32_t i = 1; i <= size(); ++i) {
    if (i == size() || KeyAt(i) != KeyAt(first)) {
      postings_.AddValue({first, i});
      first = i;
    }
  }
}

PositionRun NumberColumn::Range(NumberKey low, NumberKey high) const {
  if (low > high) {
    return {};
  }
  const uint32_t first = Rank(low);
  return {first, high == std::numeric_limits<NumberKey>::max()
                     ? size()
                     : Rank(high + 1)};
}

FieldValues NumberColumn::ValuesOf(Ordinal row) const {
  FieldValues values;
  for (const uint32_t position : PositionsOf(row)) {
    values.emplace_back(KeyAt(position));
  }
  return values;
}

size_t NumberColumn::memory_bytes() const {
  return postings_.memory_bytes() + keys_.memory_bytes();
}

}  // namespace sextant
