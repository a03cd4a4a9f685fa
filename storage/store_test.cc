// SPDX-License-Identifier: Apache-2.0
#include "storage/store.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "storage/store_fixture.h"
#include "tests/support/temp_dir.h"

namespace sextant {
namespace {

using ::sextant::test::MakeCollection;
using ::sextant::test::MakePoint;
using ::sextant::test::OwnedPoint;
using ::sextant::test::SameContents;
using ::sextant::test::TestOptions;
using ::sextant::test::TestWriter;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> ScanIds(const Store& store, const StoreView* view,
                                 CollectionNumber collection,
                                 absl::string_view after = "") {
  std::vector<std::string> ids;
  const std::unique_ptr<PointScan> scan =
      store.ScanPoints(view, collection, after, ReadParts());
  while (scan->Next()) {
    ids.emplace_back(scan->id());
  }
  EXPECT_OK(scan->status());
  return ids;
}

absl::StatusOr<std::vector<Sequence>> ChangesAfter(const Store& store,
                                                   CollectionNumber collection,
                                                   Sequence after) {
  std::vector<Sequence> seqs;
  const absl::Status status =
      store.ReadChanges(collection, after, [&](const Change& change) {
        seqs.push_back(change.seq);
        return absl::OkStatus();
      });
  if (!status.ok()) {
    return status;
  }
  return seqs;
}

class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override { Reopen(); }

  void Reopen() {
    store_.reset();
    auto opened = Store::Open(TestOptions(directory_.Child("data")));
    ASSERT_OK(opened);
    store_ = *std::move(opened);
  }

  CollectionNumber Create(absl::string_view name) {
    const auto record = store_->CreateCollection(MakeCollection(name));
    EXPECT_OK(record);
    return record.ok() ? record->number() : 0;
  }

  std::optional<StoredPoint> Read(CollectionNumber collection,
                                  absl::string_view id, ReadParts parts = {}) {
    const std::vector<absl::string_view> ids = {id};
    const auto points = store_->ReadPoints(nullptr, collection, ids, parts);
    EXPECT_OK(points);
    return points.ok() ? points->at(0) : std::nullopt;
  }

  TempDir directory_;
  std::unique_ptr<Store> store_;
};

TEST_F(StoreTest, KeepsEverythingThroughAReopen) {
  const CollectionNumber collection = Create("docs");
  const OwnedPoint a = MakePoint("a", 1);
  const OwnedPoint b = MakePoint("b", 2);
  CollectionState state;
  {
    TestWriter writer(store_.get(), collection);
    ASSERT_OK(writer.Apply({a, b}));
    ASSERT_OK(writer.Apply({}, {"b"}));
    state = writer.state();
  }
  Reopen();
  ASSERT_OK_AND_ASSIGN(const auto records, store_->ListCollections());
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].name(), "docs");
  EXPECT_EQ(records[0].number(), collection);
  ASSERT_OK_AND_ASSIGN(const CollectionState read,
                       store_->ReadState(collection));
  EXPECT_EQ(read, state);
  const std::optional<StoredPoint> point = Read(collection, "a");
  ASSERT_TRUE(point.has_value());
  EXPECT_TRUE(SameContents(a, *point));
  EXPECT_EQ(point->seq, 1U);
  EXPECT_EQ(point->hash, HashOf(a));
  EXPECT_FALSE(Read(collection, "b").has_value());
  EXPECT_OK(store_->Verify());
}

TEST_F(StoreTest, ReadsOnlyTheWantedParts) {
  const CollectionNumber collection = Create("docs");
  TestWriter writer(store_.get(), collection);
  const OwnedPoint a = MakePoint("a", 1);
  ASSERT_OK(writer.Apply({a, MakePoint("none", 2, /*dimension=*/0)}));
  const auto payload =
      Read(collection, "a", {.payload = true, .vectors = false});
  EXPECT_EQ(payload->payload, a.payload);
  EXPECT_THAT(payload->vectors, IsEmpty());
  EXPECT_EQ(payload->seq, 1U);
  const auto vectors =
      Read(collection, "a", {.payload = false, .vectors = true});
  EXPECT_EQ(vectors->payload, "");
  EXPECT_EQ(vectors->vectors.at(0).values, a.values);
  EXPECT_EQ(vectors->hash, payload->hash);
  const auto neither =
      Read(collection, "a", {.payload = false, .vectors = false});
  EXPECT_EQ(neither->payload, "");
  EXPECT_EQ(neither->seq, 1U);
  const auto none =
      Read(collection, "none", {.payload = false, .vectors = true});
  ASSERT_TRUE(none.has_value());
  EXPECT_THAT(none->vectors, IsEmpty());
}

