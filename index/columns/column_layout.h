// SPDX-License-Identifier: Apache-2.0
//
// The bytes of a column: little-endian, a header, then arrays, each beginning
// at a multiple of 8.
//
//   u32 kind, rows, entries, single; u32 width or terms; u32 0; u64 base or
//     bytes of texts
//   u32 entries[entries]        ordinals in the order of (value, ordinal)
//   u32 offsets[rows + 1]       of each row into codes; only when not single
//   u32 codes[entries or rows]  see posting_table.h; rows of them when single
//   number:  keys, `width` bytes each, as distances from `base`
//   keyword: u32 starts[terms + 1] into entries, u64 text_ends[terms], texts

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace sextant {

enum ColumnKind : uint32_t { kNumberKind = 1, kKeywordKind = 2 };

struct ColumnHeader {
  uint32_t kind = 0;
  uint32_t rows = 0;
  uint32_t entries = 0;
  uint32_t single = 0;
  uint32_t width_or_terms = 0;
  uint32_t zero = 0;
  uint64_t base_or_text_bytes = 0;
};
static_assert(sizeof(ColumnHeader) == 32);

inline constexpr size_t kColumnAlignment = 8;

inline absl::Status DamagedColumn(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("column: ", what));
}

// Appends an array and the padding after it.
template <typename T>
void AppendColumnArray(std::span<const T> values, std::string* bytes) {
  bytes->append(reinterpret_cast<const char*>(values.data()),
                values.size_bytes());
  bytes->resize((bytes->size() + kColumnAlignment - 1) / kColumnAlignment *
                kColumnAlignment);
}

// Takes arrays off the front of bytes that begin at a multiple of 8.
class ColumnReader {
 public:
  explicit ColumnReader(absl::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  absl::Status Take(uint64_t count, std::span<const T>* values) {
    if (count > bytes_.size() / sizeof(T)) {
      return DamagedColumn("shorter than its header says");
    }
    const uint64_t size = count * sizeof(T);
    const uint64_t padded =
        (size + kColumnAlignment - 1) / kColumnAlignment * kColumnAlignment;
    if (padded > bytes_.size()) {
      return DamagedColumn("shorter than its header says");
    }
    *values = {reinterpret_cast<const T*>(bytes_.data()),
               static_cast<size_t>(count)};
    bytes_.remove_prefix(padded);
    return absl::OkStatus();
  }

  // The header, of this kind and for this many rows.
  absl::Status TakeHeader(ColumnKind kind, uint32_t rows, ColumnHeader* header);

  absl::Status Finish() const {
    return bytes_.empty() ? absl::OkStatus()
                          : DamagedColumn("longer than its header says");
  }

 private:
  absl::string_view bytes_;
};

}  // namespace sextant
