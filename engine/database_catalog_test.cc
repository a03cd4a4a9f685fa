// SPDX-License-Identifier: Apache-2.0
//
// Collections come and go: names, limits, drops in the middle of work, closing,
// directories that cannot be opened, many small collections.

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "base/errors.h"
#include "base/status_matchers.h"
#include "base/thread.h"
#include "engine/engine_fixture.h"
#include "tests/support/sanitized.h"

namespace sextant {
namespace {

using test::DenseQuery;
using test::OneFieldSchema;
using test::SeededPoints;
using test::SeededVector;
using test::Unlimited;
using ::testing::HasSubstr;

class CatalogTest : public test::DatabaseFixture {
 protected:
  std::vector<std::string> Names(absl::string_view after = "",
                                 size_t limit = 1000) {
    std::vector<std::string> names;
    for (const auto& collection : database_->List(after, limit)) {
      names.push_back(collection->name());
    }
    return names;
  }
  size_t SegmentFiles() {
    size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(
             dir_.path() + "/segments")) {
      files += entry.is_regular_file() ? 1U : 0U;
    }
    return files;
  }
};

TEST_F(CatalogTest, CreateFindListDrop) {
  Open();
  EXPECT_EQ(database_->collection_count(), 0U);
  for (const char* name : {"b", "a-1", "C", "b_2"}) {
    Create(name, OneFieldSchema(4));
  }
  EXPECT_EQ(Names(), (std::vector<std::string>{"C", "a-1", "b", "b_2"}));
  EXPECT_EQ(Names("a-1"), (std::vector<std::string>{"b", "b_2"}));
  EXPECT_EQ(Names("a", 1), (std::vector<std::string>{"a-1"}));
  EXPECT_EQ(Names("zzz"), std::vector<std::string>());
  EXPECT_THAT(database_->Create("b", OneFieldSchema(8)),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("'b'")));
  EXPECT_THAT(database_->Find("d"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("'d'")));
  EXPECT_THAT(database_->Drop("d"), StatusIs(absl::StatusCode::kNotFound));
  ASSERT_OK(Find("b")->Upsert(SeededPoints(0, 7, 4), Unlimited()));
  const auto dropped = database_->Drop("b");
  ASSERT_OK(dropped);
  EXPECT_EQ(*dropped, 7U);
  Reopen();
  EXPECT_EQ(Names(), (std::vector<std::string>{"C", "a-1", "b_2"}));
  EXPECT_OK(database_->Verify());
}

TEST_F(CatalogTest, BadNamesAndSchemasAreRefused) {
  Open();
  EXPECT_EQ(
      InvalidFieldPath(database_->Create("a b", OneFieldSchema(4)).status()),
      "name");
  EXPECT_EQ(InvalidFieldPath(database_->Create("", OneFieldSchema(4)).status()),
            "name");
  EXPECT_EQ(
      InvalidFieldPath(database_->Create("docs", OneFieldSchema(0)).status()),
      "schema.vector_fields[0].dimension");
  EXPECT_EQ(InvalidFieldPath(database_->Create("docs", Schema()).status()),
            "schema.vector_fields");
  EXPECT_EQ(database_->collection_count(), 0U);
  EXPECT_THAT(database_->Find("bad\nname"),
              StatusIs(absl::StatusCode::kNotFound,
                       "no collection of that "
                       "name"));
}

