// SPDX-License-Identifier: Apache-2.0
//
// Ends a process that writes at each named crash point of the storage layer, at
// its first, third and tenth pass, and looks into what is left.

#include "base/crash_point.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

#include "base/check.h"
#include "base/status_matchers.h"
#include "storage/store.h"
#include "storage/store_fixture.h"
#include "tests/powercut/store_workload.h"
#include "tests/support/temp_dir.h"

namespace sextant::test {
namespace {

constexpr uint64_t kWorkloadSeed = 11;
constexpr Sequence kRequests = 40;

// Makes this program run the workload instead of the tests: flag, data
// directory, descriptor for acknowledgements.
constexpr char kWorkloadFlag[] = "--workload";

struct CrashCase {
  std::string point;
  // Passes at which the process ends.
  std::vector<int> passes;
};

// Opens, writes, checkpoints, drops. Tells each acknowledged sequence number
// through the pipe, after the fact.
void RunWorkload(const std::string& path, int acknowledge) {
  auto store = Store::Open(TestOptions(path));
  CHECK_OK(store);
  const auto doomed = (*store)->CreateCollection(MakeCollection("doomed"));
  const auto record = (*store)->CreateCollection(MakeCollection("docs"));
  CHECK_OK(doomed);
  CHECK_OK(record);
  TestWriter writer(store->get(), record->number());
  for (Sequence seq = 1; seq <= kRequests; ++seq) {
    const Request request = MakeRequest(kWorkloadSeed, seq);
    CHECK_OK(writer.Apply(request.upserts, request.deletes));
    CHECK_EQ(write(acknowledge, &seq, sizeof(seq)),
             static_cast<ssize_t>(sizeof(seq)));
    if (seq % 3 == 0) {
      CHECK_OK(WriteTestCheckpoint(store->get(), *record, seq));
    }
    if (seq == 10) {
      CHECK_OK((*store)->DropCollection(doomed->number()));
    }
  }
}

// The last acknowledged number, and whether the process ended at the point.
struct Aftermath {
  Sequence acknowledged = 0;
  bool crashed = false;
};

Aftermath RunAndCrash(const std::string& path, const std::string& point) {
  int pipe_ends[2] = {};
  CHECK_EQ(pipe(pipe_ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(pipe_ends[0]);
    // A fresh program, because each reads the variable only once.
    setenv("SEXTANT_CRASH_POINT", point.c_str(), 1);
    execl("/proc/self/exe", "crash_point_test", kWorkloadFlag, path.c_str(),
          absl::StrCat(pipe_ends[1]).c_str(), nullptr);
    _exit(1);
  }
  close(pipe_ends[1]);
  Aftermath aftermath;
  Sequence seq = 0;
  while (read(pipe_ends[0], &seq, sizeof(seq)) ==
         static_cast<ssize_t>(sizeof(seq))) {
    aftermath.acknowledged = seq;
  }
  close(pipe_ends[0]);
  int status = 0;
  CHECK_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  aftermath.crashed = WEXITSTATUS(status) == crash_point_internal::kExitCode;
  EXPECT_TRUE(aftermath.crashed || WEXITSTATUS(status) == 0) << status;
  return aftermath;
}

class CrashPointTest : public ::testing::TestWithParam<CrashCase> {};

TEST_P(CrashPointTest, LosesNothing) {
  for (const int pass : GetParam().passes) {
    const std::string point = absl::StrCat(GetParam().point, ":", pass);
    SCOPED_TRACE(point);
    const TempDir directory;
    const Aftermath aftermath = RunAndCrash(directory.Child("data"), point);
    EXPECT_TRUE(aftermath.crashed) << "the point was not passed that often";
    ASSERT_OK_AND_ASSIGN(auto store,
                         Store::Open(TestOptions(directory.Child("data"))));
    EXPECT_OK(store->Verify());
    ASSERT_OK_AND_ASSIGN(const auto records, store->ListCollections());
    for (const storage::CollectionRecord& record : records) {
      if (record.name() == "docs") {
        EXPECT_EQ(Difference(*store, record.number(), kWorkloadSeed,
                             aftermath.acknowledged),
                  "");
        // What the crash left half-done does not stand in the way.
        EXPECT_OK(WriteTestCheckpoint(store.get(), record, 1000));
      } else {
        EXPECT_LE(aftermath.acknowledged, 10U);
      }
    }
    EXPECT_TRUE(aftermath.acknowledged == 0 || !records.empty());
  }
}

// Every crash point of storage/.
const CrashCase kCrashCases[] = {
    {"file:before_write", {1}},
    {"file:before_rename", {1}},
    {"file:after_rename", {1}},
    {"store:before_write", {1, 3, 10}},
    {"store:after_write", {1, 3, 10}},
    {"store:after_drop", {1}},
    {"checkpoint:before_write", {1, 3, 10}},
    {"checkpoint:after_write", {1, 3, 10}},
    {"segment:before_write", {1, 3, 10}},
    {"segment:before_fsync", {1, 3, 10}},
    {"segment:after_fsync", {1, 3, 10}},
    {"segment:before_rename", {1, 3, 10}},
    {"segment:after_rename", {1, 3, 10}},
    {"segment:after_directory_fsync", {1, 3, 10}},
    {"segment:before_remove", {1, 3, 10}},
};

INSTANTIATE_TEST_SUITE_P(Points, CrashPointTest,
                         ::testing::ValuesIn(kCrashCases),
                         [](const auto& tested) {
                           std::string name = tested.param.point;
                           std::replace(name.begin(), name.end(), ':', '_');
                           return name;
                         });

}  // namespace
}  // namespace sextant::test

int main(int argc, char** argv) {
  if (argc == 4 && absl::string_view(argv[1]) == sextant::test::kWorkloadFlag) {
    int acknowledge = -1;
    CHECK(absl::SimpleAtoi(argv[3], &acknowledge));
    sextant::test::RunWorkload(argv[2], acknowledge);
    return 0;
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