TEST_F(StoreTest, ReadsPointsInTheOrderAsked) {
  const CollectionNumber collection = Create("docs");
  TestWriter writer(store_.get(), collection);
  ASSERT_OK(writer.Apply({MakePoint("a", 1), MakePoint("b", 2)}));
  const std::vector<absl::string_view> ids = {"b", "no", "a", "b"};
  ASSERT_OK_AND_ASSIGN(const auto points,
                       store_->ReadPoints(nullptr, collection, ids, {}));
  EXPECT_TRUE(SameContents(MakePoint("b", 2), *points[0]));
  EXPECT_FALSE(points[1].has_value());
  EXPECT_TRUE(SameContents(MakePoint("a", 1), *points[2]));
  EXPECT_TRUE(SameContents(MakePoint("b", 2), *points[3]));
}

TEST_F(StoreTest, ScansOneCollectionById) {
  const CollectionNumber first = Create("first");
  const CollectionNumber second = Create("second");
  TestWriter writer(store_.get(), first);
  ASSERT_OK(
      writer.Apply({MakePoint("c", 1), MakePoint(std::string("a\0b", 3), 2),
                    MakePoint("a", 3), MakePoint("\xff\xff", 4)}));
  TestWriter other(store_.get(), second);
  ASSERT_OK(other.Apply({MakePoint("b", 1)}));
  const std::string a0b("a\0b", 3);
  EXPECT_THAT(ScanIds(*store_, nullptr, first),
              ElementsAre("a", a0b, "c", "\xff\xff"));
  EXPECT_THAT(ScanIds(*store_, nullptr, first, "a"),
              ElementsAre(a0b, "c", "\xff\xff"));
  EXPECT_THAT(ScanIds(*store_, nullptr, first, "b"),
              ElementsAre("c", "\xff\xff"));
  EXPECT_THAT(ScanIds(*store_, nullptr, second), ElementsAre("b"));
  EXPECT_THAT(ScanIds(*store_, nullptr, 77), IsEmpty());
}

TEST_F(StoreTest, AViewDoesNotMove) {
  const CollectionNumber collection = Create("docs");
  TestWriter writer(store_.get(), collection);
  const OwnedPoint before = MakePoint("a", 1);
  ASSERT_OK(writer.Apply({before}));
  const std::shared_ptr<const StoreView> view = store_->View();
  ASSERT_OK(writer.Apply({MakePoint("a", 2), MakePoint("b", 3)}));
  EXPECT_THAT(ScanIds(*store_, view.get(), collection), ElementsAre("a"));
  const std::vector<absl::string_view> ids = {"a", "b"};
  ASSERT_OK_AND_ASSIGN(const auto points,
                       store_->ReadPoints(view.get(), collection, ids, {}));
  EXPECT_TRUE(SameContents(before, *points[0]));
  EXPECT_FALSE(points[1].has_value());
}

