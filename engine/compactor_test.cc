// SPDX-License-Identifier: Apache-2.0
//
// Background work: when it starts, and that nobody waits for it in vain.

#include "engine/compactor.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "base/mutex.h"
#include "base/status_matchers.h"
#include "engine/engine_fixture.h"
#include "engine/schema_record.h"

namespace sextant {
namespace {

using test::OneFieldSchema;
using test::SeededPoints;
using test::SeededVector;
using test::Unlimited;

// Occupies a thread of a pool until it goes.
class BusyThread {
 public:
  explicit BusyThread(ThreadPool* pool) {
    EXPECT_TRUE(pool->TrySchedule([state = state_] {
      MutexLock lock(&state->mutex);
      while (!state->released) {
        state->changed.Wait(&state->mutex);
      }
    }));
  }
  ~BusyThread() {
    MutexLock lock(&state_->mutex);
    state_->released = true;
    state_->changed.NotifyAll();
  }

 private:
  struct State {
    Mutex mutex;
    CondVar changed;
    bool released = false;
  };
  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

// A compactor that works when the test says so.
class CompactorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    StoreOptions options;
    options.path = dir_.path();
    options.min_free_bytes = 0;
    auto store = Store::Open(options);
    ASSERT_OK(store);
    store_ = *std::move(store);
    storage::CollectionRecord definition = ToRecord("docs", schema_);
    definition.set_uuid("0123456789abcdef");
    const auto record = store_->CreateCollection(definition);
    ASSERT_OK(record);
    writer_ = std::make_unique<CollectionWriter>(store_.get(), *record, schema_,
                                                 1000, events_.Sink());
    ASSERT_OK(writer_->Recover());
    compactor_ =
        std::make_shared<Compactor>(store_.get(), *record, writer_.get(),
                                    BackgroundThreads{&merges_, nullptr},
                                    CompactorOptions{}, events_.Sink());
  }
  void TearDown() override {
    compactor_->Stop();
    compactor_->WaitStopped();
  }

  // Writes points and merges them as while writes go on.
  void Seal(uint64_t first, uint64_t count) {
    QueuedWrite queued;
    auto write =
        PrepareUpsert(schema_, SeededPoints(first, count, 4), Unlimited());
    ASSERT_OK(write);
    queued.write = *std::move(write);
    QueuedWrite* const group[] = {&queued};
    writer_->CommitGroup(group);
    ASSERT_OK(queued.status);
    writer_->Freeze();
    compactor_->Schedule(compactor_);
    ASSERT_OK(compactor_->WaitIdle(Unlimited()));
  }
  size_t SealedSegments() const {
    const std::shared_ptr<const Snapshot> snapshot = writer_->snapshot();
    return static_cast<size_t>(std::ranges::count_if(
        snapshot->segments,
        [](const auto& view) { return view->sealed != nullptr; }));
  }
  void Tick(MonotonicTime now, MonotonicTime last_write) {
    compactor_->Tick(now, last_write, compactor_);
  }

