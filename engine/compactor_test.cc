// SPDX-License-Identifier: Apache-2.0
//
// Background work: when it starts, and that nobody waits for it in vain.

#include "engine/compactor.h"

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

// A collection that is dropped must not wait for the merges of others: its own
// stands in the queue behind them.
TEST(CompactorTest, StoppingDoesNotWaitForAQueuedMerge) {
  const TempDir dir;
  const Schema schema = OneFieldSchema(4);
  StoreOptions options;
  options.path = dir.path();
  options.min_free_bytes = 0;
  auto store = Store::Open(options);
  ASSERT_OK(store);
  storage::CollectionRecord definition = ToRecord("docs", schema);
  definition.set_uuid("0123456789abcdef");
  const auto record = (*store)->CreateCollection(definition);
  ASSERT_OK(record);
  test::EventLog events;
  CollectionWriter writer(store->get(), *record, &schema, 64, events.Sink());
  ASSERT_OK(writer.Recover());

  ThreadPool merges({.name = "merge", .threads = 1});
  const BusyThread busy(&merges);
  const auto compactor = std::make_shared<Compactor>(
      store->get(), *record, &schema, &writer,
      BackgroundThreads{&merges, nullptr}, CompactorOptions{}, events.Sink());
  // The queued merge keeps it alive.
  compactor->Schedule(compactor);
  EXPECT_TRUE(compactor->running());
  compactor->Stop();
  compactor->WaitStopped();  // the merge thread is still busy
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
