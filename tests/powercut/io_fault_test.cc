// SPDX-License-Identifier: Apache-2.0
//
// Fails the first, the second, ... the last file operation of a fixed
// workload, each in a fresh store: no crash, the right status, and after a
// reopen everything that was acknowledged.

#include <sched.h>

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "storage/store.h"
#include "storage/store_fixture.h"
#include "tests/powercut/store_workload.h"
#include "tests/support/power_cut_file_system.h"
#include "tests/support/temp_dir.h"

// RocksDB's background threads rest for a second after a failed flush. The
// program's own symbol comes before libc's, so here they only step aside.
extern "C" int StepAside(unsigned int microseconds) __asm__("usleep");
extern "C" int StepAside(unsigned int /*microseconds*/) {
  return sched_yield();
}

namespace sextant::test {
namespace {

constexpr uint64_t kWorkloadSeed = 42;
constexpr Sequence kRequests = 16;

// What a run of the workload was told.
struct Outcome {
  bool opened = false;
  CollectionNumber collection = 0;
  Sequence acknowledged = 0;
  std::vector<absl::Status> errors;
};

class FaultRun {
 public:
  FaultRun() {
    files_ = std::make_shared<PowerCutFileSystem>(directory_.Child("data"));
    options_ = TestOptions(directory_.Child("data"));
    options_.file_system = files_;
  }

  // Opens, creates, writes, checkpoints, flushes, reads and closes.
  Outcome Run(const IoFault& fault) {
    Outcome outcome;
    files_->Arm(fault);
    auto store = Store::Open(options_);
    outcome.opened = store.ok();
    if (!Note(store.status(), &outcome)) {
      return outcome;
    }
    const auto record = (*store)->CreateCollection(MakeCollection("docs"));
    if (Note(record.status(), &outcome)) {
      outcome.collection = record->number();
      WriteAll(store->get(), *record, &outcome);
      // Reads go on whatever happened to the writes.
      if (fault.target == IoFault::Target::kWrites) {
        EXPECT_EQ(Difference(**store, record->number(), kWorkloadSeed,
                             outcome.acknowledged),
                  "");
      } else {
        ReadAll(store->get(), &outcome);
      }
    }
    return outcome;
  }

  bool fault_was_met() const { return files_->fault_was_met(); }

  // Reopens without faults and looks for what was acknowledged.
  void Check(const Outcome& outcome) {
    files_->Disarm();
    auto store = Store::Open(options_);
    ASSERT_OK(store);
    EXPECT_OK((*store)->Verify());
    if (outcome.collection == 0) {
      return;
    }
    EXPECT_EQ(Difference(**store, outcome.collection, kWorkloadSeed,
                         outcome.acknowledged),
              "");
    TestWriter writer(store->get(), outcome.collection);
    EXPECT_OK(writer.Load());
    EXPECT_OK(writer.Apply({MakePoint("after", 1)}));
  }

 private:
  static bool Note(const absl::Status& status, Outcome* outcome) {
    if (!status.ok()) {
      outcome->errors.push_back(status);
    }
    return status.ok();
  }

  static void WriteAll(Store* store, const storage::CollectionRecord& record,
                       Outcome* outcome) {
    TestWriter writer(store, record.number());
    for (Sequence seq = 1; seq <= kRequests; ++seq) {
      const Request request = MakeRequest(kWorkloadSeed, seq);
      const bool refused_before = !store->write_status().ok();
      const absl::Status status =
          writer.Apply(request.upserts, request.deletes);
      if (!Note(status, outcome)) {
        // The store refuses from now on, and says why.
        EXPECT_FALSE(store->write_status().ok()) << status;
        EXPECT_TRUE(!refused_before || absl::IsUnavailable(status)) << status;
        continue;
      }
      EXPECT_FALSE(refused_before);
      outcome->acknowledged = seq;
      if (seq % 5 == 0) {
        Note(WriteTestCheckpoint(store, record, seq), outcome);
      }
      if (seq % 7 == 0) {
        Note(store->Flush(), outcome);
      }
    }
  }

  static void ReadAll(Store* store, Outcome* outcome) {
    Note(store->ListCollections().status(), outcome);
    const std::unique_ptr<PointScan> scan =
        store->ScanPoints(nullptr, outcome->collection, "", ReadParts());
    while (scan->Next()) {
    }
    Note(scan->status(), outcome);
    const std::vector<absl::string_view> ids = {"p1", "p2", "p3", "p4"};
    Note(store->ReadPoints(nullptr, outcome->collection, ids, {}).status(),
         outcome);
    Note(store->Verify(), outcome);
  }

  const TempDir directory_;
  std::shared_ptr<PowerCutFileSystem> files_;
  StoreOptions options_;
};

struct FaultCase {
  std::string name;
  IoFault fault;
  // What the caller may be told.
  std::vector<absl::StatusCode> codes;
  // Fails every operation with 1, every third with 3.
  uint64_t step = 1;
};

class IoFaultTest : public ::testing::TestWithParam<FaultCase> {};

TEST_P(IoFaultTest, IsReportedAndLosesNothing) {
  IoFault fault = GetParam().fault;
  uint64_t failed = 0;
  uint64_t reported = 0;
  for (fault.at = 1; !HasFailure(); fault.at += GetParam().step) {
    SCOPED_TRACE(absl::StrCat("operation ", fault.at));
    FaultRun run;
    const Outcome outcome = run.Run(fault);
    if (!run.fault_was_met()) {
      EXPECT_EQ(outcome.acknowledged, kRequests);
      EXPECT_THAT(outcome.errors, ::testing::IsEmpty());
      break;
    }
    ++failed;
    reported += outcome.errors.empty() ? 0U : 1U;
    for (const absl::Status& error : outcome.errors) {
      EXPECT_THAT(GetParam().codes, ::testing::Contains(error.code())) << error;
    }
    run.Check(outcome);
  }
  std::cout << GetParam().name << ": " << failed
            << " operations failed in turn, " << reported
            << " times an error was returned, 0 lost\n";
}

const FaultCase kFaultCases[] = {
    {.name = "WriteErrorOnce",
     .fault = {.error = IoFault::Error::kIo},
     .codes = {absl::StatusCode::kUnavailable}},
    {.name = "WriteErrorThatStays",
     .fault = {.stays = true, .error = IoFault::Error::kIo},
     .codes = {absl::StatusCode::kUnavailable},
     .step = 3},
    {.name = "NoSpaceOnce",
     .fault = {.error = IoFault::Error::kNoSpace},
     .codes = {absl::StatusCode::kResourceExhausted,
               absl::StatusCode::kUnavailable}},
    {.name = "NoSpaceThatStays",
     .fault = {.stays = true, .error = IoFault::Error::kNoSpace},
     .codes = {absl::StatusCode::kResourceExhausted,
               absl::StatusCode::kUnavailable},
     .step = 3},
    {.name = "ReadErrorOnce",
     .fault = {.target = IoFault::Target::kReads, .error = IoFault::Error::kIo},
     .codes = {absl::StatusCode::kUnavailable, absl::StatusCode::kDataLoss}},
};

INSTANTIATE_TEST_SUITE_P(Faults, IoFaultTest, ::testing::ValuesIn(kFaultCases),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace sextant::test
