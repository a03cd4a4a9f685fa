// SPDX-License-Identifier: Apache-2.0
//
// Cuts the power at random moments while four clients write and segments are
// sealed and merged, and opens what is left.

#include <array>
#include <atomic>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "base/thread.h"
#include "tests/crash/engine_check.h"
#include "tests/support/power_cut_file_system.h"

namespace sextant::test {
namespace {

constexpr int kRounds = 20;
constexpr uint64_t kRequests = 400;  // of a client, unless the cut comes first

// How far the clients are; read while they write.
struct LiveProgress {
  std::array<std::atomic<uint64_t>, kWorkThreads> counts = {};

  Progress Now() const {
    Progress now = {};
    for (uint64_t i = 0; i < kWorkThreads; ++i) {
      now.at(i) = counts.at(i).load();
    }
    return now;
  }
};

// One database, one cut.
class Round {
 public:
  Round(uint64_t seed, const PowerCut& cut) : seed_(seed), cut_(cut) {}

  // Cuts before the change of the disk with number `cut_at`.
  void Run(uint64_t cut_at) {
    files_ = std::make_shared<PowerCutFileSystem>(data_);
    DatabaseOptions options = WorkOptions(data_);
    options.store.file_system = files_;
    auto database = Database::Open(options);
    ASSERT_OK(database);
    ASSERT_OK((*database)->Create(kWorkCollection, WorkSchema()));
    files_->BeforeWrite(files_->writes() + cut_at, [this] { Cut(); });
    {
      const std::shared_ptr<Collection> docs =
          *(*database)->Find(kWorkCollection);
      std::atomic<uint64_t> running{kWorkThreads};
      std::vector<std::unique_ptr<Thread>> clients;
      for (uint64_t client = 0; client < kWorkThreads; ++client) {
        clients.push_back(std::make_unique<Thread>("client", [&, client] {
          Write(client, docs.get());
          --running;
        }));
      }
      for (uint64_t round = 0; running > 0; ++round) {
        ASSERT_OK(docs->SealAndWait(Unlimited()));
        const std::string name = absl::StrCat("scratch", round % 2);
        if ((*database)->Create(name, WorkSchema()).ok()) {
          continue;
        }
        ASSERT_OK((*database)->Drop(name));
      }
    }
    if (!was_cut_) {
      Cut();
    }
    database->reset();
  }

  // The number of acknowledged requests; all of them must be there.
  uint64_t Check(std::mt19937_64* random) {
    Ledger ledger(seed_);
    CheckAfterCrash(copy_, acknowledged_, attempted_, &ledger, random);
    uint64_t sum = 0;
    for (const uint64_t n : acknowledged_) {
      sum += n;
    }
    return sum;
  }

 private:
  void Cut() {
    acknowledged_ = acknowledged_now_.Now();
    EXPECT_OK(files_->CopyAfter(cut_, copy_));
    attempted_ = attempted_now_.Now();
    was_cut_ = true;
  }

  void Write(uint64_t client, Collection* docs) {
    const Workload workload(seed_);
    for (uint64_t n = 1; n <= kRequests && !was_cut_; ++n) {
      attempted_now_.counts.at(client) = n;
      ASSERT_OK(Send(workload.Request(client, n), docs));
      acknowledged_now_.counts.at(client) = n;
    }
  }

  const uint64_t seed_;
  const PowerCut cut_;
  const TempDir directory_;
  const std::string data_ = directory_.path() + "/data";
  const std::string copy_ = directory_.path() + "/cut";
  std::shared_ptr<PowerCutFileSystem> files_;
  LiveProgress acknowledged_now_;
  LiveProgress attempted_now_;
  Progress acknowledged_ = {};
  Progress attempted_ = {};
  std::atomic<bool> was_cut_{false};
};

TEST(EnginePowerCutTest, LosesNoAcknowledgedWrite) {
  std::mt19937_64 random(TestSeed());
  uint64_t acknowledged = 0;
  for (int number = 0; number < kRounds && !::testing::Test::HasFailure();
       ++number) {
    PowerCut cut;
    cut.tail = static_cast<CutTail>(random() % 3);
    cut.names = static_cast<CutNames>(random() % 2);
    cut.seed = random();
    const uint64_t cut_at = 1 + random() % 1500;
    SCOPED_TRACE(absl::StrCat(
        "round ", number, ", tail ", static_cast<int>(cut.tail), ", names ",
        static_cast<int>(cut.names), ", cut at ", cut_at));
    Round round(random(), cut);
    round.Run(cut_at);
    acknowledged += round.Check(&random);
  }
  std::cout << kRounds << " power cuts, " << acknowledged
            << " acknowledged requests, 0 lost\n";
}

}  // namespace
}  // namespace sextant::test
