// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "base/thread.h"
#include "storage/store.h"
#include "storage/store_fixture.h"
#include "tests/support/temp_dir.h"

namespace sextant {
namespace {

using ::sextant::test::MakeCollection;
using ::sextant::test::MakePoint;
using ::sextant::test::SameContents;
using ::sextant::test::TestOptions;
using ::sextant::test::TestWriter;

constexpr uint64_t kRequests = 60;

class StoreConcurrencyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(store_,
                         Store::Open(TestOptions(directory_.Child("data"))));
  }

  const TempDir directory_;
  std::unique_ptr<Store> store_;
};

TEST_F(StoreConcurrencyTest, WritersOfManyCollectionsAndReaders) {
  constexpr uint64_t kWriters = 4;
  std::atomic<uint64_t> writing{kWriters};
  std::vector<storage::CollectionRecord> records;
  for (uint64_t i = 0; i < kWriters; ++i) {
    ASSERT_OK_AND_ASSIGN(
        records.emplace_back(),
        store_->CreateCollection(MakeCollection(absl::StrCat("c", i))));
  }
  const auto write = [&](uint64_t i) {
    TestWriter writer(store_.get(), records[i].number());
    for (uint64_t seq = 1; seq <= kRequests; ++seq) {
      ASSERT_OK(writer.Apply({MakePoint("both", seq), MakePoint("a", seq)},
                             {absl::StrCat("p", seq - 1)}));
      if (seq % 20 == 0) {
        storage::CheckpointRecord checkpoint;
        checkpoint.set_seq(seq);
        ASSERT_OK_AND_ASSIGN(*checkpoint.add_segments(),
                             store_->segments().Write(records[i], seq, 0, {}));
        ASSERT_OK(
            store_->WriteCheckpoint(records[i].number(), checkpoint, seq));
        const std::vector<uint64_t> keep = {seq};
        ASSERT_OK(store_->segments().RemoveAllBut(records[i].number(), keep));
      }
    }
    writing.fetch_sub(1);
  };
  // Both points of a request always carry the same sequence number.
  const auto read = [&](uint64_t i) {
    const std::vector<absl::string_view> ids = {"both", "a"};
    while (writing.load() > 0) {
      const auto view = i % 2 == 0 ? store_->View() : nullptr;
      ASSERT_OK_AND_ASSIGN(const auto points,
                           store_->ReadPoints(view.get(), records[i].number(),
                                              ids, ReadParts()));
      ASSERT_EQ(points[0].has_value(), points[1].has_value());
      if (points[0].has_value()) {
        ASSERT_EQ(points[0]->seq, points[1]->seq);
        ASSERT_TRUE(SameContents(MakePoint("a", points[1]->seq), *points[1]));
      }
      const auto scan =
          store_->ScanPoints(view.get(), records[i].number(), "", {});
      while (scan->Next()) {
      }
      ASSERT_OK(scan->status());
    }
  };
  {
    std::vector<std::unique_ptr<Thread>> threads;
    for (uint64_t i = 0; i < kWriters; ++i) {
      threads.push_back(
          std::make_unique<Thread>("writer", [&, i] { write(i); }));
      if (i < 2) {
        threads.push_back(
            std::make_unique<Thread>("reader", [&, i] { read(i); }));
      }
    }
    while (writing.load() > 0) {
      // Verify looks at one frozen moment, whatever goes on.
      ASSERT_OK(store_->Verify());
    }
  }
  ASSERT_OK(store_->Verify());
}

TEST_F(StoreConcurrencyTest, CollectionsGetDifferentNumbers) {
  constexpr uint64_t kThreads = 4;
  constexpr uint64_t kEach = 20;
  {
    std::vector<std::unique_ptr<Thread>> threads;
    for (uint64_t i = 0; i < kThreads; ++i) {
      threads.push_back(std::make_unique<Thread>("creator", [&, i] {
        for (uint64_t n = 0; n < kEach; ++n) {
          const auto record = store_->CreateCollection(
              MakeCollection(absl::StrCat("c", i, "-", n)));
          ASSERT_OK(record);
          if (n % 2 == 0) {
            ASSERT_OK(store_->DropCollection(record->number()));
          }
        }
      }));
    }
  }
  ASSERT_OK_AND_ASSIGN(const auto records, store_->ListCollections());
  EXPECT_EQ(records.size(), kThreads * kEach / 2);
  ASSERT_OK(store_->Verify());
  store_.reset();
  ASSERT_OK_AND_ASSIGN(store_,
                       Store::Open(TestOptions(directory_.Child("data"))));
  ASSERT_OK_AND_ASSIGN(const auto next,
                       store_->CreateCollection(MakeCollection("next")));
  EXPECT_EQ(next.number(), kThreads * kEach + 1);
}

}  // namespace
}  // namespace sextant
