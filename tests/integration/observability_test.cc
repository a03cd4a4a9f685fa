// SPDX-License-Identifier: Apache-2.0
//
// What operators see: metrics, probes, log, reflection.

#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "nlohmann/json.hpp"

#include "tests/integration/metrics_page.h"
#include "tests/integration/server_fixture.h"

namespace sextant {
namespace {

using grpc::reflection::v1alpha::ServerReflection;
using grpc::reflection::v1alpha::ServerReflectionRequest;
using grpc::reflection::v1alpha::ServerReflectionResponse;
using testing::HasSubstr;

class ObservabilityTest : public ServerTest {
 protected:
  MetricsPage Scrape() {
    const HttpAnswer answer = HttpGet(server_->http_address(), "/metrics");
    EXPECT_EQ(answer.status, 200);
    return MetricsPage(answer.body);
  }

  // One question to the reflection service.
  grpc::Status Reflect(const ServerReflectionRequest& request,
                       ServerReflectionResponse* response) {
    const auto stub = ServerReflection::NewStub(api_->channel);
    grpc::ClientContext context;
    const auto stream = stub->ServerReflectionInfo(&context);
    stream->Write(request);
    stream->WritesDone();
    stream->Read(response);
    return stream->Finish();
  }
};

TEST_F(ObservabilityTest, MetricsAreWellFormedAndCount) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  const MetricsPage before = Scrape();
  EXPECT_THAT(before.problems(), testing::IsEmpty());
  EXPECT_EQ(before.Value(R"(sextant_requests_total{code="OK",)"
                         R"(method="Search"})"),
            0);
  EXPECT_EQ(before.Value("sextant_ready"), 1);
  EXPECT_EQ(before.Value("sextant_collections"), 0);
  for (const auto& [name, type] : before.families()) {
    EXPECT_TRUE(absl::StartsWith(name, "sextant_") ||
                absl::StartsWith(name, "process_"))
        << name;
    EXPECT_EQ(type == "counter", absl::EndsWith(name, "_total")) << name;
  }

  ASSERT_TRUE(CreateCollection("docs").ok());
  ASSERT_TRUE(Upsert(UpsertOf("docs", 0, 50)).ok());
  ASSERT_TRUE(Upsert(UpsertOf("docs", 40, 60)).ok());
  v1::SearchResponse response;
  ASSERT_TRUE(
      Search(SearchOf("docs", VectorOf(1, kDimension), 5), &response).ok());
  ASSERT_FALSE(
      Search(SearchOf("docs", VectorOf(1, kDimension), 0), &response).ok());

  const MetricsPage after = Scrape();
  EXPECT_THAT(after.problems(), testing::IsEmpty());
  EXPECT_EQ(after.Value(R"(sextant_requests_total{code="OK",method="Search"})"),
            1);
  EXPECT_EQ(after.Value(R"(sextant_requests_total{code="INVALID_ARGUMENT",)"
                        R"(method="Search"})"),
            1);
  EXPECT_EQ(after.Value(R"(sextant_points_written_total{operation="insert"})"),
            60);
  EXPECT_EQ(after.Value(R"(sextant_points_written_total{operation="update"})"),
            10);
  EXPECT_EQ(after.Value(R"(sextant_collection_points{collection="docs"})"), 60);
  EXPECT_EQ(
      after.Value(R"(sextant_collection_applied_sequence{collection="docs"})"),
      2);
  EXPECT_EQ(
      after.Value(R"(sextant_request_duration_seconds_count{method="Search"})"),
      2);
  EXPECT_GT(
      after.Value(R"(sextant_request_size_bytes_sum{method="UpsertPoints"})"),
      1000);
  EXPECT_EQ(after.Value(R"(sextant_requests_in_flight{method="Search"})"), 0);
  EXPECT_GT(after.Value(R"(sextant_store_size_bytes{part="rocksdb"})"), 0);
  EXPECT_GT(after.Value("process_resident_memory_bytes"), 1 << 20);
  EXPECT_GT(after.Value("process_open_fds"), 3);
  EXPECT_EQ(before.families(), after.families());
}

TEST_F(ObservabilityTest, ProbesAnswer) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  for (const char* path : {"/livez", "/healthz", "/readyz"}) {
    EXPECT_EQ(HttpGet(server_->http_address(), path).status, 200) << path;
  }
  EXPECT_EQ(HttpGet(server_->http_address(), "/readyz").body, "serving\n");
  EXPECT_EQ(HttpGet(server_->http_address(), "/nothing").status, 404);
}

