// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "index/metric.h"

namespace sextant {

// Ids of a sealed segment by ordinal, ascending by bytes. Reads bytes it does
// not own (a mapped segment file); eight-byte ids are stored without offsets.
//
// Immutable, thread-safe.
class IdColumn {
 public:
  // kDataLoss when the bytes do not hold exactly `rows` ascending ids.
  static absl::StatusOr<IdColumn> Open(absl::string_view bytes, uint32_t rows);
  // `ids` ascending and distinct.
  static std::string Encode(const std::vector<absl::string_view>& ids);

  IdColumn() = default;
  absl::string_view id(Ordinal row) const;
  uint32_t size() const { return rows_; }

 private:
  uint32_t rows_ = 0;
  bool fixed_ = false;         // every id has eight bytes
  uint32_t offset_width_ = 0;  // 4, or 8 past 4 GiB of ids
  absl::string_view offsets_;  // rows + 1 little-endian, unless fixed
  absl::string_view blob_;
};

}  // namespace sextant
