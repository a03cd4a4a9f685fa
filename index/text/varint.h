// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace sextant {

// Integers in 7 bits a byte, least significant first (LEB128).

inline void AppendVarint(uint64_t value, std::string* out) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>(value | 0x80U));
    value >>= 7U;
  }
  out->push_back(static_cast<char>(value));
}

// Takes it off the front; false when it is cut off or longer than 64 bits.
inline bool ConsumeVarint(absl::string_view* input, uint64_t* value) {
  uint64_t result = 0;
  for (uint32_t shift = 0, i = 0; shift < 64 && i < input->size();
       shift += 7, ++i) {
    const auto byte = static_cast<uint8_t>((*input)[i]);
    result |= uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) {
      input->remove_prefix(i + 1);
      *value = result;
      return true;
    }
  }
  return false;
}

// The same for bytes that have been checked.
inline uint64_t ReadVarint(const char** input) {
  uint64_t result = 0;
  uint32_t shift = 0;
  while (true) {
    const auto byte = static_cast<uint8_t>(*(*input)++);
    result |= uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) {
      return result;
    }
    shift += 7;
  }
}

}  // namespace sextant
