// SPDX-License-Identifier: Apache-2.0
//
// Index files that are torn, of another version, of another collection or
// damaged in one bit: never served, always rebuilt, answers equal to brute
// force.

#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "tests/crash/engine_check.h"
#include "tests/crash/workload.h"

namespace sextant::test {
namespace {

namespace fs = std::filesystem;

// A closed database with two collections of the same shape, sealed.
class SegmentDamageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    // Only SealAndWait() seals, and so makes one file of a collection; a file
    // that was sealed while the writes went on might not be merged with a
    // small rest.
    DatabaseOptions options = WorkOptions(clean_);
    options.seal_rows = 1'000'000;
    auto database = Database::Open(options);
    ASSERT_OK(database);
    const Workload workload(TestSeed());
    for (const char* name : {kWorkCollection, "other"}) {
      auto created = (*database)->Create(name, WorkSchema());
      ASSERT_OK(created);
      for (uint64_t n = 1; n <= 20; ++n) {
        const WorkRequest request = workload.Request(0, n);
        ASSERT_OK(Send(request, created->get()));
        if (name == kWorkCollection) {
          Apply(request, &points_);
        }
      }
      ASSERT_OK((*created)->SealAndWait(Unlimited()));
    }
    ASSERT_OK((*database)->Close());
    database->reset();
    segment_ = OnlyFile("1");
    foreign_ = OnlyFile("2");
    std::ifstream file(clean_ + segment_, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(file), {});
    ASSERT_GT(bytes_.size(), 8192U);
  }

  // Puts `bytes` in the place of the segment in a copy, opens that.
  void ExpectRebuilt(const std::string& bytes) {
    const std::string copy = directory_.path() + "/copy";
    fs::remove_all(copy);
    fs::copy(clean_, copy, fs::copy_options::recursive);
    std::ofstream(copy + segment_, std::ios::binary | std::ios::trunc) << bytes;
    EventLog events;
    DatabaseOptions options = WorkOptions(copy);
    options.on_event = events.Sink();
    auto database = Database::Open(options);
    ASSERT_OK(database);
    const auto docs = (*database)->Find(kWorkCollection);
    ASSERT_OK(docs);
    EXPECT_EQ((*docs)->Info().index.rebuilds, 1U);
    EXPECT_EQ(events.CountOf(segment_), 1U) << "the file is not named:\n"
                                            << events.Text();
    EXPECT_EQ((*(*database)->Find("other"))->Info().index.rebuilds, 0U);
    EXPECT_EQ(ScrollAll(**docs).points, points_);
    CheckIndex(**docs, points_, &random_);
  }

  std::string OnlyFile(const std::string& collection) {
    std::string name;
    int files = 0;
    for (const auto& entry :
         fs::directory_iterator(clean_ + "/segments/" + collection)) {
      name = "/segments/" + collection + "/" + entry.path().filename().string();
      ++files;
    }
    EXPECT_EQ(files, 1);
    return name;
  }

  const TempDir directory_;
  const std::string clean_ = directory_.path() + "/clean";
  WorkModel points_;
  std::string segment_;  // path below the data directory
  std::string foreign_;
  std::string bytes_;
  std::mt19937_64 random_{1};
};

TEST_F(SegmentDamageTest, TruncatedAnywhere) {
  int cuts = 0;
  for (size_t size = 0; size < bytes_.size() && !HasFailure(); size += 4096) {
    SCOPED_TRACE(absl::StrCat("cut to ", size, " of ", bytes_.size()));
    ExpectRebuilt(bytes_.substr(0, size));
    ++cuts;
  }
  ExpectRebuilt(bytes_.substr(0, bytes_.size() - 1));
  ExpectRebuilt(bytes_ + '\0');
  std::cout << cuts << " cuts, all noticed\n";
}

TEST_F(SegmentDamageTest, OneBitAnywhere) {
  for (int i = 0; i < 25 && !HasFailure(); ++i) {
    std::string bytes = bytes_;
    const size_t at = random_() % bytes.size();
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << random_() % 8));
    SCOPED_TRACE(absl::StrCat("byte ", at));
    ExpectRebuilt(bytes);
  }
}

TEST_F(SegmentDamageTest, EveryByteOfTheHeader) {
  // Magic 8, version 4, zero 4, uuid 16, number 8, rows 8.
  for (size_t at = 0; at < 48 && !HasFailure(); at += 4) {
    std::string bytes = bytes_;
    bytes[at] = static_cast<char>(bytes[at] + 1);
    SCOPED_TRACE(absl::StrCat("byte ", at));
    ExpectRebuilt(bytes);
  }
}

TEST_F(SegmentDamageTest, OtherCollectionsFile) {
  std::ifstream file(clean_ + foreign_, std::ios::binary);
  ExpectRebuilt(std::string(std::istreambuf_iterator<char>(file), {}));
}

}  // namespace
}  // namespace sextant::test
