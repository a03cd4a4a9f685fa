// SPDX-License-Identifier: Apache-2.0
#include "storage/log_check.h"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "storage/crc32c.h"
#include "storage/store_fixture.h"
#include "tests/support/temp_dir.h"

namespace sextant {
namespace {

namespace fs = std::filesystem;

using ::sextant::test::MakeCollection;
using ::sextant::test::MakePoint;
using ::sextant::test::TestOptions;
using ::sextant::test::TestWriter;

// The newest write-ahead log of a store that was just closed: small records
// and one of several blocks.
std::string MakeLog(const TempDir& directory, size_t last_payload_size) {
  const std::string path = directory.Child("data");
  {
    auto store = Store::Open(TestOptions(path));
    EXPECT_OK(store);
    const auto record = (*store)->CreateCollection(MakeCollection("docs"));
    EXPECT_OK(record);
    TestWriter writer(store->get(), record->number());
    for (uint64_t i = 0; i < 20; ++i) {
      EXPECT_OK(writer.Apply({MakePoint("a", i)}));
    }
    EXPECT_OK(writer.Apply({MakePoint("long", 1, 16, 100'000)}));
    EXPECT_OK(writer.Apply({MakePoint("last", 1, 16, last_payload_size)}));
  }
  std::string newest;
  for (const auto& entry : fs::directory_iterator(path + "/rocksdb")) {
    if (entry.path().extension() == ".log") {
      newest = std::max(newest, entry.path().string());
    }
  }
  std::ifstream in(newest, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class LogCheckTest : public ::testing::Test {
 protected:
  const TempDir directory_;
  const std::string log_ = MakeLog(directory_, 3000);
};

TEST(Crc32cTest, HasTheKnownValue) {
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(Crc32c(""), 0U);
}

TEST_F(LogCheckTest, AcceptsAWholeLog) {
  ASSERT_GT(log_.size(), 100'000U);
  ASSERT_OK_AND_ASSIGN(const LogCheck check, CheckLog(log_));
  EXPECT_EQ(check.end, LogEnd::kWhole);
  EXPECT_EQ(check.whole_bytes, log_.size());
  EXPECT_OK(CheckLog(""));
}

TEST_F(LogCheckTest, AcceptsALogCutAnywhere) {
  for (size_t size = 0; size < log_.size(); size += 1 + size % 97) {
    const auto check = CheckLog(absl::string_view(log_).substr(0, size));
    ASSERT_OK(check);
    EXPECT_LE(check->whole_bytes, size);
    EXPECT_EQ(check->end == LogEnd::kWhole, check->whole_bytes == size);
  }
}

TEST_F(LogCheckTest, AcceptsZerosFromASectorOn) {
  for (size_t from = 0; from < log_.size(); from += 512) {
    std::string zeroed = log_;
    std::fill(zeroed.begin() + static_cast<std::ptrdiff_t>(from), zeroed.end(),
              '\0');
    const auto check = CheckLog(zeroed);
    ASSERT_OK(check);
    EXPECT_LE(check->whole_bytes, from + 7);
  }
}

TEST_F(LogCheckTest, FindsEveryFlippedBitInTheLastRecords) {
  // All of the last small record, and the end of the long one before it.
  for (size_t i = log_.size() - 4000; i < log_.size(); ++i) {
    std::string damaged = log_;
    damaged[i] = static_cast<char>(damaged[i] ^ (1 << (i % 8)));
    EXPECT_THAT(CheckLog(damaged), StatusIs(absl::StatusCode::kDataLoss))
        << "byte " << i << " of " << log_.size();
  }
}

TEST_F(LogCheckTest, FindsFlippedBitsAnywhere) {
  const uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  for (int i = 0; i < 1000; ++i) {
    std::string damaged = log_;
    const size_t at = random() % log_.size();
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (random() % 8)));
    const auto check = CheckLog(damaged);
    // Up to 6 bytes at the end of a block belong to no record.
    EXPECT_TRUE(!check.ok() || at % 32768 > 32768 - 7) << "byte " << at;
  }
}

// The same at the level of the store.
TEST_F(LogCheckTest, TheStoreRefusesADamagedLogUnlessTold) {
  const std::string path = directory_.Child("data");
  for (const auto& entry : fs::directory_iterator(path + "/rocksdb")) {
    if (entry.path().extension() == ".log" && entry.file_size() > 0) {
      std::fstream file(entry.path(),
                        std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(5000);
      file.put('x');
      file.put('y');
    }
  }
  EXPECT_THAT(Store::Open(TestOptions(path)),
              StatusIs(absl::StatusCode::kDataLoss,
                       ::testing::HasSubstr("is no torn write")));
  StoreOptions lenient = TestOptions(path);
  lenient.durability = Durability::kOs;
  EXPECT_OK(Store::Open(lenient).status());
}

}  // namespace
}  // namespace sextant
