// SPDX-License-Identifier: Apache-2.0
// Breaks that the real server gives only by chance are made here by a small
// service in this process, reached over a real connection.
#include "clients/cpp/grpc_upsert_stream.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"

#include "base/mutex.h"
#include "base/status_macros.h"
#include "base/status_matchers.h"
#include "clients/cpp/client.h"

namespace sextant::client {
namespace {

using testing::HasSubstr;

using Stream = grpc::ServerReaderWriter<v1::StreamUpsertPointsResponse,
                                        v1::StreamUpsertPointsRequest>;

// Acknowledges `acks` messages of a stream, then ends it with `status`; the
// last entry of the script serves all later streams.
struct Act {
  int acks = 0;
  grpc::Status status;
  uint64_t index_offset = 0;
};

class ScriptedPoints final : public v1::PointService::Service {
 public:
  explicit ScriptedPoints(std::vector<Act> script)
      : script_(std::move(script)) {}

  grpc::Status StreamUpsertPoints(grpc::ServerContext*,
                                  Stream* stream) override {
    const Act act = Next();
    v1::StreamUpsertPointsRequest request;
    for (uint64_t index = 0; stream->Read(&request); ++index) {
      if (index == 0 && request.collection() != "docs") {
        return {grpc::StatusCode::INVALID_ARGUMENT, "collection: required"};
      }
      if (static_cast<int>(index) == act.acks) {
        return act.status;
      }
      Store(request);
      v1::StreamUpsertPointsResponse response;
      response.set_message_index(index + act.index_offset);
      response.set_inserted(static_cast<uint64_t>(request.points_size()));
      stream->Write(response);
    }
    return grpc::Status::OK;
  }

  std::vector<uint64_t> stored() {
    MutexLock lock(&mutex_);
    return stored_;
  }
  int streams() {
    MutexLock lock(&mutex_);
    return streams_;
  }

 private:
  Act Next() {
    MutexLock lock(&mutex_);
    const size_t index =
        std::min(static_cast<size_t>(streams_++), script_.size() - 1);
    return script_[index];
  }

  void Store(const v1::StreamUpsertPointsRequest& request) {
    MutexLock lock(&mutex_);
    for (const v1::Point& point : request.points()) {
      stored_.push_back(point.id().num());
    }
  }

  Mutex mutex_;
  const std::vector<Act> script_;
  int streams_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<uint64_t> stored_ ABSL_GUARDED_BY(mutex_);
};

constexpr int kNever = 1'000'000;

class GrpcUpsertStreamTest : public testing::Test {
 protected:
  void Serve(std::vector<Act> script) {
    service_ = std::make_unique<ScriptedPoints>(std::move(script));
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port);
    builder.RegisterService(service_.get());
    server_ = builder.BuildAndStart();
    ASSERT_OK_AND_ASSIGN(
        client_,
        Client::Connect(
            absl::StrCat("127.0.0.1:", port),
            {.retry = {.attempts_max = 3, .backoff = absl::Milliseconds(1)}}));
  }

  // Sends messages of one point, with ids from 0.
  static absl::Status SendAll(UpsertStream& stream, uint64_t messages) {
    for (uint64_t id = 0; id < messages; ++id) {
      const Point point = {.id = id, .vectors = {{"x", {1}}}, .payload = ""};
      RETURN_IF_ERROR(stream.Send(std::span(&point, 1)));
    }
    return stream.Finish();
  }

