// SPDX-License-Identifier: Apache-2.0
#include "index/link_lists.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sextant {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<uint32_t> Read(const LinkLists& lists, uint32_t level,
                           uint32_t node) {
  std::vector<uint32_t> links;
  lists.ForEach(level, node, [&links](uint32_t to) { links.push_back(to); });
  return links;
}

TEST(LinkListsTest, ListsFillUp) {
  LinkLists lists(4, 2);
  EXPECT_EQ(lists.nodes(), 4U);
  EXPECT_EQ(lists.max_links(0), 4U);
  EXPECT_EQ(lists.max_links(1), 2U);
  lists.Add(1, 2);
  EXPECT_EQ(lists.level(1), 2U);
  for (const uint32_t level : {0U, 1U, 2U}) {
    EXPECT_THAT(Read(lists, level, 1), IsEmpty()) << level;
  }
  EXPECT_TRUE(lists.Append(2, 1, 0));
  EXPECT_TRUE(lists.Append(2, 1, 3));
  EXPECT_FALSE(lists.Append(2, 1, 2));
  EXPECT_THAT(Read(lists, 2, 1), ElementsAre(0, 3));
  // The lists of other levels lie apart.
  EXPECT_THAT(Read(lists, 1, 1), IsEmpty());
  EXPECT_THAT(Read(lists, 0, 1), IsEmpty());
}

TEST(LinkListsTest, AListIsReplacedWhole) {
  LinkLists lists(9, 4);
  lists.Add(0, 1);
  lists.Add(8, 0);
  lists.Set(0, 8, std::vector<uint32_t>{1, 2, 3, 4, 5, 6, 7, 0});
  EXPECT_FALSE(lists.Append(0, 8, 1));
  lists.Set(0, 8, std::vector<uint32_t>{7, 5});
  EXPECT_THAT(Read(lists, 0, 8), ElementsAre(7, 5));
  EXPECT_THAT(lists.links(0, 8), ElementsAre(7, 5));
  EXPECT_TRUE(lists.Append(0, 8, 1));
  EXPECT_THAT(Read(lists, 0, 8), ElementsAre(7, 5, 1));
  lists.Set(0, 8, {});
  EXPECT_THAT(Read(lists, 0, 8), IsEmpty());
  EXPECT_THAT(Read(lists, 0, 0), IsEmpty());
}

TEST(LinkListsDeathTest, MoreLinksThanAListHolds) {
  LinkLists lists(2, 2);
  lists.Add(0, 1);
  EXPECT_DEATH(lists.Set(1, 0, std::vector<uint32_t>{1, 1, 1}), "");
}

}  // namespace
}  // namespace sextant
