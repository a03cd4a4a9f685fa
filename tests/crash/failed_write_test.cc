// SPDX-License-Identifier: Apache-2.0
//
// A disk that fails under a write.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "tests/crash/engine_check.h"
#include "tests/support/power_cut_file_system.h"

namespace sextant::test {
namespace {

// Half a megabyte.
std::vector<Point> ManyPoints(uint64_t first) {
  std::vector<Point> points;
  for (uint64_t id = first; id < first + 4000; ++id) {
    std::vector<float> vector(kWorkDimension, 1.0F);
    vector[id % kWorkDimension] = static_cast<float>(id);
    points.push_back(
        {id, {{WorkSchema().vector_fields[0].name, std::move(vector)}}, ""});
  }
  return points;
}

TEST(FailedWriteTest, IsNotSeenAndStopsWrites) {
  const TempDir directory;
  const std::string data = directory.path() + "/data";
  const auto files = std::make_shared<PowerCutFileSystem>(data);
  DatabaseOptions options = WorkOptions(data);
  options.store.file_system = files;
  auto database = Database::Open(options);
  ASSERT_OK(database);
  ASSERT_OK((*database)->Create(kWorkCollection, WorkSchema()));
  {
    const std::shared_ptr<Collection> docs =
        *(*database)->Find(kWorkCollection);
    ASSERT_OK(docs->Upsert(ManyPoints(0), Unlimited()));
    ASSERT_OK(docs->SealAndWait(Unlimited()));
    files->Arm({.stays = true});
    EXPECT_FALSE(docs->Upsert(ManyPoints(2000), Unlimited()).ok());
    EXPECT_TRUE(files->fault_was_met());
    files->Disarm();
    EXPECT_EQ(docs->Upsert(ManyPoints(2000), Unlimited()).status().code(),
              absl::StatusCode::kUnavailable);
    EXPECT_FALSE(docs->SealAndWait(Unlimited()).ok());
    EXPECT_EQ(docs->Count()->count, 4000U);
    EXPECT_EQ(docs->Get(std::vector<PointId>{uint64_t{0}, uint64_t{5999}},
                        Projection(), Unlimited())
                  ->size(),
              1U);
  }
  database->reset();
  // Whole or absent.
  database = Database::Open(options);
  ASSERT_OK(database);
  const uint64_t count = (*(*database)->Find(kWorkCollection))->Count()->count;
  EXPECT_TRUE(count == 4000 || count == 6000) << count;
  EXPECT_OK((*database)->Verify());
}

}  // namespace
}  // namespace sextant::test
