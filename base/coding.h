// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/strings/string_view.h"

namespace sextant {

// Fixed-width integers as bytes. Little-endian is for values; big-endian for
// keys, because then byte order is number order. Consume*() takes its bytes
// off the front of `*input`; when too few are left it returns false and changes
// nothing. No function reads past the view it was given.

namespace coding_internal {

template <std::unsigned_integral T>
constexpr T SwapBytes(T value) {
  if constexpr (sizeof(T) == 1) {
    return value;
  } else if constexpr (sizeof(T) == 2) {
    return static_cast<T>(__builtin_bswap16(value));
  } else if constexpr (sizeof(T) == 4) {
    return __builtin_bswap32(value);
  } else {
    return __builtin_bswap64(value);
  }
}

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "stored vectors are read in place as little-endian floats");

}  // namespace coding_internal

// Reads sizeof(T) bytes at `source`, of any alignment.
template <std::unsigned_integral T>
T LoadLittleEndian(const char* source) {
  T value;
  std::memcpy(&value, source, sizeof(T));
  return value;
}

template <std::unsigned_integral T>
T LoadBigEndian(const char* source) {
  return coding_internal::SwapBytes(LoadLittleEndian<T>(source));
}

template <std::unsigned_integral T>
void AppendLittleEndian(std::string* output, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  output->append(bytes, sizeof(T));
}

template <std::unsigned_integral T>
void AppendBigEndian(std::string* output, T value) {
  AppendLittleEndian<T>(output, coding_internal::SwapBytes(value));
}

template <std::unsigned_integral T>
[[nodiscard]] bool ConsumeLittleEndian(absl::string_view* input, T* value) {
  if (input->size() < sizeof(T)) {
    return false;
  }
  *value = LoadLittleEndian<T>(input->data());
  input->remove_prefix(sizeof(T));
  return true;
}

template <std::unsigned_integral T>
[[nodiscard]] bool ConsumeBigEndian(absl::string_view* input, T* value) {
  T swapped = 0;
  if (!ConsumeLittleEndian<T>(input, &swapped)) {
    return false;
  }
  *value = coding_internal::SwapBytes(swapped);
  return true;
}

// The length as 4 little-endian bytes, then the bytes. `text` must be shorter
// than 4 GiB (checked).
void AppendLengthPrefixed(std::string* output, absl::string_view text);

// `*text` points into `*input`'s memory.
[[nodiscard]] bool ConsumeLengthPrefixed(absl::string_view* input,
                                         absl::string_view* text);

}  // namespace sextant
