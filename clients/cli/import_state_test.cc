// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/import_state.h"

#include "base/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace sextant::cli {
namespace {

ImportState Example() {
  return {.collection = "docs",
          .collection_created_ns = 1'700'000'000'123'456'789,
          .source = {.size_bytes = 10, .modified_ns = 20},
          .points_done = 1234};
}

TEST(ImportStateTest, SurvivesTheFile) {
  const TempDir folder;
  const std::string path = folder.Child("new/folder/import.json");
  ASSERT_OK(SaveImportState(path, Example()));
  const auto loaded = LoadImportState(path);
  ASSERT_TRUE(loaded.has_value());
  EXPECT_TRUE(loaded->Continues(Example()));
  EXPECT_EQ(loaded->points_done, 1234u);
  EXPECT_EQ(loaded->collection_created_ns, 1'700'000'000'123'456'789);
  RemoveImportState(path);
  EXPECT_FALSE(LoadImportState(path).has_value());
}

TEST(ImportStateTest, BrokenFilesAreNoState) {
  for (const char* text : {"", "{", "[]", "{}", R"({"format":2})",
                           R"({"format":1,"collection":7})"}) {
    EXPECT_FALSE(ImportState::FromJson(text).ok()) << text;
  }
  std::string cut = Example().ToJson();
  cut.resize(cut.size() / 2);
  EXPECT_FALSE(ImportState::FromJson(cut).ok());
}

TEST(ImportStateTest, OtherFilesOrCollectionsDoNotContinue) {
  ImportState changed = Example();
  changed.points_done = 0;
  EXPECT_TRUE(changed.Continues(Example()));
  changed.source.modified_ns += 1;
  EXPECT_FALSE(changed.Continues(Example()));
  changed = Example();
  changed.collection_created_ns += 1;
  EXPECT_FALSE(changed.Continues(Example()));
}

TEST(ImportStateTest, CannotWriteIsAnError) {
  EXPECT_FALSE(SaveImportState("/proc/no/state.json", Example()).ok());
}

TEST(ImportStateTest, EachImportHasItsFile) {
  const SourceOptions file = {.path = "/a.jsonl"};
  const SourceOptions joined = {.path = "/a.jsonl", .vectors_path = "/a.npy"};
  const std::string path = DefaultStatePath("h:1", "docs", file);
  EXPECT_EQ(path, DefaultStatePath("h:1", "docs", file));
  EXPECT_NE(path, DefaultStatePath("h:2", "docs", file));
  EXPECT_NE(path, DefaultStatePath("h:1", "other", file));
  EXPECT_NE(path, DefaultStatePath("h:1", "docs", joined));
}

}  // namespace
}  // namespace sextant::cli
