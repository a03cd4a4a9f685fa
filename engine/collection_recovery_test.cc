// SPDX-License-Identifier: Apache-2.0
//
// Starts after things went wrong on disk: never silently wrong, always with
// the right answers or an error that says what is damaged.

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "engine/engine_fixture.h"
#include "index/row_set.h"
#include "storage/store.h"

namespace sextant {
namespace {

namespace fs = std::filesystem;

using test::DenseQuery;
using test::MakePoint;
using test::OneFieldSchema;
using test::SeededPoints;
using test::SeededVector;
using test::Unlimited;

constexpr uint32_t kTestDimension = 24;

class RecoveryTest : public test::DatabaseFixture {
 protected:
  // Points 0..299, some overwritten and deleted; sealed in part.
  void WriteDocs() {
    const auto docs = Create("docs", OneFieldSchema(kTestDimension));
    Upsert(docs.get(), 0, 250, 0);
    ASSERT_OK(docs->SealAndWait(Unlimited()));
    Upsert(docs.get(), 240, 60, 5000);  // ten of them overwritten
    const PointId gone[] = {uint64_t{3}, uint64_t{245}, uint64_t{299}};
    ASSERT_OK(docs->Delete(gone, Unlimited()));
    for (const PointId& id : gone) {
      seeds_.erase(std::get<uint64_t>(id));
    }
  }
  void Upsert(Collection* docs, uint64_t first, uint64_t count, uint64_t salt) {
    std::vector<Point> points;
    for (uint64_t id = first; id < first + count; ++id) {
      points.push_back(MakePoint(id, SeededVector(id + salt, kTestDimension)));
      seeds_[id] = id + salt;
    }
    ASSERT_OK(docs->Upsert(std::move(points), Unlimited()));
  }

  // Every point is found by its vector, nothing else is there.
  void CheckDocs() {
    const auto docs = Find("docs");
    const auto page = docs->Scroll(std::nullopt, 1000, {}, Unlimited());
    ASSERT_OK(page);
    ASSERT_EQ(page->points.size(), seeds_.size());
    EXPECT_EQ(docs->Info().point_count, seeds_.size());
    for (const auto& [id, seed] : seeds_) {
      const auto found = docs->Search(
          DenseQuery(SeededVector(seed, kTestDimension), 2, true), Unlimited());
      ASSERT_OK(found);
      ASSERT_EQ(found->hits.size(), 2U);
      EXPECT_EQ(found->hits[0].point.id, PointId(id));
      EXPECT_NEAR(found->hits[0].score, 1.0F, 1e-5);
      EXPECT_LT(found->hits[1].score, 0.999F);
    }
    const auto all = docs->Search(
        DenseQuery(SeededVector(1, kTestDimension), 1000, true), Unlimited());
    ASSERT_OK(all);
    EXPECT_EQ(all->hits.size(), seeds_.size());
  }

  std::vector<fs::path> SegmentFiles(const std::string& number = "1") {
    std::vector<fs::path> files;
    const fs::path directory = dir_.path() + "/segments/" + number;
    if (fs::exists(directory)) {
      for (const auto& entry : fs::directory_iterator(directory)) {
        files.push_back(entry.path());
      }
    }
    return files;
  }

  // Changes the closed store behind the engine's back.
  void WithStore(const std::function<void(Store*)>& change) {
    StoreOptions options = options_.store;
    auto store = Store::Open(options);
    ASSERT_OK(store);
    change(store->get());
  }
  void ChangeCheckpoint(
      const std::function<void(storage::CheckpointRecord*)>& change,
      Sequence trim_to = 0) {
    WithStore([&](Store* store) {
      auto checkpoint = store->ReadCheckpoint(1);
      ASSERT_OK(checkpoint);
      ASSERT_TRUE(checkpoint->has_value());
      change(&**checkpoint);
      ASSERT_OK(store->WriteCheckpoint(1, **checkpoint, trim_to));
    });
  }

