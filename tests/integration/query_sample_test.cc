// SPDX-License-Identifier: Apache-2.0
//
// Sampled queries as clients of the API meet them.

#include <string>
#include <vector>

#include "gmock/gmock.h"

#include "sextant/v1/normalizer_service.grpc.pb.h"
#include "sextant/v1/query_sample_service.grpc.pb.h"
#include "tests/integration/server_fixture.h"

namespace sextant {
namespace {

class QuerySampleApiTest : public ServerTest {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(StartServer());
    ASSERT_TRUE(CreateCollection("docs").ok());
    ASSERT_TRUE(Upsert(UpsertOf("docs", 0, 100)).ok());
    samples_ = v1::QuerySampleService::NewStub(api_->channel);
    normalizers_ = v1::NormalizerService::NewStub(api_->channel);
  }

  // All numbers of one sign, and some noise.
  void Ask(uint64_t first, uint64_t count, float sign) {
    for (uint64_t i = first; i < first + count; ++i) {
      std::vector<float> vector = VectorOf(10'000 + i, kDimension);
      for (float& x : vector) {
        x = 0.2F * x + sign;
      }
      v1::SearchResponse response;
      ASSERT_TRUE(Search(SearchOf("docs", vector, 1), &response).ok());
    }
  }

  grpc::Status Set(uint32_t capacity, v1::SetQuerySampleResponse* response) {
    v1::SetQuerySampleRequest request;
    request.set_collection("docs");
    request.set_capacity(capacity);
    grpc::ClientContext context;
    return samples_->SetQuerySample(&context, request, response);
  }

  v1::Normalizer Normalizer() {
    v1::ListNormalizersRequest request;
    request.set_collection("docs");
    v1::ListNormalizersResponse response;
    grpc::ClientContext context;
    EXPECT_TRUE(
        normalizers_->ListNormalizers(&context, request, &response).ok());
    EXPECT_EQ(response.normalizers_size(), 1);
    return response.normalizers_size() == 1 ? response.normalizers(0)
                                            : v1::Normalizer();
  }

  std::unique_ptr<v1::QuerySampleService::Stub> samples_;
  std::unique_ptr<v1::NormalizerService::Stub> normalizers_;
};

TEST_F(QuerySampleApiTest, FromQueriesToABankThatIsWatched) {
  v1::SetQuerySampleResponse started;
  ASSERT_TRUE(Set(200, &started).ok());
  EXPECT_EQ(started.sample().field(), "v");
  Ask(0, 200, 1);
  v1::PutBankOfQueriesRequest bank;
  bank.set_collection("docs");
  bank.set_name("asked");
  v1::PutBankOfQueriesResponse made;
  grpc::ClientContext of_bank;
  ASSERT_TRUE(samples_->PutBankOfQueries(&of_bank, bank, &made).ok());
  EXPECT_EQ(made.bank().count(), 200U);
  EXPECT_FALSE(made.bank().gallery());

  v1::PutNormalizerRequest put;
  put.set_collection("docs");
  put.mutable_normalizer()->set_name("csls");
  put.mutable_normalizer()->set_method("csls");
  put.mutable_normalizer()->set_query_bank("asked");
  v1::PutNormalizerResponse stored;
  grpc::ClientContext of_put;
  ASSERT_TRUE(normalizers_->PutNormalizer(&of_put, put, &stored).ok());
  ASSERT_TRUE(Normalizer().has_query_shift());
  EXPECT_FALSE(Normalizer().query_shift().is_shifted());

  v1::ClearQuerySampleRequest clear;
  clear.set_collection("docs");
  v1::ClearQuerySampleResponse cleared;
  grpc::ClientContext of_clear;
  ASSERT_TRUE(samples_->ClearQuerySample(&of_clear, clear, &cleared).ok());
  EXPECT_EQ(cleared.sample().kept(), 0U);
  EXPECT_EQ(cleared.sample().capacity(), 200U);
  EXPECT_FALSE(Normalizer().has_query_shift());
  Ask(1000, 60, -1);
  EXPECT_TRUE(Normalizer().query_shift().is_shifted());
  EXPECT_GT(Normalizer().query_shift().distance(), 0.9);
  EXPECT_GT(Metric("sextant_normalizer_query_shift_ratio{collection=\"docs\","
                   "normalizer=\"csls\"}"),
            0.9);

  v1::ListQuerySamplesRequest list;
  list.set_collection("docs");
  v1::ListQuerySamplesResponse listed;
  grpc::ClientContext of_list;
  ASSERT_TRUE(samples_->ListQuerySamples(&of_list, list, &listed).ok());
  ASSERT_EQ(listed.samples_size(), 1);
  EXPECT_EQ(listed.samples(0).seen(), 60U);
}

TEST_F(QuerySampleApiTest, ErrorsNameTheField) {
  v1::SetQuerySampleResponse response;
  EXPECT_EQ(FieldOf(Set(100'001, &response)), "capacity");
  v1::PutBankOfQueriesRequest bank;
  bank.set_collection("docs");
  bank.set_name("asked");
  v1::PutBankOfQueriesResponse made;
  grpc::ClientContext context;
  EXPECT_EQ(samples_->PutBankOfQueries(&context, bank, &made).error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
}

}  // namespace
}  // namespace sextant
