// SPDX-License-Identifier: Apache-2.0
#include "engine/payload.h"

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "base/errors.h"
#include "base/status_matchers.h"
#include "engine/limits.h"

namespace sextant {
namespace {

using ::testing::HasSubstr;

// An object whose deepest value lies `depth` levels down.
std::string Nested(size_t depth, bool arrays) {
  std::string text = "{\"a\":";
  for (size_t i = 1; i < depth; ++i) {
    text += arrays ? "[" : "{\"a\":";
  }
  text += "1";
  for (size_t i = 1; i < depth; ++i) {
    text += arrays ? "]" : "}";
  }
  return text + "}";
}

// A valid payload of exactly `size` bytes.
std::string OfSize(size_t size) {
  const std::string frame = "{\"a\":\"\"}";
  return absl::StrCat("{\"a\":\"", std::string(size - frame.size(), 'x'),
                      "\"}");
}

absl::Status Check(absl::string_view payload, absl::string_view field) {
  const std::vector<PayloadFieldSchema> none;
  return PayloadReader(none).Read(payload, field).status();
}

struct PayloadCase {
  const char* name;
  std::string payload;
  const char* error;  // null: valid
};

class PayloadCheckTest : public ::testing::TestWithParam<PayloadCase> {};

TEST_P(PayloadCheckTest, Checks) {
  const absl::Status status = Check(GetParam().payload, "payload");
  if (GetParam().error == nullptr) {
    EXPECT_OK(status);
    return;
  }
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                               HasSubstr(GetParam().error)));
  EXPECT_EQ(InvalidFieldPath(status), "payload");
}

