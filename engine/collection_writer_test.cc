// SPDX-License-Identifier: Apache-2.0
//
// The writer step by step, with merges when the test says so.

#include "engine/collection_writer.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "base/thread.h"
#include "engine/engine_fixture.h"
#include "engine/prepared_write.h"
#include "engine/schema_record.h"
#include "engine/segment_fixture.h"

namespace sextant {
namespace {

using test::OneFieldSchema;
using test::SeededPoints;
using test::Unlimited;

constexpr uint32_t kTestDimension = 8;
constexpr uint32_t kSealRows = 64;

class CollectionWriterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    OpenStore();
    record_ = Create("docs");
    OpenWriter();
  }

  void OpenStore() {
    StoreOptions options;
    options.path = dir_.path();
    options.memory_bytes = 16ULL << 20U;
    options.min_free_bytes = 0;
    auto store = Store::Open(options);
    ASSERT_OK(store);
    store_ = *std::move(store);
  }
  storage::CollectionRecord Create(const std::string& name) {
    storage::CollectionRecord definition = ToRecord(name, schema_);
    definition.set_uuid("0123456789abcdef");
    auto created = store_->CreateCollection(std::move(definition));
    EXPECT_OK(created);
    return *created;
  }
  std::unique_ptr<CollectionWriter> MakeWriter(
      const storage::CollectionRecord& record) {
    return std::make_unique<CollectionWriter>(store_.get(), record, schema_,
                                              kSealRows, events_.Sink());
  }
  void OpenWriter() {
    writer_ = MakeWriter(record_);
    ASSERT_OK(writer_->Recover());
  }
  void Restart() {
    writer_.reset();
    store_.reset();
    OpenStore();
    OpenWriter();
  }

  absl::Status Commit(absl::StatusOr<PreparedWrite> write) {
    EXPECT_OK(write);
    QueuedWrite queued;
    queued.write = *std::move(write);
    QueuedWrite* const group[] = {&queued};
    writer_->CommitGroup(group);
    return queued.status;
  }
  void Upsert(uint64_t first, uint64_t count) {
    ASSERT_OK(Commit(PrepareUpsert(
        schema_, SeededPoints(first, count, kTestDimension), Unlimited())));
  }
  void Delete(std::vector<PointId> ids) {
    ASSERT_OK(Commit(PrepareDelete(schema_, ids)));
  }

  // One merge as the compactor does it; false when there is none to do.
  bool Merge() {
    const std::optional<CollectionWriter::Merge> merge =
        writer_->NextMerge(WriteLoad::kBusy);
    if (!merge.has_value()) {
      return false;
    }
    FinishMerge(*merge);
    EXPECT_OK(writer_->WriteCheckpoint());
    return true;
  }
  void FinishMerge(const CollectionWriter::Merge& merge) {
    const auto build = test::Build(schema_, merge.inputs);
    ASSERT_OK(build);
    std::shared_ptr<const SealedSegment> segment;
    if (!build->origins.empty()) {
      const auto sections = build->Sections();
      const auto written = store_->segments().Write(
          record_, merge.number, build->origins.size(), sections);
      ASSERT_OK(written);
      auto file = store_->segments().Open(record_, *written);
      ASSERT_OK(file);
      auto opened = SealedSegment::Open(schema_, *written, *std::move(file));
      ASSERT_OK(opened);
      segment = *std::move(opened);
    }
    writer_->FinishMerge(*build, std::move(segment));
  }
  Sequence CheckpointSeq() {
    const auto checkpoint = store_->ReadCheckpoint(record_.number());
    EXPECT_OK(checkpoint);
    return checkpoint->has_value() ? (*checkpoint)->seq() : 0;
  }

  const Schema schema_ = OneFieldSchema(kTestDimension);
  const TempDir dir_;
  test::EventLog events_;
  std::unique_ptr<Store> store_;
  storage::CollectionRecord record_;
  std::unique_ptr<CollectionWriter> writer_;
};

