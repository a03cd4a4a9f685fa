// SPDX-License-Identifier: Apache-2.0
#include "filters/segment_filter.h"

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/status_matchers.h"
#include "filters/filter_generator.h"
#include "filters/filter_text.h"
#include "filters/filter_window.h"
#include "filters/row_filter.h"
#include "filters/sample_segment.h"

namespace sextant {
namespace {

using testing::ElementsAre;
using testing::Eq;
using testing::IsEmpty;
using testing::Optional;

constexpr uint64_t kTestSeed = 41;

std::vector<Ordinal> MatchingRows(const BoundFilter& filter,
                                  const SampleSegment& segment) {
  std::vector<Ordinal> rows;
  for (Ordinal row = 0; row < segment.rows(); ++row) {
    if (RowMatches(filter, SampleRow(segment, row))) {
      rows.push_back(row);
    }
  }
  return rows;
}

// Columns, rows one by one, and rows without columns say the same.
void ExpectAgreement(const BoundFilter& filter, const SampleSegment& segment,
                     const std::string& where) {
  const std::vector<Ordinal> expected = MatchingRows(filter, segment);
  const SegmentFilter compiled(filter, segment);
  ASSERT_EQ(compiled.Evaluate().ToOrdinals(), expected) << where;
  ASSERT_GE(compiled.CountAtMost(), expected.size()) << where;
  if (const auto count = compiled.ExactCount(); count.has_value()) {
    ASSERT_EQ(*count, expected.size()) << where;
  }
  size_t next = 0;
  for (Ordinal row = 0; row < segment.rows(); ++row) {
    const bool matches = next < expected.size() && expected[next] == row;
    ASSERT_EQ(compiled.Matches(row), matches) << where << " row " << row;
    next += matches ? 1U : 0U;
  }
}

TEST(SegmentFilterTest, AgreesWithRowsForFiltersOfEveryShape) {
  std::mt19937_64 random(kTestSeed);
  for (const uint32_t rows : {1U, 150U, 3000U}) {
    const SampleSegment segment(rows, &random);
    FilterGenerator generator(&random);
    for (int round = 0; round < (rows < 1000 ? 1500 : 150); ++round) {
      const Filter filter = generator.Next(round % 5);
      const std::string where =
          absl::StrCat("seed ", kTestSeed, ": ", ToString(filter));
      ASSERT_OK_AND_ASSIGN(const BoundFilter bound,
                           BindFilter(filter, segment.schema()));
      ExpectAgreement(bound, segment, where);
    }
  }
}

TEST(SegmentFilterTest, AWindowAndItsRestAreTheFilter) {
  std::mt19937_64 random(kTestSeed);
  const SampleSegment segment(300, &random);
  FilterGenerator generator(&random);
  int windows = 0;
  for (int round = 0; round < 3000; ++round) {
    const Filter filter = generator.Next(round % 4);
    ASSERT_OK_AND_ASSIGN(const BoundFilter bound,
                         BindFilter(filter, segment.schema()));
    for (const size_t field : WindowFields(bound)) {
      const FieldColumn* column = segment.column(field);
      const auto split =
          SplitWindow(bound, field, column == nullptr || column->is_single());
      ASSERT_TRUE(split.has_value());
      ++windows;
      for (Ordinal row = 0; row < segment.rows(); ++row) {
        const SampleRow fields(segment, row);
        bool inside = false;
        for (const FieldValue& value : fields.values(field)) {
          const NumberKey key = std::get<NumberKey>(value);
          inside =
              inside || (key >= split->window.low && key <= split->window.high);
        }
        ASSERT_EQ(inside && RowMatches(split->rest, fields),
                  RowMatches(bound, fields))
            << "seed " << kTestSeed << ": " << ToString(filter);
      }
    }
  }
  EXPECT_GT(windows, 300);
}

class FewRowsTest : public testing::Test {
 protected:
  SegmentFilter Compile(absl::string_view text) const {
    auto filter = ParseFilter(text);
    EXPECT_OK(filter);
    auto bound = BindFilter(*filter, segment_.schema());
    EXPECT_OK(bound);
    return {*bound, segment_};
  }

  std::mt19937_64 random_{kTestSeed};
  SampleSegment segment_{1000, &random_};
};

TEST_F(FewRowsTest, CountsWithoutLookingAtRowsWhereItCan) {
  for (const absl::string_view text :
       {"true", "false", "size < 3", "size >= 10 and size < 20",
        "size = 2 or size = 3 or size > 1990", "not size < 3", "section = 's1'",
        "section in ('s1', 's2', 's77')", "section starts with 's1'",
        "tags = 't3'", "numbers = 7", "exists(tags)", "not exists(made)",
        "essential", "not essential", "id in (10, 20, 25)", "empty = 1",
        "exists(empty)", "size = 5 and section = 'nowhere'"}) {
    const SegmentFilter filter = Compile(text);
    EXPECT_THAT(filter.ExactCount(), Optional(filter.Evaluate().count()))
        << text;
  }
}

TEST_F(FewRowsTest, DoesNotGuessWhereRowsHaveSeveralValues) {
  EXPECT_THAT(Compile("numbers < 20").ExactCount(), Eq(std::nullopt));
  EXPECT_THAT(Compile("size < 3 and section = 's1'").ExactCount(),
              Eq(std::nullopt));
}

TEST_F(FewRowsTest, NothingMatchesWhatNobodyHas) {
  for (const absl::string_view text :
       {"section = 'nowhere'", "section = 's1' and section = 's2'",
        "size > 5 and size < 3", "empty < 5", "id = 7",
        "tags contains all ('t1', 'nowhere')", "size contains all (1, 2)",
        "size in ()"}) {
    const SegmentFilter filter = Compile(text);
    EXPECT_EQ(filter.CountAtMost(), 0U) << text;
    EXPECT_THAT(filter.Evaluate().ToOrdinals(), IsEmpty()) << text;
  }
}

TEST_F(FewRowsTest, IdsAreRowsWhereTheyExist) {
  EXPECT_THAT(Compile("id in (30, 10, 11, 10)").Evaluate().ToOrdinals(),
              ElementsAre(0, 2));
  EXPECT_EQ(Compile("id != 10").Evaluate().count(), 999U);
}

TEST(SegmentFilterTest, ASegmentMayBeEmpty) {
  std::mt19937_64 random(kTestSeed);
  const SampleSegment segment(0, &random);
  FilterGenerator generator(&random);
  for (int round = 0; round < 300; ++round) {
    ASSERT_OK_AND_ASSIGN(const BoundFilter bound,
                         BindFilter(generator.Next(3), segment.schema()));
    EXPECT_TRUE(SegmentFilter(bound, segment).Evaluate().empty());
  }
}

}  // namespace
}  // namespace sextant