INSTANTIATE_TEST_SUITE_P(
    All, PayloadCheckTest,
    ::testing::Values(
        PayloadCase{"None", "", nullptr},
        PayloadCase{"EmptyObject", "{}", nullptr},
        PayloadCase{"AllTypes",
                    R"({"s":"é","i":-1,"u":18446744073709551615,"f":1.5e3,)"
                    R"("b":true,"n":null,"a":[1,[2]],"o":{"x":{}}})",
                    nullptr},
        PayloadCase{"SpaceAround", " \n{ \"a\" : 1 }\t", nullptr},
        PayloadCase{"RepeatedKeys", R"({"a":1,"a":2})", nullptr},
        PayloadCase{"Deepest", Nested(limits::kPayloadDepthMax, false),
                    nullptr},
        PayloadCase{"DeepestArrays", Nested(limits::kPayloadDepthMax, true),
                    nullptr},
        PayloadCase{"TooDeep", Nested(limits::kPayloadDepthMax + 1, false),
                    "nested deeper than 64"},
        PayloadCase{"TooDeepArrays", Nested(limits::kPayloadDepthMax + 1, true),
                    "nested deeper than 64"},
        PayloadCase{"HundredThousandBrackets",
                    "{\"a\":" + std::string(100'000, '['),
                    "nested deeper than 64"},
        PayloadCase{"Largest", OfSize(limits::kPayloadBytesMax), nullptr},
        PayloadCase{"TooLarge", OfSize(limits::kPayloadBytesMax + 1),
                    "at most 1048576 bytes, got 1048577"},
        PayloadCase{"Array", "[1]", "must be a JSON object"},
        PayloadCase{"EmptyArray", "[]", "must be a JSON object"},
        PayloadCase{"Number", "1", "must be a JSON object"},
        PayloadCase{"String", "\"a\"", "must be a JSON object"},
        PayloadCase{"Null", "null", "must be a JSON object"},
        PayloadCase{"OnlySpace", "  ", "not valid JSON at byte"},
        PayloadCase{"CutOff", "{\"a\":1", "not valid JSON at byte"},
        PayloadCase{"TrailingGarbage", "{\"a\":1}x", "not valid JSON at byte"},
        PayloadCase{"TwoObjects", "{}{}", "not valid JSON at byte"},
        PayloadCase{"TrailingZeroByte", std::string("{}\0", 3),
                    "not valid JSON at byte"},
        PayloadCase{"BrokenUtf8", "{\"a\":\"\xC3\"}", "not valid JSON at byte"},
        PayloadCase{"BrokenUtf8InKey", "{\"\xFF\":1}",
                    "not valid JSON at byte"},
        PayloadCase{"LoneSurrogateEscape", R"({"a":"\ud800"})",
                    "not valid JSON at byte"},
        PayloadCase{"NumberOutOfRange", "{\"a\":1e999}",
                    "not valid JSON at byte"},
        PayloadCase{"NaN", "{\"a\":NaN}", "not valid JSON at byte"},
        PayloadCase{"SingleQuotes", "{'a':1}", "not valid JSON at byte"},
        PayloadCase{"Comment", "{}/*x*/", "not valid JSON at byte"}),
    [](const auto& param) { return std::string(param.param.name); });

TEST(PayloadCheckTest, NamesTheByte) {
  EXPECT_THAT(Check("{\"a\":1}x", "points[0].payload"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "points[0].payload: not valid JSON at byte 8"));
}

std::vector<PayloadFieldSchema> AllFields() {
  return {{"size", FieldType::kInteger, true},
          {"prices", FieldType::kFloat},
          {"made.at", FieldType::kTimestamp},
          {"sold", FieldType::kBoolean},
          {"tags", FieldType::kKeyword},
          {"authors.name.last", FieldType::kKeyword}};
}

// The values as text, those of a field in brackets.
std::string Text(const PayloadValues& values) {
  const std::vector<PayloadFieldSchema> fields = AllFields();
  std::string text;
  for (size_t i = 0; i < values.size(); ++i) {
    text += "[";
    for (const FieldValue& value : values[i]) {
      if (const auto* keyword = std::get_if<std::string>(&value)) {
        absl::StrAppend(&text, *keyword, ";");
        continue;
      }
      const NumberKey key = std::get<NumberKey>(value);
      if (fields[i].type == FieldType::kFloat) {
        absl::StrAppend(&text, FloatOfKey(key), ";");
      } else if (fields[i].type == FieldType::kBoolean) {
        absl::StrAppend(&text, key, ";");
      } else {
        absl::StrAppend(&text, IntegerOfKey(key), ";");
      }
    }
    text += "]";
  }
  return text;
}

struct ValuesCase {
  const char* name;
  std::string payload;
  std::string values;
};

class PayloadValuesTest : public ::testing::TestWithParam<ValuesCase> {};

TEST_P(PayloadValuesTest, AreFound) {
  const std::vector<PayloadFieldSchema> fields = AllFields();
  const PayloadReader reader(fields);
  const auto values = reader.Read(GetParam().payload, "payload");
  ASSERT_OK(values);
  EXPECT_EQ(Text(*values), GetParam().values);
  uint64_t misfits = 0;
  EXPECT_EQ(reader.ReadStored(GetParam().payload, &misfits), *values);
  EXPECT_EQ(misfits, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    All, PayloadValuesTest,
    ::testing::Values(
        ValuesCase{"NoPayload", "", "[][][][][][]"},
        ValuesCase{"Empty", "{}", "[][][][][][]"},
        ValuesCase{
            "One",
            R"({"size":-7,"prices":2.5,"made":{"at":"1970-01-01T00:00:01Z"},)"
            R"("sold":true,"tags":"a","authors":{"name":{"last":"Ono"}}})",
            "[-7;][2.5;][1000000;][1;][a;][Ono;]"},
        ValuesCase{
            "SeveralAscendingAndDistinct",
            R"({"prices":[3,1.5,3],"made":{"at":[2,1]},"sold":[true,false],)"
            R"("tags":["b","","a","b"]})",
            "[][1.5;3;][1;2;][0;1;][;a;b;][]"},
        ValuesCase{"NullAndEmptyListAreAbsent",
                   R"({"size":null,"prices":[],"tags":[null,"a"],)"
                   R"("made":null,"authors":[]})",
                   "[][][][][a;][]"},
        ValuesCase{"ListsOnTheWay",
                   R"({"authors":[{"name":{"last":"Ono"}},{"name":[)"
                   R"({"last":["Eco","Ono"]}]},{"age":3},7]})",
                   "[][][][][][Eco;Ono;]"},
        ValuesCase{"OtherKeysAreFree",
                   R"({"sizes":"x","a":{"size":"x"},"made":7,)"
                   R"("authors":{"last":1,"name":2},"at":true})",
                   "[][][][][][]"},
        ValuesCase{"LargestIntegers",
                   R"({"size":9223372036854775807,)"
                   R"("made":{"at":-9223372036854775808}})",
                   "[9223372036854775807;][][-9223372036854775808;][][][]"},
        ValuesCase{"IntegerWrittenAsFloat", R"({"size":3.0})",
                   "[3;][][][][][]"},
        ValuesCase{
            "LongestKeyword",
            absl::StrCat("{\"tags\":\"",
                         std::string(limits::kKeywordBytesMax, 'a'), "\"}"),
            absl::StrCat("[][][][][",
                         std::string(limits::kKeywordBytesMax, 'a'), ";][]")}),
    [](const auto& param) { return std::string(param.param.name); });

struct MisfitCase {
  const char* name;
  std::string payload;
  const char* error;
};

class PayloadMisfitTest : public ::testing::TestWithParam<MisfitCase> {};

TEST_P(PayloadMisfitTest, IsNamed) {
  const std::vector<PayloadFieldSchema> fields = AllFields();
  const PayloadReader reader(fields);
  EXPECT_THAT(reader.Read(GetParam().payload, "points[3].payload"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr(GetParam().error)));
  // Read again later it is absent, and the other fields are not.
  uint64_t misfits = 0;
  PayloadValues values = reader.ReadStored(GetParam().payload, &misfits);
  EXPECT_EQ(misfits, 1U);
  EXPECT_TRUE(std::ranges::all_of(
      values, [](const FieldValues& field) { return field.empty(); }));
}

std::string ListOf(size_t count) {
  std::string text = "{\"prices\":[";
  for (size_t i = 0; i < count; ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ",", i);
  }
  return text + "]}";
}

INSTANTIATE_TEST_SUITE_P(
    All, PayloadMisfitTest,
    ::testing::Values(
        MisfitCase{"Text", R"({"size":"12"})",
                   "points[3].payload.size: must be a 64-bit integer, got "
                   "\"12\""},
        MisfitCase{"Fraction", R"({"size":1.5})", "integer, got 1.5"},
        MisfitCase{"TooLarge", R"({"size":9223372036854775808})",
                   "integer, got 9223372036854775808"},
        MisfitCase{"TooLargeFloat", R"({"size":1e17})", "integer, got 1e+17"},
        MisfitCase{"Object", R"({"size":{}})", "integer, got an object"},
        MisfitCase{"Boolean", R"({"prices":true})", "a number, got true"},
        MisfitCase{"Moment", R"({"made":{"at":"yesterday"}})",
                   "points[3].payload.made.at: must be a moment like"},
        MisfitCase{"Number", R"({"sold":1})", "true or false, got 1"},
        MisfitCase{"NumberAsKeyword", R"({"tags":["a",1]})",
                   "points[3].payload.tags: must be a string, got 1"},
        MisfitCase{"ListInList", R"({"tags":[["a"]]})",
                   "must be a string, got a list in a list"},
        MisfitCase{"TwoInAWindow", R"({"size":[1,2]})",
                   "points[3].payload.size: a field with a window has one"},
        MisfitCase{
            "LongKeyword",
            absl::StrCat("{\"tags\":\"",
                         std::string(limits::kKeywordBytesMax + 1, 'a'), "\"}"),
            "a keyword has at most 1024 bytes, got 1025"},
        MisfitCase{"TooManyValues", ListOf(limits::kFieldValuesMax + 1),
                   "points[3].payload.prices: at most 256 values"}),
    [](const auto& param) { return std::string(param.param.name); });

TEST(PayloadReaderTest, AMisfitLeavesTheOtherFieldsAlone) {
  const std::vector<PayloadFieldSchema> fields = AllFields();
  uint64_t misfits = 0;
  const PayloadValues values = PayloadReader(fields).ReadStored(
      R"({"size":1,"prices":[1,"x",2],"tags":["a",7],"sold":false})", &misfits);
  EXPECT_EQ(misfits, 2U);
  EXPECT_EQ(Text(values), "[1;][][][0;][][]");
}

}  // namespace
}  // namespace sextant
