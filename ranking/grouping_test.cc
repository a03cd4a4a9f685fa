// SPDX-License-Identifier: Apache-2.0
#include "ranking/grouping.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/support/test_seed.h"

namespace sextant {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Keys = std::vector<std::vector<uint32_t>>;  // by candidate
using Groups = std::vector<std::pair<uint32_t, std::vector<uint32_t>>>;

Groups Collect(const Keys& keys, size_t groups_max, size_t hits_max) {
  GroupCollector collector(groups_max, hits_max);
  for (uint32_t i = 0; i < keys.size(); ++i) {
    collector.Add(i, keys[i]);
  }
  Groups groups;
  for (const CandidateGroup& group : collector.groups()) {
    groups.emplace_back(group.key, group.candidates);
  }
  return groups;
}

// Every group with all its candidates, then cut.
Groups Expected(const Keys& keys, size_t groups_max, size_t hits_max) {
  std::map<uint32_t, std::vector<uint32_t>> all;
  std::vector<uint32_t> order;
  for (uint32_t i = 0; i < keys.size(); ++i) {
    for (const uint32_t key : keys[i]) {
      if (all.count(key) == 0) {
        order.push_back(key);
      }
      all[key].push_back(i);
    }
  }
  Groups groups;
  for (const uint32_t key : order) {
    std::vector<uint32_t>& candidates = all[key];
    candidates.resize(std::min(candidates.size(), hits_max));
    if (groups.size() < groups_max) {
      groups.emplace_back(key, candidates);
    }
  }
  return groups;
}

TEST(GroupingTest, KeepsTheFirstOfEachGroup) {
  EXPECT_EQ(Collect({{5}, {5}, {2}, {}, {5}, {9}, {2}}, 2, 2),
            (Groups{{5, {0, 1}}, {2, {2, 6}}}));
  EXPECT_THAT(Collect({{}, {}}, 3, 3), IsEmpty());
  EXPECT_THAT(Collect({}, 3, 3), IsEmpty());
}

TEST(GroupingTest, ACandidateMayBelongToSeveralGroups) {
  EXPECT_EQ(Collect({{1, 2}, {2, 3}, {3, 1}}, 2, 2),
            (Groups{{1, {0, 2}}, {2, {0, 1}}}));
}

TEST(GroupingTest, SaysWhenNothingChangesAnyMore) {
  GroupCollector collector(2, 2);
  const uint32_t a = 1;
  const uint32_t b = 2;
  collector.Add(0, {&a, 1});
  EXPECT_FALSE(collector.has_all_groups());
  collector.Add(1, {&b, 1});
  EXPECT_TRUE(collector.has_all_groups());
  collector.Add(2, {&a, 1});
  EXPECT_FALSE(collector.is_full());
  collector.Add(3, {&b, 1});
  EXPECT_TRUE(collector.is_full());
  collector.Add(4, {&b, 1});
  EXPECT_THAT(collector.groups()[1].candidates, ElementsAre(1, 3));
  EXPECT_TRUE(collector.is_full());
}

TEST(GroupingTest, EqualsGroupingAllAndCutting) {
  std::mt19937_64 random(test::TestSeed());
  for (int round = 0; round < 300; ++round) {
    const uint64_t distinct = 1 + random() % 30;
    Keys keys(random() % 80);
    for (auto& of_candidate : keys) {
      std::set<uint32_t> chosen;
      for (uint64_t i = random() % 4; i > 0; --i) {
        chosen.insert(static_cast<uint32_t>(random() % distinct));
      }
      of_candidate.assign(chosen.begin(), chosen.end());
    }
    const size_t groups_max = 1 + random() % 12;
    const size_t hits_max = 1 + random() % 5;
    ASSERT_EQ(Collect(keys, groups_max, hits_max),
              Expected(keys, groups_max, hits_max));
  }
}

}  // namespace
}  // namespace sextant