  std::map<uint64_t, uint64_t> seeds_;  // what docs must hold
};

TEST_F(RecoveryTest, CheckpointAndReplay) {
  Open();
  WriteDocs();
  Reopen();
  EXPECT_EQ(Find("docs")->Info().index.rebuilds, 0U) << events_.Text();
  CheckDocs();
  ReopenWithoutClose();
  EXPECT_EQ(Find("docs")->Info().index.rebuilds, 0U) << events_.Text();
  CheckDocs();
}

struct DamageCase {
  const char* name;
  std::function<void(const fs::path& mine, const fs::path& other)> damage;
};

class SegmentDamageTest : public RecoveryTest,
                          public ::testing::WithParamInterface<DamageCase> {};

TEST_P(SegmentDamageTest, LeadsToARebuildAndRightAnswers) {
  Open();
  WriteDocs();
  // The same points in another collection: a file that would fit.
  auto other = Create("other", OneFieldSchema(kTestDimension));
  ASSERT_OK(other->Upsert(SeededPoints(0, 250, kTestDimension), Unlimited()));
  ASSERT_OK(other->SealAndWait(Unlimited()));
  other.reset();
  Close();
  const auto files = SegmentFiles("1");
  const auto foreign = SegmentFiles("2");
  ASSERT_EQ(files.size(), 1U);
  ASSERT_EQ(foreign.size(), 1U);
  GetParam().damage(files[0], foreign[0]);
  Open();
  EXPECT_EQ(events_.CountOf("severe: collection 'docs': rebuilding the index"),
            1U)
      << events_.Text();
  EXPECT_EQ(Find("docs")->Info().index.rebuilds, 1U);
  EXPECT_EQ(Find("other")->Info().index.rebuilds, 0U);
  CheckDocs();
  // The new index is sealed and recorded without anybody asking for it.
  ASSERT_TRUE(test::WaitUntil([&] {
    const IndexStats stats = Find("docs")->Info().index;
    return stats.unindexed_points == 0 && !stats.building;
  }));
  CheckDocs();
  EXPECT_OK(database_->Verify());
  Reopen();
  EXPECT_EQ(Find("docs")->Info().index.rebuilds, 0U) << events_.Text();
  CheckDocs();
}

void FlipByte(const fs::path& path, std::streamoff at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(at);
  const char byte = static_cast<char>(file.get() ^ 0x10);
  file.seekp(at);
  file.put(byte);
  ASSERT_TRUE(file.good());
}

INSTANTIATE_TEST_SUITE_P(
    All, SegmentDamageTest,
    ::testing::Values(
        DamageCase{"Missing", [](const fs::path& mine,
                                 const fs::path&) { fs::remove(mine); }},
        DamageCase{"DirectoryMissing",
                   [](const fs::path& mine, const fs::path&) {
                     fs::remove_all(mine.parent_path());
                   }},
        DamageCase{"Empty", [](const fs::path& mine,
                               const fs::path&) { fs::resize_file(mine, 0); }},
        DamageCase{"CutOff",
                   [](const fs::path& mine, const fs::path&) {
                     fs::resize_file(mine, fs::file_size(mine) - 1);
                   }},
        DamageCase{"OneBit",
                   [](const fs::path& mine, const fs::path&) {
                     FlipByte(mine, static_cast<std::streamoff>(
                                        fs::file_size(mine) / 2));
                   }},
        DamageCase{"OtherVersion", [](const fs::path& mine,
                                      const fs::path&) { FlipByte(mine, 8); }},
        DamageCase{"OtherCollection",
                   [](const fs::path& mine, const fs::path& other) {
                     fs::copy_file(other, mine,
                                   fs::copy_options::overwrite_existing);
                   }}),
    [](const auto& param) { return std::string(param.param.name); });

TEST_F(RecoveryTest, AGapInTheChangeLogLeadsToARebuild) {
  Open();
  WriteDocs();
  Close();
  // Trims one change more than the checkpoint covers.
  ChangeCheckpoint([](storage::CheckpointRecord*) {}, 2);
  Open();
  EXPECT_EQ(Find("docs")->Info().index.rebuilds, 1U);
  EXPECT_EQ(events_.CountOf("change 2 is missing"), 1U) << events_.Text();
  for (const auto& [id, seed] : seeds_) {
    const auto found = Find("docs")->Search(
        DenseQuery(SeededVector(seed, kTestDimension), 1, true), Unlimited());
    ASSERT_OK(found);
    EXPECT_EQ(found->hits[0].point.id, PointId(id));
  }
}

TEST_F(RecoveryTest, ARebuiltEmptyIndexIsRecorded) {
  Open();
  WriteDocs();
  std::vector<PointId> all;
  for (const auto& [id, seed] : seeds_) {
    all.emplace_back(id);
  }
  ASSERT_OK(Find("docs")->Delete(all, Unlimited()));
  seeds_.clear();
  Close();
  fs::remove(SegmentFiles().at(0));
  Open();
  EXPECT_EQ(Find("docs")->Info().index.rebuilds, 1U);
  Reopen();
  EXPECT_EQ(Find("docs")->Info().index.rebuilds, 0U) << events_.Text();
  EXPECT_EQ(Find("docs")->Count()->count, 0U);
}

TEST_F(RecoveryTest, ACheckpointAheadOfTheStoreLeadsToARebuild) {
  Open();
  WriteDocs();
  Close();
  ChangeCheckpoint(
      [](storage::CheckpointRecord* checkpoint) { checkpoint->set_seq(99); });
  Open();
  EXPECT_EQ(Find("docs")->Info().index.rebuilds, 1U);
  EXPECT_EQ(events_.CountOf("the checkpoint is at write 99"), 1U)
      << events_.Text();
}

TEST_F(RecoveryTest, WrongDeadRowsLeadToARebuild) {
  using Change = std::function<void(storage::SegmentRecord*)>;
  const Change changes[] = {
      [](storage::SegmentRecord* segment) { segment->set_dead_count(7); },
      [](storage::SegmentRecord* segment) {
        segment->set_dead_rows("\x01");
        segment->set_dead_count(1);
      },
      // Well formed, but point 100 is alive.
      [](storage::SegmentRecord* segment) {
        const auto rows = static_cast<uint32_t>(segment->rows());
        segment->set_dead_rows(
            RowSet().With(std::vector<Ordinal>{100}, rows).ToBytes());
        segment->set_dead_count(1);
      },
      // Two segments with the same points.
      [](storage::SegmentRecord* segment) { segment->set_number(77); },
  };
  Open();
  WriteDocs();
  for (const Change& change : changes) {
    Close();
    ChangeCheckpoint([&](storage::CheckpointRecord* checkpoint) {
      change(checkpoint->mutable_segments(0));
    });
    Open();
    EXPECT_EQ(Find("docs")->Info().index.rebuilds, 1U);
    CheckDocs();
    ASSERT_OK(Find("docs")->SealAndWait(Unlimited()));
    CheckDocs();
    EXPECT_OK(database_->Verify());
  }
}

// What a crash leaves between the checkpoint and the removal of old files, or
// in the middle of writing one.
TEST_F(RecoveryTest, LeftoverFilesAreRemoved) {
  Open();
  WriteDocs();
  Close();
  const auto files = SegmentFiles();
  ASSERT_EQ(files.size(), 1U);
  const fs::path directory = files[0].parent_path();
  fs::copy_file(files[0], directory / "77.seg");
  fs::copy_file(files[0], directory / "78.seg.tmp");
  Open();
  EXPECT_EQ(SegmentFiles(), files);
  EXPECT_EQ(Find("docs")->Info().index.rebuilds, 0U);
  CheckDocs();
}

// Finds the bytes of a vector in RocksDB's tables and changes one.
bool DamageVector(const std::string& data, const std::vector<float>& vector) {
  const std::string wanted(reinterpret_cast<const char*>(vector.data()),
                           vector.size() * sizeof(float));
  for (const auto& entry : fs::directory_iterator(data + "/rocksdb")) {
    if (entry.path().extension() != ".sst") {
      continue;
    }
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)),
                            std::istreambuf_iterator<char>());
    const size_t at = bytes.find(wanted);
    if (at != std::string::npos) {
      FlipByte(entry.path(), static_cast<std::streamoff>(at + 5));
      return true;
    }
  }
  return false;
}