TEST_F(CatalogTest, ReadCallsCheckTheirArguments) {
  Open();
  const auto docs = Create("docs", OneFieldSchema(4));
  const std::vector<PointId> many(10'001, uint64_t{1});
  const PointId mixed[] = {uint64_t{1}, std::string("a")};
  Projection unknown;
  unknown.vectors = {"sound"};
  const PointId one[] = {uint64_t{1}};
  EXPECT_EQ(InvalidFieldPath(docs->Get({}, {}, Unlimited()).status()), "ids");
  EXPECT_EQ(InvalidFieldPath(docs->Get(many, {}, Unlimited()).status()), "ids");
  EXPECT_EQ(InvalidFieldPath(docs->Get(mixed, {}, Unlimited()).status()),
            "ids[1]");
  EXPECT_EQ(InvalidFieldPath(docs->Get(one, unknown, Unlimited()).status()),
            "projection.vectors[0]");
  EXPECT_EQ(
      InvalidFieldPath(docs->Scroll(mixed[1], 5, {}, Unlimited()).status()),
      "page_token");
  EXPECT_EQ(
      InvalidFieldPath(docs->Scroll(std::nullopt, 0, {}, Unlimited()).status()),
      "page_size");
  EXPECT_EQ(InvalidFieldPath(
                docs->Scroll(std::nullopt, 10'001, {}, Unlimited()).status()),
            "page_size");
  EXPECT_EQ(InvalidFieldPath(docs->Delete({}, Unlimited()).status()), "ids");
}

TEST_F(CatalogTest, ScrollWalksAllIdsInOrder) {
  Open();
  const auto docs =
      Create("docs", OneFieldSchema(4, Metric::kL2, IdKind::kString));
  std::vector<std::string> ids;
  for (uint64_t i = 0; i < 100; ++i) {
    ids.emplace_back(i % 13 + 1, static_cast<char>('a' + i % 26));
    ASSERT_OK(docs->Upsert({test::MakePoint(ids.back(), SeededVector(i, 4))},
                           Unlimited()));
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  for (const uint32_t limit : {1U, 7U, 100U, 1000U}) {
    std::vector<std::string> seen;
    std::optional<PointId> after;
    for (bool more = true; more;) {
      const auto page = docs->Scroll(after, limit, {}, Unlimited());
      ASSERT_OK(page);
      ASSERT_LE(page->points.size(), limit);
      for (const Point& point : page->points) {
        seen.push_back(std::get<std::string>(point.id));
      }
      more = page->more;
      ASSERT_TRUE(!more || !page->points.empty()) << "no way on";
      after = page->points.empty() ? after : page->points.back().id;
    }
    EXPECT_EQ(seen, ids) << "limit " << limit;
  }
}

// Whoever still holds a dropped collection is told so.
TEST_F(CatalogTest, ADroppedCollectionIsNotFound) {
  Open();
  auto docs = Create("docs", OneFieldSchema(4));
  ASSERT_OK(docs->Upsert(SeededPoints(0, 7, 4), Unlimited()));
  ASSERT_OK(database_->Drop("docs"));
  const PointId ids[] = {uint64_t{1}};
  const absl::Status answers[] = {
      docs->Upsert(SeededPoints(0, 1, 4), Unlimited()).status(),
      docs->Delete(ids, Unlimited()).status(),
      docs->Get(ids, {}, Unlimited()).status(),
      docs->Scroll(std::nullopt, 5, {}, Unlimited()).status(),
      docs->Count().status(),
      docs->Search(DenseQuery(SeededVector(1, 4), 1), Unlimited()).status(),
      docs->SealAndWait(Unlimited())};
  for (const absl::Status& answer : answers) {
    EXPECT_THAT(answer, StatusIs(absl::StatusCode::kNotFound,
                                 HasSubstr("'docs' was dropped")));
  }
  // A new one of that name is another one.
  Create("docs", OneFieldSchema(5));
  EXPECT_EQ(Find("docs")->Count()->count, 0U);
  docs.reset();
  Reopen();
  EXPECT_EQ(Find("docs")->schema()->vector_fields[0].dimension, 5U);
}

// The records are what counts: a file that cannot be removed does not leave
// the collection half dropped.
TEST_F(CatalogTest, ADropIsCompleteAlthoughAFileStays) {
  Open();
  Create("docs", OneFieldSchema(4));
  ASSERT_OK(Find("docs")->Upsert(SeededPoints(0, 7, 4), Unlimited()));
  // A directory that is not empty, under the name of a file.
  const std::string stuck = dir_.path() + "/segments/1/77.seg";
  std::filesystem::create_directories(stuck + "/inside");
  EXPECT_OK(database_->Drop("docs"));
  EXPECT_EQ(events_.CountOf("severe: dropped collection 'docs'"), 1U)
      << events_.Text();
  EXPECT_THAT(database_->Find("docs"), StatusIs(absl::StatusCode::kNotFound));
  Create("docs", OneFieldSchema(4));
  std::filesystem::remove_all(stuck);
  Reopen();
  EXPECT_EQ(Find("docs")->Count()->count, 0U);
  EXPECT_OK(database_->Verify());
}

TEST_F(CatalogTest, NothingIsWrittenAfterClose) {
  Open();
  const auto docs = Create("docs", OneFieldSchema(4));
  ASSERT_OK(docs->Upsert(SeededPoints(0, 7, 4), Unlimited()));
  ASSERT_OK(database_->Close());
  const PointId ids[] = {uint64_t{1}};
  const absl::Status answers[] = {
      docs->Upsert(SeededPoints(0, 1, 4), Unlimited()).status(),
      docs->Delete(ids, Unlimited()).status(),
      database_->Create("more", OneFieldSchema(4)).status(),
      database_->Drop("docs").status()};
  for (const absl::Status& answer : answers) {
    EXPECT_THAT(answer,
                StatusIs(absl::StatusCode::kUnavailable, HasSubstr("closed")));
  }
  EXPECT_EQ(docs->Count()->count, 7U) << "reads go on";
  EXPECT_OK(database_->Close()) << "twice is fine";
}

TEST_F(CatalogTest, ADirectoryIsOpenedOnce) {
  Open();
  EXPECT_THAT(
      Database::Open(options_),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(dir_.path())));
  Close();
  Open();
}

TEST_F(CatalogTest, BadDirectoriesAreRefused) {
  const std::string file = dir_.path() + "/file";
  std::ofstream(file) << "not a directory";
  options_.store.path = file;
  EXPECT_FALSE(Database::Open(options_).ok());
  options_.store.path = "";
  EXPECT_FALSE(Database::Open(options_).ok());
  options_.store.path = dir_.path() + "/a/b";
  options_.seal_rows = 0;
  EXPECT_THAT(
      Database::Open(options_),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("seal_rows")));
}

TEST_F(CatalogTest, ProgressCountsTheCollections) {
  Open();
  for (const char* name : {"a", "b", "c"}) {
    Create(name, OneFieldSchema(4));
  }
  std::vector<std::string> lines;
  options_.on_progress = [&](size_t done, size_t total,
                             absl::string_view name) {
    lines.push_back(absl::StrCat(done, "/", total, name));
  };
  Reopen();
  EXPECT_EQ(lines, (std::vector<std::string>{"0/3a", "1/3b", "2/3c", "3/3"}));
}

// Drops in the middle of searches, writes and merges; nothing stays behind.
TEST_F(CatalogTest, DropWhileSearchingAndMerging) {
  Open();
  for (int round = 0; round < 8; ++round) {
    const auto docs = Create("docs", OneFieldSchema(16));
    std::atomic<bool> stop{false};
    const auto work = [&](auto call) {
      while (!stop) {
        const absl::Status status = call();
        if (!status.ok()) {
          EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound));
          return;
        }
      }
    };
    {
      const Thread searcher("search", [&] {
        work([&] {
          return docs->Search(DenseQuery(SeededVector(1, 16), 10), Unlimited())
              .status();
        });
      });
      std::atomic<uint64_t> next{0};
      const Thread writer("write", [&] {
        work([&] {
          return docs
              ->Upsert(SeededPoints(next.fetch_add(100), 100, 16), Unlimited())
              .status();
        });
      });
      EXPECT_TRUE(test::WaitUntil(
          [&] { return next >= 500U * static_cast<unsigned>(round) + 300; }));
      EXPECT_OK(database_->Drop("docs"));
      stop = true;
    }
    EXPECT_EQ(SegmentFiles(), 0U);
  }
  EXPECT_OK(database_->Verify());
  Reopen();
  EXPECT_EQ(database_->collection_count(), 0U);
}

