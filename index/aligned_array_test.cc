// SPDX-License-Identifier: Apache-2.0
#include "index/aligned_array.h"

#include <cstdint>
#include <utility>

#include "gtest/gtest.h"

namespace sextant {
namespace {

TEST(AlignedArrayTest, IsZeroedAndStartsOnALine) {
  const AlignedArray<float> array(33);
  EXPECT_EQ(array.size(), 33U);
  EXPECT_EQ(array.size_bytes(), 132U);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(array.data()) % 64, 0U);
  for (size_t i = 0; i < array.size(); ++i) {
    EXPECT_EQ(array.data()[i], 0.0F);
  }
}

TEST(AlignedArrayTest, WhatWasMovedFromIsEmpty) {
  AlignedBytes from = AlignedBytes::Copy("abc");
  AlignedBytes to = std::move(from);
  EXPECT_EQ(absl::string_view(to), "abc");
  EXPECT_EQ(from.size(), 0U);  // NOLINT(bugprone-use-after-move): tested
  from = std::move(to);
  EXPECT_EQ(absl::string_view(from), "abc");
  EXPECT_EQ(to.size(), 0U);  // NOLINT(bugprone-use-after-move): tested
}

}  // namespace
}  // namespace sextant
