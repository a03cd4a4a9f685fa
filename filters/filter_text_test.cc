// SPDX-License-Identifier: Apache-2.0
#include "filters/filter_text.h"

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_matchers.h"
#include "filters/filter_generator.h"
#include "filters/limits.h"

namespace sextant {
namespace {

using testing::HasSubstr;

constexpr uint64_t kTestSeed = 47;

// Trees as text with every detail, to compare them without their paths.
struct Shape {
  static std::string Of(const Filter& filter) {
    return std::visit(Shape{}, filter.node);
  }
  static std::string Of(const std::vector<Filter>& parts) {
    std::string text;
    for (const Filter& part : parts) {
      absl::StrAppend(&text, Of(part), ";");
    }
    return text;
  }
  static std::string Of(const FilterLiteral& literal) {
    return std::visit(
        [&](const auto& value) {
          return absl::StrCat(literal.index(), ":", value);
        },
        literal);
  }
  static std::string Of(const std::optional<FilterLiteral>& literal) {
    return literal.has_value() ? Of(*literal) : "none";
  }

  std::string operator()(const FilterAnd& node) const {
    return absl::StrCat("and{", Of(node.parts), "}");
  }
  std::string operator()(const FilterOr& node) const {
    return absl::StrCat("or{", Of(node.parts), "}");
  }
  std::string operator()(const FilterNot& node) const {
    return absl::StrCat("not{", Of(node.part.front()), "}");
  }
  std::string operator()(const FilterIn& node) const {
    std::string text = absl::StrCat(node.all ? "all{" : "in{", node.field, ";");
    for (const FilterLiteral& value : node.values) {
      absl::StrAppend(&text, Of(value), ";");
    }
    return text + "}";
  }
  std::string operator()(const FilterRange& node) const {
    return absl::StrCat("range{", node.field, ";", Of(node.low), ";",
                        Of(node.high), ";", node.low_open ? 1 : 0,
                        node.high_open ? 1 : 0, "}");
  }
  std::string operator()(const FilterPrefix& node) const {
    return absl::StrCat("prefix{", node.field, ";", node.prefix, "}");
  }
  std::string operator()(const FilterExists& node) const {
    return absl::StrCat("exists{", node.field, "}");
  }
  std::string operator()(const FilterIds& node) const {
    std::string text = "ids{";
    for (const auto& id : node.ids) {
      std::visit(
          [&](const auto& value) {
            absl::StrAppend(&text, id.index(), ":", value, ";");
          },
          id);
    }
    return text + "}";
  }
};

std::string Parsed(absl::string_view text) {
  const auto filter = ParseFilter(text);
  return filter.ok() ? Shape::Of(*filter) : filter.status().ToString();
}

TEST(FilterTextTest, ReadsTheExampleOfTheDocumentation) {
  EXPECT_EQ(Parsed("section in (\"graphics\",'video') and size < 1_000_000 and "
                   "not essential"),
            "and{in{section;3:graphics;3:video;};"
            "range{size;none;1:1000000;01};not{in{essential;0:1;}};}");
}

TEST(FilterTextTest, ReadsEveryTest) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"a = 1", "in{a;1:1;}"},
      {"a == -1", "in{a;1:-1;}"},
      {"a != 1.5", "not{in{a;2:1.5;}}"},
      {"a<1", "range{a;none;1:1;01}"},
      {"a <= 1", "range{a;none;1:1;00}"},
      {"a>1e3", "range{a;2:1000;none;10}"},
      {"a >= +1", "range{a;1:1;none;00}"},
      {"10 <= a < 20", "range{a;1:10;1:20;01}"},
      {"20 >= a > 10", "range{a;1:10;1:20;10}"},
      {"\"2024-05-01T00:00:00Z\" < a",
       "range{a;3:2024-05-01T00:00:00Z;none;10}"},
      {"a between 1 and 2 and b", "and{range{a;1:1;1:2;00};in{b;0:1;};}"},
      {"a in ()", "in{a;}"},
      {"a not in (1, true)", "not{in{a;1:1;0:1;}}"},
      {"a starts with 'x'", "prefix{a;x}"},
      {"a PREFIX 'x'", "prefix{a;x}"},
      {"a not starts with 'x'", "not{prefix{a;x}}"},
      {"a contains 'x'", "in{a;3:x;}"},
      {"a contains any ('x', 'y')", "in{a;3:x;3:y;}"},
      {"a contains all ('x')", "all{a;3:x;}"},
      {"exists(a)", "exists{a}"},
      {"NOT Exists ( a )", "not{exists{a}}"},
      {"id = 5", "ids{0:5;}"},
      {"id in (18446744073709551615, 'x')", "ids{0:18446744073709551615;1:x;}"},
      {"id not in (1)", "not{ids{0:1;}}"},
      {"id != 'x'", "not{ids{1:x;}}"},
      {"true", "and{}"},
      {"false or a", "or{or{};in{a;0:1;};}"},
      {"a and b or c and not d",
       "or{and{in{a;0:1;};in{b;0:1;};};and{in{c;0:1;};not{in{d;0:1;}};};}"},
      {"a and (b and c)", "and{in{a;0:1;};and{in{b;0:1;};in{c;0:1;};};}"},
      {"((a))", "in{a;0:1;}"},
      {"`not` = 'a\\\"\\u00e9\\n'", "in{not;3:a\"\xC3\xA9\n;}"},
      {"author.first-name = 'x'", "in{author.first-name;3:x;}"},
      {"prefix = 'x' and contains", "and{in{prefix;3:x;};in{contains;0:1;};}"},
      {"a = 'it''s'", ""}};
  for (const auto& [text, shape] : cases) {
    if (!shape.empty()) {
      EXPECT_EQ(Parsed(text), shape) << text;
    } else {
      EXPECT_FALSE(ParseFilter(text).ok()) << text;
    }
  }
}

