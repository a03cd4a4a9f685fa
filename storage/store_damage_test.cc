// SPDX-License-Identifier: Apache-2.0
//
// Stores whose records were damaged, removed or written by a newer program.

#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "storage/keys.h"
#include "storage/record_codec.h"
#include "storage/rocks_instance.h"
#include "storage/store.h"
#include "storage/store_fixture.h"
#include "tests/support/temp_dir.h"

namespace sextant {
namespace {

using ::sextant::test::MakeCollection;
using ::sextant::test::MakePoint;
using ::sextant::test::TestOptions;
using ::sextant::test::TestWriter;
using ::testing::HasSubstr;

void Put(const RocksInstance& rocks, Family family, const std::string& key,
         const std::string& value) {
  EXPECT_TRUE(rocks.db()->Put({}, rocks.handle(family), key, value).ok());
}

void Delete(const RocksInstance& rocks, Family family, const std::string& key) {
  EXPECT_TRUE(rocks.db()->Delete({}, rocks.handle(family), key).ok());
}

// Writes ten requests to collection 1 of a store, then lets `damage` change it
// from behind.
class StoreDamageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(auto store, Store::Open(Options()));
    ASSERT_OK_AND_ASSIGN(const auto record,
                         store->CreateCollection(MakeCollection("docs")));
    ASSERT_EQ(record.number(), 1U);
    TestWriter writer(store.get(), 1);
    for (uint64_t i = 0; i < 10; ++i) {
      ASSERT_OK(writer.Apply({MakePoint(absl::StrCat("p", i), i)}));
    }
  }

  StoreOptions Options() const { return TestOptions(directory_.Child("data")); }

  void Damage(const std::function<void(const RocksInstance&)>& damage) {
    ASSERT_OK_AND_ASSIGN(const auto rocks, RocksInstance::Open(Options()));
    damage(*rocks);
  }

  const TempDir directory_;
};

TEST_F(StoreDamageTest, RefusesANewerFormatInTheRecord) {
  std::string record;
  EncodeNumber(RecordKind::kFormat, kFormatKey, 9, &record);
  Damage([&](const RocksInstance& rocks) {
    Put(rocks, Family::kDefault, std::string(kFormatKey), record);
  });
  EXPECT_THAT(Store::Open(Options()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("format version 9, this program reads up "
                                 "to 1")));
}

TEST_F(StoreDamageTest, RefusesANewerFormatInTheMarker) {
  std::ofstream(directory_.Child("data") + "/STORE")
      << "sextant data directory, format 2\n";
  EXPECT_THAT(Store::Open(Options()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("format version 2, this program reads up "
                                 "to 1")));
}

TEST_F(StoreDamageTest, RefusesADamagedMarker) {
  std::ofstream(directory_.Child("data") + "/STORE") << "sextant";
  EXPECT_THAT(Store::Open(Options()),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("/STORE")));
}

TEST_F(StoreDamageTest, RefusesFamiliesOfANewerProgram) {
  Damage([](const RocksInstance& rocks) {
    rocksdb::ColumnFamilyHandle* handle = nullptr;
    ASSERT_TRUE(rocks.db()->CreateColumnFamily({}, "future", &handle).ok());
    ASSERT_TRUE(rocks.db()->DestroyColumnFamilyHandle(handle).ok());
  });
  EXPECT_THAT(Store::Open(Options()),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("unknown column family 'future'")));
}

TEST_F(StoreDamageTest, RefusesACounterBelowItsCollections) {
  std::string record;
  EncodeNumber(RecordKind::kNextCollection, kNextCollectionKey, 1, &record);
  Damage([&](const RocksInstance& rocks) {
    Put(rocks, Family::kDefault, std::string(kNextCollectionKey), record);
  });
  EXPECT_THAT(Store::Open(Options()),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("collection number 1 exists")));
}

