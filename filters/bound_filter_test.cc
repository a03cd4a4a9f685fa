// SPDX-License-Identifier: Apache-2.0
#include "filters/bound_filter.h"

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_matchers.h"
#include "filters/filter_text.h"
#include "filters/filter_window.h"
#include "filters/limits.h"

namespace sextant {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr uint64_t kTestSeed = 53;
constexpr NumberKey kLast = std::numeric_limits<NumberKey>::max();

class BoundFilterTest : public testing::Test {
 protected:
  absl::StatusOr<BoundFilter> Bind(absl::string_view text) const {
    const auto filter = ParseFilter(text);
    EXPECT_OK(filter);
    return BindFilter(*filter, {fields_, true});
  }
  template <typename Node>
  Node Bound(absl::string_view text) const {
    const auto bound = Bind(text);
    EXPECT_OK(bound);
    const auto* node = bound.ok() ? std::get_if<Node>(&bound->node) : nullptr;
    EXPECT_NE(node, nullptr) << text;
    return node == nullptr ? Node() : *node;
  }

  std::vector<FilterField> fields_ = {{"size", FieldType::kInteger},
                                      {"score", FieldType::kFloat},
                                      {"made", FieldType::kTimestamp},
                                      {"essential", FieldType::kBoolean},
                                      {"section", FieldType::kKeyword}};
};

TEST_F(BoundFilterTest, EndsOfRangesAreInclusiveKeys) {
  const auto ends = [&](absl::string_view text) {
    const auto range = Bound<BoundKeyRange>(text);
    return std::pair(range.low, range.high);
  };
  EXPECT_EQ(ends("size < 5"), std::pair(NumberKey{0}, KeyOfInteger(4)));
  EXPECT_EQ(ends("size <= 5"), std::pair(NumberKey{0}, KeyOfInteger(5)));
  EXPECT_EQ(ends("size > 5"), std::pair(KeyOfInteger(6), kLast));
  EXPECT_EQ(ends("5 <= size < 7"), std::pair(KeyOfInteger(5), KeyOfInteger(6)));
  EXPECT_EQ(ends("size = 5.0"), std::pair(KeyOfInteger(5), KeyOfInteger(5)));
  EXPECT_EQ(ends("score < 2"),
            std::pair(NumberKey{0}, KeyOfFloat(std::nextafter(2.0, 0.0))));
  EXPECT_EQ(ends("score >= -0.0"), std::pair(KeyOfFloat(0.0), kLast));
  EXPECT_EQ(ends("made > '1970-01-01T00:00:01Z'"),
            std::pair(KeyOfInteger(1000001), kLast));
  EXPECT_EQ(ends("made = 7"), std::pair(KeyOfInteger(7), KeyOfInteger(7)));
  EXPECT_EQ(ends("essential"), std::pair(NumberKey{1}, NumberKey{1}));
}

// One end of a range.
struct End {
  double value;
  bool low;
  bool open;
};

bool Satisfies(int64_t value, const End& end) {
  const auto exact = static_cast<long double>(value);
  if (end.open) {
    return end.low ? exact > end.value : exact < end.value;
  }
  return end.low ? exact >= end.value : exact <= end.value;
}

FilterRange RangeOf(absl::string_view field, const End& end) {
  FilterRange range{.field = std::string(field)};
  if (end.low) {
    range.low = end.value;
    range.low_open = end.open;
  } else {
    range.high = end.value;
    range.high_open = end.open;
  }
  return range;
}

TEST_F(BoundFilterTest, FloatsRoundInwardsInRangesOfIntegers) {
  std::mt19937_64 random(kTestSeed);
  std::normal_distribution<double> exponent(0, 25);
  for (int round = 0; round < 80000; ++round) {
    const End end{std::ldexp(static_cast<double>(random() % 1024) - 512,
                             static_cast<int>(exponent(random))),
                  round % 2 == 0, round / 2 % 2 == 0};
    // Values around the end, clamped.
    const double clamped = std::min(std::max(end.value, -9.2e18), 9.2e18);
    const int64_t value = static_cast<int64_t>(std::floor(clamped)) +
                          static_cast<int64_t>(random() % 3) - 1;
    const auto bound = BindFilter({RangeOf("size", end), ""}, {fields_, true});
    ASSERT_OK(bound);
    const auto* keys = std::get_if<BoundKeyRange>(&bound->node);
    ASSERT_EQ(keys != nullptr && keys->low <= KeyOfInteger(value) &&
                  KeyOfInteger(value) <= keys->high,
              Satisfies(value, end))
        << value << " against " << end.value << " low " << end.low << " open "
        << end.open << " seed " << kTestSeed;
  }
}

TEST_F(BoundFilterTest, WhatCanNotMatchIsNothing) {
  for (const absl::string_view text :
       {"size > 9223372036854775807", "size < -9223372036854775808",
        "size > 1e19", "size < -1e19", "5 < size < 6", "size between 6 and 5",
        "size in ()", "id in ()", "false", "size < 5 and false", "not true",
        "1.25 < size < 1.75"}) {
    Bound<BoundNothing>(text);
  }
  for (const absl::string_view text :
       {"true", "not false", "true or size < 5", "size contains all ()"}) {
    Bound<BoundEverything>(text);
  }
}

TEST_F(BoundFilterTest, TreesBecomeFlat) {
  EXPECT_THAT(Bound<BoundAnd>("size < 5 and (essential and (true and score < "
                              "2))")
                  .parts,
              SizeIs(3));
  EXPECT_THAT(Bound<BoundOr>("size < 5 or (essential or false)").parts,
              SizeIs(2));
  Bound<BoundKeyRange>("not not size < 5");
  Bound<BoundKeyRange>("size in (5, 5.0, 5)");
  Bound<BoundExists>("section starts with ''");
  EXPECT_THAT(*Bound<BoundKeys>("size in (7, -1, 7)").keys,
              ElementsAre(KeyOfInteger(-1), KeyOfInteger(7)));
  EXPECT_THAT(*Bound<BoundTerms>("section contains all ('b', 'a', 'b')").terms,
              ElementsAre("a", "b"));
  EXPECT_THAT(*Bound<BoundIds>("id in (256, 1)").ids,
              ElementsAre(std::string("\0\0\0\0\0\0\0\1", 8),
                          std::string("\0\0\0\0\0\0\1\0", 8)));
}

TEST_F(BoundFilterTest, NamesTheFieldsThatItAsksFor) {
  const auto fields = [&](absl::string_view text) {
    const auto bound = Bind(text);
    EXPECT_OK(bound);
    return FieldsOf(*bound);
  };
  EXPECT_THAT(fields("section = 'x' and not (size < 5 or essential)"),
              ElementsAre(0, 3, 4));
  EXPECT_THAT(fields("size in (1, 2) or exists(made) or size > 9"),
              ElementsAre(0, 2));
  EXPECT_THAT(fields("section prefix 'a' or id in (1, 2)"), ElementsAre(4));
  EXPECT_THAT(fields("id in (1, 2)"), IsEmpty());
}

TEST_F(BoundFilterTest, ErrorsNameTheFieldItsTypeAndWhatWasGot) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"not siez < 5",
       "column 5: unknown field 'siez'; the collection has size (integer), "
       "score (float), made (timestamp), essential (boolean), section "
       "(keyword)"},
      {"size = 'x'",
       "column 1: field 'size' has type integer: expected a "
       "finite number, got \"x\""},
      {"size in (1, 1.5)",
       "field 'size' has type integer: expected an integer "
       "of 64 bits, got 1.5"},
      {"size = 1e30", "expected an integer of 64 bits, got 1e+30"},
      {"size = true", "got true"},
      {"score < 'x'", "field 'score' has type float: expected a finite number"},
      {"made < 1.5",
       "field 'made' has type timestamp: expected an RFC 3339 "
       "time like"},
      {"made < 'yesterday'", "got \"yesterday\""},
      {"essential = 1",
       "field 'essential' has type boolean: expected true or "
       "false, got 1"},
      {"essential < 1", "field 'essential' has type boolean: ranges need"},
      {"section = 5",
       "field 'section' has type keyword: expected a text, got "
       "5"},
      {"section",
       "field 'section' has type keyword: expected a text, got "
       "true"},
      {"section < 'x'", "field 'section' has type keyword: ranges need"},
      {"size starts with 'x'", "field 'size' has type integer: a prefix needs"},
      {"id = 'x'", "ids of this collection are numbers, got a text"}};
  for (const auto& [text, message] : cases) {
    EXPECT_THAT(Bind(text), StatusIs(absl::StatusCode::kInvalidArgument,
                                     HasSubstr(message)))
        << text;
  }
  const auto no_fields =
      BindFilter({FilterExists{"x"}, "search.filter"}, {{}, false});
  EXPECT_THAT(no_fields, StatusIs(absl::StatusCode::kInvalidArgument,
                                  HasSubstr("declares no payload fields")));
  EXPECT_EQ(InvalidFieldPath(no_fields.status()), "search.filter");
  for (const double value : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    for (const char* field : {"size", "score"}) {
      EXPECT_THAT(BindFilter({FilterIn{field, {value}}, ""}, {fields_, true}),
                  StatusIs(absl::StatusCode::kInvalidArgument,
                           HasSubstr("a finite number")));
    }
  }
}

