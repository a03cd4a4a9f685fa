// SPDX-License-Identifier: Apache-2.0
#include "engine/id_map.h"

#include <map>
#include <random>
#include <string>

#include "gtest/gtest.h"

#include "engine/engine_fixture.h"

namespace sextant {
namespace {

std::string RandomId(IdKind kind, std::mt19937_64* random) {
  const uint64_t number = (*random)() % 500;
  // Strings of eight bytes among others: they look like encoded numbers.
  return kind == IdKind::kNumber
             ? EncodeId(number)
             : std::string(number % 12 + 1,
                           static_cast<char>('a' + number % 7));
}

class IdMapTest : public ::testing::TestWithParam<IdKind> {};

TEST_P(IdMapTest, IsAMap) {
  std::mt19937_64 random(test::TestSeed());
  IdMap map(GetParam());
  map.Reserve(100);
  std::map<std::string, Location> expected;
  const auto expect_old = [&](const std::string& id,
                              const std::optional<Location>& old) {
    const auto found = expected.find(id);
    ASSERT_EQ(old.has_value(), found != expected.end());
    if (old.has_value()) {
      EXPECT_EQ(*old, found->second);
    }
  };
  for (uint32_t step = 0; step < 20'000; ++step) {
    const std::string id = RandomId(GetParam(), &random);
    expect_old(id, map.Find(id));
    if (random() % 3 == 0) {
      expect_old(id, map.Remove(id));
      expected.erase(id);
    } else {
      const Location location{static_cast<uint32_t>(random() % 9), step};
      expect_old(id, map.Set(id, location));
      expected[id] = location;
    }
    ASSERT_EQ(map.size(), expected.size());
  }
  size_t id_bytes = 0;
  for (const auto& [id, location] : expected) {
    id_bytes += id.size() + sizeof(Location);
  }
  EXPECT_GE(map.size_bytes(), id_bytes);
  EXPECT_LE(map.size_bytes(), 20 * id_bytes);
}

INSTANTIATE_TEST_SUITE_P(Kinds, IdMapTest,
                         ::testing::Values(IdKind::kNumber, IdKind::kString));

}  // namespace
}  // namespace sextant