  std::unique_ptr<ScriptedPoints> service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Client> client_;
};

TEST_F(GrpcUpsertStreamTest, SendsInOrderThroughASmallWindow) {
  Serve({{.acks = kNever, .status = {}}});
  auto stream = client_->OpenUpsertStream("docs", {.window = 3});
  ASSERT_OK(SendAll(*stream, 20));
  EXPECT_EQ(stream->acknowledged().messages, 20u);
  EXPECT_EQ(stream->acknowledged().inserted, 20u);
  const std::vector<uint64_t> stored = service_->stored();
  ASSERT_EQ(stored.size(), 20u);
  EXPECT_TRUE(std::is_sorted(stored.begin(), stored.end()));
  EXPECT_EQ(service_->streams(), 1);
}

TEST_F(GrpcUpsertStreamTest, SendsAgainWhatWasNotAcknowledged) {
  const grpc::Status busy(grpc::StatusCode::UNAVAILABLE, "draining");
  Serve({{.acks = 5, .status = busy},
         {.acks = 0, .status = busy},
         {.acks = 7, .status = busy},
         {.acks = kNever, .status = {}}});
  auto stream = client_->OpenUpsertStream("docs", {.window = 4});
  ASSERT_OK(SendAll(*stream, 20));
  const std::vector<uint64_t> stored = service_->stored();
  ASSERT_EQ(stored.size(), 20u);  // nothing lost, nothing twice
  EXPECT_TRUE(std::is_sorted(stored.begin(), stored.end()));
  EXPECT_EQ(stream->acknowledged().messages, 20u);
  EXPECT_EQ(service_->streams(), 4);
}

TEST_F(GrpcUpsertStreamTest, GivesUpWithoutProgress) {
  Serve({{.acks = 2, .status = {grpc::StatusCode::UNAVAILABLE, "loading"}},
         {.acks = 0, .status = {grpc::StatusCode::UNAVAILABLE, "loading"}}});
  auto stream = client_->OpenUpsertStream("docs", {.window = 4});
  EXPECT_THAT(SendAll(*stream, 20),
              StatusIs(absl::StatusCode::kUnavailable, "loading"));
  EXPECT_EQ(stream->acknowledged().messages, 2u);
  EXPECT_EQ(service_->streams(), 3);
}

TEST_F(GrpcUpsertStreamTest, AWrongMessageEndsTheStream) {
  Serve(
      {{.acks = 3,
        .status = {grpc::StatusCode::INVALID_ARGUMENT, "points[0].id: bad"}}});
  auto stream = client_->OpenUpsertStream("docs", {.window = 2});
  EXPECT_THAT(SendAll(*stream, 20), StatusIs(absl::StatusCode::kInvalidArgument,
                                             HasSubstr("points[0].id")));
  EXPECT_EQ(stream->acknowledged().messages, 3u);
  const Point point = {.id = uint64_t{1}, .vectors = {}, .payload = ""};
  EXPECT_THAT(stream->Send(std::span(&point, 1)),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(service_->streams(), 1);
}

TEST_F(GrpcUpsertStreamTest, AcknowledgementsOutOfOrderAreABug) {
  Serve({{.acks = kNever, .status = {}, .index_offset = 1}});
  auto stream = client_->OpenUpsertStream("docs");
  EXPECT_THAT(SendAll(*stream, 2),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("out of order")));
}

TEST_F(GrpcUpsertStreamTest, AnEarlyEndIsAnError) {
  Serve({{.acks = 1, .status = grpc::Status::OK}});
  auto stream = client_->OpenUpsertStream("docs");
  EXPECT_THAT(SendAll(*stream, 3),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("2 messages")));
}

TEST_F(GrpcUpsertStreamTest, NothingSentIsNothingDone) {
  Serve({{.acks = kNever, .status = {}}});
  auto stream = client_->OpenUpsertStream("docs");
  ASSERT_OK(stream->Finish());
  EXPECT_EQ(service_->streams(), 0);
  EXPECT_THAT(stream->Finish(),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(GrpcUpsertStreamTest, AnOpenStreamMayBeDropped) {
  Serve({{.acks = kNever, .status = {}}});
  auto stream = client_->OpenUpsertStream("docs");
  const Point point = {.id = uint64_t{1}, .vectors = {}, .payload = ""};
  ASSERT_OK(stream->Send(std::span(&point, 1)));
  stream.reset();
}

TEST(ClientTest, AServerThatIsNotThereIsSaidSo) {
  ASSERT_OK_AND_ASSIGN(
      auto client,
      Client::Connect("127.0.0.1:1", {.retry = {.attempts_max = 1}}));
  EXPECT_THAT(
      client->Count("docs").status(),
      StatusIs(absl::StatusCode::kUnavailable,
               testing::StartsWith("cannot reach sextantd at 127.0.0.1:1: ")));
  auto stream = client->OpenUpsertStream("docs");
  const Point point = {.id = uint64_t{1}, .vectors = {}, .payload = ""};
  absl::Status status = stream->Send(std::span(&point, 1));
  if (status.ok()) {
    status = stream->Finish();
  }
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable,
                               HasSubstr("cannot reach sextantd")));
}

TEST(ClientTest, BadOptionsAreRefused) {
  EXPECT_THAT(Client::Connect("").status(),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(
      Client::Connect("a:1", {.timeout = absl::ZeroDuration()}).status(),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("timeout")));
}

}  // namespace
}  // namespace sextant::client
