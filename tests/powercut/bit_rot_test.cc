// SPDX-License-Identifier: Apache-2.0
//
// Flips one bit in one file of a data directory, over every kind of file: it
// is found when the store is opened or by Verify, or it does no harm. What is
// never allowed is to serve wrong data, or to miss some, as if nothing were.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "storage/store.h"
#include "storage/store_fixture.h"
#include "tests/powercut/store_workload.h"
#include "tests/support/power_cut_file_system.h"
#include "tests/support/temp_dir.h"

namespace sextant::test {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kWorkloadSeed = 7;
constexpr Sequence kRequests = 90;
constexpr size_t kCollections = 2;

StoreOptions FastOptions(const std::string& path) {
  StoreOptions options = TestOptions(path);
  options.file_system = std::make_shared<PowerCutFileSystem>(path);
  return options;
}

// "sst", "log", "MANIFEST", ...
std::string KindOf(const fs::path& path) {
  const std::string name = path.filename().string();
  if (path.has_extension()) {
    return path.extension().string().substr(1);
  }
  return name.substr(0, name.find('-'));
}

enum class Verdict { kFoundAtOpen, kFoundByVerify, kHarmless, kServedWrong };

class BitRotTest : public ::testing::Test {
 protected:
  // Tables, a write-ahead log with data, checkpoints and segment files.
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(auto store, Store::Open(FastOptions(original_)));
    for (size_t i = 0; i < kCollections; ++i) {
      ASSERT_OK_AND_ASSIGN(
          const auto record,
          store->CreateCollection(MakeCollection(absl::StrCat("c", i))));
      numbers_.push_back(record.number());
      TestWriter writer(store.get(), record.number());
      for (Sequence seq = 1; seq <= kRequests; ++seq) {
        const Request request = MakeRequest(kWorkloadSeed + i, seq);
        ASSERT_OK(writer.Apply(request.upserts, request.deletes));
        if (seq % 30 == 10) {
          ASSERT_OK(WriteTestCheckpoint(store.get(), record, seq));
        }
        if (seq % 40 == 0) {
          ASSERT_OK(store->Flush());
        }
      }
    }
    store.reset();
    for (const auto& entry : fs::recursive_directory_iterator(original_)) {
      const std::string kind = KindOf(entry.path());
      if (entry.is_regular_file() && entry.file_size() > 0 && kind != "LOG") {
        files_[kind].push_back(fs::relative(entry.path(), original_).string());
      }
    }
  }

  // Everything the store answers without an error is right.
  bool AnswersAreRight(const Store& store) const {
    for (size_t i = 0; i < kCollections; ++i) {
      const std::string difference =
          Difference(store, numbers_[i], kWorkloadSeed + i, kRequests);
      if (!difference.empty() && !absl::StartsWith(difference, "DATA_LOSS")) {
        std::cout << difference << "\n";
        return false;
      }
    }
    return true;
  }

  Verdict Judge(const std::string& path) const {
    const auto store = Store::Open(FastOptions(path));
    if (!store.ok()) {
      return Verdict::kFoundAtOpen;
    }
    const bool right = AnswersAreRight(**store);
    if (!(*store)->Verify().ok()) {
      return right ? Verdict::kFoundByVerify : Verdict::kServedWrong;
    }
    for (size_t i = 0; i < kCollections; ++i) {
      if (Difference(**store, numbers_[i], kWorkloadSeed + i, kRequests) !=
          "") {
        return Verdict::kServedWrong;
      }
    }
    return Verdict::kHarmless;
  }

  Verdict FlipAndJudge(const std::string& name, std::mt19937_64* random) {
    const TempDir copy;
    const std::string path = copy.Child("data");
    fs::copy(original_, path, fs::copy_options::recursive);
    const std::string file = absl::StrCat(path, "/", name);
    const uint64_t offset = (*random)() % fs::file_size(file);
    const uint64_t bit = (*random)() % 8;
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(offset));
    const int byte = stream.get();
    stream.seekp(static_cast<std::streamoff>(offset));
    stream.put(static_cast<char>(static_cast<uint64_t>(byte) ^ (1U << bit)));
    stream.close();
    const Verdict verdict = Judge(path);
    EXPECT_NE(verdict, Verdict::kServedWrong)
        << name << ", bit " << bit << " of byte " << offset;
    return verdict;
  }

  const TempDir directory_;
  const std::string original_ = directory_.Child("data");
  std::vector<CollectionNumber> numbers_;
  std::map<std::string, std::vector<std::string>> files_;
};

TEST_F(BitRotTest, NeverServesWrongData) {
  // The kinds that hold data; damage in them must be found.
  const std::vector<std::string> essential = {"sst",     "log", "MANIFEST",
                                              "CURRENT", "seg", "STORE"};
  for (const std::string& kind : essential) {
    ASSERT_FALSE(files_[kind].empty()) << kind;
  }
  const uint64_t seed = TestSeed();
  std::mt19937_64 random(seed);
  for (const auto& [kind, names] : files_) {
    const bool is_essential =
        std::find(essential.begin(), essential.end(), kind) != essential.end();
    std::map<Verdict, int> counts;
    for (int i = 0; i < (is_essential ? 14 : 4); ++i) {
      ++counts[FlipAndJudge(names[random() % names.size()], &random)];
    }
    std::cout << kind << ": " << counts[Verdict::kFoundAtOpen]
              << " found at open, " << counts[Verdict::kFoundByVerify]
              << " by verify, " << counts[Verdict::kHarmless] << " harmless, "
              << counts[Verdict::kServedWrong] << " served wrong data\n";
  }
}

// RocksDB would make a new database of it and delete the tables.
TEST_F(BitRotTest, RefusesADirectoryWithoutCurrent) {
  fs::remove(original_ + "/rocksdb/CURRENT");
  EXPECT_THAT(Store::Open(FastOptions(original_)),
              StatusIs(absl::StatusCode::kDataLoss,
                       ::testing::HasSubstr("CURRENT is missing")));
}

TEST_F(BitRotTest, FindsAMissingFile) {
  for (const std::string kind : {"sst", "log", "MANIFEST", "seg"}) {
    SCOPED_TRACE(kind);
    const TempDir copy;
    const std::string path = copy.Child("data");
    fs::copy(original_, path, fs::copy_options::recursive);
    fs::remove(absl::StrCat(path, "/", files_[kind].back()));
    EXPECT_NE(Judge(path), Verdict::kServedWrong);
    EXPECT_NE(Judge(path), Verdict::kHarmless);
  }
}

}  // namespace
}  // namespace sextant::test
