// SPDX-License-Identifier: Apache-2.0
//
// Overload, deadlines, cancellation, and a disk that stops taking writes.

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"

#include "base/thread.h"
#include "tests/integration/server_fixture.h"

namespace sextant {
namespace {

using testing::HasSubstr;

class LimitsTest : public ServerTest {};

TEST_F(LimitsTest, DeadlineEndsTheSearchAtWork) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  ASSERT_NO_FATAL_FAILURE(FillWideCollection());
  const v1::SearchBatchRequest batch = HeavyBatch();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::milliseconds(1));
  EXPECT_EQ(RunBatch(batch, &context), grpc::StatusCode::DEADLINE_EXCEEDED);
  // One that is long enough to reach the search, but not its end.
  grpc::ClientContext longer;
  longer.set_deadline(std::chrono::system_clock::now() +
                      std::chrono::milliseconds(200));
  EXPECT_EQ(RunBatch(batch, &longer), grpc::StatusCode::DEADLINE_EXCEEDED);
  // The server stopped working on it, too.
  while (Metric(R"(sextant_requests_in_flight{method="SearchBatch"})") > 0) {
    std::this_thread::yield();
  }
  EXPECT_LT(Metric("sextant_search_duration_seconds_count"), kHeavySearches);
}

TEST_F(LimitsTest, CancellationEndsTheSearchAtWork) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  ASSERT_NO_FATAL_FAILURE(FillWideCollection());
  const v1::SearchBatchRequest batch = HeavyBatch();
  grpc::ClientContext context;
  grpc::StatusCode code = grpc::StatusCode::OK;
  {
    const Thread caller("caller", [&] { code = RunBatch(batch, &context); });
    WaitForMetric(R"(sextant_requests_working{pool="search"})", 1);
    context.TryCancel();
  }
  EXPECT_EQ(code, grpc::StatusCode::CANCELLED);
  while (Metric(R"(sextant_requests_in_flight{method="SearchBatch"})") > 0) {
    std::this_thread::yield();
  }
  EXPECT_LT(Metric("sextant_search_duration_seconds_count"), kHeavySearches);
  EXPECT_EQ(Metric(R"(sextant_requests_total{code="CANCELLED",)"
                   R"(method="SearchBatch"})"),
            1);
}

TEST_F(LimitsTest, AFullQueueIsAnsweredAtOnce) {
  ASSERT_NO_FATAL_FAILURE(
      StartServer({"--grpc.search_threads", "1", "--grpc.search_queue", "1"}));
  ASSERT_NO_FATAL_FAILURE(FillWideCollection());
  const v1::SearchBatchRequest batch = HeavyBatch();
  grpc::ClientContext working;
  grpc::ClientContext waiting;
  {
    const Thread first("first", [&] { RunBatch(batch, &working); });
    WaitForMetric(R"(sextant_requests_working{pool="search"})", 1);
    const Thread second("second", [&] { RunBatch(batch, &waiting); });
    WaitForMetric(R"(sextant_requests_waiting{pool="search"})", 1);

    v1::SearchResponse response;
    const grpc::Status refused =
        Search(SearchOf("wide", VectorOf(1, kWide), 1), &response);
    EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_THAT(refused.error_message(), HasSubstr("grpc.search_queue"));
    EXPECT_TRUE(HasRetryInfo(refused));
    // Other kinds of calls have queues of their own.
    EXPECT_EQ(CountPoints("wide"), kWidePoints);
    EXPECT_TRUE(Upsert(UpsertOf("wide", 0, 1, kWide)).ok());
    EXPECT_EQ(HttpGet(server_->http_address(), "/readyz").status, 200);
    EXPECT_EQ(
        RunServerCommand({"healthcheck", "--address", server_->grpc_address()})
            .exit_code,
        0);
    working.TryCancel();
    waiting.TryCancel();
  }
  EXPECT_EQ(Metric(R"(sextant_requests_refused_total{pool="search"})"), 1);
}

TEST_F(LimitsTest, AFailedDurableWriteStopsWritesAndNothingElse) {
  ServerProcessOptions options;
  options.data_dir = directory_.path();
  options.file_size_max = 6 << 20;
  ASSERT_NO_FATAL_FAILURE(StartWith(options));
  ASSERT_TRUE(CreateCollection("wide", kWide).ok());
  uint64_t acknowledged = 0;
  grpc::Status status;
  for (;;) {
    status = Upsert(UpsertOf("wide", acknowledged, acknowledged + 100, kWide));
    if (!status.ok()) {
      break;
    }
    acknowledged += 100;
    ASSERT_LT(acknowledged, 1'000'000) << "the limit had no effect";
  }
  EXPECT_GT(acknowledged, 0);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE)
      << status.error_message();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Upsert(UpsertOf("wide", 0, 1, kWide)).error_code(),
              grpc::StatusCode::UNAVAILABLE);
  }
  EXPECT_EQ(CreateCollection("more").error_code(),
            grpc::StatusCode::UNAVAILABLE);

  // Reads and health go on.
  EXPECT_EQ(CountPoints("wide"), acknowledged);
  v1::SearchResponse response;
  EXPECT_TRUE(Search(SearchOf("wide", VectorOf(1, kWide), 1), &response).ok());
  EXPECT_EQ(
      RunServerCommand({"healthcheck", "--address", server_->grpc_address()})
          .exit_code,
      0);
  EXPECT_EQ(Metric("sextant_store_write_failed"), 1);
  EXPECT_THAT(HttpGet(server_->http_address(), "/healthz").body,
              HasSubstr("writes are refused"));
  // It is told once.
  const std::string log = server_->log();
  const size_t first = log.find("a durable write failed");
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(log.find("a durable write failed", first + 1), std::string::npos);

  server_->Kill();
  options.file_size_max = 0;
  server_.reset();
  ASSERT_NO_FATAL_FAILURE(StartWith(options));
  // Nothing acknowledged is lost; the failed write is there whole or not.
  EXPECT_THAT(CountPoints("wide"),
              testing::AnyOf(acknowledged, acknowledged + 100));
  EXPECT_TRUE(Upsert(UpsertOf("wide", 0, 1, kWide)).ok());
}

}  // namespace
}  // namespace sextant
