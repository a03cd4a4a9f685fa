// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "grpcpp/client_context.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "tests/integration/metrics_page.h"
#include "tests/integration/server_api.h"
#include "tests/support/server_process.h"
#include "tests/support/temp_dir.h"

namespace sextant {

// A server of its own for each test, on free ports and a fresh directory.
class ServerTest : public testing::Test {
 protected:
  static constexpr uint32_t kDimension = 8;

  void StartServer(std::vector<std::string> arguments = {}) {
    ServerProcessOptions options;
    options.data_dir = directory_.path();
    options.arguments = std::move(arguments);
    StartWith(options);
  }
  void StartWith(const ServerProcessOptions& options) {
    ASSERT_OK_AND_ASSIGN(server_, ServerProcess::Start(options));
    api_ = std::make_unique<ServerApi>(server_->grpc_address());
  }

  void TearDown() override {
    if (HasFailure() && server_ != nullptr) {
      ADD_FAILURE() << "the server's log:\n" << server_->log();
    }
  }

  grpc::Status CreateCollection(const std::string& name,
                                uint32_t dimension = kDimension,
                                v1::IdKind id_kind = v1::ID_KIND_NUMBER) {
    v1::CreateCollectionRequest request;
    request.set_name(name);
    auto* const schema = request.mutable_schema();
    schema->set_id_kind(id_kind);
    auto* const field = schema->add_vector_fields();
    field->set_name("v");
    field->set_dimension(dimension);
    field->set_metric(v1::METRIC_COSINE);
    v1::CreateCollectionResponse response;
    grpc::ClientContext context;
    return api_->collections->CreateCollection(&context, request, &response);
  }

  // Points begin, begin + 1, ..., end - 1.
  static v1::UpsertPointsRequest UpsertOf(const std::string& collection,
                                          uint64_t begin, uint64_t end,
                                          uint32_t dimension = kDimension) {
    v1::UpsertPointsRequest request;
    request.set_collection(collection);
    for (uint64_t id = begin; id < end; ++id) {
      *request.add_points() = PointOf(id, dimension);
    }
    return request;
  }

  grpc::Status Upsert(const v1::UpsertPointsRequest& request,
                      v1::UpsertPointsResponse* response = nullptr) {
    v1::UpsertPointsResponse ignored;
    grpc::ClientContext context;
    return api_->points->UpsertPoints(
        &context, request, response == nullptr ? &ignored : response);
  }

  static v1::SearchRequest SearchOf(const std::string& collection,
                                    const std::vector<float>& vector,
                                    uint32_t limit) {
    v1::SearchRequest request;
    request.set_collection(collection);
    request.set_limit(limit);
    request.add_sources()
        ->mutable_dense()
        ->mutable_vector()
        ->mutable_values()
        ->Add(vector.begin(), vector.end());
    return request;
  }

  grpc::Status Search(const v1::SearchRequest& request,
                      v1::SearchResponse* response) {
    grpc::ClientContext context;
    return api_->searches->Search(&context, request, response);
  }

  uint64_t CountPoints(const std::string& collection) {
    v1::CountPointsRequest request;
    request.set_collection(collection);
    v1::CountPointsResponse response;
    grpc::ClientContext context;
    const grpc::Status status =
        api_->points->CountPoints(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.count();
  }

  // A collection and a batch of searches in it that take seconds.
  static constexpr uint32_t kWide = 512;
  static constexpr uint64_t kWidePoints = 24'000;
  static constexpr int kHeavySearches = 1000;

  void FillWideCollection() {
    ASSERT_TRUE(CreateCollection("wide", kWide).ok());
    for (uint64_t id = 0; id < kWidePoints; id += 2000) {
      ASSERT_TRUE(Upsert(UpsertOf("wide", id, id + 2000, kWide)).ok());
    }
  }

  static v1::SearchBatchRequest HeavyBatch() {
    v1::SearchBatchRequest batch;
    batch.set_collection("wide");
    for (uint64_t i = 0; i < kHeavySearches; ++i) {
      v1::SearchRequest search = SearchOf("", VectorOf(i, kWide), 10);
      search.mutable_sources(0)->mutable_dense()->set_exact(true);
      *batch.add_searches() = search;
    }
    return batch;
  }

  grpc::StatusCode RunBatch(const v1::SearchBatchRequest& batch,
                            grpc::ClientContext* context) {
    v1::SearchBatchResponse response;
    return api_->searches->SearchBatch(context, batch, &response).error_code();
  }

  double Metric(const std::string& series) const {
    return MetricsPage(HttpGet(server_->http_address(), "/metrics").body)
        .Value(series);
  }

  // Waits until the metric has at least this value.
  void WaitForMetric(const std::string& series, double value) const {
    while (Metric(series) < value) {
      std::this_thread::yield();
    }
  }

  const TempDir directory_;
  std::unique_ptr<ServerProcess> server_;
  std::unique_ptr<ServerApi> api_;
};

}  // namespace sextant
