// SPDX-License-Identifier: Apache-2.0
#include "storage/keys.h"

#include <algorithm>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace sextant {
namespace {

TEST(KeysTest, SortLikeWhatTheyName) {
  const std::vector<std::string> ascending = {
      PointKey(1, "a"),
      PointKey(1, std::string("a\0", 2)),
      PointKey(1, "b"),
      PointKey(1, "\xff\xff"),
      CollectionEnd(1),
      PointKey(255, "a"),
      PointKey(256, "a"),
      ChangeKey(257, 1),
      ChangeKey(257, 2),
      ChangeKey(257, 255),
      ChangeKey(257, 256),
      ChangeKey(257, UINT64_MAX),
      CollectionPrefix(1U << 31U),
      CollectionPrefix(UINT32_MAX),
      PointKey(UINT32_MAX, "\xff\xff\xff"),
      CollectionEnd(UINT32_MAX)};
  EXPECT_TRUE(std::is_sorted(ascending.begin(), ascending.end()));
  EXPECT_EQ(std::adjacent_find(ascending.begin(), ascending.end()),
            ascending.end());
}

TEST(KeysTest, CanBeTakenApart) {
  CollectionNumber collection = 0;
  absl::string_view rest;
  const std::string key = PointKey(70'000, "id");
  ASSERT_TRUE(ParseCollectionPrefix(key, &collection, &rest));
  EXPECT_EQ(collection, 70'000U);
  EXPECT_EQ(rest, "id");
  Sequence seq = 0;
  ASSERT_TRUE(ParseChangeKey(ChangeKey(3, 1ULL << 40U), &seq));
  EXPECT_EQ(seq, 1ULL << 40U);
  EXPECT_FALSE(ParseChangeKey("abc", &seq));
  EXPECT_FALSE(ParseChangeKey(ChangeKey(3, 1) + "x", &seq));
  EXPECT_FALSE(ParseCollectionPrefix("abc", &collection, &rest));
}

TEST(KeysTest, PrintForPeople) {
  EXPECT_EQ(PrintableKey(PointKey(7, "a\x01")), R"(collection 7, key "a\x01")");
  EXPECT_EQ(PrintableKey("format"), R"(key "format")");
  EXPECT_EQ(PrintableKey("\x02"), R"(key "\x02")");
}

}  // namespace
}  // namespace sextant
