// SPDX-License-Identifier: Apache-2.0
//
// Cuts the power at random moments while four threads write, and looks into
// what is left: every acknowledged request is there, every other one is whole
// or absent.

#include <array>
#include <atomic>
#include <filesystem>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "base/thread.h"
#include "storage/store.h"
#include "storage/store_fixture.h"
#include "tests/powercut/store_workload.h"
#include "tests/support/power_cut_file_system.h"
#include "tests/support/temp_dir.h"

namespace sextant::test {
namespace {

constexpr int kRounds = 20;
constexpr size_t kWriters = 4;
constexpr Sequence kRequests = 60;
constexpr Sequence kCheckpointEvery = 13;
constexpr Sequence kFlushEvery = 25;

// What the power cut left; again on the fast file system.
StoreOptions CutOptions(const TempDir& directory) {
  StoreOptions options = TestOptions(directory.Child("cut"));
  options.file_system = std::make_shared<PowerCutFileSystem>(options.path);
  return options;
}

// What the writers were told, and when the power went.
struct Acknowledged {
  std::array<std::atomic<Sequence>, kWriters> seqs = {};

  std::array<Sequence, kWriters> Now() const {
    std::array<Sequence, kWriters> now = {};
    for (size_t i = 0; i < kWriters; ++i) {
      now[i] = seqs[i].load();
    }
    return now;
  }
};

class Round {
 public:
  Round(uint64_t seed, PowerCut cut, Durability durability = Durability::kSync)
      : seed_(seed), cut_(cut) {
    files_ = std::make_shared<PowerCutFileSystem>(directory_.Child("data"));
    StoreOptions options = TestOptions(directory_.Child("data"));
    options.durability = durability;
    options.memory_bytes = 8ULL << 20U;
    options.file_system = files_;
    auto opened = Store::Open(options);
    EXPECT_OK(opened);
    store_ = *std::move(opened);
    for (size_t i = 0; i < kWriters; ++i) {
      const auto record =
          store_->CreateCollection(MakeCollection(absl::StrCat("c", i)));
      EXPECT_OK(record);
      records_.push_back(*record);
    }
  }

  // Cuts before the change with this number, counted from now.
  void Run(uint64_t cut_at) {
    files_->BeforeWrite(files_->writes() + cut_at, [this] { CutNow(); });
    {
      std::vector<std::unique_ptr<Thread>> threads;
      for (size_t i = 0; i < kWriters; ++i) {
        threads.push_back(std::make_unique<Thread>(absl::StrCat("writer-", i),
                                                   [this, i] { Write(i); }));
      }
    }
    if (!was_cut_) {
      CutNow();
    }
    store_.reset();
  }

  // Opens a copy of what was left, cuts before change number `at`, opens that.
  // False when there were fewer changes.
  bool CutAgain(uint64_t at, CutNames names) {
    SCOPED_TRACE(absl::StrCat("step ", at, " of the second start, names ",
                              static_cast<int>(names)));
    const TempDir directory;
    std::filesystem::copy(directory_.Child("cut"), directory.Child("data"),
                          std::filesystem::copy_options::recursive);
    const auto files =
        std::make_shared<PowerCutFileSystem>(directory.Child("data"));
    bool was_cut = false;
    files->BeforeWrite(at, [&] {
      was_cut = true;
      EXPECT_OK(files->CopyAfter({.names = names}, directory.Child("cut")));
    });
    StoreOptions options = TestOptions(directory.Child("data"));
    options.file_system = files;
    EXPECT_OK(Store::Open(options).status());
    if (was_cut) {
      const auto store = Store::Open(CutOptions(directory));
      EXPECT_OK(store);
      for (size_t i = 0; store.ok() && i < kWriters; ++i) {
        EXPECT_EQ(Difference(**store, records_[i].number(), seed_ + i,
                             acknowledged_at_cut_[i]),
                  "");
      }
    }
    return was_cut;
  }

  // The writers whose acknowledged requests were lost.
  size_t CountLosers() {
    const auto store = Store::Open(CutOptions(directory_));
    EXPECT_OK(store);
    size_t losers = 0;
    for (size_t i = 0; store.ok() && i < kWriters; ++i) {
      const auto state = (*store)->ReadState(records_[i].number());
      EXPECT_OK(state);
      losers += state.ok() && state->applied_seq < acknowledged_at_cut_[i];
    }
    return losers;
  }

  // Opens what was left; the number of acknowledged requests.
  Sequence Check() {
    const auto store = Store::Open(CutOptions(directory_));
    EXPECT_OK(store);
    if (!store.ok()) {
      return 0;
    }
    EXPECT_OK((*store)->Verify());
    Sequence sum = 0;
    for (size_t i = 0; i < kWriters; ++i) {
      EXPECT_EQ(Difference(**store, records_[i].number(), seed_ + i,
                           acknowledged_at_cut_[i]),
                "")
          << "writer " << i;
      sum += acknowledged_at_cut_[i];
      // It must also take new writes.
      TestWriter writer(store->get(), records_[i].number());
      EXPECT_OK(writer.Load());
      EXPECT_OK(writer.Apply({MakePoint("after", 1)}));
    }
    EXPECT_OK((*store)->Verify());
    return sum;
  }

