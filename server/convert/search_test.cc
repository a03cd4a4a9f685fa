// SPDX-License-Identifier: Apache-2.0
#include "server/convert/search.h"

#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gtest/gtest.h"

#include "base/errors.h"
#include "base/status_matchers.h"
#include "engine/limits.h"

namespace sextant {
namespace {

using testing::HasSubstr;

v1::SearchRequest ValidRequest() {
  v1::SearchRequest request;
  request.set_collection("docs");
  request.set_limit(10);
  request.add_sources()->mutable_dense()->mutable_vector()->add_values(1);
  return request;
}

struct BadRequest {
  const char* name;
  std::function<void(v1::SearchRequest*)> spoil;
  const char* message;  // with the field's path
};

TEST(ConvertSearchTest, EveryMistakeIsNamed) {
  const std::vector<BadRequest> cases = {
      {"no source", [](v1::SearchRequest* r) { r->clear_sources(); },
       "sources: 1 to 16, got 0"},
      {"too many sources",
       [](v1::SearchRequest* r) {
         for (int i = 0; i < 16; ++i) {
           *r->add_sources() = r->sources(0);
         }
       },
       "sources: 1 to 16, got 17"},
      {"no kind", [](v1::SearchRequest* r) { r->mutable_sources(0)->Clear(); },
       "sources[0].kind: required: one that this server knows"},
      {"two stages",
       [](v1::SearchRequest* r) {
         r->add_stages()->mutable_diversity();
         r->add_stages()->mutable_diversity();
       },
       "stages: at most one, got 2"},
      {"cut-off without a kind",
       [](v1::SearchRequest* r) { r->mutable_cut_off(); },
       "cut_off: required: a kind that this server knows"},
      {"no stage", [](v1::SearchRequest* r) { r->add_stages(); },
       "stages[0]: required: a kind that this server knows"},
      {"limit 0", [](v1::SearchRequest* r) { r->set_limit(0); },
       "limit: must be 1 to 10000, got 0"},
      {"limit 2^31", [](v1::SearchRequest* r) { r->set_limit(1U << 31U); },
       "limit: must be 1 to 10000, got 2147483648"},
      {"limit 2^32 - 1", [](v1::SearchRequest* r) { r->set_limit(~0U); },
       "limit: must be 1 to 10000, got 4294967295"},
      {"offset past the end", [](v1::SearchRequest* r) { r->set_offset(9991); },
       "offset: offset + limit is at most 10000, got 10001"},
      {"offset that would overflow",
       [](v1::SearchRequest* r) { r->set_offset(~0U); },
       "offset: offset + limit is at most 10000, got 4294967305"},
      {"no target",
       [](v1::SearchRequest* r) {
         r->mutable_sources(0)->mutable_dense()->clear_vector();
       },
       "sources[0].dense: required: `vector` or `stored_point`"},
      {"empty vector",
       [](v1::SearchRequest* r) {
         r->mutable_sources(0)->mutable_dense()->mutable_vector()->Clear();
       },
       "sources[0].dense.vector: required: `values` or `raw`"},
      {"broken raw",
       [](v1::SearchRequest* r) {
         r->mutable_sources(0)->mutable_dense()->mutable_vector()->Clear();
         r->mutable_sources(0)->mutable_dense()->mutable_vector()->set_raw(
             "123");
       },
       "sources[0].dense.vector.raw: little-endian floats of 4 bytes each, "
       "got 3 bytes"},
      {"stored point without id",
       [](v1::SearchRequest* r) {
         r->mutable_sources(0)->mutable_dense()->mutable_stored_point();
       },
       "sources[0].dense.stored_point: required"},
      {"ef too large",
       [](v1::SearchRequest* r) {
         r->mutable_sources(0)->mutable_dense()->set_ef(10001);
       },
       "sources[0].dense.ef: at most 10000, got 10001"},
      {"ef and exact",
       [](v1::SearchRequest* r) {
         r->mutable_sources(0)->mutable_dense()->set_ef(10);
         r->mutable_sources(0)->mutable_dense()->set_exact(true);
       },
       "sources[0].dense.ef: not with `exact`"},
      {"over-long field",
       [](v1::SearchRequest* r) {
         r->mutable_sources(0)->mutable_dense()->set_field(
             std::string(65, 'f'));
       },
       "sources[0].dense.field: a name has at most 64 characters, got 65"},
      {"too many names in the projection",
       [](v1::SearchRequest* r) {
         for (int i = 0; i < 33; ++i) {
           r->mutable_projection()->add_vectors("v");
         }
       },
       "projection.vectors: at most 32 names, got 33"},
      {"packed hits with a payload",
       [](v1::SearchRequest* r) {
         r->set_packed_hits(true);
         r->mutable_projection()->set_payload(true);
       },
       "packed_hits: not with a payload"},
      {"packed hits with vectors",
       [](v1::SearchRequest* r) {
         r->set_packed_hits(true);
         r->mutable_projection()->add_vectors("*");
       },
       "packed_hits: not with a payload or vectors"},
  };
  for (const BadRequest& bad : cases) {
    v1::SearchRequest request = ValidRequest();
    bad.spoil(&request);
    const auto result = ToSearchCall(request);
    EXPECT_THAT(result, StatusIs(absl::StatusCode::kInvalidArgument,
                                 HasSubstr(bad.message)))
        << bad.name;
    EXPECT_FALSE(InvalidFieldPath(result.status()).empty()) << bad.name;
  }
}

TEST(ConvertSearchTest, QueryIsComplete) {
  v1::SearchRequest request = ValidRequest();
  auto* const dense = request.mutable_sources(0)->mutable_dense();
  dense->set_field("title");
  dense->set_ef(77);
  request.set_offset(5);
  request.set_recall_target(0.75);
  request.set_explain(true);
  request.mutable_projection()->set_payload(true);
  request.mutable_projection()->set_raw_vectors(true);
  ASSERT_OK_AND_ASSIGN(const SearchCall call, ToSearchCall(request));
  const auto& source = std::get<DenseSource>(call.query.sources.at(0));
  EXPECT_EQ(source.field, "title");
  EXPECT_EQ(source.ef, 77);
  EXPECT_EQ(std::get<std::vector<float>>(source.target), std::vector<float>{1});
  EXPECT_EQ(call.query.limit, 10);
  EXPECT_EQ(call.query.offset, 5);
  EXPECT_EQ(call.query.recall_target, 0.75);
  EXPECT_TRUE(call.query.explain);
  EXPECT_TRUE(call.query.projection.payload);
  EXPECT_TRUE(call.form.raw_vectors);
}

TEST(ConvertSearchTest, BatchesAreBounded) {
  v1::SearchBatchRequest batch;
  EXPECT_THAT(CheckBatch(batch),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("searches: 1 to 1000 in a batch, got 0")));
  for (int i = 0; i < 11; ++i) {
    batch.add_searches()->set_limit(10000);
  }
  EXPECT_THAT(CheckBatch(batch),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("is at most 100000, got 110000")));
  batch.mutable_searches()->RemoveLast();
  EXPECT_OK(CheckBatch(batch));
  for (int i = 0; i < 1000; ++i) {
    batch.add_searches();
  }
  EXPECT_THAT(CheckBatch(batch), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ConvertSearchTest, StagesAndGroups) {
  v1::SearchRequest request = ValidRequest();
  request.add_stages()->mutable_diversity()->set_candidates(70);
  request.mutable_grouping()->set_field("shop");
  request.mutable_grouping()->set_hits_per_group(3);
  request.mutable_grouping()->set_candidates_max(500);
  auto call = ToSearchCall(request);
  ASSERT_OK(call);
  EXPECT_EQ(call->query.diversity->strength, 0.5);
  EXPECT_EQ(call->query.diversity->candidates, 70U);
  EXPECT_EQ(call->query.grouping->field, "shop");
  EXPECT_EQ(call->query.grouping->hits_per_group, 3U);
  EXPECT_EQ(call->query.grouping->candidates_max, 500U);
  request.mutable_stages(0)->mutable_diversity()->set_strength(0);
  call = ToSearchCall(request);
  ASSERT_OK(call);
  EXPECT_EQ(call->query.diversity->strength, 0);

  SearchResult result;
  result.hits.resize(3);
  result.groups = {{FieldValue(std::string("games")), FieldType::kKeyword, 1},
                   {FieldValue(KeyOfInteger(-4)), FieldType::kInteger, 2}};
  v1::SearchResponse response;
  FromSearchResult(result, {}, &response);
  ASSERT_EQ(response.groups_size(), 2);
  EXPECT_EQ(response.groups(0).key().text(), "games");
  EXPECT_EQ(response.groups(1).key().integer(), -4);
  EXPECT_EQ(response.groups(1).hits(), 2U);
}

TEST(ConvertSearchTest, HitsArePackedWhenAsked) {
  v1::SearchRequest request = ValidRequest();
  request.set_packed_hits(true);
  ASSERT_OK_AND_ASSIGN(const SearchCall call, ToSearchCall(request));
  EXPECT_TRUE(call.form.packed);
  SearchResult numbers;
  numbers.applied_seq = 9;
  numbers.hits.resize(2);
  numbers.hits[0].score = 0.5F;
  numbers.hits[0].point.id = uint64_t{7};
  numbers.hits[1].score = 0.25F;
  numbers.hits[1].point.id = uint64_t{0};
  v1::SearchResponse response;
  FromSearchResult(numbers, call.form, &response);
  EXPECT_TRUE(response.hits().empty());
  EXPECT_EQ(response.applied_seq(), 9);
  EXPECT_THAT(response.packed().nums(), testing::ElementsAre(7, 0));
  EXPECT_THAT(response.packed().scores(), testing::ElementsAre(0.5F, 0.25F));
  EXPECT_TRUE(response.packed().strs().empty());

  SearchResult texts = numbers;
  texts.hits[0].point.id = std::string("a");
  texts.hits[1].point.id = std::string("b");
  v1::SearchResponse by_text;
  FromSearchResult(texts, call.form, &by_text);
  EXPECT_THAT(by_text.packed().strs(), testing::ElementsAre("a", "b"));
  EXPECT_TRUE(by_text.packed().nums().empty());

  v1::SearchResponse none;
  FromSearchResult(SearchResult(), call.form, &none);
  EXPECT_TRUE(none.has_packed());
  EXPECT_TRUE(none.packed().scores().empty());
}

TEST(ConvertSearchTest, PlanIsToldOnlyWhenAsked) {
  SearchResult result;
  result.plan = "scan";
  result.stages = {{"dense", 10, 5, 10, 0.5}};
  v1::SearchResponse response;
  FromSearchResult(result, {.explain = false}, &response);
  EXPECT_FALSE(response.has_explanation());
  FromSearchResult(result, {.explain = true}, &response);
  EXPECT_EQ(response.explanation().plan(), "scan");
  ASSERT_EQ(response.explanation().stages_size(), 1);
  EXPECT_EQ(response.explanation().stages(0).candidates_out(), 5);
}

}  // namespace
}  // namespace sextant