TEST(FilterTextTest, ErrorsPointAtTheColumn) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "column 1: expected the name of a field, got the end"},
      {"size <",
       "column 7: expected a value: a number, a text in quotes, true "
       "or false, got the end"},
      {"size 5", "column 6: expected 'and', 'or' or the end, got '5'"},
      {"size < 5 section = 'x'",
       "column 10: expected 'and', 'or' or the end, "
       "got 'section'"},
      {"a in (1, 2", "column 11: expected ',' or ')', got the end"},
      {"a in 1", "column 6: expected '(', got '1'"},
      {"(a", "column 3: expected ')', got the end"},
      {"a = 'x", "column 5: no closing '"},
      {"5 = a",
       "column 3: expected '<', '<=', '>' or '>=' after a value, got "
       "'='"},
      {"1 < a > 2", "column 7: expected a sign that points like '<', got '>'"},
      {"a = 5kg", "column 6: a number ends before 'k'"},
      {"a = 9223372036854775808", "column 5: expected an integer of 64 bits"},
      {"a = 1e999", "column 5: expected a float below"},
      {"a and or b", "column 7: expected the name of a field, got 'or'"},
      {"a = \"\\q\"", "column 6: expected \\n"},
      {"a = \"\\ud800\"", "column 6: expected \\u"},
      {"a starts 'x'", "column 10: expected 'with' after 'starts'"},
      {"a starts with 5", "column 15: expected a text in quotes, got '5'"},
      {"a not 5", "column 7: expected 'in'"},
      {"id < 5", "column 4: expected '=', '!='"},
      {"id = -1", "column 6: expected an id"},
      {"a & b",
       "column 3: expected a field, a value or a sign like ( or <=, "
       "got '&'"},
      // As the reference shows them.
      {"size < and essential",
       "column 8: expected a value: a number, a text "
       "in quotes, true or false, got 'and'"},
      {"(a or b", "column 8: expected ')', got the end"},
      {"size = 5kg",
       "column 9: a number ends before 'k'; texts stand between "
       "quotes"},
      {"1 < size > 2",
       "column 10: expected a sign that points like '<', got "
       "'>'"},
      // Characters are counted, not bytes.
      {"a = '\xC3\xA9\xE2\x82\xAC' ?", "column 10: expected a field"}};
  for (const auto& [text, message] : cases) {
    const auto filter = ParseFilter(text);
    EXPECT_THAT(filter,
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr(absl::StrCat("filter text, ", message))))
        << text;
    EXPECT_THAT(InvalidFieldPath(filter.status()), HasSubstr("column"));
  }
}