TEST_F(StoreTest, ReplaysAndTrimsTheChangeLog) {
  const CollectionNumber collection = Create("docs");
  TestWriter writer(store_.get(), collection);
  for (uint64_t i = 1; i <= 10; ++i) {
    ASSERT_OK(writer.Apply({MakePoint(absl::StrCat("p", i), i)}));
  }
  ASSERT_OK_AND_ASSIGN(const auto all, ChangesAfter(*store_, collection, 0));
  EXPECT_EQ(all.size(), 10U);
  ASSERT_OK_AND_ASSIGN(const auto tail, ChangesAfter(*store_, collection, 8));
  EXPECT_THAT(tail, ElementsAre(9, 10));
  ASSERT_OK_AND_ASSIGN(const auto none, ChangesAfter(*store_, collection, 10));
  EXPECT_THAT(none, IsEmpty());
  EXPECT_THAT(ChangesAfter(*store_, collection, 11),
              StatusIs(absl::StatusCode::kDataLoss));

  ASSERT_OK_AND_ASSIGN(const auto no_checkpoint,
                       store_->ReadCheckpoint(collection));
  EXPECT_FALSE(no_checkpoint.has_value());
  storage::CheckpointRecord checkpoint;
  checkpoint.set_seq(6);
  ASSERT_OK(store_->WriteCheckpoint(collection, checkpoint, 4));
  Reopen();
  ASSERT_OK_AND_ASSIGN(const auto read, store_->ReadCheckpoint(collection));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->seq(), 6U);
  ASSERT_OK_AND_ASSIGN(const auto kept, ChangesAfter(*store_, collection, 4));
  EXPECT_EQ(kept.size(), 6U);
  EXPECT_THAT(
      ChangesAfter(*store_, collection, 3),
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr("change 4 is missing")));
  EXPECT_OK(store_->Verify());
}

TEST_F(StoreTest, StopsReplayAtTheFirstError) {
  const CollectionNumber collection = Create("docs");
  TestWriter writer(store_.get(), collection);
  ASSERT_OK(writer.Apply({MakePoint("a", 1)}));
  ASSERT_OK(writer.Apply({MakePoint("b", 1)}, {"a"}));
  int calls = 0;
  EXPECT_THAT(store_->ReadChanges(collection, 0,
                                  [&](const Change&) {
                                    ++calls;
                                    return absl::CancelledError("enough");
                                  }),
              StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(calls, 1);
}

TEST_F(StoreTest, DroppingLeavesNothingAndNumbersAreNotReused) {
  const CollectionNumber kept = Create("kept");
  const CollectionNumber dropped = Create("dropped");
  for (const CollectionNumber collection : {kept, dropped}) {
    TestWriter writer(store_.get(), collection);
    ASSERT_OK(writer.Apply({MakePoint("a", 1)}));
    ASSERT_OK_AND_ASSIGN(
        const auto segment,
        store_->segments().Write(MakeCollection("x"), 1, 0, {}));
    storage::CheckpointRecord checkpoint;
    ASSERT_OK(store_->WriteCheckpoint(collection, checkpoint, 0));
  }
  ASSERT_OK(store_->DropCollection(dropped));
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(ScanIds(*store_, nullptr, dropped), IsEmpty());
    EXPECT_FALSE(Read(dropped, "a").has_value());
    EXPECT_THAT(store_->ReadState(dropped),
                StatusIs(absl::StatusCode::kNotFound));
    EXPECT_THAT(store_->ReadCheckpoint(dropped),
                StatusIs(absl::StatusCode::kNotFound));
    EXPECT_THAT(ChangesAfter(*store_, dropped, 0),
                StatusIs(absl::StatusCode::kNotFound));
    EXPECT_THAT(store_->DropCollection(dropped),
                StatusIs(absl::StatusCode::kNotFound));
    EXPECT_THAT(ScanIds(*store_, nullptr, kept), ElementsAre("a"));
    EXPECT_OK(store_->Verify());
    Reopen();
  }
  const CollectionNumber next = Create("next");
  EXPECT_GT(next, dropped);
  TestWriter writer(store_.get(), dropped);
  EXPECT_THAT(writer.Apply({MakePoint("a", 1)}),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_OK(store_->write_status());
}

TEST_F(StoreTest, SaysHowMuchMemoryItTakes) {
  const uint64_t empty = store_->memory_bytes();
  TestWriter writer(store_.get(), Create("docs"));
  constexpr size_t kTestDimension = 1024;
  for (uint64_t i = 0; i < 500; ++i) {
    ASSERT_OK(
        writer.Apply({MakePoint(absl::StrCat("p", i), i, kTestDimension)}));
  }
  EXPECT_GT(store_->memory_bytes(),
            empty + 500 * kTestDimension * sizeof(float));
  EXPECT_LE(store_->memory_bytes(),
            TestOptions(directory_.path()).memory_bytes);
}

TEST_F(StoreTest, ReplacesADefinition) {
  auto record = store_->CreateCollection(MakeCollection("docs"));
  ASSERT_OK(record);
  record->add_payload_fields()->set_name("rank");
  ASSERT_OK(store_->ReplaceDefinition(*record));
  Reopen();
  const auto records = store_->ListCollections();
  ASSERT_OK(records);
  ASSERT_EQ(records->size(), 1U);
  EXPECT_EQ((*records)[0].SerializeAsString(), record->SerializeAsString());
  EXPECT_OK(store_->ReadState(record->number()));
  ASSERT_OK(store_->DropCollection(record->number()));
  EXPECT_THAT(store_->ReplaceDefinition(*record),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(*store_->ListCollections(), IsEmpty());
}

TEST_F(StoreTest, RefusesACollectionWithoutUuid) {
  storage::CollectionRecord record = MakeCollection("docs");
  record.set_uuid("short");
  EXPECT_THAT(store_->CreateCollection(record),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("uuid")));
}

TEST_F(StoreTest, RefusesWritesOnANearlyFullDiskAndRecovers) {
  const CollectionNumber collection = Create("docs");
  store_.reset();
  StoreOptions options = TestOptions(directory_.Child("data"));
  options.min_free_bytes = 1ULL << 60U;
  ASSERT_OK_AND_ASSIGN(store_, Store::Open(options));
  TestWriter writer(store_.get(), collection);
  EXPECT_THAT(
      writer.Apply({MakePoint("a", 1)}),
      StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("the disk of")));
  EXPECT_OK(store_->write_status());
}