TEST_F(StoreDamageTest, NoticesAMissingChange) {
  Damage([](const RocksInstance& rocks) {
    Delete(rocks, Family::kChanges, ChangeKey(1, 5));
  });
  ASSERT_OK_AND_ASSIGN(const auto store, Store::Open(Options()));
  Sequence last = 0;
  EXPECT_THAT(
      store->ReadChanges(1, 0,
                         [&](const Change& change) {
                           last = change.seq;
                           return absl::OkStatus();
                         }),
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr("change 5 is missing")));
  EXPECT_EQ(last, 4U);
  EXPECT_THAT(store->Verify(), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(StoreDamageTest, NoticesThatTheNewestChangesAreMissing) {
  Damage([](const RocksInstance& rocks) {
    Delete(rocks, Family::kChanges, ChangeKey(1, 10));
  });
  ASSERT_OK_AND_ASSIGN(const auto store, Store::Open(Options()));
  const auto ignore = [](const Change&) { return absl::OkStatus(); };
  EXPECT_THAT(
      store->ReadChanges(1, 0, ignore),
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr("change 10 is missing")));
  EXPECT_THAT(store->ReadChanges(1, 9, ignore),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(store->Verify(), StatusIs(absl::StatusCode::kDataLoss));
}

struct DamageCase {
  std::string name;
  std::function<void(const RocksInstance&)> damage;
  // In the message of Verify and of a scan.
  std::string what;
  bool scan_finds_it = true;

  friend void PrintTo(const DamageCase& tested, std::ostream* out) {
    *out << tested.name;
  }
};

class DamagedPointTest : public StoreDamageTest,
                         public ::testing::WithParamInterface<DamageCase> {};

TEST_P(DamagedPointTest, IsFoundByVerifyAndByReading) {
  Damage(GetParam().damage);
  ASSERT_OK_AND_ASSIGN(const auto store, Store::Open(Options()));
  const auto matches =
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr(GetParam().what));
  EXPECT_THAT(store->Verify(), matches);
  const std::unique_ptr<PointScan> scan =
      store->ScanPoints(nullptr, 1, "", ReadParts());
  while (scan->Next()) {
  }
  const std::vector<absl::string_view> ids = {"p0", "p5", "p9"};
  const auto points = store->ReadPoints(nullptr, 1, ids, ReadParts());
  if (GetParam().scan_finds_it) {
    EXPECT_THAT(scan->status(), matches);
    EXPECT_THAT(points, matches);
  } else {
    EXPECT_OK(scan->status());
    EXPECT_OK(points);
  }
}

std::vector<DamageCase> DamageCases() {
  const std::string key = PointKey(1, "p5");
  std::string other_payload;
  EncodePoint(key, 3, {}, "other", &other_payload);
  return {
      {"NoVectors",
       [key](const RocksInstance& rocks) {
         Delete(rocks, Family::kVectors, key);
       },
       R"(family 'vectors', collection 1, key "p5": missing)"},
      {"NoPayload",
       [key](const RocksInstance& rocks) {
         Delete(rocks, Family::kPoints, key);
       },
       R"(family 'points', collection 1, key "p5": missing)"},
      {"ForeignHalf",
       [key, other_payload](const RocksInstance& rocks) {
         Put(rocks, Family::kPoints, key, other_payload);
       },
       "another change"},
      {"Garbage",
       [key](const RocksInstance& rocks) {
         Put(rocks, Family::kVectors, key, "garbage that is long enough");
       },
       R"(key "p5")"},
      {"EmptyRecord",
       [key](const RocksInstance& rocks) {
         Put(rocks, Family::kPoints, key, "");
       },
       "cut off after 0 bytes"},
      {"WholePointGone",
       [key](const RocksInstance& rocks) {
         Delete(rocks, Family::kPoints, key);
         Delete(rocks, Family::kVectors, key);
       },
       "counts 10 points, the store holds 9", /*scan_finds_it=*/false},
      {"OrphanOfNoCollection",
       [other_payload](const RocksInstance& rocks) {
         Put(rocks, Family::kPoints, PointKey(2, "p5"), other_payload);
       },
       "belongs to no collection", /*scan_finds_it=*/false},
      {"OldWholePoint",
       [key](const RocksInstance& rocks) {
         const ContentHash hash = HashPoint({"p5", "old", {}});
         std::string record;
         EncodePoint(key, 3, hash, "old", &record);
         Put(rocks, Family::kPoints, key, record);
         EncodeVectors(key, 3, hash, {}, &record);
         Put(rocks, Family::kVectors, key, record);
       },
       "content hash does not fit", /*scan_finds_it=*/false},
  };
}

INSTANTIATE_TEST_SUITE_P(Damage, DamagedPointTest,
                         ::testing::ValuesIn(DamageCases()),
                         [](const auto& tested) { return tested.param.name; });

TEST_F(StoreDamageTest, VerifyNamesADamagedSegment) {
  ASSERT_OK_AND_ASSIGN(const auto store, Store::Open(Options()));
  ASSERT_OK_AND_ASSIGN(const auto records, store->ListCollections());
  ASSERT_OK_AND_ASSIGN(const auto segment,
                       store->segments().Write(records[0], 1, 0, {}));
  storage::CheckpointRecord checkpoint;
  checkpoint.set_seq(10);
  *checkpoint.add_segments() = segment;
  ASSERT_OK(store->WriteCheckpoint(1, checkpoint, 10));
  EXPECT_OK(store->Verify());
  const std::string path = directory_.Child("data") + "/segments/1/1.seg";
  std::filesystem::resize_file(path, 4096);
  EXPECT_THAT(store->Verify(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(path)));
}

