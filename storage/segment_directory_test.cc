// SPDX-License-Identifier: Apache-2.0
#include "storage/segment_directory.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rocksdb/file_system.h"

#include "base/status_matchers.h"
#include "storage/rocks_segment_directory.h"
#include "storage/segment_format.h"
#include "storage/store_fixture.h"
#include "tests/support/temp_dir.h"

namespace sextant {
namespace {

namespace fs = std::filesystem;

using ::sextant::test::MakeCollection;
using ::testing::HasSubstr;

std::string RandomBytes(size_t size, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) {
    byte = static_cast<char>(random() & 0xffU);
  }
  return bytes;
}

class SegmentDirectoryTest : public ::testing::Test {
 protected:
  SegmentDirectoryTest()
      : directory_(temp_.path(), rocksdb::FileSystem::Default().get()) {
    collection_ = MakeCollection("docs");
    collection_.set_number(7);
  }

  storage::SegmentRecord Write(uint64_t number, size_t size = 300'000) {
    const std::string rows = RandomBytes(size, number);
    const std::vector<SegmentSection> sections = {
        {"ids", "some ids"}, {"rows", rows}, {"empty", ""}};
    const auto record = directory_.Write(collection_, number, 12, sections);
    EXPECT_OK(record);
    return record.ok() ? *record : storage::SegmentRecord();
  }

  // Of this process, for the mapped files.
  static uint64_t ResidentFileKb() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
      if (line.rfind("RssFile:", 0) == 0) {
        return std::stoull(line.substr(8));
      }
    }
    return 0;
  }

  std::string PathOf(uint64_t number) const {
    return absl::StrCat(temp_.path(), "/7/", number, ".seg");
  }

  void ExpectRejected(const storage::SegmentRecord& record,
                      const std::string& what = "") {
    EXPECT_THAT(directory_.Open(collection_, record),
                StatusIs(absl::StatusCode::kDataLoss,
                         ::testing::AllOf(HasSubstr(PathOf(record.number())),
                                          HasSubstr(what))));
  }

  const TempDir temp_;
  RocksSegmentDirectory directory_;
  storage::CollectionRecord collection_;
};