TEST_F(StoreTest, RefusesASecondOpenInThisProcess) {
  EXPECT_THAT(Store::Open(TestOptions(directory_.Child("data"))),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("already open in this process")));
}

TEST_F(StoreTest, AttachmentsLiveWithTheirCollection) {
  const CollectionNumber one = Create("one");
  const CollectionNumber other = Create("other");
  const std::string large(300'000, 'x');
  const std::vector<Store::Attachment> writes = {
      {"bank/a", "1"}, {"bank/b", large}, {"bias/1", ""}};
  ASSERT_OK(store_->WriteAttachments(one, writes));
  const Store::Attachment removed{"bank/a", std::nullopt};
  ASSERT_OK(store_->WriteAttachments(one, {&removed, 1}));
  Reopen();
  EXPECT_EQ(store_->ListCollections()->size(), 2U);
  EXPECT_THAT(*store_->ListAttachments(one, "bank/"),
              testing::ElementsAre("bank/b"));
  EXPECT_EQ(**store_->ReadAttachment(one, "bank/b"), large);
  EXPECT_EQ(**store_->ReadAttachment(one, "bias/1"), "");
  EXPECT_FALSE(store_->ReadAttachment(one, "bank/a")->has_value());
  EXPECT_THAT(*store_->ListAttachments(other, ""), testing::IsEmpty());
  EXPECT_OK(store_->Verify());
  ASSERT_OK(store_->DropCollection(one));
  EXPECT_THAT(store_->ReadAttachment(one, "bank/b"),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_OK(store_->Verify());
}

TEST_F(StoreTest, RefusesAnEmptyPath) {
  EXPECT_THAT(Store::Open(TestOptions("")),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(StoreLockTest, NamesADirectoryInUseByAnotherProcess) {
  const TempDir directory;
  int ready[2] = {};
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto store = Store::Open(TestOptions(directory.Child("data")));
    const char answer = store.ok() ? 'y' : 'n';
    static_cast<void>(write(ready[1], &answer, 1));
    pause();
    _exit(0);
  }
  char answer = 0;
  ASSERT_EQ(read(ready[0], &answer, 1), 1);
  ASSERT_EQ(answer, 'y');
  EXPECT_THAT(Store::Open(TestOptions(directory.Child("data"))),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("is in use by another process")));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(ready[0]);
  close(ready[1]);
  EXPECT_OK(Store::Open(TestOptions(directory.Child("data"))).status());
}

}  // namespace
}  // namespace sextant
