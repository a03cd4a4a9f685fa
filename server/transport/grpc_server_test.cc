// SPDX-License-Identifier: Apache-2.0
//
// A gRPC and an HTTP server in this process, on a real database, where a test
// can hold the phases of a start that pass too quickly in a process.

#include "server/transport/grpc_server.h"

#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpcpp/create_channel.h"
#include "gtest/gtest.h"
#include "httplib.h"

#include "base/status_matchers.h"
#include "engine/database.h"
#include "server/healthcheck.h"
#include "server/http/http_server.h"
#include "sextant/v1/collection_service.grpc.pb.h"
#include "sextant/v1/point_service.grpc.pb.h"
#include "tests/support/temp_dir.h"

namespace sextant {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using testing::HasSubstr;

class GrpcServerTest : public testing::Test {
 protected:
  GrpcServerTest() : log_({}, &log_text_) {
    config_.grpc.listen = "127.0.0.1:0";
    config_.http.listen = "127.0.0.1:0";
  }

  ~GrpcServerTest() override {
    server_.reset();
    http_.reset();
    database_.reset();
  }

  void StartLoading() {
    ApiEnvironment environment;
    environment.state = &state_;
    environment.metrics = &metrics_;
    environment.log = &log_;
    ASSERT_OK_AND_ASSIGN(server_, GrpcServer::Start(config_, environment));
    ASSERT_OK_AND_ASSIGN(http_,
                         HttpServer::Start(config_.http, &state_, &metrics_));
    channel_ = grpc::CreateChannel(server_->listen_address(),
                                   grpc::InsecureChannelCredentials());
  }

  void FinishLoading() {
    DatabaseOptions options;
    options.store.path = directory_.Child("db");
    ASSERT_OK_AND_ASSIGN(database_, Database::Open(std::move(options)));
    state_.StartServing(database_.get());
  }