  const Schema schema_ = OneFieldSchema(4);
  const TempDir dir_;
  test::EventLog events_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<CollectionWriter> writer_;
  ThreadPool merges_{{.name = "merge", .threads = 1}};
  std::shared_ptr<Compactor> compactor_;
};

// A collection that is dropped must not wait for the merges of others: its own
// stands in the queue behind them.
TEST_F(CompactorTest, StoppingDoesNotWaitForAQueuedMerge) {
  const BusyThread busy(&merges_);
  // The queued merge keeps it alive.
  compactor_->Schedule(compactor_);
  EXPECT_TRUE(compactor_->running());
  compactor_->Stop();
  compactor_->WaitStopped();  // the merge thread is still busy
}

TEST_F(CompactorTest, WhatIsLeftIsMergedOnceWhenNobodyWrites) {
  const MonotonicTime write = std::chrono::steady_clock::now();
  const MonotonicTime later = write + std::chrono::hours(1);
  Seal(0, 500);
  Seal(1000, 20);
  ASSERT_EQ(SealedSegments(), 2U);
  Tick(write + std::chrono::milliseconds(1), write);
  EXPECT_FALSE(compactor_->running()) << "not idle for long enough";
  Tick(later, write);
  ASSERT_OK(compactor_->WaitIdle(Unlimited()));
  EXPECT_EQ(SealedSegments(), 1U) << events_.Text();
  EXPECT_EQ(writer_->snapshot()->state.live_count, 520U);

  // Nothing changes before the next write.
  const std::shared_ptr<const Snapshot> merged = writer_->snapshot();
  Tick(later + std::chrono::hours(1), write);
  EXPECT_FALSE(compactor_->running());
  // After it, one segment is not rewritten.
  Tick(later + std::chrono::hours(1), later);
  ASSERT_OK(compactor_->WaitIdle(Unlimited()));
  EXPECT_EQ(writer_->snapshot(), merged);
}

TEST_F(CompactorTest, FewNewRowsDoNotRewriteALargeSegment) {
  const MonotonicTime write = std::chrono::steady_clock::now();
  Seal(0, 700);
  Seal(1000, 10);
  Tick(write + std::chrono::hours(1), write);
  ASSERT_OK(compactor_->WaitIdle(Unlimited()));
  EXPECT_EQ(SealedSegments(), 2U);
}

// The next merge makes up for it.
TEST_F(CompactorTest, AFailedIdleMergeChangesNothing) {
  const MonotonicTime write = std::chrono::steady_clock::now();
  Seal(0, 500);
  Seal(1000, 20);
  const std::string segments = dir_.path() + "/segments/1";
  std::filesystem::rename(segments, segments + ".away");
  std::ofstream(segments) << "a file where the directory should be";
  const MonotonicTime later = write + std::chrono::hours(1);
  Tick(later, write);
  EXPECT_FALSE(compactor_->WaitIdle(Unlimited()).ok());
  EXPECT_EQ(SealedSegments(), 2U);
  std::filesystem::remove(segments);
  std::filesystem::rename(segments + ".away", segments);
  compactor_->ScheduleNow(compactor_);
  ASSERT_OK(compactor_->WaitIdle(Unlimited()));
  EXPECT_EQ(SealedSegments(), 1U) << events_.Text();
}

class BackgroundTest : public test::DatabaseFixture {
 protected:
  bool SealsByItself(const Collection& collection) {
    return test::WaitUntil([&] {
      const IndexStats stats = collection.Info().index;
      return stats.unindexed_points == 0 && !stats.building;
    });
  }
};

TEST_F(BackgroundTest, AnIdleCollectionIsSealed) {
  options_.seal_idle_ms = 1;
  Open();
  const auto docs = Create("docs", OneFieldSchema(4));
  ASSERT_OK(docs->Upsert(SeededPoints(0, 128, 4), Unlimited()));
  EXPECT_TRUE(SealsByItself(*docs));
}

// A restart in the middle of a burst leaves full segments behind; they are
// sealed although nobody writes any more.
TEST_F(BackgroundTest, FullSegmentsOfAReplayAreSealed) {
  options_.seal_rows = 100'000;
  Open();
  ASSERT_OK(Create("docs", OneFieldSchema(4))
                ->Upsert(SeededPoints(0, 350, 4), Unlimited()));
  Close();
  options_.seal_rows = 100;
  Open();
  const auto docs = Find("docs");
  EXPECT_TRUE(test::WaitUntil(
      [&] { return docs->Info().index.unindexed_points < 100; }));
}

TEST_F(BackgroundTest, ManyOverwritesAndDeletesAreReclaimed) {
  options_.seal_rows = 500;
  Open();
  const auto docs = Create("docs", OneFieldSchema(4));
  for (int round = 0; round < 12; ++round) {
    ASSERT_OK(docs->Upsert(SeededPoints(0, 400, 4), Unlimited()));
  }
  ASSERT_OK(docs->SealAndWait(Unlimited()));
  const IndexStats stats = docs->Info().index;
  EXPECT_EQ(docs->Count()->count, 400U);
  EXPECT_LT(stats.dead_rows, 2000U);
  EXPECT_LE(stats.sealed_segments, 3U);
  EXPECT_EQ(stats.unindexed_points, 0U);
  std::vector<PointId> all;
  for (uint64_t id = 0; id < 400; ++id) {
    all.emplace_back(id);
  }
  ASSERT_OK(docs->Delete(all, Unlimited()));
  ASSERT_OK(docs->SealAndWait(Unlimited()));
  EXPECT_EQ(docs->Info().index.sealed_segments, 0U);
  EXPECT_EQ(docs->Info().index.sealed_bytes, 0U);
}

// A merge that cannot write its file changes nothing, is not tried again with
// each write, and is made up for.
TEST_F(BackgroundTest, AFailedMergeWaitsAndIsMadeUpFor) {
  options_.seal_rows = 50;
  Open();
  const auto docs = Create("docs", OneFieldSchema(4));
  const std::string blocker = dir_.path() + "/segments/1";
  std::ofstream(blocker) << "a file where the directory should be";
  for (uint64_t i = 0; i < 40; ++i) {
    ASSERT_OK(docs->Upsert(SeededPoints(i * 20, 20, 4), Unlimited()));
  }
  ASSERT_TRUE(test::WaitUntil([&] { return !docs->Info().index.building; }));
  EXPECT_EQ(events_.CountOf("severe: collection 'docs': building a segment"),
            1U)
      << events_.Text();
  EXPECT_FALSE(docs->SealAndWait(Unlimited()).ok()) << "tried, and told";
  EXPECT_EQ(docs->Info().index.unindexed_points, 800U);
  const auto found =
      docs->Search(test::DenseQuery(SeededVector(77, 4), 1), Unlimited());
  ASSERT_OK(found);
  EXPECT_EQ(found->hits[0].point.id, PointId(uint64_t{77}));
  std::filesystem::remove(blocker);
  ASSERT_OK(docs->SealAndWait(Unlimited()));
  EXPECT_EQ(docs->Info().index.unindexed_points, 0U);
}

}  // namespace
}  // namespace sextant