TEST_F(SegmentDirectoryTest, GivesBackAlignedSections) {
  const storage::SegmentRecord record = Write(3);
  EXPECT_EQ(record.number(), 3U);
  EXPECT_EQ(record.rows(), 12U);
  EXPECT_EQ(record.size_bytes(), fs::file_size(PathOf(3)));
  ASSERT_OK_AND_ASSIGN(const auto segment,
                       directory_.Open(collection_, record));
  EXPECT_EQ(segment->size_bytes(), record.size_bytes());
  EXPECT_EQ(segment->path(), PathOf(3));
  ASSERT_OK_AND_ASSIGN(const auto ids, segment->Section("ids"));
  EXPECT_EQ(ids, "some ids");
  ASSERT_OK_AND_ASSIGN(const auto rows, segment->Section("rows"));
  EXPECT_EQ(rows, RandomBytes(300'000, 3));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(rows.data()) % 4096, 0U);
  ASSERT_OK_AND_ASSIGN(const auto empty, segment->Section("empty"));
  EXPECT_EQ(empty, "");
  EXPECT_EQ(segment->FindSection("ids"), ids);
  EXPECT_EQ(segment->FindSection("no"), "");
  EXPECT_THAT(segment->Section("no"),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("section 'no' is missing")));
}

TEST_F(SegmentDirectoryTest, SectionsAreInTheOrderOfTheFile) {
  const auto file = directory_.Open(collection_, Write(3));
  ASSERT_OK(file);
  std::vector<std::string> names;
  for (const SegmentSection& section : (*file)->Sections()) {
    names.push_back(section.name);
    EXPECT_EQ(section.bytes, (*file)->FindSection(section.name));
  }
  EXPECT_EQ(names, (std::vector<std::string>{"ids", "rows", "empty"}));
}

TEST_F(SegmentDirectoryTest, UnloadedPagesTakeNoMemoryUntilTheyAreRead) {
  constexpr size_t kSize = size_t{16} << 20;
  const storage::SegmentRecord record = Write(3, kSize);
  ASSERT_OK_AND_ASSIGN(const auto segment,
                       directory_.Open(collection_, record));
  const uint64_t verified = ResidentFileKb();
  segment->Unload();
  // Half of it, because other code of this process may come and go.
  EXPECT_LT(ResidentFileKb() + kSize / 2048, verified);
  ASSERT_OK_AND_ASSIGN(const auto rows, segment->Section("rows"));
  EXPECT_EQ(rows, RandomBytes(kSize, 3));
}

TEST_F(SegmentDirectoryTest, TakesEverySizeAroundABlock) {
  constexpr size_t kBlock = kSegmentBlockSize;
  for (const size_t size :
       {size_t{0}, size_t{1}, size_t{4096}, kBlock - 2 * 4096,
        kBlock - 2 * 4096 + 1, kBlock, 3 * kBlock + 17}) {
    const storage::SegmentRecord record = Write(1, size);
    ASSERT_OK_AND_ASSIGN(const auto segment,
                         directory_.Open(collection_, record));
    ASSERT_OK_AND_ASSIGN(const auto rows, segment->Section("rows"));
    EXPECT_EQ(rows, RandomBytes(size, 1)) << size;
  }
}

TEST_F(SegmentDirectoryTest, RejectsEveryTruncation) {
  const storage::SegmentRecord record = Write(1);
  for (uint64_t size = 0; size < record.size_bytes(); size += 4096) {
    fs::resize_file(PathOf(1), size);
    ExpectRejected(record, "the size is");
    Write(1);
  }
  fs::resize_file(PathOf(1), record.size_bytes() - 1);
  ExpectRejected(record);
  fs::resize_file(PathOf(1), record.size_bytes() + 4096);
  ExpectRejected(record);
}

// As RejectsEveryTruncation, but the length is back: zeros at the end.
TEST_F(SegmentDirectoryTest, RejectsEveryZeroedTail) {
  const storage::SegmentRecord record = Write(1);
  for (uint64_t size = 0; size < record.size_bytes(); size += 4096) {
    fs::resize_file(PathOf(1), size);
    fs::resize_file(PathOf(1), record.size_bytes());
    ExpectRejected(record);
    Write(1);
  }
}

TEST_F(SegmentDirectoryTest, RejectsFlippedBits) {
  const storage::SegmentRecord record = Write(1);
  const uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  std::vector<uint64_t> offsets;
  for (int i = 0; i < 60; ++i) {
    offsets.push_back(random() % record.size_bytes());
  }
  // Header, padding behind it, and all of table of contents and footer.
  for (const uint64_t offset :
       {0U, 8U, 12U, 16U, 32U, 40U, 48U, 4095U, 4196U}) {
    offsets.push_back(offset);
  }
  for (uint64_t i = 1; i < 200; ++i) {
    offsets.push_back(record.size_bytes() - i);
  }
  for (const uint64_t offset : offsets) {
    const std::string path = PathOf(1);
    const auto position = static_cast<std::streamoff>(offset);
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(position);
    const int byte = file.get();
    const auto flip = [&](int value) {
      file.seekp(position);
      file.put(static_cast<char>(value));
      file.flush();
    };
    flip(byte ^ (1 << (random() % 8)));
    SCOPED_TRACE(absl::StrCat("byte ", offset));
    ExpectRejected(record);
    flip(byte);
  }
  EXPECT_OK(directory_.Open(collection_, record));
}

TEST_F(SegmentDirectoryTest, RejectsForeignFiles) {
  const storage::SegmentRecord record = Write(1);
  const storage::SegmentRecord second = Write(2);
  // Another segment of the same collection under this name.
  fs::copy_file(PathOf(2), PathOf(1), fs::copy_options::overwrite_existing);
  ExpectRejected(record, "contents hash");
  storage::SegmentRecord renumbered = second;
  renumbered.set_number(1);
  ExpectRejected(renumbered, "segment 2 with 12 rows, expected segment 1");
  renumbered = second;
  renumbered.set_rows(13);
  ExpectRejected(renumbered, "expected segment 2 with 13 rows");
  // The same file, but the collection was created anew.
  storage::CollectionRecord other = collection_;
  other.set_uuid("0123456789abcdef");
  EXPECT_THAT(
      directory_.Open(other, second),
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr("another collection's")));
  std::ofstream(PathOf(2), std::ios::binary)
      << RandomBytes(second.size_bytes(), 9);
  ExpectRejected(second, "footer");
  fs::remove(PathOf(2));
  ExpectRejected(second, "the file is missing");
}

TEST_F(SegmentDirectoryTest, RemovesLeftovers) {
  Write(1);
  const storage::SegmentRecord kept = Write(2);
  std::ofstream(PathOf(3) + ".tmp") << "torn";
  std::ofstream(temp_.path() + "/7/notes.txt") << "foreign";
  const std::vector<uint64_t> keep = {2, 99};
  ASSERT_OK(directory_.RemoveAllBut(7, keep));
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(temp_.path() + "/7")) {
    names.push_back(entry.path().filename().string());
  }
  EXPECT_THAT(names, ::testing::ElementsAre("2.seg"));
  ASSERT_OK(directory_.RemoveAllBut(7, {}));
  EXPECT_FALSE(fs::exists(temp_.path() + "/7"));
  EXPECT_OK(directory_.RemoveAllBut(7, {}));
}

TEST_F(SegmentDirectoryTest, SectionsOutliveTheFile) {
  const storage::SegmentRecord record = Write(1);
  ASSERT_OK_AND_ASSIGN(const auto segment,
                       directory_.Open(collection_, record));
  ASSERT_OK(directory_.RemoveAllBut(7, {}));
  ASSERT_OK_AND_ASSIGN(const auto rows, segment->Section("rows"));
  EXPECT_EQ(rows, RandomBytes(300'000, 1));
}

TEST_F(SegmentDirectoryTest, ReportsHowLongOpeningTakes) {
  constexpr size_t kSize = size_t{64} << 20U;
  const storage::SegmentRecord record = Write(1, kSize);
  const auto start = std::chrono::steady_clock::now();
  ASSERT_OK(directory_.Open(collection_, record));
  const std::chrono::duration<double, std::milli> took =
      std::chrono::steady_clock::now() - start;
  std::cout << "opened and verified 64 MiB in " << took.count() << " ms\n";
}

}  // namespace
}  // namespace sextant
