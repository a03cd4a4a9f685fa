// SPDX-License-Identifier: Apache-2.0
#include "tests/support/power_cut_file_system.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "storage/store_fixture.h"
#include "tests/support/temp_dir.h"

namespace sextant::test {
namespace {

namespace fs = std::filesystem;

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// Names and contents below `path`.
std::map<std::string, std::string> ReadTree(const std::string& path) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) {
      std::ifstream in(entry.path(), std::ios::binary);
      files[fs::relative(entry.path(), path).string()] =
          std::string(std::istreambuf_iterator<char>(in), {});
    }
  }
  return files;
}

class PowerCutFileSystemTest : public ::testing::Test {
 protected:
  PowerCutFileSystemTest() {
    fs::create_directory(root_);
    files_ = std::make_shared<PowerCutFileSystem>(root_);
  }

  std::unique_ptr<rocksdb::FSWritableFile> Create(const std::string& name) {
    std::unique_ptr<rocksdb::FSWritableFile> file;
    rocksdb::FileOptions options;
    options.use_mmap_writes = false;
    EXPECT_TRUE(
        files_->NewWritableFile(root_ + "/" + name, options, &file, nullptr)
            .ok());
    return file;
  }
  static void Append(rocksdb::FSWritableFile* file, const std::string& bytes) {
    EXPECT_TRUE(file->Append(bytes, {}, nullptr).ok());
  }
  static void Sync(rocksdb::FSWritableFile* file) {
    EXPECT_TRUE(file->Fsync({}, nullptr).ok());
  }
  void SyncRoot() {
    std::unique_ptr<rocksdb::FSDirectory> directory;
    ASSERT_TRUE(files_->NewDirectory(root_, {}, &directory, nullptr).ok());
    ASSERT_TRUE(directory->FsyncWithDirOptions({}, nullptr, {}).ok());
  }
  void Rename(const std::string& from, const std::string& to) {
    EXPECT_TRUE(
        files_->RenameFile(root_ + "/" + from, root_ + "/" + to, {}, nullptr)
            .ok());
  }
  std::map<std::string, std::string> Cut(CutTail tail, CutNames names) {
    const std::string target =
        directory_.Child("cut" + std::to_string(++cuts_));
    EXPECT_OK(
        files_->CopyAfter({.tail = tail, .names = names, .seed = 7}, target));
    return ReadTree(target);
  }

  TempDir directory_;
  const std::string root_ = directory_.Child("root");
  std::shared_ptr<PowerCutFileSystem> files_;
  int cuts_ = 0;
};

TEST_F(PowerCutFileSystemTest, CutsAFileToItsSyncedLength) {
  const auto file = Create("a");
  Append(file.get(), "safe");
  Sync(file.get());
  Append(file.get(), "lost");
  SyncRoot();
  EXPECT_THAT(Cut(CutTail::kDropped, CutNames::kSynced),
              ElementsAre(Pair("a", "safe")));
  const std::string torn = Cut(CutTail::kTorn, CutNames::kSynced)["a"];
  EXPECT_EQ(torn, std::string("safelost").substr(0, torn.size()));
  EXPECT_GE(torn.size(), 4U);
  const std::string zeroed = Cut(CutTail::kZeroed, CutNames::kSynced)["a"];
  EXPECT_EQ(zeroed.size(), 8U);
  EXPECT_EQ(zeroed.substr(0, 4), "safe");
}

TEST_F(PowerCutFileSystemTest, DropsNamesThatWereNotSynced) {
  const auto file = Create("a");
  Append(file.get(), "x");
  Sync(file.get());
  EXPECT_THAT(Cut(CutTail::kDropped, CutNames::kSynced), IsEmpty());
  EXPECT_THAT(Cut(CutTail::kDropped, CutNames::kAll),
              ElementsAre(Pair("a", "x")));
}

TEST_F(PowerCutFileSystemTest, UndoesRenamesAndDeletesThatWereNotSynced) {
  const auto old_file = Create("name");
  Append(old_file.get(), "old");
  Sync(old_file.get());
  const auto gone = Create("gone");
  Sync(gone.get());
  SyncRoot();
  const auto new_file = Create("name.tmp");
  Append(new_file.get(), "new");
  Sync(new_file.get());
  Rename("name.tmp", "name");
  EXPECT_TRUE(files_->DeleteFile(root_ + "/gone", {}, nullptr).ok());
  EXPECT_THAT(Cut(CutTail::kDropped, CutNames::kSynced),
              ElementsAre(Pair("gone", ""), Pair("name", "old")));
  EXPECT_THAT(Cut(CutTail::kDropped, CutNames::kAll),
              ElementsAre(Pair("name", "new")));
  SyncRoot();
  EXPECT_THAT(Cut(CutTail::kDropped, CutNames::kSynced),
              ElementsAre(Pair("name", "new")));
}

TEST_F(PowerCutFileSystemTest, FailsTheChosenOperation) {
  const auto file = Create("a");
  files_->Arm({.at = 2, .error = IoFault::Error::kNoSpace});
  Append(file.get(), "1234");
  EXPECT_TRUE(file->Append("5678", {}, nullptr).IsNoSpace());
  EXPECT_TRUE(files_->fault_was_met());
  Append(file.get(), "9");
  files_->Arm({.at = 1, .stays = true});
  EXPECT_TRUE(file->Fsync({}, nullptr).IsIOError());
  EXPECT_TRUE(file->Fsync({}, nullptr).IsIOError());
  files_->Disarm();
  Sync(file.get());
  // The full disk took half of the second piece.
  EXPECT_THAT(Cut(CutTail::kDropped, CutNames::kAll),
              ElementsAre(Pair("a", "1234569")));
}

TEST_F(PowerCutFileSystemTest, RunsTheHookBeforeAChange) {
  int calls = 0;
  const auto file = Create("a");
  files_->BeforeWrite(files_->writes() + 2, [&] {
    ++calls;
    EXPECT_THAT(Cut(CutTail::kTorn, CutNames::kAll),
                ElementsAre(Pair("a", ::testing::AnyOf("", "1"))));
  });
  Append(file.get(), "1");
  EXPECT_EQ(calls, 0);
  Append(file.get(), "2");
  Append(file.get(), "3");
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace sextant::test
