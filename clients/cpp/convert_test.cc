// SPDX-License-Identifier: Apache-2.0
#include "clients/cpp/convert.h"

#include "base/status_matchers.h"

namespace sextant::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(ConvertTest, PointsSurviveTheWire) {
  const Point point = {.id = std::string("a"),
                       .vectors = {{"x", {1, -2.5F}}, {"y", {0}}},
                       .payload = "{\"a\": 1}"};
  v1::Point wire;
  ToWire(point, &wire);
  ASSERT_OK_AND_ASSIGN(const Point back, FromWire(wire));
  EXPECT_EQ(back.id, point.id);
  EXPECT_EQ(back.vectors, point.vectors);
  EXPECT_EQ(back.payload, point.payload);
}

TEST(ConvertTest, TakesBothVectorEncodings) {
  v1::Point wire;
  wire.mutable_id()->set_num(0);
  (*wire.mutable_vectors())["x"].add_values(1.5F);
  (*wire.mutable_vectors())["x"].add_values(2);
  ASSERT_OK_AND_ASSIGN(const Point point, FromWire(wire));
  EXPECT_EQ(point.id, PointId(uint64_t{0}));
  EXPECT_THAT(point.vectors, ElementsAre(Pair("x", ElementsAre(1.5F, 2))));
}

TEST(ConvertTest, BrokenAnswersAreErrors) {
  v1::SearchResponse no_id;
  no_id.add_hits();
  EXPECT_THAT(FromWire(no_id).status(), StatusIs(absl::StatusCode::kInternal,
                                                 HasSubstr("without an id")));
  v1::Point odd_bytes;
  odd_bytes.mutable_id()->set_num(1);
  (*odd_bytes.mutable_vectors())["x"].set_raw("12345");
  EXPECT_THAT(FromWire(odd_bytes).status(),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("5 bytes")));
}

TEST(ConvertTest, WhatIsNotSetOfATextFieldStaysAsItIs) {
  v1::UpdateTextFieldRequest wire;
  ToWire({.field = "body", .positions = true}, &wire);
  EXPECT_EQ(wire.field(), "body");
  EXPECT_FALSE(wire.has_analyzer());
  EXPECT_TRUE(wire.has_no_positions());
  EXPECT_FALSE(wire.no_positions());
  wire.Clear();
  ToWire({.field = "body",
          .analyzer = Analyzer{.kind = AnalyzerKind::kEdgeNgram,
                               .stop_words = {"a", "b"},
                               .keep_accents = true,
                               .min_gram = 3,
                               .max_gram = 4}},
         &wire);
  EXPECT_FALSE(wire.has_no_positions());
  EXPECT_EQ(wire.analyzer().kind(), v1::ANALYZER_KIND_EDGE_NGRAM);
  EXPECT_THAT(wire.analyzer().stop_words(), ElementsAre("a", "b"));
  EXPECT_TRUE(wire.analyzer().keep_accents());
  EXPECT_EQ(wire.analyzer().min_gram(), 3U);
  EXPECT_EQ(wire.analyzer().max_gram(), 4U);
}

TEST(ConvertTest, SearchRequestHasOneSource) {
  SearchRequest request;
  request.target = PointId(uint64_t{42});
  request.limit = 3;
  request.ef = 77;
  request.recall_target = 0.9;
  v1::SearchRequest wire;
  ToWire(request, &wire);
  ASSERT_EQ(wire.sources_size(), 1);
  EXPECT_EQ(wire.sources(0).dense().stored_point().num(), 42u);
  EXPECT_EQ(wire.sources(0).dense().ef(), 77u);
  EXPECT_EQ(wire.limit(), 3u);
  EXPECT_EQ(wire.recall_target(), 0.9);
}

TEST(ConvertTest, SearchResultsSurviveTheWire) {
  v1::SearchResponse wire;
  wire.set_expected_recall(0.97);
  wire.set_applied_seq(4);
  const absl::StatusOr<SearchResult> result = FromWire(wire);
  ASSERT_OK(result);
  EXPECT_EQ(result->expected_recall, 0.97);
  EXPECT_EQ(result->applied_seq, 4u);
  EXPECT_FALSE(result->explanation.has_value());
}

TEST(ConvertTest, HitsArePackedUnlessTheyCarryMore) {
  SearchRequest request;
  request.target = std::vector<float>{1};
  v1::SearchRequest wire;
  ToWire(request, &wire);
  EXPECT_TRUE(wire.packed_hits());
  request.projection.payload = true;
  wire.Clear();
  ToWire(request, &wire);
  EXPECT_FALSE(wire.packed_hits());
  request.projection = {.payload = false, .vectors = {"*"}};
  wire.Clear();
  ToWire(request, &wire);
  EXPECT_FALSE(wire.packed_hits());

  v1::SearchResponse answer;
  answer.mutable_packed()->add_nums(7);
  answer.mutable_packed()->add_scores(0.5F);
  ASSERT_OK_AND_ASSIGN(const SearchResult result, FromWire(answer));
  ASSERT_EQ(result.hits.size(), 1u);
  EXPECT_EQ(result.hits[0].id, PointId(uint64_t{7}));
  EXPECT_EQ(result.hits[0].score, 0.5F);
  answer.mutable_packed()->add_scores(0.25F);
  EXPECT_THAT(
      FromWire(answer).status(),
      StatusIs(absl::StatusCode::kInternal, HasSubstr("1 ids and 2 scores")));
}

TEST(ConvertTest, CollectionsSurviveTheWire) {
  v1::CollectionInfo wire;
  wire.set_name("a");
  ToWire({.vector_fields =
              {{.name = "x", .dimension = 3, .metric = Metric::kL2, .m = 8}},
          .id_kind = IdKind::kString},
         wire.mutable_schema());
  wire.mutable_index()->set_unindexed_points(5);
  const CollectionInfo info = FromWire(wire);
  ASSERT_EQ(info.schema.vector_fields.size(), 1u);
  EXPECT_EQ(info.schema.vector_fields[0].metric, Metric::kL2);
  EXPECT_EQ(info.schema.vector_fields[0].m, 8u);
  EXPECT_EQ(info.schema.id_kind, IdKind::kString);
  EXPECT_EQ(info.index.unindexed_points, 5u);
}

}  // namespace
}  // namespace sextant::client
