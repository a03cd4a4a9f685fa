// SPDX-License-Identifier: Apache-2.0
//
// Cut-offs as clients of the API meet them.

#include <string>
#include <vector>

#include "gmock/gmock.h"

#include "tests/integration/server_fixture.h"

namespace sextant {
namespace {

using testing::HasSubstr;

class CutOffApiTest : public ServerTest {
 protected:
  // Points 0, 1 and 2 are nearly the same.
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(StartServer());
    ASSERT_TRUE(CreateCollection("docs").ok());
    v1::UpsertPointsRequest upsert = UpsertOf("docs", 0, 60);
    for (int i = 0; i < 3; ++i) {
      std::vector<float> values = VectorOf(1000, kDimension);
      values[static_cast<size_t>(i)] += 0.05F;
      auto* const numbers =
          (*upsert.mutable_points(i)->mutable_vectors())["v"].mutable_values();
      numbers->Assign(values.begin(), values.end());
    }
    ASSERT_TRUE(Upsert(upsert).ok());
  }

  static v1::SearchRequest NearRequest() {
    return SearchOf("docs", VectorOf(1000, kDimension), 20);
  }
};

TEST_F(CutOffApiTest, AGapEndsTheAnswer) {
  v1::SearchRequest request = NearRequest();
  request.mutable_cut_off()->mutable_score_gap();
  request.set_explain(true);
  v1::SearchResponse response;
  ASSERT_TRUE(Search(request, &response).ok());
  EXPECT_EQ(response.hits_size(), 3);
  EXPECT_EQ(response.cut_off().candidates(), 60U);
  EXPECT_EQ(response.cut_off().kept(), 3U);
  EXPECT_EQ(response.cut_off().best_score(), response.hits(0).score());
  EXPECT_FALSE(response.cut_off().nothing_relevant());
  EXPECT_THAT(response.explanation().plan(), HasSubstr("cut-off score gap"));

  request.mutable_cut_off()->mutable_score_gap()->set_min_gap(1.9);
  request.mutable_cut_off()->mutable_score_gap()->set_empty_without_gap(true);
  ASSERT_TRUE(Search(request, &response).ok());
  EXPECT_EQ(response.hits_size(), 0);
  EXPECT_TRUE(response.cut_off().nothing_relevant());
  EXPECT_FALSE(response.cut_off().has_least_score());
}

TEST_F(CutOffApiTest, BadCutOffsNameTheirField) {
  v1::SearchRequest request = NearRequest();
  v1::SearchResponse response;
  request.mutable_cut_off()->mutable_score_gap()->set_candidates(1001);
  grpc::Status status = Search(request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(FieldOf(status), "cut_off.score_gap.candidates");
  EXPECT_THAT(status.error_message(), HasSubstr("must be 2 to 1000"));
  request.mutable_cut_off()->mutable_score_gap()->clear_candidates();
  *request.add_sources() = request.sources(0);
  status = Search(request, &response);
  EXPECT_EQ(FieldOf(status), "cut_off.score_gap");
  EXPECT_THAT(status.error_message(), HasSubstr("fuse linearly"));
}

}  // namespace
}  // namespace sextant
