// SPDX-License-Identifier: Apache-2.0
#include "storage/crc32c.h"

#include <array>
#include <cstring>

#ifdef __SSE4_2__
#include <nmmintrin.h>
#endif

namespace sextant {
namespace {

#ifdef __SSE4_2__

uint32_t Extend(uint32_t crc, absl::string_view bytes) {
  uint64_t wide = crc;
  while (bytes.size() >= sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof(word));
    wide = _mm_crc32_u64(wide, word);
    bytes.remove_prefix(sizeof(word));
  }
  crc = static_cast<uint32_t>(wide);
  for (const char byte : bytes) {
    crc = _mm_crc32_u8(crc, static_cast<uint8_t>(byte));
  }
  return crc;
}

#else

std::array<uint32_t, 256> MakeTable() {
  constexpr uint32_t kPolynomial = 0x82f63b78;
  std::array<uint32_t, 256> table = {};
  for (uint32_t i = 0; i < table.size(); ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? kPolynomial : 0);
    }
    table.at(i) = crc;
  }
  return table;
}

uint32_t Extend(uint32_t crc, absl::string_view bytes) {
  static const std::array<uint32_t, 256> kTable = MakeTable();
  for (const char byte : bytes) {
    crc = (crc >> 8U) ^ kTable.at((crc ^ static_cast<uint8_t>(byte)) & 0xffU);
  }
  return crc;
}

#endif

}  // namespace

uint32_t Crc32c(absl::string_view bytes) {
  return ExtendCrc32c(0, bytes);
}

uint32_t ExtendCrc32c(uint32_t crc, absl::string_view bytes) {
  return Extend(crc ^ 0xffffffffU, bytes) ^ 0xffffffffU;
}

}  // namespace sextant