TEST_F(ObservabilityTest, HttpCanBeTurnedOff) {
  ASSERT_NO_FATAL_FAILURE(StartServer({"--http.enabled", "false"}));
  EXPECT_EQ(server_->http_address(), "");
  EXPECT_TRUE(CreateCollection("docs").ok());
}

TEST_F(ObservabilityTest, LogIsJsonAndTellsSlowSearches) {
  ASSERT_NO_FATAL_FAILURE(
      StartServer({"--log.slow_query_ms", "1", "--log.level", "debug"}));
  ASSERT_TRUE(CreateCollection("docs", 512).ok());
  for (uint64_t id = 0; id < 10'000; id += 2000) {
    ASSERT_TRUE(Upsert(UpsertOf("docs", id, id + 2000, 512)).ok());
  }
  v1::SearchRequest request = SearchOf("docs", VectorOf(1, 512), 10'000);
  request.mutable_sources(0)->mutable_dense()->set_exact(true);
  request.mutable_projection()->set_payload(true);
  v1::SearchResponse response;
  ASSERT_TRUE(Search(request, &response).ok());
  ASSERT_OK(server_->WaitForLog("slow search"));
  ASSERT_OK_AND_ASSIGN(const int code, server_->Terminate());
  EXPECT_EQ(code, 0);
  ASSERT_OK(server_->WaitForLog("\"message\":\"stopped\""));

  bool slow_seen = false;
  std::set<std::string> messages;
  for (const absl::string_view line :
       absl::StrSplit(server_->log(), '\n', absl::SkipEmpty())) {
    const nlohmann::json entry =
        nlohmann::json::parse(std::string(line), nullptr, false);
    ASSERT_TRUE(entry.is_object()) << line;
    EXPECT_TRUE(entry.contains("time") && entry.contains("level")) << line;
    messages.insert(entry["message"].get<std::string>());
    if (entry["message"] == "slow search") {
      slow_seen = true;
      EXPECT_EQ(entry["collection"], "docs");
      EXPECT_GT(entry["seconds"].get<double>(), 0.001);
      EXPECT_FALSE(entry["plan"].get<std::string>().empty());
    }
  }
  EXPECT_TRUE(slow_seen);
  for (const char* message : {"sextantd starts", "serving",
                              "collection created", "stopping", "stopped"}) {
    EXPECT_EQ(messages.count(message), 1) << message;
  }
}

TEST_F(ObservabilityTest, ReflectionDescribesTheApi) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  ServerReflectionRequest request;
  request.set_list_services("*");
  ServerReflectionResponse response;
  ASSERT_TRUE(Reflect(request, &response).ok());
  std::set<std::string> names;
  for (const auto& service : response.list_services_response().service()) {
    names.insert(service.name());
  }
  EXPECT_THAT(names,
              testing::IsSupersetOf(
                  {"sextant.v1.CollectionService", "sextant.v1.PointService",
                   "sextant.v1.SearchService", "grpc.health.v1.Health"}));
  request.set_file_containing_symbol("sextant.v1.SearchService");
  ASSERT_TRUE(Reflect(request, &response).ok());
  ASSERT_GT(response.file_descriptor_response().file_descriptor_proto_size(),
            0);
  google::protobuf::FileDescriptorProto file;
  ASSERT_TRUE(file.ParseFromString(
      response.file_descriptor_response().file_descriptor_proto(0)));
  EXPECT_EQ(file.package(), "sextant.v1");
}

TEST_F(ObservabilityTest, ReflectionCanBeTurnedOff) {
  ASSERT_NO_FATAL_FAILURE(StartServer({"--grpc.reflection", "off"}));
  ServerReflectionRequest request;
  request.set_list_services("*");
  ServerReflectionResponse response;
  EXPECT_EQ(Reflect(request, &response).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

}  // namespace
}  // namespace sextant
