// SPDX-License-Identifier: Apache-2.0
#include "index/id_column.h"

#include <random>
#include <string>
#include <vector>

#include "base/status_matchers.h"

namespace sextant {
namespace {

using testing::HasSubstr;

constexpr uint64_t kTestSeed = 17;

struct IdCase {
  std::string name;
  std::vector<std::string> ids;
};

class IdColumnTest : public testing::TestWithParam<IdCase> {};

std::vector<absl::string_view> Views(const std::vector<std::string>& ids) {
  return {ids.begin(), ids.end()};
}

TEST_P(IdColumnTest, GivesBackEveryId) {
  const std::vector<std::string>& ids = GetParam().ids;
  const std::string bytes = IdColumn::Encode(Views(ids));
  ASSERT_OK_AND_ASSIGN(
      const IdColumn column,
      IdColumn::Open(bytes, static_cast<uint32_t>(ids.size())));
  ASSERT_EQ(column.size(), ids.size());
  for (uint32_t row = 0; row < ids.size(); ++row) {
    EXPECT_EQ(column.id(row), ids[row]);
  }
}

TEST_P(IdColumnTest, DamageIsFoundOrHarmless) {
  const std::vector<std::string>& ids = GetParam().ids;
  const auto rows = static_cast<uint32_t>(ids.size());
  const std::string bytes = IdColumn::Encode(Views(ids));
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THAT(IdColumn::Open(absl::string_view(bytes).substr(0, size), rows),
                StatusIs(absl::StatusCode::kDataLoss));
  }
  EXPECT_THAT(IdColumn::Open(bytes, rows + 1),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("expected")));
  std::mt19937_64 random(kTestSeed);
  for (int round = 0; round < 300; ++round) {
    std::string damaged = bytes;
    damaged[random() % damaged.size()] = static_cast<char>(random());
    const absl::StatusOr<IdColumn> column = IdColumn::Open(damaged, rows);
    for (uint32_t row = 0; column.ok() && row < rows; ++row) {
      EXPECT_LE(column->id(row).size(), damaged.size()) << "seed " << kTestSeed;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Forms, IdColumnTest,
    testing::Values(IdCase{"none", {}}, IdCase{"one", {"a"}},
                    IdCase{"empty_first", {"", "a"}},
                    IdCase{"numbers",
                           {std::string(8, '\0'), std::string(7, '\0') + "\1",
                            "12345678"}},
                    IdCase{"fixed", {"aaaaaaaa", "aaaaaaab", "zzzzzzzz"}},
                    IdCase{"mixed", {"aaaaaaaa", "aaaaaaaab", "b", "ba"}}),
    [](const auto& test) { return test.param.name; });

TEST(IdColumnOpenTest, IdsMustAscend) {
  const std::string bytes = IdColumn::Encode({"b", "a"});
  EXPECT_THAT(
      IdColumn::Open(bytes, 2),
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr("id 1 is out of order")));
}

}  // namespace
}  // namespace sextant
