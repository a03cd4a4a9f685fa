// SPDX-License-Identifier: Apache-2.0
#include "base/coding.h"

#include <cstdint>
#include <limits>
#include <string>

#include "gtest/gtest.h"

namespace sextant {
namespace {

TEST(Coding, BytesAreInTheStatedOrder) {
  std::string little;
  AppendLittleEndian<uint32_t>(&little, 0x01020304);
  EXPECT_EQ(little, std::string("\x04\x03\x02\x01"));
  std::string big;
  AppendBigEndian<uint32_t>(&big, 0x01020304);
  EXPECT_EQ(big, std::string("\x01\x02\x03\x04"));
}

TEST(Coding, BigEndianKeepsNumberOrder) {
  std::string before;
  AppendBigEndian<uint64_t>(&before, 255);
  std::string after;
  AppendBigEndian<uint64_t>(&after, 256);
  EXPECT_LT(before, after);
}

template <typename T>
void ExpectRoundTrip(T value) {
  std::string bytes;
  AppendLittleEndian<T>(&bytes, value);
  AppendBigEndian<T>(&bytes, value);
  EXPECT_EQ(bytes.size(), 2 * sizeof(T));
  absl::string_view input(bytes);
  T little = 0;
  T big = 0;
  EXPECT_TRUE(ConsumeLittleEndian<T>(&input, &little));
  EXPECT_EQ(LoadBigEndian<T>(input.data()), value);
  EXPECT_TRUE(ConsumeBigEndian<T>(&input, &big));
  EXPECT_EQ(little, value);
  EXPECT_EQ(big, value);
  EXPECT_TRUE(input.empty());
}

TEST(Coding, RoundTripsEveryWidth) {
  ExpectRoundTrip<uint8_t>(0xA5);
  ExpectRoundTrip<uint16_t>(0xA55A);
  ExpectRoundTrip<uint32_t>(0xA55A1234);
  ExpectRoundTrip<uint64_t>(std::numeric_limits<uint64_t>::max() - 1);
}

TEST(Coding, ShortInputChangesNothing) {
  absl::string_view input("abc");
  uint32_t value = 7;
  EXPECT_FALSE(ConsumeLittleEndian<uint32_t>(&input, &value));
  EXPECT_FALSE(ConsumeBigEndian<uint32_t>(&input, &value));
  EXPECT_EQ(value, 7u);
  EXPECT_EQ(input, "abc");
}

TEST(Coding, LengthPrefixedRoundTripsAnyBytes) {
  const std::string text("a\0\xFF", 3);
  std::string bytes;
  AppendLengthPrefixed(&bytes, text);
  AppendLengthPrefixed(&bytes, "");
  absl::string_view input(bytes);
  absl::string_view out;
  EXPECT_TRUE(ConsumeLengthPrefixed(&input, &out));
  EXPECT_EQ(out, text);
  EXPECT_TRUE(ConsumeLengthPrefixed(&input, &out));
  EXPECT_EQ(out, "");
  EXPECT_TRUE(input.empty());
}

TEST(Coding, LengthPrefixedRefusesEveryTruncation) {
  std::string bytes;
  AppendLengthPrefixed(&bytes, "hello");
  for (size_t size = 0; size < bytes.size(); ++size) {
    absl::string_view input(bytes.data(), size);
    absl::string_view out = "old";
    EXPECT_FALSE(ConsumeLengthPrefixed(&input, &out)) << size;
    EXPECT_EQ(input.size(), size);
    EXPECT_EQ(out, "old");
  }
}

TEST(Coding, LengthPrefixedRefusesAHugeLength) {
  const std::string bytes("\xFF\xFF\xFF\xFFx", 5);
  absl::string_view input(bytes);
  absl::string_view out;
  EXPECT_FALSE(ConsumeLengthPrefixed(&input, &out));
}

}  // namespace
}  // namespace sextant
