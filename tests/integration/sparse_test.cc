// SPDX-License-Identifier: Apache-2.0
//
// Sparse vectors as clients of the API meet them.

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"

#include "tests/integration/server_fixture.h"

namespace sextant {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Entries = std::vector<std::pair<uint32_t, float>>;

void Set(const Entries& entries, v1::SparseVector* vector) {
  vector->Clear();
  for (const auto& [index, weight] : entries) {
    vector->add_indices(index);
    vector->add_weights(weight);
  }
}

class SparseTest : public ServerTest {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(StartServer());
    v1::CreateCollectionRequest request;
    request.set_name("docs");
    auto* const schema = request.mutable_schema();
    auto* const vector = schema->add_vector_fields();
    vector->set_name("v");
    vector->set_dimension(kDimension);
    vector->set_metric(v1::METRIC_COSINE);
    schema->add_sparse_fields()->set_name("terms");
    auto* const parity = schema->add_payload_fields();
    parity->set_name("parity");
    parity->set_type(v1::FIELD_TYPE_INTEGER);
    v1::CreateCollectionResponse response;
    grpc::ClientContext context;
    const grpc::Status created =
        api_->collections->CreateCollection(&context, request, &response);
    ASSERT_TRUE(created.ok()) << created.error_message();
    EXPECT_EQ(response.collection().schema().sparse_fields(0).name(), "terms");
    v1::UpsertPointsRequest upsert = UpsertOf("docs", 0, 6);
    for (uint64_t id = 0; id < 5; ++id) {
      v1::Point* const point = upsert.mutable_points(static_cast<int>(id));
      point->set_payload(absl::StrCat(R"({"parity":)", id % 2, "}"));
      // Not by index, and with an entry that means nothing.
      Set({{100 + static_cast<uint32_t>(id), 1},
           {7, 0.5F * static_cast<float>(id)},
           {3, 0}},
          &(*point->mutable_sparse_vectors())["terms"]);
    }
    const grpc::Status written = Upsert(upsert);
    ASSERT_TRUE(written.ok()) << written.error_message();
  }

  static v1::SearchRequest SparseOf(const Entries& entries) {
    v1::SearchRequest request;
    request.set_collection("docs");
    request.set_limit(10);
    Set(entries, request.add_sources()->mutable_sparse()->mutable_vector());
    return request;
  }

