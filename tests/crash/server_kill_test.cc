// SPDX-License-Identifier: Apache-2.0
//
// kill -9 of the real sextantd under write load over gRPC.

#include <atomic>
#include <chrono>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "base/mutex.h"
#include "base/status_matchers.h"
#include "base/thread.h"
#include "clients/cpp/client.h"
#include "tests/crash/engine_check.h"
#include "tests/crash/workload.h"
#include "tests/support/server_process.h"

namespace sextant::test {
namespace {

constexpr int kKills = 20;

std::unique_ptr<client::Client> Connect(const std::string& address) {
  client::ClientOptions options;
  options.timeout = absl::Seconds(20);
  options.retry.attempts_max = 1;  // a lost answer stays lost
  auto connected = client::Client::Connect(address, options);
  EXPECT_OK(connected);
  return *std::move(connected);
}

absl::Status SendOver(const WorkRequest& request, client::Client* client) {
  if (!request.upserts.empty()) {
    std::vector<client::Point> points;
    for (const WorkPoint& point : request.upserts) {
      client::Point& out = points.emplace_back();
      out.id = point.id;
      out.vectors["embedding"] = point.vector;
      out.payload = point.payload;
    }
    return client->Upsert(kWorkCollection, points).status();
  }
  const std::vector<client::PointId> ids(request.deletes.begin(),
                                         request.deletes.end());
  return client->Delete(kWorkCollection, ids).status();
}

// Waits for `ms`, or until somebody opens the gate.
class Gate {
 public:
  void WaitFor(int ms) {
    const auto until =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
    MutexLock lock(&mutex_);
    while (!open_ && changed_.WaitUntil(&mutex_, until)) {
    }
  }
  void Open() {
    MutexLock lock(&mutex_);
    open_ = true;
    changed_.NotifyAll();
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
};

class ServerKillTest : public ::testing::Test {
 protected:
  ServerProcessOptions Options() const {
    ServerProcessOptions options;
    options.data_dir = directory_.path();
    options.arguments = {"--engine.seal_rows", "100", "--engine.min_graph_rows",
                         "64"};
    return options;
  }

  // Four clients write until the server dies; fills in what they were told.
  void WriteUntilKilled(ServerProcess* server, int after_ms) {
    acknowledged_ = ledger_.done();
    attempted_ = ledger_.done();
    Gate nobody;
    std::vector<std::unique_ptr<Thread>> clients;
    for (uint64_t i = 0; i < kWorkThreads; ++i) {
      clients.push_back(std::make_unique<Thread>("client", [this, i, server] {
        const auto client = Connect(server->grpc_address());
        absl::Status status;
        for (uint64_t n = acknowledged_.at(i) + 1; status.ok(); ++n) {
          attempted_.at(i) = n;
          status = SendOver(workload_.Request(i, n), client.get());
          acknowledged_.at(i) += status.ok() ? 1U : 0U;
        }
        EXPECT_TRUE(absl::IsUnavailable(status)) << status;
      }));
    }
    nobody.WaitFor(after_ms);
    server->Kill();
  }

  const uint64_t seed_ = TestSeed();
  const Workload workload_{seed_};
  const TempDir directory_;
  Ledger ledger_{seed_};
  Progress acknowledged_ = {};
  Progress attempted_ = {};
  std::mt19937_64 random_{seed_};
};

TEST_F(ServerKillTest, LosesNoAcknowledgedWrite) {
  uint64_t killed_in_recovery = 0;
  for (int number = 0; number < kKills && !HasFailure(); ++number) {
    SCOPED_TRACE(absl::StrCat("kill ", number));
    if (number % 5 == 4) {
      auto server = ServerProcess::Launch(Options());
      ASSERT_OK(server);
      Gate nobody;
      nobody.WaitFor(static_cast<int>(random_() % 150));
      (*server)->Kill();
      acknowledged_ = attempted_ = ledger_.done();
      ++killed_in_recovery;
    } else {
      auto server = ServerProcess::Start(Options());
      ASSERT_OK(server);
      if (number == 0) {
        const auto client = Connect((*server)->grpc_address());
        ASSERT_OK(client->CreateCollection(
            kWorkCollection, {.vector_fields = {{.name = "embedding",
                                                 .dimension = kWorkDimension}},
                              .text_fields = {{.name = "note"}}}));
      }
      WriteUntilKilled(server->get(), static_cast<int>(30 + random_() % 500));
    }
    CheckAfterCrash(directory_.path(), acknowledged_, attempted_, &ledger_,
                    &random_);
  }
  uint64_t requests = 0;
  for (const uint64_t n : ledger_.done()) {
    requests += n;
  }
  std::cout << kKills << " kills, " << killed_in_recovery
            << " of them during recovery, " << requests
            << " requests written, 0 acknowledged ones lost\n";
  EXPECT_GT(requests, 20U);
}

}  // namespace
}  // namespace sextant::test
