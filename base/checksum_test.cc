// SPDX-License-Identifier: Apache-2.0
#include "base/checksum.h"

#include <string>

#include "gtest/gtest.h"

namespace sextant {
namespace {

// Published test values of XXH3: they must never change, data is stored with
// them.
TEST(Checksum, MatchesTheXxh3Specification) {
  EXPECT_EQ(Checksum64(""), 0x2D06800538D394C2u);
  EXPECT_EQ(Checksum128("").ToHex(), "99aa06d3014798d86001c324468d497f");
}

TEST(Checksum, ChangesWithEveryBitAndWithTheSeed) {
  std::string bytes(300, 'x');
  const uint64_t original = Checksum64(bytes);
  for (size_t bit = 0; bit < bytes.size() * 8; bit += 37) {
    const auto mask = static_cast<char>(1 << (bit % 8));
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ mask);
    EXPECT_NE(Checksum64(bytes), original) << "bit " << bit;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ mask);
  }
  EXPECT_EQ(Checksum64(bytes), original);
  EXPECT_NE(Checksum64(bytes, 1), original);
}

TEST(RunningChecksum, EqualsTheOneShotValues) {
  std::string bytes;
  for (int i = 0; i < 5000; ++i) {
    bytes.push_back(static_cast<char>(i * 31));
  }
  for (const size_t size : {0u, 1u, 16u, 240u, 241u, 1024u, 5000u}) {
    for (const uint64_t seed : {0u, 7u}) {
      const absl::string_view text(bytes.data(), size);
      RunningChecksum running(seed);
      running.Update(text.substr(0, size / 3));
      running.Update(text.substr(size / 3));
      EXPECT_EQ(running.Digest64(), Checksum64(text, seed)) << size;
      EXPECT_EQ(running.Digest128(), Checksum128(text, seed)) << size;
    }
  }
}

}  // namespace
}  // namespace sextant