  v1::SearchResponse Found(const v1::SearchRequest& request) {
    v1::SearchResponse response;
    const grpc::Status status = Search(request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  std::vector<uint64_t> IdsOf(const v1::SearchRequest& request) {
    const v1::SearchResponse response = Found(request);
    std::vector<uint64_t> ids;
    for (const v1::Hit& hit : response.hits()) {
      ids.push_back(hit.id().num());
    }
    return ids;
  }
};

TEST_F(SparseTest, FindsTheGreatestInnerProducts) {
  v1::SearchRequest request = SparseOf({{102, 5}, {7, 2}});
  const v1::SearchResponse response = Found(request);
  // The point 0 has no weight at 7, the point 5 no sparse vector.
  ASSERT_EQ(response.hits_size(), 4);
  EXPECT_EQ(response.hits(0).id().num(), 2);
  EXPECT_EQ(response.hits(0).score(), 7);
  EXPECT_EQ(response.hits(1).id().num(), 4);
  EXPECT_EQ(response.hits(1).score(), 4);
  EXPECT_EQ(response.expected_recall(), 1);
  request.mutable_filter()->set_text("parity = 1");
  EXPECT_THAT(IdsOf(request), ElementsAre(3, 1));
  request.clear_filter();
  request.mutable_cut_off()->set_min_score(3);
  EXPECT_THAT(IdsOf(request), ElementsAre(2, 4, 3));
}

TEST_F(SparseTest, ComesBackByAscendingIndex) {
  v1::GetPointsRequest request;
  request.set_collection("docs");
  request.add_ids()->set_num(4);
  request.mutable_projection()->add_vectors("*");
  v1::GetPointsResponse response;
  grpc::ClientContext context;
  const grpc::Status got =
      api_->points->GetPoints(&context, request, &response);
  ASSERT_TRUE(got.ok()) << got.error_message();
  ASSERT_EQ(response.points(0).sparse_vectors().count("terms"), 1U);
  const v1::SparseVector& vector =
      response.points(0).sparse_vectors().at("terms");
  EXPECT_THAT(vector.indices(), ElementsAre(7, 104));
  EXPECT_THAT(vector.weights(), ElementsAre(2, 1));
  v1::SearchRequest search = SparseOf({{104, 1}});
  search.mutable_projection()->add_vectors("terms");
  const v1::SearchResponse found = Found(search);
  EXPECT_TRUE(found.hits(0).vectors().empty());
  EXPECT_THAT(found.hits(0).sparse_vectors().at("terms").indices(),
              ElementsAre(7, 104));
}

TEST_F(SparseTest, FusesAndExplains) {
  v1::SearchRequest request = SparseOf({{7, 2}, {101, 1}});
  request.add_sources()->mutable_dense()->mutable_stored_point()->set_num(5);
  for (v1::Source& source : *request.mutable_sources()) {
    source.set_normaliser(v1::NORMALISER_NONE);
  }
  request.mutable_fusion()->set_method(v1::FUSION_METHOD_LINEAR);
  request.set_explain(true);
  const v1::SearchResponse response = Found(request);
  ASSERT_EQ(response.hits_size(), 5);
  EXPECT_THAT(response.explanation().plan(), HasSubstr("sparse terms"));
  for (const v1::Hit& hit : response.hits()) {
    const v1::SourceExplanation& sparse = hit.explanation().sources(0);
    EXPECT_EQ(sparse.kind(), "sparse terms");
    const auto id = static_cast<double>(hit.id().num());
    EXPECT_EQ(sparse.score(), id + (id == 1 ? 1 : 0));
    double sum = 0;
    for (const v1::SparseProduct& product : sparse.products()) {
      EXPECT_EQ(product.query_weight() * product.weight(), product.score());
      sum += static_cast<double>(product.score());
    }
    EXPECT_EQ(sum, sparse.score());
  }
}

TEST_F(SparseTest, SearchesByAStoredPoint) {
  v1::SearchRequest request = SparseOf({});
  request.mutable_sources(0)->mutable_sparse()->mutable_stored_point()->set_num(
      1);
  EXPECT_THAT(IdsOf(request), ElementsAre(4, 3, 2));
  request.mutable_sources(0)->mutable_sparse()->mutable_stored_point()->set_num(
      5);
  v1::SearchResponse response;
  EXPECT_EQ(Search(request, &response).error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST_F(SparseTest, NamesWhatIsWrong) {
  const auto error = [&](const Entries& entries) {
    v1::UpsertPointsRequest upsert = UpsertOf("docs", 0, 1);
    Set(entries,
        &(*upsert.mutable_points(0)->mutable_sparse_vectors())["terms"]);
    const grpc::Status status = Upsert(upsert);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    return status.error_message();
  };
  EXPECT_THAT(error({{1, 1}, {1, 2}}),
              HasSubstr("points[0].sparse_vectors[terms]: index 1 occurs "
                        "twice"));
  EXPECT_THAT(error({{1, std::numeric_limits<float>::quiet_NaN()}}),
              HasSubstr("points[0].sparse_vectors[terms].weights[0]"));
  EXPECT_THAT(error(Entries(65'537, {1, 1})), HasSubstr("at most 65536"));
  v1::UpsertPointsRequest upsert = UpsertOf("docs", 0, 1);
  auto& vectors = *upsert.mutable_points(0)->mutable_sparse_vectors();
  vectors["terms"].add_indices(1);
  EXPECT_THAT(Upsert(upsert).error_message(),
              HasSubstr("points[0].sparse_vectors[terms]: as many weights as "
                        "indices, got 1 indices and 0 weights"));
  v1::SearchRequest request = SparseOf({{1, 1}, {1, 2}});
  v1::SearchResponse response;
  EXPECT_THAT(Search(request, &response).error_message(),
              HasSubstr("sources[0].sparse.vector: index 1 occurs twice"));
  request.mutable_sources(0)->mutable_sparse()->clear_target();
  EXPECT_THAT(Search(request, &response).error_message(),
              HasSubstr("sources[0].sparse: required"));
}

}  // namespace
}  // namespace sextant
