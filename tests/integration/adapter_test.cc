// SPDX-License-Identifier: Apache-2.0
//
// Cosine Adapters as clients of the API meet them.

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "gmock/gmock.h"

#include "sextant/v1/adapter_service.grpc.pb.h"
#include "tests/integration/server_fixture.h"

namespace sextant {
namespace {

using testing::HasSubstr;

class AdapterApiTest : public ServerTest {
 protected:
  static constexpr uint64_t kTestPoints = 200;

  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(StartServer());
    ASSERT_TRUE(CreateCollection("docs").ok());
    ASSERT_TRUE(Upsert(UpsertOf("docs", 0, kTestPoints)).ok());
    adapters_ = v1::AdapterService::NewStub(api_->channel);
  }

  // Each point is what its own vector, a little moved, asks for.
  static v1::FitAdapterRequest FitRequest() {
    v1::FitAdapterRequest request;
    request.set_collection("docs");
    request.set_name("own");
    for (uint64_t id = 0; id < kTestPoints; ++id) {
      std::vector<float> vector = VectorOf(id, kDimension);
      vector[id % kDimension] += 0.2F;
      auto* const query = request.add_queries();
      query->mutable_vector()->mutable_values()->Add(vector.begin(),
                                                     vector.end());
      query->add_relevant()->set_num(id);
    }
    request.set_negatives(20);
    request.set_hidden(4);
    request.set_epochs(20);
    return request;
  }

  // The last message.
  grpc::Status Fit(const v1::FitAdapterRequest& request,
                   v1::FitAdapterResponse* response) {
    grpc::ClientContext context;
    const auto reader = adapters_->FitAdapter(&context, request);
    while (reader->Read(response)) {
    }
    return reader->Finish();
  }

  grpc::Status Put(const v1::PutAdapterRequest& request,
                   v1::PutAdapterResponse* response) {
    grpc::ClientContext context;
    return adapters_->PutAdapter(&context, request, response);
  }

  v1::ListAdaptersResponse List(bool layers,
                                const std::string& collection = "docs") {
    v1::ListAdaptersRequest request;
    request.set_collection(collection);
    request.set_layers(layers);
    v1::ListAdaptersResponse response;
    grpc::ClientContext context;
    EXPECT_TRUE(adapters_->ListAdapters(&context, request, &response).ok());
    return response;
  }