TEST_F(BoundFilterTest, LimitsAreNamed) {
  const auto refused = [&](const Filter& filter, const std::string& message) {
    EXPECT_THAT(
        BindFilter(filter, {fields_, true}),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(message)));
  };
  FilterIn list{"size", {}};
  list.values.resize(limits::kFilterValuesMax, int64_t{1});
  EXPECT_OK(BindFilter({list, ""}, {fields_, true}));
  // One more in another list.
  refused({FilterOr{{{list, ""}, {FilterIn{"size", {int64_t{1}}}, ""}}}, ""},
          "more than 65536 values in the lists of a filter");
  list.values.resize(10'000'000, int64_t{1});
  refused({list, ""}, "more than 65536 values");

  FilterIds ids;
  ids.ids.resize(limits::kFilterIdsMax + 1, uint64_t{1});
  refused({ids, ""}, "more than 10000 ids in a filter");

  FilterAnd wide;
  wide.parts.resize(limits::kFilterNodesMax, {FilterExists{"size"}, ""});
  refused({wide, ""}, "more than 1000 parts in a filter");

  Filter deep{FilterExists{"size"}, ""};
  for (size_t i = 0; i <= limits::kFilterDepthMax; ++i) {
    if (i == limits::kFilterDepthMax) {
      EXPECT_OK(BindFilter(deep, {fields_, true}));
    }
    FilterNot node;
    node.part.push_back(std::move(deep));
    deep = Filter{std::move(node), ""};
  }
  refused(deep, "nested deeper than 32 levels");
  refused({FilterNot{}, ""}, "not takes one filter, got 0");
}