  HealthCheckResponse::ServingStatus HealthOf(const std::string& service) {
    HealthCheckRequest request;
    request.set_service(service);
    HealthCheckResponse response;
    grpc::ClientContext context;
    const grpc::Status status =
        Health::NewStub(channel_)->Check(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.status();
  }

  int HttpStatus(const std::string& path, std::string* body) {
    httplib::Client client("http://" + http_->listen_address());
    const httplib::Result result = client.Get(path);
    *body = result ? result->body : "";
    return result ? result->status : 0;
  }

  double InFlight(const std::string& method) {
    for (const auto& family : metrics_.registry().Collect()) {
      for (const auto& metric : family.metric) {
        if (family.name == "sextant_requests_in_flight" &&
            metric.label[0].value == method) {
          return metric.gauge.value;
        }
      }
    }
    return -1;
  }

  grpc::Status List() {
    grpc::ClientContext context;
    v1::ListCollectionsResponse response;
    return v1::CollectionService::NewStub(channel_)->ListCollections(
        &context, {}, &response);
  }

  const TempDir directory_;
  Config config_;
  std::ostringstream log_text_;
  Log log_;
  RequestMetrics metrics_;
  ServingState state_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<GrpcServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(GrpcServerTest, EverythingSaysLoadingUntilItIsLoaded) {
  ASSERT_NO_FATAL_FAILURE(StartLoading());
  state_.SetLoadProgress(3, 10, "docs");
  EXPECT_EQ(HealthOf(""), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(HealthOf("sextant.v1.SearchService"),
            HealthCheckResponse::NOT_SERVING);
  EXPECT_THAT(
      CheckHealth(server_->listen_address(), 5000),
      StatusIs(absl::StatusCode::kUnavailable, HasSubstr("NOT_SERVING")));
  std::string body;
  EXPECT_EQ(HttpStatus("/readyz", &body), 503);
  EXPECT_EQ(body, "loading: 3 of 10 collections, now 'docs'\n");
  EXPECT_EQ(HttpStatus("/livez", &body), 200);
  EXPECT_EQ(HttpStatus("/healthz", &body), 200);
  EXPECT_EQ(HttpStatus("/metrics", &body), 200);
  EXPECT_THAT(body, HasSubstr("sextant_ready 0"));

  const grpc::Status refused = List();
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(refused.error_message(), HasSubstr("loading: 3 of 10"));
  google::rpc::Status details;
  google::rpc::RetryInfo retry;
  ASSERT_TRUE(details.ParseFromString(refused.error_details()));
  ASSERT_EQ(details.details_size(), 1);
  EXPECT_TRUE(details.details(0).UnpackTo(&retry));

  ASSERT_NO_FATAL_FAILURE(FinishLoading());
  for (const char* service :
       {"", "sextant.v1.CollectionService", "sextant.v1.PointService",
        "sextant.v1.SearchService", "sextant.v1.NormalizerService",
        "sextant.v1.AdapterService", "sextant.v1.QuerySampleService"}) {
    EXPECT_EQ(HealthOf(service), HealthCheckResponse::SERVING) << service;
  }
  EXPECT_OK(CheckHealth(server_->listen_address(), 5000));
  EXPECT_EQ(HttpStatus("/readyz", &body), 200);
  EXPECT_TRUE(List().ok());

  state_.StartDraining();
  EXPECT_EQ(HealthOf(""), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(HttpStatus("/readyz", &body), 503);
  EXPECT_EQ(body, "stopping\n");
  EXPECT_EQ(List().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GrpcServerTest, WatchersSeeEveryPhase) {
  ASSERT_NO_FATAL_FAILURE(StartLoading());
  const auto stub = Health::NewStub(channel_);
  grpc::ClientContext context;
  const auto watch = stub->Watch(&context, {});
  HealthCheckResponse response;
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  ASSERT_NO_FATAL_FAILURE(FinishLoading());
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  state_.StartDraining();
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  EXPECT_TRUE(server_->Stop(absl::Seconds(60)));
  EXPECT_FALSE(watch->Read(&response));
  EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GrpcServerTest, UnknownServicesAreToldApart) {
  ASSERT_NO_FATAL_FAILURE(StartLoading());
  const auto stub = Health::NewStub(channel_);
  HealthCheckRequest request;
  request.set_service("sextant.v2.Nothing");
  HealthCheckResponse response;
  {
    grpc::ClientContext context;
    EXPECT_EQ(stub->Check(&context, request, &response).error_code(),
              grpc::StatusCode::NOT_FOUND);
  }
  grpc::ClientContext context;
  const auto watch = stub->Watch(&context, request);
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVICE_UNKNOWN);
  context.TryCancel();
  EXPECT_FALSE(watch->Read(&response));
  EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(GrpcServerTest, AnIdleStreamDoesNotHoldUpTheStop) {
  ASSERT_NO_FATAL_FAILURE(StartLoading());
  ASSERT_NO_FATAL_FAILURE(FinishLoading());
  const auto stub = v1::PointService::NewStub(channel_);
  grpc::ClientContext context;
  const auto stream = stub->StreamUpsertPoints(&context);
  // The server has the stream once it has sent something; ask by metrics.
  while (InFlight("StreamUpsertPoints") == 0) {
    std::this_thread::yield();
  }
  state_.StartDraining();
  EXPECT_TRUE(server_->Stop(absl::Seconds(60)));
  v1::StreamUpsertPointsResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GrpcServerTest, TakenAddressesAreNamed) {
  ASSERT_NO_FATAL_FAILURE(StartLoading());
  Config second = config_;
  second.grpc.listen = server_->listen_address();
  second.http.listen = http_->listen_address();
  ApiEnvironment environment;
  environment.state = &state_;
  environment.metrics = &metrics_;
  environment.log = &log_;
  EXPECT_THAT(
      GrpcServer::Start(second, environment),
      StatusIs(absl::StatusCode::kUnavailable,
               absl::StrCat("grpc.listen: cannot listen on ",
                            second.grpc.listen, ": Address already in use")));
  EXPECT_THAT(
      HttpServer::Start(second.http, &state_, &metrics_),
      StatusIs(absl::StatusCode::kUnavailable,
               absl::StrCat("http.listen: cannot listen on ",
                            second.http.listen, ": Address already in use")));
  second.grpc.listen = "";
  second.grpc.unix_socket = "/nowhere/at/all/sextant.sock";
  EXPECT_THAT(
      GrpcServer::Start(second, environment),
      StatusIs(
          absl::StatusCode::kUnavailable,
          "grpc.unix_socket: cannot listen on /nowhere/at/all/sextant.sock:"
          " its directory: No such file or directory"));
}

TEST_F(GrpcServerTest, ASocketInUseStaysWithItsServer) {
  config_.grpc.unix_socket = directory_.Child("gs.sock");
  ASSERT_NO_FATAL_FAILURE(StartLoading());
  ASSERT_NO_FATAL_FAILURE(FinishLoading());
  const std::string target = "unix:" + config_.grpc.unix_socket;
  EXPECT_OK(CheckHealth(target, 5000));
  Config second = config_;
  second.grpc.listen = "";
  ApiEnvironment environment;
  environment.state = &state_;
  environment.metrics = &metrics_;
  environment.log = &log_;
  EXPECT_THAT(GrpcServer::Start(second, environment),
              StatusIs(absl::StatusCode::kUnavailable,
                       absl::StrCat("grpc.unix_socket: cannot listen on ",
                                    second.grpc.unix_socket,
                                    ": another process listens there")));
  EXPECT_OK(CheckHealth(target, 5000));
  state_.StartDraining();
  EXPECT_TRUE(server_->Stop(absl::Seconds(60)));
  EXPECT_FALSE(std::filesystem::exists(config_.grpc.unix_socket));
}

}  // namespace
}  // namespace sextant
