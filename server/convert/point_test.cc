// SPDX-License-Identifier: Apache-2.0
#include "server/convert/point.h"

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "base/errors.h"
#include "base/status_matchers.h"
#include "engine/limits.h"
#include "server/convert/collection.h"

namespace sextant {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

v1::Point ValidPoint() {
  v1::Point point;
  point.mutable_id()->set_num(1);
  (*point.mutable_vectors())["v"].add_values(1);
  return point;
}

struct BadPoint {
  const char* name;
  std::function<void(v1::Point*)> spoil;
  const char* field;
  const char* problem;
};

TEST(ConvertPointTest, EveryMistakeIsNamed) {
  const std::vector<BadPoint> cases = {
      {"no id", [](v1::Point* p) { p->clear_id(); }, "points[1].id",
       "required: `num` or `str`"},
      {"empty string id", [](v1::Point* p) { p->mutable_id()->set_str(""); },
       "points[1].id", "an id has 1 to 512 bytes, got 0"},
      {"over-long string id",
       [](v1::Point* p) { p->mutable_id()->set_str(std::string(513, 'x')); },
       "points[1].id", "an id has 1 to 512 bytes, got 513"},
      {"no vectors", [](v1::Point* p) { p->clear_vectors(); },
       "points[1].vectors", "a point has at least one vector"},
      {"too many vectors",
       [](v1::Point* p) {
         for (int i = 0; i < 17; ++i) {
           (*p->mutable_vectors())[std::to_string(i)].add_values(1);
         }
       },
       "points[1].vectors", "at most 16 vectors, got 18"},
      {"neither encoding",
       [](v1::Point* p) { (*p->mutable_vectors())["v"].clear_values(); },
       "points[1].vectors[v]", "required: `values` or `raw`"},
      {"both encodings",
       [](v1::Point* p) { (*p->mutable_vectors())["v"].set_raw("1234"); },
       "points[1].vectors[v]", "set either `values` or `raw`, not both"},
      {"raw of 5 bytes",
       [](v1::Point* p) {
         (*p->mutable_vectors())["v"].clear_values();
         (*p->mutable_vectors())["v"].set_raw("12345");
       },
       "points[1].vectors[v].raw", "got 5 bytes"},
      {"over-long field name is cut",
       [](v1::Point* p) {
         (*p->mutable_vectors())[std::string(1 << 20, 'n')].Clear();
       },
       "points[1].vectors[nnnn", "required"},
      {"payload too large",
       [](v1::Point* p) {
         p->set_payload(std::string(limits::kPayloadBytesMax + 1, ' '));
       },
       "points[1].payload", "at most 1048576 bytes, got 1048577"},
  };
  for (const BadPoint& bad : cases) {
    google::protobuf::RepeatedPtrField<v1::Point> points;
    *points.Add() = ValidPoint();
    *points.Add() = ValidPoint();
    bad.spoil(points.Mutable(1));
    const auto result = ToPoints(points);
    EXPECT_THAT(result, StatusIs(absl::StatusCode::kInvalidArgument,
                                 HasSubstr(bad.problem)))
        << bad.name;
    EXPECT_EQ(InvalidFieldPath(result.status()).rfind(bad.field, 0), 0)
        << bad.name << ": " << result.status();
    EXPECT_LT(result.status().message().size(), 300) << bad.name;
  }
}

TEST(ConvertPointTest, CountsAreBounded) {
  google::protobuf::RepeatedPtrField<v1::Point> points;
  EXPECT_THAT(ToPoints(points),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("points: 1 to 10000 in a request, got 0")));
  for (size_t i = 0; i <= limits::kPointsPerWriteMax; ++i) {
    points.Add();
  }
  EXPECT_THAT(ToPoints(points), StatusIs(absl::StatusCode::kInvalidArgument,
                                         HasSubstr("got 10001")));
  google::protobuf::RepeatedPtrField<v1::PointId> ids;
  EXPECT_THAT(ToPointIds(ids), StatusIs(absl::StatusCode::kInvalidArgument,
                                        HasSubstr("ids: 1 to 10000")));
  ids.Add()->set_num(1);
  ids.Add();
  EXPECT_THAT(ToPointIds(ids), StatusIs(absl::StatusCode::kInvalidArgument,
                                        HasSubstr("ids[1]: required")));
}

TEST(ConvertPointTest, BothEncodingsMeanTheSame) {
  const std::vector<float> numbers = {1.5F, -0.0F, 1e-45F,
                                      std::numeric_limits<float>::max()};
  v1::Vector values;
  values.mutable_values()->Add(numbers.begin(), numbers.end());
  v1::Vector raw;
  raw.set_raw(std::string(reinterpret_cast<const char*>(numbers.data()),
                          numbers.size() * sizeof(float)));
  ASSERT_OK_AND_ASSIGN(const std::vector<float> a, ToFloats(values, "v"));
  ASSERT_OK_AND_ASSIGN(const std::vector<float> b, ToFloats(raw, "v"));
  EXPECT_EQ(a, numbers);
  EXPECT_EQ(b, numbers);
}

