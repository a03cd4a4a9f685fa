// SPDX-License-Identifier: Apache-2.0
#include "index/columns/column_layout.h"

#include <cstring>

#include "base/status_macros.h"

namespace sextant {

absl::Status ColumnReader::TakeHeader(ColumnKind kind, uint32_t rows,
                                      ColumnHeader* header) {
  if (reinterpret_cast<uintptr_t>(bytes_.data()) % kColumnAlignment != 0) {
    return DamagedColumn("not aligned to 8 bytes");
  }
  std::span<const char> bytes;
  RETURN_IF_ERROR(Take(sizeof(*header), &bytes));
  std::memcpy(header, bytes.data(), sizeof(*header));
  if (header->kind != kind) {
    return DamagedColumn(
        absl::StrCat("expected kind ", kind, ", got ", header->kind));
  }
  if (header->rows != rows) {
    return DamagedColumn(
        absl::StrCat("expected ", rows, " rows, got ", header->rows));
  }
  if (header->single > 1 || header->zero != 0) {
    return DamagedColumn("unknown values in the header");
  }
  return absl::OkStatus();
}

}  // namespace sextant