 private:
  void CutNow() {
    // First what was acknowledged, then the copy: more may come in between.
    acknowledged_at_cut_ = acknowledged_.Now();
    EXPECT_OK(files_->CopyAfter(cut_, directory_.Child("cut")));
    was_cut_ = true;
  }

  void Write(size_t i) {
    TestWriter writer(store_.get(), records_[i].number());
    for (Sequence seq = 1; seq <= kRequests && !was_cut_; ++seq) {
      const Request request = MakeRequest(seed_ + i, seq);
      ASSERT_OK(writer.Apply(request.upserts, request.deletes));
      acknowledged_.seqs[i].store(seq);
      if (seq % kCheckpointEvery == i) {
        ASSERT_OK(WriteTestCheckpoint(store_.get(), records_[i], seq));
      }
      if (seq % kFlushEvery == 5 * i) {
        ASSERT_OK(store_->Flush());
      }
    }
  }

  const uint64_t seed_;
  const PowerCut cut_;
  const TempDir directory_;
  std::shared_ptr<PowerCutFileSystem> files_;
  std::unique_ptr<Store> store_;
  std::vector<storage::CollectionRecord> records_;
  Acknowledged acknowledged_;
  std::array<Sequence, kWriters> acknowledged_at_cut_ = {};
  std::atomic<bool> was_cut_{false};
};

TEST(PowerCutTest, LosesNoAcknowledgedWrite) {
  const uint64_t seed = TestSeed();
  std::mt19937_64 random(seed);
  Sequence acknowledged = 0;
  for (int number = 0; number < kRounds && !HasFailure(); ++number) {
    PowerCut cut;
    cut.tail = static_cast<CutTail>(random() % 3);
    cut.names = static_cast<CutNames>(random() % 2);
    cut.seed = random();
    const uint64_t cut_at = 1 + random() % 500;
    SCOPED_TRACE(absl::StrCat(
        "round ", number, ", tail ", static_cast<int>(cut.tail), ", names ",
        static_cast<int>(cut.names), ", cut at ", cut_at));
    Round round(random(), cut);
    round.Run(cut_at);
    acknowledged += round.Check();
  }
  std::cout << kRounds << " power cuts, " << acknowledged
            << " acknowledged requests, 0 lost\n";
}

// The control: without fsync the same cuts must lose something, else the test
// above proves nothing.
TEST(PowerCutTest, SeesTheLossWithoutFsync) {
  const uint64_t seed = TestSeed();
  size_t losers = 0;
  for (uint64_t number = 0; number < 40 && losers == 0; ++number) {
    Round round(seed + number, {.names = CutNames::kAll}, Durability::kOs);
    round.Run(100 + number);
    losers += round.CountLosers();
  }
  EXPECT_GT(losers, 0U);
}

// Creates a store and a collection; cuts before the change with number `at`.
// False when there were fewer.
bool CutFirstStart(uint64_t at, CutNames names) {
  SCOPED_TRACE(absl::StrCat("step ", at, ", names ", static_cast<int>(names)));
  const TempDir directory;
  const auto files =
      std::make_shared<PowerCutFileSystem>(directory.Child("data"));
  bool was_cut = false;
  files->BeforeWrite(at, [&] {
    was_cut = true;
    EXPECT_OK(files->CopyAfter({.names = names}, directory.Child("cut")));
  });
  StoreOptions options = TestOptions(directory.Child("data"));
  options.file_system = files;
  auto store = Store::Open(options);
  EXPECT_OK(store);
  EXPECT_OK((*store)->CreateCollection(MakeCollection("first")));
  const bool cut_after_creation = !was_cut;
  // Closing writes too.
  store->reset();
  if (!was_cut) {
    return false;
  }
  store = Store::Open(CutOptions(directory));
  EXPECT_OK(store);
  if (store.ok()) {
    EXPECT_OK((*store)->Verify());
    const auto records = (*store)->ListCollections();
    EXPECT_OK(records);
    EXPECT_TRUE(!cut_after_creation || records->size() == 1);
  }
  return true;
}

TEST(PowerCutTest, LeavesAnOpenableDirectoryAtEveryStepOfTheFirstStart) {
  uint64_t steps = 0;
  for (const CutNames names : {CutNames::kAll, CutNames::kSynced}) {
    for (uint64_t at = 1; !HasFailure() && CutFirstStart(at, names); ++at) {
      ++steps;
    }
  }
  std::cout << "cut at each of " << steps << " steps\n";
  EXPECT_GT(steps, 20U);
}

// The power goes again while the store recovers from the first cut: at every
// step of the start.
TEST(PowerCutTest, LosesNothingWhenTheNextStartIsCutToo) {
  const uint64_t seed = TestSeed();
  uint64_t steps = 0;
  for (const CutNames names : {CutNames::kAll, CutNames::kSynced}) {
    Round round(seed, {.tail = CutTail::kTorn, .names = names, .seed = seed});
    round.Run(300);
    for (uint64_t at = 1; !HasFailure() && round.CutAgain(at, names); ++at) {
      ++steps;
    }
  }
  std::cout << "cut at each of " << steps << " steps of a recovery\n";
  EXPECT_GT(steps, 20U);
}

}  // namespace
}  // namespace sextant::test
