// SPDX-License-Identifier: Apache-2.0
#include "server/api/mining_jobs.h"

#include <memory>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "engine/database.h"
#include "tests/support/temp_dir.h"

namespace sextant {
namespace {

class MiningJobsTest : public testing::Test {
 protected:
  void SetUp() override {
    DatabaseOptions options;
    options.store.path = folder_.path();
    options.store.min_free_bytes = 0;
    ASSERT_OK_AND_ASSIGN(database_, Database::Open(options));
    Schema schema;
    schema.vector_fields.push_back({"v", 4, Metric::kCosine, {}});
    ASSERT_OK_AND_ASSIGN(collection_, database_->Create("docs", schema));
  }

  MiningJobs::Entry Entry(uint64_t number) {
    MiningQuery query;
    query.source.collection = collection_;
    query.target.collection = collection_;
    auto job = MiningJob::Make(query, RequestContext());
    EXPECT_OK(job.status());
    return {number, *std::move(job)};
  }

  const TempDir folder_;
  std::unique_ptr<Database> database_;
  std::shared_ptr<Collection> collection_;
};

TEST_F(MiningJobsTest, OneStreamAtATimeRunsAJob) {
  MiningJobs jobs;
  const uint64_t number = jobs.Begin();
  EXPECT_NE(number, 0U);
  EXPECT_NE(jobs.Begin(), number);
  EXPECT_THAT(jobs.Resume(number).status(),
              StatusIs(absl::StatusCode::kUnavailable));
  MiningJobs::Entry entry = Entry(number);
  const MiningJob* const job = entry.job.get();
  jobs.Keep(std::move(entry));
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<MiningJobs::Entry> resumed,
                       jobs.Resume(number));
  ASSERT_NE(resumed, nullptr);
  EXPECT_EQ(resumed->number, number);
  EXPECT_EQ(resumed->job.get(), job);
  EXPECT_THAT(jobs.Resume(number).status(),
              StatusIs(absl::StatusCode::kUnavailable));
  jobs.Keep({number, nullptr});
  ASSERT_OK_AND_ASSIGN(resumed, jobs.Resume(number));
  EXPECT_EQ(resumed, nullptr);
}

TEST_F(MiningJobsTest, TheNewestAreKept) {
  MiningJobs jobs;
  std::vector<uint64_t> numbers;
  for (int i = 0; i < 6; ++i) {
    numbers.push_back(jobs.Begin());
    jobs.Keep(Entry(numbers.back()));
  }
  for (size_t i = 0; i < numbers.size(); ++i) {
    ASSERT_OK_AND_ASSIGN(const auto entry, jobs.Resume(numbers[i]));
    EXPECT_EQ(entry != nullptr, i >= 2) << i;
  }
}

TEST_F(MiningJobsTest, CloseLetsGoOfCollections) {
  MiningJobs jobs;
  const uint64_t number = jobs.Begin();
  const long before = collection_.use_count();
  jobs.Keep(Entry(number));
  EXPECT_GT(collection_.use_count(), before);
  jobs.Close();
  EXPECT_EQ(collection_.use_count(), before);
  // What comes later, too.
  jobs.Keep(Entry(jobs.Begin()));
  EXPECT_EQ(collection_.use_count(), before);
}

}  // namespace
}  // namespace sextant