// What a filter chose is deleted only as far as nobody wrote it since, in the
// same group or before.
TEST_F(CollectionWriterTest, ADeleteAsOfAWriteSparesWhatWasWrittenLater) {
  Upsert(0, 10);
  Upsert(3, 2);
  QueuedWrite rewrite;
  rewrite.write =
      *PrepareUpsert(schema_, SeededPoints(7, 1, kTestDimension), Unlimited());
  QueuedWrite remove;
  remove.write = *PrepareDelete(
      schema_, std::vector<PointId>{uint64_t{2}, uint64_t{3}, uint64_t{7},
                                    uint64_t{8}, uint64_t{99}});
  remove.write.deletes_as_of = 1;
  QueuedWrite* const group[] = {&rewrite, &remove};
  writer_->CommitGroup(group);
  ASSERT_OK(remove.status);
  EXPECT_EQ(remove.result.deleted, 2U);  // 2 and 8
  EXPECT_EQ(writer_->snapshot()->state.live_count, 8U);
  uint64_t live = 0;
  for (const auto& view : writer_->snapshot()->segments) {
    live += view->live();
  }
  EXPECT_EQ(live, 8U);
  Restart();
  EXPECT_EQ(writer_->rebuilds(), 0U);
  EXPECT_EQ(writer_->snapshot()->state.live_count, 8U);
}

// Deletes come while nothing grows, then points, then a checkpoint: it must
// not fall behind the one that trimmed the change log.
TEST_F(CollectionWriterTest, CheckpointsNeverGoBack) {
  Upsert(0, 10);
  writer_->Freeze();
  ASSERT_TRUE(Merge());
  Delete({uint64_t{1}, uint64_t{2}});
  Delete({uint64_t{3}});
  ASSERT_OK(writer_->WriteCheckpoint());
  EXPECT_EQ(CheckpointSeq(), 3U);
  Upsert(100, 5);
  ASSERT_OK(writer_->WriteCheckpoint());
  EXPECT_EQ(CheckpointSeq(), 3U);
  ASSERT_OK(store_->Verify());
  Restart();
  EXPECT_EQ(writer_->rebuilds(), 0U) << events_.Text();
  EXPECT_EQ(writer_->snapshot()->state.live_count, 12U);
}

TEST_F(CollectionWriterTest, ReplayLeadsFromCheckpointToNow) {
  Upsert(0, 100);  // 64 frozen, 36 growing, one request
  ASSERT_TRUE(Merge());
  // The request reaches into the growing segment: it is not covered.
  EXPECT_EQ(CheckpointSeq(), 0U);
  Upsert(50, 20);
  Delete({uint64_t{0}, uint64_t{99}, uint64_t{55}});
  const CollectionState before = writer_->snapshot()->state;
  Restart();
  EXPECT_EQ(writer_->rebuilds(), 0U) << events_.Text();
  EXPECT_EQ(writer_->snapshot()->state, before);
  EXPECT_EQ(before.live_count, 97U);
  while (Merge()) {
  }
  writer_->Freeze();
  while (Merge()) {
  }
  EXPECT_EQ(CheckpointSeq(), 3U);
  Restart();
  EXPECT_EQ(writer_->rebuilds(), 0U) << events_.Text();
  EXPECT_EQ(writer_->changes_to_replay(), 0U);
}

// A replay that fills segments: they are sealed, and the restart after that
// still works.
TEST_F(CollectionWriterTest, ReplayOfMoreThanASegment) {
  for (uint64_t i = 0; i < 20; ++i) {
    Upsert(i * 10, 15);
  }
  Restart();
  EXPECT_TRUE(writer_->has_frozen());
  ASSERT_TRUE(Merge());
  ASSERT_OK(store_->Verify());
  Upsert(500, 5);
  Restart();
  EXPECT_EQ(writer_->rebuilds(), 0U) << events_.Text();
  EXPECT_EQ(writer_->snapshot()->state.live_count, 210U);
  while (Merge()) {
  }
  Upsert(600, 100);
  while (Merge()) {
  }
  Restart();
  EXPECT_EQ(writer_->rebuilds(), 0U) << events_.Text();
  EXPECT_EQ(writer_->snapshot()->state.live_count, 310U);
}