  std::unique_ptr<v1::AdapterService::Stub> adapters_;
};

TEST_F(AdapterApiTest, FitsListsMovesSearchesAndDeletes) {
  v1::FitAdapterResponse fitted;
  const grpc::Status status = Fit(FitRequest(), &fitted);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(fitted.adapter().family(), "power");
  EXPECT_EQ(fitted.adapter().fit().held_out_queries(), 60U);
  EXPECT_GE(fitted.adapter().fit().recall(), 0.95);
  EXPECT_EQ(fitted.adapter().layers_size(), 0);

  v1::SearchRequest request = SearchOf("docs", VectorOf(7, kDimension), 50);
  request.mutable_cut_off()->mutable_adapter()->set_name("own");
  request.set_explain(true);
  v1::SearchResponse response;
  ASSERT_TRUE(Search(request, &response).ok());
  ASSERT_GE(response.hits_size(), 1);
  EXPECT_LT(response.hits_size(), 50);
  EXPECT_EQ(response.hits(0).id().num(), 7U);
  EXPECT_TRUE(response.cut_off().has_least_score());
  EXPECT_THAT(response.explanation().plan(), HasSubstr("adapter own version"));
  // Far from every point.
  for (const float value : {1.0F, -1.0F}) {
    auto* const numbers = request.mutable_sources(0)
                              ->mutable_dense()
                              ->mutable_vector()
                              ->mutable_values();
    for (int i = 0; i < numbers->size(); ++i) {
      numbers->Set(i, i % 2 == 0 ? value : -value);
    }
    v1::SearchResponse far;
    ASSERT_TRUE(Search(request, &far).ok());
    EXPECT_EQ(far.cut_off().nothing_relevant(), far.hits_size() == 0);
  }

  // What is listed can be stored under another name, and does the same.
  ASSERT_EQ(List(false).adapters(0).layers_size(), 0);
  v1::PutAdapterRequest put;
  put.set_collection("docs");
  *put.mutable_adapter() = List(true).adapters(0);
  put.mutable_adapter()->set_name("copy");
  v1::PutAdapterResponse stored;
  ASSERT_TRUE(Put(put, &stored).ok());
  EXPECT_GT(stored.adapter().version(), fitted.adapter().version());
  EXPECT_FALSE(stored.adapter().has_fit());
  request = SearchOf("docs", VectorOf(7, kDimension), 50);
  request.mutable_cut_off()->mutable_adapter()->set_name("copy");
  v1::SearchResponse same;
  ASSERT_TRUE(Search(request, &same).ok());
  EXPECT_EQ(same.hits_size(), response.hits_size());

  v1::DeleteAdapterRequest remove;
  remove.set_collection("docs");
  remove.set_name("own");
  v1::DeleteAdapterResponse removed;
  grpc::ClientContext context;
  EXPECT_TRUE(adapters_->DeleteAdapter(&context, remove, &removed).ok());
  grpc::ClientContext again;
  EXPECT_EQ(adapters_->DeleteAdapter(&again, remove, &removed).error_code(),
            grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(List(false).adapters_size(), 1);
}

TEST_F(AdapterApiTest, AutoTellsOfAllFamiliesAndKeepsTheBest) {
  v1::FitAdapterRequest request = FitRequest();
  request.set_family("auto");
  grpc::ClientContext context;
  const auto reader = adapters_->FitAdapter(&context, request);
  std::vector<std::string> stages;
  v1::FitAdapterResponse response;
  while (reader->Read(&response) && response.has_progress()) {
    const v1::FitProgress& at = response.progress();
    EXPECT_LE(at.done(), at.total());
    const std::string stage = at.stage() + " " + at.family();
    if (stages.empty() || stages.back() != stage) {
      stages.push_back(stage);
    }
  }
  EXPECT_THAT(stages,
              testing::ElementsAre("searches ", "training linear",
                                   "training square_root", "training quadratic",
                                   "training power"));
  ASSERT_TRUE(response.has_adapter());
  const v1::CosineAdapter adapter = response.adapter();
  EXPECT_FALSE(reader->Read(&response));
  EXPECT_TRUE(reader->Finish().ok());
  ASSERT_EQ(adapter.fit().families_size(), 4);
  double best = 0;
  for (const v1::FamilyFit& family : adapter.fit().families()) {
    best = std::max(best, family.average_precision());
    if (family.family() == adapter.family()) {
      EXPECT_EQ(family.threshold(), adapter.threshold());
      EXPECT_EQ(family.average_precision(), adapter.fit().average_precision());
    }
  }
  EXPECT_EQ(adapter.fit().average_precision(), best);
  EXPECT_EQ(List(false).adapters(0).fit().families_size(), 4);
}

TEST_F(AdapterApiTest, WhoCancelsAFitLeavesNothing) {
  // Minutes of training.
  ASSERT_NO_FATAL_FAILURE(FillWideCollection());
  v1::FitAdapterRequest request;
  request.set_collection("wide");
  request.set_name("own");
  request.set_family("auto");
  request.set_hidden(256);
  for (uint64_t id = 0; id < 1000; ++id) {
    const std::vector<float> vector = VectorOf(id, kWide);
    auto* const query = request.add_queries();
    query->mutable_vector()->mutable_values()->Add(vector.begin(),
                                                   vector.end());
    query->add_relevant()->set_num(id + 1);
  }
  grpc::ClientContext context;
  const auto reader = adapters_->FitAdapter(&context, request);
  v1::FitAdapterResponse response;
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.progress().stage(), "searches");
  EXPECT_EQ(response.progress().total(), 1000U);
  context.TryCancel();
  while (reader->Read(&response)) {
    EXPECT_TRUE(response.has_progress());
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  WaitForMetric(
      R"(sextant_requests_total{code="CANCELLED",method="FitAdapter"})", 1);
  EXPECT_EQ(List(false, "wide").adapters_size(), 0);
}

TEST_F(AdapterApiTest, ErrorsNameTheField) {
  v1::FitAdapterRequest request = FitRequest();
  v1::FitAdapterResponse response;
  request.mutable_queries(3)->mutable_vector()->mutable_values()->RemoveLast();
  grpc::Status status = Fit(request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(FieldOf(status), "queries[3].vector");
  request = FitRequest();
  request.mutable_queries(4)->mutable_relevant(0)->Clear();
  EXPECT_EQ(FieldOf(Fit(request, &response)), "queries[4].relevant[0]");
  request = FitRequest();
  request.set_family("cubic");
  EXPECT_EQ(FieldOf(Fit(request, &response)), "family");
  request = FitRequest();
  request.set_precision(1.5);
  EXPECT_EQ(FieldOf(Fit(request, &response)), "precision");
  request = FitRequest();
  request.set_collection("none");
  EXPECT_EQ(Fit(request, &response).error_code(), grpc::StatusCode::NOT_FOUND);

  v1::PutAdapterRequest put;
  put.set_collection("docs");
  v1::CosineAdapter* const adapter = put.mutable_adapter();
  adapter->set_name("a");
  adapter->set_family("linear");
  adapter->set_threshold(0.5);
  v1::AdapterLayer* const layer = adapter->add_layers();
  layer->set_outputs(2);
  layer->mutable_weights()->Resize(2 * kDimension - 1, 0);
  layer->mutable_biases()->Resize(2, 0);
  v1::PutAdapterResponse stored;
  EXPECT_EQ(FieldOf(Put(put, &stored)), "adapter.layers[0].weights");
  layer->add_weights(std::nanf(""));
  EXPECT_EQ(FieldOf(Put(put, &stored)), "adapter.layers[0].weights");
  layer->set_weights(2 * kDimension - 1, 0);
  adapter->set_threshold(1);
  EXPECT_EQ(FieldOf(Put(put, &stored)), "adapter.threshold");

  v1::SearchRequest search = SearchOf("docs", VectorOf(7, kDimension), 5);
  search.mutable_cut_off()->mutable_adapter()->set_name("a");
  v1::SearchResponse found;
  EXPECT_EQ(FieldOf(Search(search, &found)), "cut_off.adapter.name");
}

}  // namespace
}  // namespace sextant
