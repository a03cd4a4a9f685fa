// SPDX-License-Identifier: Apache-2.0
#include "index/id_column.h"

#include <algorithm>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/coding.h"

namespace sextant {
namespace {

// Layout, little-endian: u32 form, u32 rows, then
//   kFixed8    rows * 8 bytes of ids
//   kOffsets32 u32 offsets[rows + 1], ids back to back
//   kOffsets64 the same with u64 offsets (4 GiB of ids or more)
enum Form : uint32_t { kFixed8 = 1, kOffsets32 = 2, kOffsets64 = 3 };

constexpr size_t kFixedWidth = 8;

uint64_t LoadOffset(absl::string_view offsets, uint32_t width, uint64_t i) {
  const char* place = offsets.data() + i * width;
  return width == sizeof(uint32_t) ? LoadLittleEndian<uint32_t>(place)
                                   : LoadLittleEndian<uint64_t>(place);
}

absl::Status Damaged(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("id column: ", what));
}

}  // namespace

std::string IdColumn::Encode(const std::vector<absl::string_view>& ids) {
  CHECK_LE(ids.size(), std::numeric_limits<uint32_t>::max());
  uint64_t blob_size = 0;
  bool fixed = true;
  for (const absl::string_view id : ids) {
    blob_size += id.size();
    fixed = fixed && id.size() == kFixedWidth;
  }
  const bool wide = blob_size > std::numeric_limits<uint32_t>::max();
  const Form form = fixed ? kFixed8 : wide ? kOffsets64 : kOffsets32;
  std::string bytes;
  bytes.reserve(blob_size + 16 + (fixed ? 0 : (ids.size() + 1) * 8));
  AppendLittleEndian<uint32_t>(&bytes, form);
  AppendLittleEndian(&bytes, static_cast<uint32_t>(ids.size()));
  if (!fixed) {
    uint64_t offset = 0;
    for (size_t i = 0; i <= ids.size(); ++i) {
      if (wide) {
        AppendLittleEndian<uint64_t>(&bytes, offset);
      } else {
        AppendLittleEndian(&bytes, static_cast<uint32_t>(offset));
      }
      offset += i < ids.size() ? ids[i].size() : 0;
    }
  }
  for (const absl::string_view id : ids) {
    bytes.append(id.data(), id.size());
  }
  return bytes;
}

absl::StatusOr<IdColumn> IdColumn::Open(absl::string_view bytes,
                                        uint32_t rows) {
  uint32_t form = 0;
  uint32_t stored_rows = 0;
  if (!ConsumeLittleEndian(&bytes, &form) ||
      !ConsumeLittleEndian(&bytes, &stored_rows)) {
    return Damaged("shorter than its header");
  }
  if (stored_rows != rows) {
    return Damaged(absl::StrCat("expected ", rows, " ids, got ", stored_rows));
  }
  IdColumn column;
  column.rows_ = rows;
  if (form == kFixed8) {
    column.fixed_ = true;
    if (bytes.size() != uint64_t{rows} * kFixedWidth) {
      return Damaged("size does not fit the number of ids");
    }
    column.blob_ = bytes;
  } else if (form == kOffsets32 || form == kOffsets64) {
    column.offset_width_ =
        form == kOffsets32 ? sizeof(uint32_t) : sizeof(uint64_t);
    const uint64_t offsets_size = (uint64_t{rows} + 1) * column.offset_width_;
    if (bytes.size() < offsets_size) {
      return Damaged("size does not fit the number of ids");
    }
    column.offsets_ = bytes.substr(0, offsets_size);
    column.blob_ = bytes.substr(offsets_size);
    uint64_t previous = 0;
    for (uint64_t i = 0; i <= rows; ++i) {
      const uint64_t offset =
          LoadOffset(column.offsets_, column.offset_width_, i);
      if (offset < previous || offset > column.blob_.size() ||
          (i == 0 && offset != 0)) {
        return Damaged(absl::StrCat("offset ", i, " is out of order"));
      }
      previous = offset;
    }
    if (previous != column.blob_.size()) {
      return Damaged("bytes left over after the last id");
    }
  } else {
    return Damaged(absl::StrCat("unknown form ", form));
  }
  for (uint32_t row = 1; row < rows; ++row) {
    if (column.id(row - 1) >= column.id(row)) {
      return Damaged(absl::StrCat("id ", row, " is out of order"));
    }
  }
  return column;
}

absl::string_view IdColumn::id(Ordinal row) const {
  DCHECK_LT(row, rows_);
  if (fixed_) {
    return blob_.substr(uint64_t{row} * kFixedWidth, kFixedWidth);
  }
  const uint64_t begin = LoadOffset(offsets_, offset_width_, row);
  const uint64_t end = LoadOffset(offsets_, offset_width_, uint64_t{row} + 1);
  return blob_.substr(begin, end - begin);
}

}  // namespace sextant
