// SPDX-License-Identifier: Apache-2.0
//
// Changes of banks and normalisers over gRPC: waited for, or in the background
// through a stop of the server.

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"

#include "sextant/v1/normalizer_service.grpc.pb.h"
#include "tests/integration/server_fixture.h"
#include "tests/support/eventually.h"

namespace sextant {
namespace {

using testing::HasSubstr;

class NormalizerApiTest : public ServerTest {
 protected:
  void Start() {
    ASSERT_NO_FATAL_FAILURE(StartServer());
    normalizers_ = v1::NormalizerService::NewStub(api_->channel);
  }

  static v1::PutBankRequest BankOf(uint64_t first, uint64_t count) {
    v1::PutBankRequest request;
    request.set_collection("docs");
    request.set_name("asked");
    for (uint64_t id = first; id < first + count; ++id) {
      const std::vector<float> vector = VectorOf(id, kDimension);
      request.add_vectors()->mutable_values()->Add(vector.begin(),
                                                   vector.end());
    }
    return request;
  }
  v1::Bank PutBank(const v1::PutBankRequest& request) {
    v1::PutBankResponse response;
    grpc::ClientContext context;
    const grpc::Status status =
        normalizers_->PutBank(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.bank();
  }
  v1::Normalizer PutNormalizer(const v1::PutNormalizerRequest& request) {
    v1::PutNormalizerResponse response;
    grpc::ClientContext context;
    const grpc::Status status =
        normalizers_->PutNormalizer(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.normalizer();
  }
  static v1::PutNormalizerRequest NormalizerOf(const std::string& name,
                                               const std::string& method) {
    v1::PutNormalizerRequest request;
    request.set_collection("docs");
    request.mutable_normalizer()->set_name(name);
    request.mutable_normalizer()->set_method(method);
    request.mutable_normalizer()->set_query_bank("asked");
    return request;
  }
  v1::Bank ListedBank() {
    v1::ListBanksRequest request;
    request.set_collection("docs");
    v1::ListBanksResponse response;
    grpc::ClientContext context;
    EXPECT_TRUE(normalizers_->ListBanks(&context, request, &response).ok());
    return response.banks_size() == 1 ? response.banks(0) : v1::Bank();
  }
  // Empty: there is none of that name.
  v1::Normalizer Listed(const std::string& name) {
    v1::ListNormalizersRequest request;
    request.set_collection("docs");
    v1::ListNormalizersResponse response;
    grpc::ClientContext context;
    EXPECT_TRUE(
        normalizers_->ListNormalizers(&context, request, &response).ok());
    for (const v1::Normalizer& normalizer : response.normalizers()) {
      if (normalizer.name() == name) {
        return normalizer;
      }
    }
    return {};
  }
  grpc::Status SearchBy(const std::string& normalizer) {
    v1::SearchRequest request = SearchOf("docs", VectorOf(7, kDimension), 5);
    request.mutable_sources(0)->mutable_dense()->set_normalizer(normalizer);
    v1::SearchResponse response;
    return Search(request, &response);
  }

  std::unique_ptr<v1::NormalizerService::Stub> normalizers_;
};

TEST_F(NormalizerApiTest, AChangeIsWaitedForOrNot) {
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_TRUE(CreateCollection("docs").ok());
  ASSERT_TRUE(Upsert(UpsertOf("docs", 0, 300)).ok());
  // Nothing uses it, so there is nothing to wait for.
  v1::PutBankRequest request = BankOf(1000, 50);
  request.set_no_wait(true);
  const v1::Bank first = PutBank(request);
  EXPECT_FALSE(first.has_change());
  EXPECT_EQ(first.count(), 50U);

  const v1::Normalizer made = PutNormalizer(NormalizerOf("c", "csls"));
  EXPECT_FALSE(made.has_change());
  EXPECT_GT(made.version(), first.version());
  EXPECT_EQ(made.query_bank_version(), first.version());
  EXPECT_EQ(made.gallery_bank_version(), 0U);
  EXPECT_TRUE(SearchBy("c").ok());

  const v1::Bank second = PutBank(BankOf(2000, 40));
  EXPECT_FALSE(second.has_change());
  EXPECT_EQ(second.count(), 40U);
  EXPECT_EQ(Listed("c").query_bank_version(), second.version());

  request = BankOf(3000, 30);
  request.set_no_wait(true);
  const v1::Bank third = PutBank(request);
  if (third.has_change()) {
    EXPECT_EQ(third.version(), second.version());
    EXPECT_EQ(third.count(), 40U);
    EXPECT_EQ(third.change().count(), 30U);
    EXPECT_GT(third.change().progress().version(), second.version());
  }
  ASSERT_TRUE(Eventually([this] { return !ListedBank().has_change(); },
                         absl::Minutes(2)));
  EXPECT_EQ(ListedBank().count(), 30U);
  EXPECT_EQ(Listed("c").query_bank_version(), ListedBank().version());
}

TEST_F(NormalizerApiTest,
       ALongChangeOutlivesTheServerAndEndsWithItsNormalizer) {
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_TRUE(CreateCollection("docs").ok());
  ASSERT_TRUE(Upsert(UpsertOf("docs", 0, 4000)).ok());
  // Sinkhorn's algorithm fits to what is sealed.
  WaitForMetric(R"(sextant_collection_segments{collection="docs"})", 1);
  ASSERT_EQ(PutBank(BankOf(10'000, 50'000)).count(), 50'000U);
  // Minutes, on many cores too.
  v1::PutNormalizerRequest request = NormalizerOf("long", "sinkhorn");
  request.mutable_normalizer()->set_iterations(1000);
  request.set_no_wait(true);
  v1::Normalizer normalizer = PutNormalizer(request);
  EXPECT_EQ(normalizer.version(), 0U);
  ASSERT_TRUE(normalizer.has_change());
  const uint64_t version = normalizer.change().version();
  EXPECT_GT(version, 0U);
  ASSERT_TRUE(Eventually([this] { return Listed("long").change().done() > 0; },
                         absl::Minutes(2)));
  normalizer = Listed("long");
  EXPECT_EQ(normalizer.change().total(), 4000U * 2001);
  EXPECT_LT(normalizer.change().done(), normalizer.change().total());
  const grpc::Status searched = SearchBy("long");
  EXPECT_EQ(searched.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(searched.error_message(), HasSubstr("is still being computed"));

  server_->Signal(SIGTERM);
  ASSERT_OK_AND_ASSIGN(const int code, server_->WaitForExit());
  EXPECT_EQ(code, 0);
  ASSERT_NO_FATAL_FAILURE(Start());
  normalizer = Listed("long");
  EXPECT_EQ(normalizer.version(), 0U);
  ASSERT_TRUE(normalizer.has_change());
  EXPECT_EQ(normalizer.change().version(), version);

  v1::DeleteNormalizerRequest remove;
  remove.set_collection("docs");
  remove.set_name("long");
  v1::DeleteNormalizerResponse removed;
  grpc::ClientContext context;
  EXPECT_TRUE(normalizers_->DeleteNormalizer(&context, remove, &removed).ok());
  EXPECT_EQ(Listed("long").name(), "");
  // What comes after it is not held up.
  EXPECT_FALSE(PutNormalizer(NormalizerOf("short", "csls")).has_change());
}

}  // namespace
}  // namespace sextant