// Changes one byte of each table that holds `wanted`; how many there were.
int DamageTables(const std::string& rocksdb_path, const std::string& wanted) {
  int damaged = 0;
  for (const auto& entry : std::filesystem::directory_iterator(rocksdb_path)) {
    if (entry.path().extension() != ".sst") {
      continue;
    }
    std::fstream file(entry.path(),
                      std::ios::binary | std::ios::in | std::ios::out);
    const std::string bytes((std::istreambuf_iterator<char>(file)),
                            std::istreambuf_iterator<char>());
    if (const size_t at = bytes.find(wanted); at != std::string::npos) {
      file.clear();
      file.seekp(static_cast<std::streamoff>(at));
      file.put(static_cast<char>(~wanted[0]));
      ++damaged;
    }
  }
  return damaged;
}

TEST_F(StoreDamageTest, CompactionThatMeetsDamageStopsNoWrite) {
  const std::string filler(1000, 'x');
  const std::string marked = "the block to damage";
  // Two tables over the same keys, so that a compaction has to read them.
  for (int round = 0; round < 2; ++round) {
    Damage([&](const RocksInstance& rocks) {
      for (int i = 0; i < 100; ++i) {
        Put(rocks, Family::kVectors, PointKey(7, absl::StrCat(i)),
            i == 50 ? marked : filler);
      }
      rocksdb::ColumnFamilyHandle* vectors = rocks.handle(Family::kVectors);
      ASSERT_TRUE(rocks.db()->Flush({}, vectors).ok());
    });
  }
  ASSERT_GT(DamageTables(directory_.Child("data") + "/rocksdb", marked), 0);

  std::vector<std::string> told;
  StoreOptions options = Options();
  options.on_damage = [&](const std::string& line) { told.push_back(line); };
  {
    ASSERT_OK_AND_ASSIGN(const auto rocks, RocksInstance::Open(options));
    rocksdb::ColumnFamilyHandle* vectors = rocks->handle(Family::kVectors);
    for (int round = 0; round < 2; ++round) {
      EXPECT_TRUE(rocks->db()
                      ->CompactRange({}, vectors, nullptr, nullptr)
                      .IsCorruption());
      Put(*rocks, Family::kVectors, "after the damage", filler);
      Put(*rocks, Family::kPoints, "after the damage", filler);
    }
    EXPECT_TRUE(rocks->db()->GetOptions(vectors).disable_auto_compactions);
    EXPECT_FALSE(rocks->db()
                     ->GetOptions(rocks->handle(Family::kPoints))
                     .disable_auto_compactions);
  }
  ASSERT_EQ(told.size(), 1U);
  EXPECT_THAT(told[0], HasSubstr("a compaction of 'vectors' met damage"));
  EXPECT_THAT(told[0], HasSubstr(".sst"));
}

TEST_F(StoreDamageTest, OpenRemovesSegmentsOfDroppedCollections) {
  const std::string leftover = directory_.Child("data") + "/segments/77";
  std::filesystem::create_directory(leftover);
  std::ofstream(leftover + "/1.seg") << "leftover";
  EXPECT_OK(Store::Open(Options()).status());
  EXPECT_FALSE(std::filesystem::exists(leftover));
}

uint64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t pages = 0;
  uint64_t resident = 0;
  statm >> pages >> resident;
  return resident * 4096;
}

TEST(StoreScaleTest, AThousandTinyCollectionsCostKilobytesEach) {
  constexpr uint64_t kCollections = 1000;
  const TempDir directory;
  ASSERT_OK_AND_ASSIGN(auto store,
                       Store::Open(TestOptions(directory.Child("data"))));
  const uint64_t resident = ResidentBytes();
  for (uint64_t i = 0; i < kCollections; ++i) {
    ASSERT_OK_AND_ASSIGN(
        const auto record,
        store->CreateCollection(MakeCollection(absl::StrCat("c", i))));
    TestWriter writer(store.get(), record.number());
    ASSERT_OK(writer.Apply({MakePoint("a", i), MakePoint("b", i)}));
  }
  const uint64_t grown = ResidentBytes() - resident;
  ASSERT_OK(store->Flush());
  const uint64_t on_disk = store->disk_use().rocksdb_bytes;
  std::cout << kCollections
            << " collections of 2 points: " << on_disk / kCollections
            << " bytes on disk and " << grown / kCollections
            << " bytes of memory each\n";
  EXPECT_LT(on_disk / kCollections, 8192U);
  EXPECT_LT(grown / kCollections, 32768U);
  ASSERT_OK(store->Verify());
  store.reset();
  ASSERT_OK_AND_ASSIGN(store,
                       Store::Open(TestOptions(directory.Child("data"))));
  ASSERT_OK_AND_ASSIGN(const auto records, store->ListCollections());
  EXPECT_EQ(records.size(), kCollections);
}

}  // namespace
}  // namespace sextant
