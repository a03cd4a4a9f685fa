// SPDX-License-Identifier: Apache-2.0
//
// Start, stop, restart, and the ways they fail.

#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "gmock/gmock.h"
#include "grpc/health/v1/health.grpc.pb.h"

#include "base/mutex.h"
#include "base/thread.h"
#include "tests/integration/server_fixture.h"

namespace sextant {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckResponse;
using testing::HasSubstr;

class LifecycleTest : public ServerTest {
 protected:
  ServerProcessOptions Options() const {
    ServerProcessOptions options;
    options.data_dir = directory_.path() + "/data";
    return options;
  }

  // Starts a server that cannot start: its exit code, and its log.
  static int FailToStart(const ServerProcessOptions& options,
                         std::string* log) {
    const auto server = ServerProcess::Launch(options);
    EXPECT_OK(server);
    const auto code = (*server)->WaitForExit();
    EXPECT_OK(code);
    // The log is read by a thread; its end follows the end of the process.
    EXPECT_FALSE((*server)->WaitForLog("no such line").ok());
    *log = (*server)->log();
    return code.ok() ? *code : -1;
  }
};

TEST_F(LifecycleTest, RestartKeepsEverything) {
  ASSERT_NO_FATAL_FAILURE(StartWith(Options()));
  ASSERT_TRUE(CreateCollection("docs").ok());
  ASSERT_TRUE(Upsert(UpsertOf("docs", 0, 3000)).ok());
  for (const bool graceful : {true, false, true}) {
    if (graceful) {
      ASSERT_OK_AND_ASSIGN(const int code, server_->Terminate());
      EXPECT_EQ(code, 0);
    } else {
      server_->Kill();
    }
    server_.reset();
    ASSERT_NO_FATAL_FAILURE(StartWith(Options()));
    EXPECT_EQ(CountPoints("docs"), 3000);
    v1::SearchResponse response;
    ASSERT_TRUE(
        Search(SearchOf("docs", VectorOf(777, kDimension), 1), &response).ok());
    EXPECT_EQ(response.hits(0).id().num(), 777);
    EXPECT_EQ(response.applied_seq(), 1);
  }
}

TEST_F(LifecycleTest, HealthWatcherSeesTheEnd) {
  ASSERT_NO_FATAL_FAILURE(StartWith(Options()));
  const auto stub = Health::NewStub(api_->channel);
  grpc::ClientContext context;
  const auto watch = stub->Watch(&context, {});
  HealthCheckResponse response;
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  server_->Signal(SIGTERM);
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  EXPECT_FALSE(watch->Read(&response));
  ASSERT_OK_AND_ASSIGN(const int code, server_->WaitForExit());
  EXPECT_EQ(code, 0);
}

// What writers know to be stored.
class Acknowledged {
 public:
  void Add(uint64_t begin, uint64_t end) {
    const MutexLock lock(&mutex_);
    for (uint64_t id = begin; id < end; ++id) {
      ids_.insert(id);
    }
    changed_.NotifyAll();
  }
  void WaitFor(size_t count) {
    const MutexLock lock(&mutex_);
    while (ids_.size() < count) {
      changed_.Wait(&mutex_);
    }
  }
  std::set<uint64_t> ids() {
    const MutexLock lock(&mutex_);
    return ids_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::set<uint64_t> ids_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(LifecycleTest, StopUnderLoadExitsCleanAndLosesNothing) {
  ASSERT_NO_FATAL_FAILURE(StartWith(Options()));
  ASSERT_TRUE(CreateCollection("docs").ok());
  Acknowledged stored;
  // What calls ended with when the server stopped.
  Mutex mutex;
  std::map<grpc::StatusCode, std::string> ends;
  const auto ended = [&](const grpc::Status& status) {
    const MutexLock lock(&mutex);
    ends[status.error_code()] = status.error_message();
  };
  constexpr uint64_t kRange = 1'000'000;
  constexpr uint64_t kBatch = 20;
  // Every writer ends when the server refuses it.
  const auto write = [&](uint64_t writer) {
    for (uint64_t id = writer * kRange;; id += kBatch) {
      const grpc::Status status = Upsert(UpsertOf("docs", id, id + kBatch));
      if (!status.ok()) {
        ended(status);
        return;
      }
      stored.Add(id, id + kBatch);
    }
  };
  const auto stream = [&](uint64_t writer) {
    grpc::ClientContext context;
    const auto calls = api_->points->StreamUpsertPoints(&context);
    for (uint64_t id = writer * kRange;; id += kBatch) {
      const v1::UpsertPointsRequest points = UpsertOf("docs", id, id + kBatch);
      v1::StreamUpsertPointsRequest request;
      request.set_collection("docs");
      *request.mutable_points() = points.points();
      v1::StreamUpsertPointsResponse ack;
      if (!calls->Write(request) || !calls->Read(&ack)) {
        break;
      }
      stored.Add(id, id + kBatch);
    }
    ended(calls->Finish());
  };
  const auto search = [&] {
    v1::SearchResponse response;
    const v1::SearchRequest request =
        SearchOf("docs", VectorOf(7, kDimension), 10);
    for (;;) {
      const grpc::Status status = Search(request, &response);
      if (!status.ok()) {
        ended(status);
        return;
      }
    }
  };
  {
    const Thread a("write-0", [&] { write(0); });
    const Thread b("write-1", [&] { write(1); });
    const Thread c("stream", [&] { stream(2); });
    const Thread d("search", [&] { search(); });
    stored.WaitFor(500);
    ASSERT_OK_AND_ASSIGN(const int code, server_->Terminate());
    EXPECT_EQ(code, 0) << server_->log();
  }
  for (const auto& [code, message] : ends) {
    // A call that crosses the closing of its connection is CANCELLED by gRPC.
    EXPECT_THAT(code, testing::AnyOf(grpc::StatusCode::UNAVAILABLE,
                                     grpc::StatusCode::CANCELLED))
        << message;
  }
  server_.reset();

  ASSERT_NO_FATAL_FAILURE(StartWith(Options()));
  std::set<uint64_t> found;
  v1::ScrollPointsRequest scroll;
  scroll.set_collection("docs");
  scroll.set_page_size(10'000);
  do {
    v1::ScrollPointsResponse page;
    grpc::ClientContext context;
    ASSERT_TRUE(api_->points->ScrollPoints(&context, scroll, &page).ok());
    for (const v1::Point& point : page.points()) {
      found.insert(point.id().num());
    }
    scroll.set_page_token(page.next_page_token());
  } while (!scroll.page_token().empty());
  for (const uint64_t id : stored.ids()) {
    EXPECT_EQ(found.count(id), 1) << "acknowledged point " << id << " is lost";
  }
}

TEST_F(LifecycleTest, WhatDoesNotEndIsCancelledAfterTheDrainTime) {
  ServerProcessOptions options = Options();
  options.arguments = {"--server.drain_seconds", "0"};
  ASSERT_NO_FATAL_FAILURE(StartWith(options));
  ASSERT_NO_FATAL_FAILURE(FillWideCollection());
  const v1::SearchBatchRequest batch = HeavyBatch();
  grpc::ClientContext context;
  grpc::StatusCode code = grpc::StatusCode::OK;
  {
    const Thread caller("caller", [&] { code = RunBatch(batch, &context); });
    WaitForMetric(R"(sextant_requests_working{pool="search"})", 1);
    ASSERT_OK_AND_ASSIGN(const int exit_code, server_->Terminate());
    EXPECT_EQ(exit_code, 0);
  }
  EXPECT_OK(server_->WaitForLog("calls that still ran were cancelled"));
  EXPECT_THAT(code, testing::AnyOf(grpc::StatusCode::CANCELLED,
                                   grpc::StatusCode::UNAVAILABLE));
}

TEST_F(LifecycleTest, ASecondSignalEndsItAtOnce) {
  ServerProcessOptions options = Options();
  options.arguments = {"--server.drain_seconds", "3600"};
  ASSERT_NO_FATAL_FAILURE(StartWith(options));
  ASSERT_NO_FATAL_FAILURE(FillWideCollection());
  const v1::SearchBatchRequest batch = HeavyBatch();
  grpc::ClientContext context;
  const Thread caller("caller", [&] { RunBatch(batch, &context); });
  WaitForMetric(R"(sextant_requests_working{pool="search"})", 1);
  server_->Signal(SIGTERM);
  ASSERT_OK(server_->WaitForLog("\"message\":\"stopping\""));
  server_->Signal(SIGINT);
  ASSERT_OK_AND_ASSIGN(const int code, server_->WaitForExit());
  EXPECT_EQ(code, 128 + SIGINT);
}

TEST_F(LifecycleTest, TakenPortsAreNamed) {
  ASSERT_NO_FATAL_FAILURE(StartWith(Options()));
  ServerProcessOptions options;
  options.data_dir = directory_.path() + "/other";
  options.grpc_listen = server_->grpc_address();
  std::string log;
  EXPECT_EQ(FailToStart(options, &log), 2);
  EXPECT_THAT(log,
              HasSubstr("grpc.listen: cannot listen on " +
                        server_->grpc_address() + ": Address already in use"));
  options.grpc_listen = "127.0.0.1:0";
  options.http_listen = server_->http_address();
  EXPECT_EQ(FailToStart(options, &log), 2);
  EXPECT_THAT(log,
              HasSubstr("http.listen: cannot listen on " +
                        server_->http_address() + ": Address already in use"));
  // A server that cannot listen touches no data.
  EXPECT_FALSE(std::filesystem::exists(options.data_dir));
}

TEST_F(LifecycleTest, DataDirectoryInUseIsNamed) {
  ASSERT_NO_FATAL_FAILURE(StartWith(Options()));
  std::string log;
  EXPECT_EQ(FailToStart(Options(), &log), 1);
  EXPECT_THAT(log, HasSubstr("storage.data_dir: "));
  EXPECT_THAT(log, HasSubstr(Options().data_dir));
  // The first one is not disturbed.
  ASSERT_TRUE(CreateCollection("docs").ok());
}

TEST_F(LifecycleTest, DataDirectoryOfANewerFormatIsRefused) {
  ASSERT_NO_FATAL_FAILURE(StartWith(Options()));
  ASSERT_OK_AND_ASSIGN(const int code, server_->Terminate());
  ASSERT_EQ(code, 0);
  const std::string marker = Options().data_dir + "/STORE";
  std::string text;
  {
    std::ifstream file(marker);
    ASSERT_TRUE(std::getline(file, text)) << marker;
  }
  const size_t digits = text.find_last_not_of("0123456789") + 1;
  ASSERT_LT(digits, text.size()) << text;
  std::ofstream(marker) << text.substr(0, digits) << "99\n";
  std::string log;
  EXPECT_EQ(FailToStart(Options(), &log), 1);
  EXPECT_THAT(log, HasSubstr("storage.data_dir: "));
  EXPECT_THAT(log, HasSubstr("99"));
  EXPECT_THAT(log, HasSubstr("use a newer program"));
  std::ofstream(marker) << text << "\n";
  server_.reset();
  ASSERT_NO_FATAL_FAILURE(StartWith(Options()));
}

TEST_F(LifecycleTest, DataDirectoryThatIsAFileIsRefused) {
  ServerProcessOptions options = Options();
  std::ofstream(options.data_dir) << "not a directory";
  std::string log;
  EXPECT_EQ(FailToStart(options, &log), 1);
  EXPECT_THAT(log, HasSubstr("storage.data_dir: "));
}

TEST_F(LifecycleTest, WhatItWritesIsForItsUserOnly) {
  ServerProcessOptions options = Options();
  const std::string socket = directory_.path() + "/api.sock";
  options.arguments = {"--grpc.unix_socket", socket};
  ASSERT_NO_FATAL_FAILURE(StartWith(options));
  struct stat status {};
  ASSERT_EQ(::stat(options.data_dir.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0077U, 0U);
  ASSERT_EQ(::stat(socket.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0077U, 0U);
  // The socket serves the same API.
  const ServerApi by_socket("unix:" + socket);
  v1::ListCollectionsResponse response;
  grpc::ClientContext context;
  EXPECT_TRUE(
      by_socket.collections->ListCollections(&context, {}, &response).ok());
  EXPECT_EQ(RunServerCommand({"healthcheck", "--address", "unix:" + socket})
                .exit_code,
            0);
}

TEST_F(LifecycleTest, HealthcheckTellsByItsExitCode) {
  ASSERT_NO_FATAL_FAILURE(StartWith(Options()));
  const std::string address = server_->grpc_address();
  EXPECT_EQ(RunServerCommand({"healthcheck", "--address", address}).exit_code,
            0);
  EXPECT_EQ(
      RunServerCommand({"healthcheck"}, {"SEXTANT__GRPC__LISTEN=" + address})
          .exit_code,
      0);
  ASSERT_OK(server_->Terminate());
  const CommandResult result =
      RunServerCommand({"healthcheck", "--address", address});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.error, HasSubstr("sextantd healthcheck: " + address));
}

TEST_F(LifecycleTest, CommandsThatOnlyPrint) {
  EXPECT_THAT(RunServerCommand({"--version"}).output, HasSubstr("sextantd "));
  const CommandResult config =
      RunServerCommand({"--print-config", "--grpc.search_queue", "7"},
                       {"SEXTANT__LOG__LEVEL=debug"});
  EXPECT_EQ(config.exit_code, 0);
  EXPECT_THAT(config.output, HasSubstr("# flag"));
  EXPECT_THAT(config.output, HasSubstr("# environment SEXTANT__LOG__LEVEL"));
  const CommandResult wrong = RunServerCommand({"--grpc.listen", "0.0.0.0:1"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.error, HasSubstr("neither TLS nor authentication"));
}

}  // namespace
}  // namespace sextant