TEST(ConvertPointTest, PointsComeBackAsTheyWent) {
  for (const bool raw_vectors : {false, true}) {
    Point point;
    point.id = std::string("ü");
    point.payload = R"({"big":18446744073709551615})";
    point.vectors = {{"a", {1, 2, 3}}, {"b", {4}}};
    google::protobuf::RepeatedPtrField<v1::Point> wire;
    FromPoint(point, raw_vectors, wire.Add());
    EXPECT_EQ(wire[0].vectors().at("a").raw().empty(), !raw_vectors);
    ASSERT_OK_AND_ASSIGN(const std::vector<Point> back, ToPoints(wire));
    ASSERT_EQ(back.size(), 1);
    EXPECT_EQ(back[0].id, point.id);
    EXPECT_EQ(back[0].payload, point.payload);
    ASSERT_EQ(back[0].vectors.size(), 2);
    EXPECT_EQ(back[0].vectors[0].field, "a");
    EXPECT_EQ(back[0].vectors[0].values, point.vectors[0].values);
  }
}

TEST(ConvertProjectionTest, StarMeansAll) {
  v1::Projection message;
  message.add_vectors("a");
  ASSERT_OK_AND_ASSIGN(ReturnedParts parts, ToReturnedParts(message));
  EXPECT_THAT(parts.projection.vectors, ElementsAre("a"));
  EXPECT_FALSE(parts.projection.all_vectors);
  message.add_vectors("*");
  ASSERT_OK_AND_ASSIGN(parts, ToReturnedParts(message));
  EXPECT_TRUE(parts.projection.all_vectors);
  EXPECT_TRUE(parts.projection.vectors.empty());
  for (int i = 0; i < 33; ++i) {
    message.add_vectors("x");
  }
  EXPECT_THAT(ToReturnedParts(message),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("projection.vectors: at most 32 names")));
}

v1::CollectionSchema ValidSchema() {
  v1::CollectionSchema schema;
  auto* const field = schema.add_vector_fields();
  field->set_name("v");
  field->set_dimension(4);
  field->set_metric(v1::METRIC_L2);
  return schema;
}

TEST(ConvertSchemaTest, DefaultsAreFilledIn) {
  ASSERT_OK_AND_ASSIGN(const Schema schema, ToSchema(ValidSchema(), "schema"));
  EXPECT_EQ(schema.id_kind, IdKind::kNumber);
  EXPECT_EQ(schema.vector_fields[0].graph.m, 16);
  EXPECT_EQ(schema.vector_fields[0].graph.ef_construction, 200);
}

TEST(ConvertSchemaTest, EveryMistakeIsNamed) {
  v1::CollectionSchema schema = ValidSchema();
  schema.mutable_vector_fields(0)->clear_metric();
  EXPECT_THAT(ToSchema(schema, "schema"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("schema.vector_fields[0].metric: required")));
  schema.mutable_vector_fields(0)->set_metric(static_cast<v1::Metric>(99));
  EXPECT_THAT(
      ToSchema(schema, "schema"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("got number 99")));
  schema = ValidSchema();
  schema.set_id_kind(static_cast<v1::IdKind>(7));
  EXPECT_THAT(ToSchema(schema, "schema"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("schema.id_kind")));
  schema = ValidSchema();
  schema.clear_vector_fields();
  EXPECT_THAT(ToSchema(schema, "schema"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("schema.vector_fields: a collection has 1 "
                                 "to 16 vector fields, got 0")));
}

TEST(ConvertCollectionTest, InfoIsComplete) {
  CollectionInfo info;
  info.name = "docs";
  info.create_time_us = 1'700'000'000'000'001;
  info.content_hash = {.low = 1, .high = 0xABCDEF};
  info.health = absl::DataLossError("record 7");
  v1::CollectionInfo message;
  FromCollectionInfo(info, &message);
  EXPECT_EQ(message.create_time().seconds(), 1'700'000'000);
  EXPECT_EQ(message.create_time().nanos(), 1000);
  EXPECT_EQ(message.content_hash(), "0000000000abcdef0000000000000001");
  EXPECT_EQ(message.damage(), "record 7");
}

TEST(SparseVectorTest, HasAsManyWeightsAsIndices) {
  v1::SparseVector message;
  for (const uint32_t index : {9U, 3U}) {
    message.add_indices(index);
    message.add_weights(0.5F);
  }
  ASSERT_OK_AND_ASSIGN(const std::vector<SparseEntry> entries,
                       ToSparseEntries(message, "v"));
  EXPECT_THAT(entries, ElementsAre(SparseEntry{9, 0.5F}, SparseEntry{3, 0.5F}));
  message.add_indices(1);
  EXPECT_THAT(ToSparseEntries(message, "v"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("v: as many weights as indices, got 3 indices "
                                 "and 2 weights")));
  for (int i = 0; i < 65'536; ++i) {
    message.add_indices(1);
    message.add_weights(1);
  }
  message.add_weights(1);
  EXPECT_THAT(ToSparseEntries(message, "v"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("v: at most 65536 entries, got 65539")));
}

}  // namespace
}  // namespace sextant