uint64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t size = 0;
  uint64_t resident = 0;
  statm >> size >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

TEST_F(CatalogTest, AThousandTinyCollectionsCostKilobytesEach) {
  constexpr uint64_t kCount = 1000;
  Open();
  Create("first", OneFieldSchema(16));
  const uint64_t resident_before = ResidentBytes();
  for (uint64_t i = 0; i < kCount; ++i) {
    const auto collection = Create(absl::StrCat("c", i), OneFieldSchema(16));
    ASSERT_OK(collection->Upsert(SeededPoints(0, 3, 16), Unlimited()));
  }
  const uint64_t resident = ResidentBytes() - resident_before;
  Close();
  const auto start = std::chrono::steady_clock::now();
  Open();
  const std::chrono::duration<double> open_seconds =
      std::chrono::steady_clock::now() - start;
  const Store::DiskUse disk = database_->disk_use();
  std::cout << "a tiny collection: " << resident / kCount
            << " bytes of memory, "
            << (disk.rocksdb_bytes + disk.segment_bytes) / kCount
            << " bytes of disk; " << kCount << " opened in "
            << open_seconds.count() << " s\n";
  EXPECT_LT(disk.rocksdb_bytes + disk.segment_bytes, kCount * 16'384);
  if (!kSanitized) {
    EXPECT_LT(resident, kCount * 32'768);
  }
  for (const uint64_t i : {0UL, 500UL, 999UL}) {
    const auto found =
        Find(absl::StrCat("c", i))
            ->Search(DenseQuery(SeededVector(2, 16), 1), Unlimited());
    ASSERT_OK(found);
    EXPECT_EQ(found->hits[0].point.id, PointId(uint64_t{2}));
  }
}

}  // namespace
}  // namespace sextant
