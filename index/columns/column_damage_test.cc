// SPDX-License-Identifier: Apache-2.0
//
// Bytes that are not a column are refused, and never read out of bounds
// (AddressSanitizer watches).

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/status_matchers.h"
#include "index/columns/column_rows.h"

namespace sextant {
namespace {

using testing::HasSubstr;

constexpr uint64_t kTestSeed = 29;
constexpr uint32_t kTestRows = 40;

std::vector<FieldValues> SomeRows(FieldType type, uint64_t values_max) {
  std::mt19937_64 random(kTestSeed);
  std::vector<FieldValues> rows(kTestRows);
  for (FieldValues& values : rows) {
    for (uint64_t i = random() % (values_max + 1); i > 0; --i) {
      const uint64_t value = random() % 9;
      if (type == FieldType::kKeyword) {
        values.emplace_back(absl::StrCat("term", value));
      } else {
        values.emplace_back(value * 1000);
      }
    }
  }
  return rows;
}

// An allocation of just these bytes, aligned as all of them are.
class Exact {
 public:
  explicit Exact(absl::string_view bytes)
      : bytes_(bytes.begin(), bytes.end()) {}
  char* data() { return bytes_.data(); }
  absl::string_view view() const { return {bytes_.data(), bytes_.size()}; }

 private:
  std::vector<char> bytes_;
};

// Walks over all that the column says of itself.
void ReadAll(const FieldColumn& column) {
  size_t values = 0;
  for (uint32_t row = 0; row < kTestRows; ++row) {
    values += column.ValuesOf(row).size();
  }
  EXPECT_EQ(values, column.postings().size());
  const PositionRun all{0, column.postings().size()};
  EXPECT_EQ(column.postings().RowsOf({&all, 1}).count(),
            column.postings().present_count());
}

class ColumnDamageTest
    : public testing::TestWithParam<std::pair<FieldType, uint64_t>> {};

TEST_P(ColumnDamageTest, EveryCutIsRefused) {
  const auto [type, values_max] = GetParam();
  const std::string bytes = ColumnBytes(type, SomeRows(type, values_max));
  for (size_t size = 0; size < bytes.size(); ++size) {
    const Exact cut(absl::string_view(bytes).substr(0, size));
    EXPECT_THAT(FieldColumn::Open(type, cut.view(), kTestRows),
                StatusIs(absl::StatusCode::kDataLoss))
        << size;
  }
  const Exact longer(bytes + std::string(8, '\0'));
  EXPECT_THAT(FieldColumn::Open(type, longer.view(), kTestRows),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("longer")));
}

TEST_P(ColumnDamageTest, EveryChangedBitIsRefusedOrHarmless) {
  const auto [type, values_max] = GetParam();
  const std::string bytes = ColumnBytes(type, SomeRows(type, values_max));
  int refused = 0;
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    Exact damaged(bytes);
    damaged.data()[bit / 8] =
        static_cast<char>(damaged.data()[bit / 8] ^ (1 << (bit % 8)));
    const auto column = FieldColumn::Open(type, damaged.view(), kTestRows);
    if (column.ok()) {
      ReadAll(*column);  // another key or text, in order all the same
    } else {
      EXPECT_THAT(column, StatusIs(absl::StatusCode::kDataLoss));
      ++refused;
    }
  }
  EXPECT_GT(refused, 0);
}

TEST_P(ColumnDamageTest, OtherRowsAndOtherTypesAreRefused) {
  const auto [type, values_max] = GetParam();
  const Exact bytes(ColumnBytes(type, SomeRows(type, values_max)));
  EXPECT_THAT(FieldColumn::Open(type, bytes.view(), kTestRows + 1),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("expected 41 rows, got 40")));
  const FieldType other =
      type == FieldType::kKeyword ? FieldType::kInteger : FieldType::kKeyword;
  EXPECT_THAT(FieldColumn::Open(other, bytes.view(), kTestRows),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("kind")));
  const Exact shifted(absl::StrCat(std::string(4, '\0'), bytes.view()));
  EXPECT_THAT(FieldColumn::Open(type, shifted.view().substr(4), kTestRows),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("aligned")));
}

INSTANTIATE_TEST_SUITE_P(Kinds, ColumnDamageTest,
                         testing::Values(std::pair{FieldType::kInteger, 1U},
                                         std::pair{FieldType::kInteger, 3U},
                                         std::pair{FieldType::kKeyword, 1U},
                                         std::pair{FieldType::kKeyword, 3U}));

}  // namespace
}  // namespace sextant
