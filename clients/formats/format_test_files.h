// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "tests/support/temp_dir.h"

namespace sextant {

// For tests only: files made byte by byte. They go when the test program ends.

inline std::string WriteTestFile(const std::string& name,
                                 const std::string& content) {
  static const TempDir kFolder;
  std::string test =
      testing::UnitTest::GetInstance()->current_test_info()->name();
  std::replace(test.begin(), test.end(), '/', '_');
  std::string path = absl::StrCat(kFolder.path(), "/", test, "_", name);
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

template <typename T>
std::string Bytes(const T& value) {
  std::string bytes(sizeof(value), '\0');
  std::memcpy(bytes.data(), &value, sizeof(value));
  return bytes;
}

// A .npy file with this dictionary, padded as NumPy does.
inline std::string NpyBytes(std::string dictionary, const std::string& numbers,
                            char version = 1) {
  const size_t prefix = version == 1 ? 10 : 12;
  while ((prefix + dictionary.size() + 1) % 64 != 0) {
    dictionary += ' ';
  }
  dictionary += '\n';
  std::string bytes("\x93NUMPY", 6);
  bytes += version;
  bytes += '\0';
  const auto size = static_cast<uint32_t>(dictionary.size());
  bytes += version == 1 ? Bytes(static_cast<uint16_t>(size)) : Bytes(size);
  return bytes + dictionary + numbers;
}

}  // namespace sextant