TEST(FilterTextTest, RefusesWhatIsTooLongTooDeepOrNotText) {
  EXPECT_THAT(ParseFilter(std::string(limits::kFilterTextBytesMax + 1, ' ')),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("65537 bytes long; at most 65536")));
  EXPECT_THAT(ParseFilter(std::string(limits::kFilterTextBytesMax, '(')),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("column 33: nested deeper than 32 levels")));
  EXPECT_THAT(
      ParseFilter("a = '\xFF'"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is not UTF-8")));
  std::string nots;
  for (size_t i = 0; i < limits::kFilterDepthMax; ++i) {
    nots += "not ";
  }
  EXPECT_OK(ParseFilter(nots + "a"));
  EXPECT_THAT(
      ParseFilter(nots + "not a"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("nested deeper")));
}

TEST(FilterTextTest, PartsKnowTheirColumns) {
  ASSERT_OK_AND_ASSIGN(const Filter filter, ParseFilter("a and not b < 5"));
  const auto& parts = std::get<FilterAnd>(filter.node).parts;
  EXPECT_EQ(parts[0].path, "filter text, column 1");
  EXPECT_EQ(parts[1].path, "filter text, column 7");
  EXPECT_EQ(std::get<FilterNot>(parts[1].node).part[0].path,
            "filter text, column 11");
}

TEST(FilterTextTest, WhatIsPrintedParsesToTheSameTree) {
  std::mt19937_64 random(kTestSeed);
  FilterGenerator generator(&random);
  for (int round = 0; round < 5000; ++round) {
    const Filter filter = generator.Next(round % 6);
    const std::string text = ToString(filter);
    ASSERT_EQ(Parsed(text), Shape::Of(filter))
        << "seed " << kTestSeed << ": " << text;
  }
}

TEST(FilterTextTest, PrintsNamesAndValuesThatNeedCare) {
  const auto round_trip = [](const Filter& filter) {
    EXPECT_EQ(Parsed(ToString(filter)), Shape::Of(filter)) << ToString(filter);
  };
  for (const char* name :
       {"and", "ID", "a b", "", "`", "\\", "1a", "\xC3\xA9"}) {
    round_trip({FilterExists{name}, ""});
  }
  for (const FilterLiteral& value : std::vector<FilterLiteral>{
           "", "\"", "'", "\\", "\n\x01\x7F", "\xF0\x9F\x8E\xA8", 1.0, -0.0,
           1e300, 5e-324, 0.1, std::numeric_limits<int64_t>::min(),
           std::numeric_limits<int64_t>::max(), true, false}) {
    round_trip({FilterIn{"a", {value}}, ""});
  }
  EXPECT_EQ(ToString({FilterRange{"a", 1.0, int64_t{2}, true, false}, ""}),
            "1.0 < a <= 2");
  EXPECT_EQ(ToString({FilterRange{"a"}, ""}), "exists(a)");
  EXPECT_EQ(ToString({FilterAnd{{{FilterExists{"a"}, ""}}}, ""}), "exists(a)");
}

TEST(FilterTextTest, ACaretStandsUnderTheColumn) {
  const std::string text = "a = 1 and\n  b = '\xC3\xA9' ?";
  const auto filter = ParseFilter(text);
  ASSERT_FALSE(filter.ok());
  EXPECT_EQ(FilterErrorCaret(text, filter.status().message()),
            "  b = '\xC3\xA9' ?\n          ^\n");
  EXPECT_EQ(FilterErrorCaret("a =", ParseFilter("a =").status().message()),
            "a =\n   ^\n");
  EXPECT_EQ(FilterErrorCaret("a", "points[3].id: empty"), "");
  EXPECT_EQ(FilterErrorCaret("a", "filter text, column 9: expected"), "");
}

}  // namespace
}  // namespace sextant