TEST_F(BoundFilterTest, WindowsAreRangesOfTheOutermostAnd) {
  const auto bind = [&](absl::string_view text) {
    auto bound = Bind(text);
    EXPECT_OK(bound);
    return *std::move(bound);
  };
  EXPECT_THAT(WindowFields(bind("size < 5")), ElementsAre(0));
  EXPECT_THAT(WindowFields(bind("essential and size < 5 and made > 1 and size "
                                "> 2")),
              ElementsAre(3, 0, 2));
  EXPECT_THAT(WindowFields(bind("size < 5 or size > 9")), IsEmpty());
  EXPECT_THAT(WindowFields(bind("not size < 5")), IsEmpty());

  const BoundFilter both = bind("size >= 2 and size < 5");
  const auto joined = SplitWindow(both, 0, true);
  ASSERT_TRUE(joined.has_value());
  EXPECT_EQ(joined->window.low, KeyOfInteger(2));
  EXPECT_EQ(joined->window.high, KeyOfInteger(4));
  EXPECT_TRUE(std::holds_alternative<BoundEverything>(joined->rest.node));
  const auto apart = SplitWindow(both, 0, false);
  ASSERT_TRUE(apart.has_value());
  EXPECT_EQ(apart->window.high, kLast);
  EXPECT_TRUE(std::holds_alternative<BoundKeyRange>(apart->rest.node));
  const auto never = SplitWindow(bind("size < 2 and size > 5"), 0, true);
  ASSERT_TRUE(never.has_value());
  EXPECT_TRUE(std::holds_alternative<BoundNothing>(never->rest.node));
  EXPECT_FALSE(SplitWindow(both, 1, true).has_value());
}

}  // namespace
}  // namespace sextant
