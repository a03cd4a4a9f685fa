// SPDX-License-Identifier: Apache-2.0
#include "engine/schema.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "base/errors.h"
#include "base/status_matchers.h"
#include "engine/engine_fixture.h"
#include "engine/limits.h"
#include "engine/schema_record.h"

namespace sextant {
namespace {

using ::testing::HasSubstr;

struct NameCase {
  const char* name;
  std::string text;
  bool valid;
};

class ValidateNameTest : public ::testing::TestWithParam<NameCase> {};

TEST_P(ValidateNameTest, Checks) {
  const absl::Status status = ValidateName(GetParam().text, "name");
  EXPECT_EQ(status.ok(), GetParam().valid) << status;
  if (!status.ok()) {
    EXPECT_EQ(InvalidFieldPath(status), "name");
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, ValidateNameTest,
    ::testing::Values(
        NameCase{"OneLetter", "a", true}, NameCase{"AllKinds", "Az09_-", true},
        NameCase{"Longest", std::string(64, 'a'), true},
        NameCase{"Empty", "", false},
        NameCase{"TooLong", std::string(65, 'a'), false},
        NameCase{"Space", "a b", false}, NameCase{"Slash", "../etc", false},
        NameCase{"Dot", "a.b", false}, NameCase{"NotAscii", "é", false},
        NameCase{"ZeroByte", std::string("a\0b", 3), false},
        NameCase{"NewLine", "a\n", false}),
    [](const auto& param) { return std::string(param.param.name); });

struct SchemaCase {
  const char* name;
  std::function<void(Schema*)> change;
  const char* path;  // of the error; null: valid
};

class ValidateSchemaTest : public ::testing::TestWithParam<SchemaCase> {};

TEST_P(ValidateSchemaTest, Checks) {
  Schema schema = test::OneFieldSchema(4);
  GetParam().change(&schema);
  const absl::Status status = ValidateSchema(schema);
  if (GetParam().path == nullptr) {
    EXPECT_OK(status);
  } else {
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_EQ(InvalidFieldPath(status), GetParam().path);
  }
}

void SetFieldCount(Schema* schema, size_t count) {
  const VectorFieldSchema field = schema->vector_fields[0];
  schema->vector_fields.clear();
  for (size_t i = 0; i < count; ++i) {
    schema->vector_fields.push_back(field);
    schema->vector_fields.back().name = absl::StrCat("f", i);
  }
}

SchemaCase PayloadCase(const char* name, std::vector<PayloadFieldSchema> fields,
                       const char* path) {
  return {name, [fields](Schema* s) { s->payload_fields = fields; }, path};
}

std::vector<PayloadFieldSchema> ManyPayloadFields(size_t count) {
  std::vector<PayloadFieldSchema> fields;
  for (size_t i = 0; i < count; ++i) {
    fields.push_back({absl::StrCat("p", i)});
  }
  return fields;
}

INSTANTIATE_TEST_SUITE_P(
    Payload, ValidateSchemaTest,
    ::testing::Values(
        PayloadCase("Most", ManyPayloadFields(64), nullptr),
        PayloadCase("TooMany", ManyPayloadFields(65), "payload_fields"),
        PayloadCase("Dotted", {{"a.b-1.C_d"}, {"a.c"}, {"ab"}}, nullptr),
        PayloadCase("NoName", {{""}}, "payload_fields[0].name"),
        PayloadCase("EmptyKey", {{"a..b"}}, "payload_fields[0].name"),
        PayloadCase("Space", {{"a b"}}, "payload_fields[0].name"),
        PayloadCase("LongName",
                    {{std::string(64, 'a') + "." + std::string(64, 'b') + "." +
                      std::string(64, 'c') + "." + std::string(64, 'd')}},
                    "payload_fields[0].name"),
        PayloadCase("Repeated", {{"a"}, {"a"}}, "payload_fields[1].name"),
        PayloadCase("InsideEarlier", {{"a"}, {"a.b"}},
                    "payload_fields[1].name"),
        PayloadCase("InsideLater", {{"a.b"}, {"a"}}, "payload_fields[1].name"),
        PayloadCase("Windows",
                    {{"a", FieldType::kInteger, true},
                     {"b", FieldType::kFloat, true},
                     {"c", FieldType::kTimestamp, true}},
                    nullptr),
        PayloadCase("WindowOfKeywords", {{"a", FieldType::kKeyword, true}},
                    "payload_fields[0].window"),
        PayloadCase("WindowOfBooleans", {{"a", FieldType::kBoolean, true}},
                    "payload_fields[0].window")),
    [](const auto& param) { return std::string(param.param.name); });

INSTANTIATE_TEST_SUITE_P(
    All, ValidateSchemaTest,
    ::testing::Values(
        SchemaCase{"Plain", [](Schema*) {}, nullptr},
        SchemaCase{"NoField", [](Schema* s) { s->vector_fields.clear(); },
                   "vector_fields"},
        SchemaCase{"MostFields", [](Schema* s) { SetFieldCount(s, 16); },
                   nullptr},
        SchemaCase{"TooManyFields", [](Schema* s) { SetFieldCount(s, 17); },
                   "vector_fields"},
        SchemaCase{"RepeatedName",
                   [](Schema* s) {
                     SetFieldCount(s, 3);
                     s->vector_fields[2].name = "f0";
                   },
                   "vector_fields[2].name"},
        SchemaCase{"BadName",
                   [](Schema* s) { s->vector_fields[0].name = "a b"; },
                   "vector_fields[0].name"},
        SchemaCase{"DimensionZero",
                   [](Schema* s) { s->vector_fields[0].dimension = 0; },
                   "vector_fields[0].dimension"},
        SchemaCase{"DimensionLargest",
                   [](Schema* s) { s->vector_fields[0].dimension = 65536; },
                   nullptr},
        SchemaCase{"DimensionTooLarge",
                   [](Schema* s) { s->vector_fields[0].dimension = 65537; },
                   "vector_fields[0].dimension"},
        SchemaCase{
            "DimensionWraps",
            [](Schema* s) { s->vector_fields[0].dimension = 0xFFFFFFFF; },
            "vector_fields[0].dimension"},
        SchemaCase{
            "CodesAlone",
            [](Schema* s) {
              s->vector_fields[0].storage = {Encoding::kInt4, Rerank::kNone};
            },
            nullptr},
        SchemaCase{
            "NeitherCodesNorFloats",
            [](Schema* s) {
              s->vector_fields[0].storage = {Encoding::kFloat, Rerank::kNone};
            },
            "vector_fields[0].rerank"},
        SchemaCase{"CodesAloneOfNoName",
                   [](Schema* s) {
                     s->vector_fields[0].storage.rerank = Rerank::kNone;
                   },
                   "vector_fields[0].rerank"},
        SchemaCase{"MTooSmall",
                   [](Schema* s) { s->vector_fields[0].graph.m = 3; },
                   "vector_fields[0].graph.m"},
        SchemaCase{"MTooLarge",
                   [](Schema* s) { s->vector_fields[0].graph.m = 65; },
                   "vector_fields[0].graph.m"},
        SchemaCase{
            "EfTooSmall",
            [](Schema* s) { s->vector_fields[0].graph.ef_construction = 7; },
            "vector_fields[0].graph.ef_construction"},
        SchemaCase{
            "EfTooLarge",
            [](Schema* s) { s->vector_fields[0].graph.ef_construction = 2001; },
            "vector_fields[0].graph.ef_construction"}),
    [](const auto& param) { return std::string(param.param.name); });

TEST(SchemaTest, FindsFieldsByName) {
  Schema schema = test::OneFieldSchema(4);
  SetFieldCount(&schema, 3);
  EXPECT_EQ(schema.FindVectorField("f2"), 2);
  EXPECT_EQ(schema.FindVectorField("f3"), std::nullopt);
  EXPECT_EQ(schema.FindVectorField(""), std::nullopt);
}

TEST(SchemaRecordTest, ComesBackAsItWas) {
  for (const Metric metric :
       {Metric::kCosine, Metric::kInnerProduct, Metric::kL2}) {
    for (const IdKind kind : {IdKind::kNumber, IdKind::kString}) {
      Schema schema = test::OneFieldSchema(7, metric, kind);
      schema.vector_fields.push_back({"second",
                                      9,
                                      Metric::kL2,
                                      {8, 77},
                                      {Encoding::kFloat, Rerank::kMapped}});
      const auto back = SchemaFromRecord(ToRecord("docs", schema));
      ASSERT_OK(back);
      EXPECT_EQ(back->id_kind, kind);
      ASSERT_EQ(back->vector_fields.size(), 2U);
      EXPECT_EQ(back->vector_fields[0].metric, metric);
      EXPECT_EQ(back->vector_fields[0].dimension, 7U);
      EXPECT_EQ(back->vector_fields[1].name, "second");
      EXPECT_EQ(back->vector_fields[1].graph.m, 8U);
      EXPECT_EQ(back->vector_fields[1].graph.ef_construction, 77U);
      EXPECT_EQ(back->vector_fields[0].storage, VectorStorage());
      EXPECT_EQ(back->vector_fields[1].storage,
                (VectorStorage{Encoding::kFloat, Rerank::kMapped}));
    }
  }
}

// Bytes of field `number` with a value below 128, as protobuf writes them.
std::string SmallNumber(int number, uint8_t value) {
  return {static_cast<char>(number << 3), static_cast<char>(value)};
}

TEST(SchemaRecordTest, ARecordFromBeforeEncodingsIsRead) {
  const std::string field = std::string("\x0a\x01v", 3) + SmallNumber(2, 4) +
                            SmallNumber(3, storage::METRIC_RECORD_L2) +
                            SmallNumber(4, 16) + SmallNumber(5, 100);
  storage::VectorFieldRecord old;
  ASSERT_TRUE(old.ParseFromString(field));
  storage::CollectionRecord record = ToRecord("docs", test::OneFieldSchema(4));
  *record.mutable_vector_fields(0) = old;
  const auto schema = SchemaFromRecord(record);
  ASSERT_OK(schema);
  EXPECT_EQ(schema->vector_fields[0].name, "v");
  EXPECT_EQ(schema->vector_fields[0].storage, VectorStorage());
}

TEST(SchemaRecordTest, PayloadFieldsComeBack) {
  Schema schema = test::OneFieldSchema(4);
  schema.payload_fields = {{"size", FieldType::kInteger, true},
                           {"price", FieldType::kFloat},
                           {"made.at", FieldType::kTimestamp},
                           {"sold", FieldType::kBoolean},
                           {"tags", FieldType::kKeyword}};
  ASSERT_OK(ValidateSchema(schema));
  const auto back = SchemaFromRecord(ToRecord("docs", schema));
  ASSERT_OK(back);
  ASSERT_EQ(back->payload_fields.size(), schema.payload_fields.size());
  for (size_t i = 0; i < schema.payload_fields.size(); ++i) {
    EXPECT_EQ(back->payload_fields[i].name, schema.payload_fields[i].name);
    EXPECT_EQ(back->payload_fields[i].type, schema.payload_fields[i].type);
    EXPECT_EQ(back->payload_fields[i].window, schema.payload_fields[i].window);
  }
  EXPECT_EQ(back->FindPayloadField("made.at"), 2);
  EXPECT_EQ(back->FindPayloadField("made"), std::nullopt);
}

// What a record looked like before there were payload fields: none of field 7.
TEST(SchemaRecordTest, ARecordFromBeforePayloadFieldsIsRead) {
  const std::string bytes =
      ToRecord("docs", test::OneFieldSchema(4)).SerializeAsString();
  storage::CollectionRecord record;
  ASSERT_TRUE(record.ParseFromString(bytes));
  ASSERT_EQ(record.payload_fields_size(), 0);
  const auto schema = SchemaFromRecord(record);
  ASSERT_OK(schema);
  EXPECT_TRUE(schema->payload_fields.empty());
}

TEST(SchemaRecordTest, EveryEncodingComesBack) {
  Schema schema = test::OneFieldSchema(7);
  for (const Encoding encoding :
       {Encoding::kAuto, Encoding::kFloat, Encoding::kBf16, Encoding::kInt8,
        Encoding::kInt4, Encoding::kBinary}) {
    for (const Rerank rerank :
         {Rerank::kMemory, Rerank::kMapped, Rerank::kNone}) {
      schema.vector_fields[0].storage = {encoding, rerank};
      if (!ValidateSchema(schema).ok()) {
        continue;  // not stored either
      }
      const auto back = SchemaFromRecord(ToRecord("docs", schema));
      ASSERT_OK(back);
      EXPECT_EQ(back->vector_fields[0].storage,
                schema.vector_fields[0].storage);
    }
  }
}

TEST(SchemaRecordTest, UnknownValuesAreDamage) {
  const storage::CollectionRecord good =
      ToRecord("docs", test::OneFieldSchema(4));
  storage::CollectionRecord record = good;
  record.mutable_vector_fields(0)->set_metric(
      static_cast<storage::MetricRecord>(99));
  EXPECT_THAT(SchemaFromRecord(record),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("metric 99")));
  record = good;
  record.mutable_vector_fields(0)->set_encoding(
      static_cast<storage::EncodingRecord>(99));
  EXPECT_THAT(SchemaFromRecord(record),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("encoding 99")));
  record = good;
  record.mutable_vector_fields(0)->set_rerank(
      static_cast<storage::RerankRecord>(99));
  EXPECT_THAT(SchemaFromRecord(record),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("placement 99")));
  record = good;
  record.add_payload_fields()->set_name("size");
  EXPECT_THAT(SchemaFromRecord(record),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("field type 0")));
  record = good;
  record.set_id_kind(static_cast<storage::IdKindRecord>(0));
  EXPECT_THAT(SchemaFromRecord(record),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("id kind 0")));
  record = good;
  record.mutable_vector_fields(0)->set_dimension(0);
  EXPECT_THAT(SchemaFromRecord(record),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("dimension")));
}

}  // namespace
}  // namespace sextant