// Requests of one group see each other's effect.
TEST_F(CollectionWriterTest, AGroupIsAppliedInOrder) {
  Upsert(1, 2);
  std::vector<QueuedWrite> writes(5);
  const std::vector<PointId> one = {uint64_t{1}};
  const std::vector<PointId> all = {uint64_t{1}, uint64_t{2}, uint64_t{9}};
  writes[0].write =
      *PrepareUpsert(schema_, SeededPoints(1, 1, kTestDimension), Unlimited());
  writes[1].write = *PrepareDelete(schema_, one);
  writes[2].write = *PrepareDelete(schema_, one);
  writes[3].write =
      *PrepareUpsert(schema_, SeededPoints(1, 1, kTestDimension), Unlimited());
  writes[4].write = *PrepareDelete(schema_, all);
  std::vector<QueuedWrite*> group;
  for (QueuedWrite& write : writes) {
    group.push_back(&write);
  }
  writer_->CommitGroup(group);
  const struct {
    uint64_t inserted, updated, deleted;
  } expected[] = {{0, 1, 0}, {0, 0, 1}, {0, 0, 0}, {1, 0, 0}, {0, 0, 2}};
  for (size_t i = 0; i < 5; ++i) {
    ASSERT_OK(writes[i].status);
    EXPECT_EQ(writes[i].result.applied_seq, i + 2);
    EXPECT_EQ(writes[i].result.inserted, expected[i].inserted) << i;
    EXPECT_EQ(writes[i].result.updated, expected[i].updated) << i;
    EXPECT_EQ(writes[i].result.deleted, expected[i].deleted) << i;
  }
  EXPECT_EQ(writer_->snapshot()->state.live_count, 0U);
  EXPECT_EQ(writer_->snapshot()->state.content_hash, ContentHash());
  ASSERT_OK(store_->Verify());
  Restart();
  EXPECT_EQ(writer_->rebuilds(), 0U) << events_.Text();
}

// An old view keeps overwritten records of all collections on disk, so a
// collection that nobody writes to must let go of its view now and then.
TEST_F(CollectionWriterTest, RefreshTakesANewViewOfTheSameState) {
  Upsert(0, 10);
  const std::shared_ptr<const Snapshot> before = writer_->snapshot();
  writer_->RefreshView();
  const std::shared_ptr<const Snapshot> after = writer_->snapshot();
  EXPECT_NE(before->store_view, after->store_view);
  EXPECT_EQ(before->state, after->state);
  EXPECT_EQ(before->segments.size(), after->segments.size());
}

// A checkpoint and a drop at the same moment: nothing of the collection stays.
TEST_F(CollectionWriterTest, ACheckpointNeverOutlivesADrop) {
  for (int round = 0; round < 30; ++round) {
    const auto record = Create(absl::StrCat("drop", round));
    const auto writer = MakeWriter(record);
    ASSERT_OK(writer->Recover());
    {
      const Thread checkpoints("checkpoints", [&] {
        for (int i = 0; i < 3; ++i) {
          EXPECT_OK(writer->WriteCheckpoint());
        }
      });
      ASSERT_OK(writer->Drop());
    }
    ASSERT_OK(writer->WriteCheckpoint());
  }
  EXPECT_OK(store_->Verify());
}

TEST_F(CollectionWriterTest, AMergeThatEndsAfterTheDropChangesNothing) {
  Upsert(0, 10);
  writer_->Freeze();
  const auto merge = writer_->NextMerge(WriteLoad::kBusy);
  ASSERT_TRUE(merge.has_value());
  ASSERT_OK(writer_->Drop());
  FinishMerge(*merge);
  EXPECT_OK(writer_->WriteCheckpoint());
  EXPECT_FALSE(writer_->NextMerge(WriteLoad::kBusy).has_value());
  EXPECT_THAT(Commit(PrepareUpsert(schema_, SeededPoints(1, 1, kTestDimension),
                                   Unlimited())),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_OK(store_->Verify());
}

}  // namespace
}  // namespace sextant
