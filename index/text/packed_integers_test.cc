// SPDX-License-Identifier: Apache-2.0
#include "index/text/packed_integers.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/test_seed.h"

namespace sextant {
namespace {

TEST(PackedIntegersTest, WhatIsPackedComesBack) {
  std::mt19937_64 random(test::TestSeed());
  for (uint32_t bits = 0; bits <= 32; ++bits) {
    std::vector<uint32_t> values(128);
    for (uint32_t& value : values) {
      value = static_cast<uint32_t>(random() & ((uint64_t{1} << bits) - 1));
    }
    if (bits > 0) {
      values[random() % 128] |= uint32_t{1} << (bits - 1);
    }
    ASSERT_EQ(BitWidthOf(values), bits);
    std::string block;
    AppendPackedBlock(values.data(), bits, &block);
    ASSERT_EQ(block.size(), 16 * bits);
    block.append(kPackedPadding, '\x7F');
    std::vector<uint32_t> unpacked(128);
    UnpackBlock(block.data(), bits, unpacked.data());
    ASSERT_EQ(unpacked, values) << bits;

    for (const size_t count : {1U, 5U, 127U}) {
      const auto run = std::span(values).first(count);
      std::string packed;
      AppendPackedRun(run, bits, &packed);
      ASSERT_EQ(packed.size(), PackedRunBytes(count, bits));
      packed.append(kPackedPadding, '\x7F');
      for (size_t i = 0; i < count; ++i) {
        ASSERT_EQ(PackedRunAt(packed.data(), bits, i), run[i]) << bits;
      }
    }
  }
}

TEST(PackedIntegersTest, GapsBecomeRows) {
  std::vector<uint32_t> rows(128, 0);
  RowsFromGaps(~uint32_t{0}, rows.data());
  for (uint32_t i = 0; i < 128; ++i) {
    EXPECT_EQ(rows[i], i);
  }
  rows.assign(128, 9);
  RowsFromGaps(5, rows.data());
  EXPECT_EQ(rows[0], 15);
  EXPECT_EQ(rows[127], 15 + 127 * 10);
}

}  // namespace
}  // namespace sextant