TEST_F(RecoveryTest, DamagedPointsCostOneCollectionOnly) {
  constexpr uint32_t kLarge = 1024;  // 4 KiB a point: blocks of one collection
  Open();
  for (const char* name : {"before", "bad", "after"}) {
    ASSERT_OK(Create(name, OneFieldSchema(kLarge))
                  ->Upsert(SeededPoints(0, 60, kLarge), Unlimited()));
  }
  auto bad = Find("bad");
  // Unique, so that it is found in the tables.
  ASSERT_OK(bad->Upsert({MakePoint(uint64_t{30}, SeededVector(777, kLarge))},
                        Unlimited()));
  bad.reset();
  Close();
  ASSERT_TRUE(DamageVector(dir_.path(), SeededVector(777, kLarge)));
  Open();
  EXPECT_EQ(events_.CountOf("severe: collection 'bad' cannot be served"), 1U)
      << events_.Text();
  for (const char* name : {"before", "after"}) {
    const auto found =
        Find(name)->Search(DenseQuery(SeededVector(5, kLarge), 1), Unlimited());
    ASSERT_OK(found);
    EXPECT_EQ(found->hits[0].point.id, PointId(uint64_t{5}));
    EXPECT_OK(Find(name)->Info().health);
  }
  bad = Find("bad");
  const CollectionInfo info = bad->Info();
  EXPECT_THAT(info.health, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(info.schema.vector_fields.size(), 1U);
  EXPECT_GT(info.create_time_us, 0);
  const PointId ids[] = {uint64_t{1}};
  EXPECT_EQ(bad->Upsert(SeededPoints(0, 1, kLarge), Unlimited()).status(),
            info.health);
  EXPECT_EQ(bad->Delete(ids, Unlimited()).status(), info.health);
  EXPECT_EQ(bad->Get(ids, {}, Unlimited()).status(), info.health);
  EXPECT_EQ(bad->Scroll(std::nullopt, 1, {}, Unlimited()).status(),
            info.health);
  EXPECT_EQ(bad->Count().status(), info.health);
  EXPECT_EQ(bad->Search(DenseQuery({1}, 1), Unlimited()).status(), info.health);
  EXPECT_EQ(bad->SealAndWait(Unlimited()), info.health);
  EXPECT_THAT(database_->Verify(), StatusIs(absl::StatusCode::kDataLoss));
  // It can be listed and dropped, and its name used again.
  EXPECT_EQ(database_->List("", 10).size(), 3U);
  ASSERT_OK(database_->Drop("bad"));
  EXPECT_EQ(database_->collection_count(), 2U);
  ASSERT_OK(Create("bad", OneFieldSchema(4))
                ->Upsert(SeededPoints(0, 3, 4), Unlimited()));
  Reopen();
  EXPECT_EQ(Find("bad")->Count()->count, 3U);
}

// Damage that the index does not notice is reported when the point is read.
TEST_F(RecoveryTest, ADamagedPointBehindASealedSegmentIsReportedByReads) {
  constexpr uint32_t kLarge = 1024;
  Open();
  auto docs = Create("docs", OneFieldSchema(kLarge));
  ASSERT_OK(docs->Upsert(SeededPoints(0, 60, kLarge), Unlimited()));
  ASSERT_OK(docs->Upsert({MakePoint(uint64_t{30}, SeededVector(777, kLarge))},
                         Unlimited()));
  ASSERT_OK(docs->SealAndWait(Unlimited()));
  docs.reset();
  Close();
  ASSERT_TRUE(DamageVector(dir_.path(), SeededVector(777, kLarge)));
  Open();
  docs = Find("docs");
  EXPECT_OK(docs->Info().health);
  const auto found =
      docs->Search(DenseQuery(SeededVector(777, kLarge), 1), Unlimited());
  ASSERT_OK(found);
  EXPECT_EQ(found->hits[0].point.id, PointId(uint64_t{30}));
  const PointId ids[] = {uint64_t{30}};
  Projection with_vectors;
  with_vectors.all_vectors = true;
  EXPECT_THAT(docs->Get(ids, with_vectors, Unlimited()),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(database_->Verify(), StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace sextant
