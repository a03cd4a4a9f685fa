// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace sextant {

// CRC-32C (Castagnoli), the checksum in RocksDB's logs. For our own files use
// base/checksum.h, which is faster.
uint32_t Crc32c(absl::string_view bytes);
// The checksum of what `crc` is the checksum of, with `bytes` behind it; that
// of nothing is 0.
uint32_t ExtendCrc32c(uint32_t crc, absl::string_view bytes);

}  // namespace sextant
