// SPDX-License-Identifier: Apache-2.0
#include "engine/prepared_write.h"

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "base/errors.h"
#include "base/status_matchers.h"
#include "base/utf8.h"
#include "engine/engine_fixture.h"
#include "engine/limits.h"
#include "index/distance.h"

namespace sextant {
namespace {

using test::Unlimited;
using ::testing::HasSubstr;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kLargest = std::numeric_limits<float>::max();
constexpr float kDenormal = std::numeric_limits<float>::denorm_min();

struct VectorCase {
  const char* name;
  Metric metric;
  std::vector<float> values;
  const char* error;  // null: valid
};

class ValidateVectorTest : public ::testing::TestWithParam<VectorCase> {};

TEST_P(ValidateVectorTest, Checks) {
  const VectorCase& test = GetParam();
  const VectorFieldSchema field{"embedding", 2, test.metric, {}};
  const absl::Status status = ValidateVector(field, test.values, "v");
  if (test.error == nullptr) {
    EXPECT_OK(status);
    std::vector<float> copy = test.values;
    // What passes can be normalised: the engine relies on it.
    EXPECT_TRUE(test.metric != Metric::kCosine || Normalize(copy));
    return;
  }
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                               HasSubstr(test.error)));
  EXPECT_EQ(InvalidFieldPath(status), "v");
}

INSTANTIATE_TEST_SUITE_P(
    All, ValidateVectorTest,
    ::testing::Values(
        VectorCase{"Plain", Metric::kCosine, {1, 2}, nullptr},
        VectorCase{"Empty", Metric::kCosine, {}, "expected 2 numbers, got 0"},
        VectorCase{"Short", Metric::kL2, {1}, "expected 2 numbers, got 1"},
        VectorCase{"Long", Metric::kL2, {1, 2, 3}, "expected 2 numbers, got 3"},
        VectorCase{"NaN", Metric::kL2, {1, kNaN}, "number 1 is NaN"},
        VectorCase{"Infinite",
                   Metric::kCosine,
                   {kInfinity, 1},
                   "number 0 is infinite"},
        VectorCase{"MinusInfinite",
                   Metric::kInnerProduct,
                   {1, -kInfinity},
                   "number 1 is infinite"},
        VectorCase{"ZeroCosine", Metric::kCosine, {0, 0}, "all zeros"},
        VectorCase{"MinusZeroCosine", Metric::kCosine, {-0.0F, 0}, "all zeros"},
        VectorCase{"ZeroL2", Metric::kL2, {0, 0}, nullptr},
        VectorCase{"ZeroInnerProduct", Metric::kInnerProduct, {0, 0}, nullptr},
        VectorCase{
            "HugeCosine", Metric::kCosine, {kLargest, -kLargest}, nullptr},
        VectorCase{"TinyCosine", Metric::kCosine, {kDenormal, 0}, nullptr},
        VectorCase{"LargestL2", Metric::kL2, {1e15F, -1e15F}, nullptr},
        VectorCase{
            "HugeL2", Metric::kL2, {1, 1.1e15F}, "between -1e15 and 1e15"},
        VectorCase{"HugeInnerProduct",
                   Metric::kInnerProduct,
                   {-kLargest, 1},
                   "between -1e15 and 1e15"}),
    [](const auto& param) { return std::string(param.param.name); });

// Scores of the largest vectors that pass stay finite at the largest
// dimension, which is why there is a limit.
TEST(ValidateVectorTest, EveryNumberIsLookedAt) {
  constexpr uint32_t kTestDimension = 37;
  for (const Metric metric : {Metric::kCosine, Metric::kL2}) {
    const VectorFieldSchema field{"embedding", kTestDimension, metric, {}};
    for (size_t wrong = 0; wrong < kTestDimension; ++wrong) {
      std::vector<float> values(kTestDimension, 0.5F);
      EXPECT_OK(ValidateVector(field, values, "v"));
      values[wrong] = kNaN;
      EXPECT_THAT(ValidateVector(field, values, "v"),
                  StatusIs(absl::StatusCode::kInvalidArgument,
                           HasSubstr(absl::StrCat("number ", wrong, " "))));
      // One number that is not zero makes a direction.
      values.assign(kTestDimension, 0.0F);
      values[wrong] = -kDenormal;
      EXPECT_OK(ValidateVector(field, values, "v"));
    }
  }
}

TEST(ValidateVectorTest, LargestVectorsScoreFinitely) {
  const std::vector<float> high(limits::kDimensionMax, limits::kMagnitudeMax);
  const std::vector<float> low(limits::kDimensionMax, -limits::kMagnitudeMax);
  for (const DistanceKernels* kernels : SupportedKernels()) {
    EXPECT_TRUE(std::isfinite(
        kernels->squared_l2(high.data(), low.data(), limits::kDimensionMax)))
        << kernels->name;
    EXPECT_TRUE(std::isfinite(
        kernels->inner_product(high.data(), low.data(), limits::kDimensionMax)))
        << kernels->name;
  }
}

Schema TwoFields() {
  Schema schema;
  schema.vector_fields.push_back({"text", 2, Metric::kCosine, {}});
  schema.vector_fields.push_back({"image", 3, Metric::kL2, {}});
  return schema;
}

Point GoodPoint(uint64_t id) {
  return {PointId(id), {{"text", {1, 2}}}, ""};
}

struct UpsertCase {
  const char* name;
  std::function<void(Point*)> change;  // of points[1] of two
  const char* path;
  const char* error;
};

class PrepareUpsertTest : public ::testing::TestWithParam<UpsertCase> {};

TEST_P(PrepareUpsertTest, RefusesTheWholeRequest) {
  std::vector<Point> points = {GoodPoint(1), GoodPoint(2)};
  GetParam().change(&points[1]);
  const auto write = PrepareUpsert(TwoFields(), std::move(points), Unlimited());
  EXPECT_THAT(write, StatusIs(absl::StatusCode::kInvalidArgument,
                              HasSubstr(GetParam().error)));
  EXPECT_EQ(InvalidFieldPath(write.status()), GetParam().path);
  EXPECT_TRUE(IsValidUtf8(write.status().message()));
}

INSTANTIATE_TEST_SUITE_P(
    All, PrepareUpsertTest,
    ::testing::Values(
        UpsertCase{"StringId", [](Point* p) { p->id = std::string("a"); },
                   "points[1].id", "unsigned 64-bit"},
        UpsertCase{"NoVectors", [](Point* p) { p->vectors.clear(); },
                   "points[1].vectors", "at least one vector"},
        UpsertCase{"UnknownField",
                   [](Point* p) { p->vectors[0].field = "sound"; },
                   "points[1].vectors[sound]", "no such vector field"},
        UpsertCase{"EmptyFieldName", [](Point* p) { p->vectors[0].field = ""; },
                   "points[1].vectors[]", "no such vector field"},
        UpsertCase{"BrokenFieldName",
                   [](Point* p) { p->vectors[0].field = "\xFF"; },
                   "points[1].vectors[\\377]", "no such vector field"},
        UpsertCase{"FieldTwice",
                   [](Point* p) { p->vectors.push_back(p->vectors[0]); },
                   "points[1].vectors[text]", "given twice"},
        UpsertCase{"WrongDimension",
                   [](Point* p) { p->vectors[0].values.push_back(1); },
                   "points[1].vectors[text]", "expected 2 numbers, got 3"},
        UpsertCase{"EmptyVector",
                   [](Point* p) { p->vectors[0].values.clear(); },
                   "points[1].vectors[text]", "expected 2 numbers, got 0"},
        UpsertCase{"ZeroUnderCosine",
                   [](Point* p) {
                     p->vectors[0].values = {0, 0};
                   },
                   "points[1].vectors[text]", "all zeros"},
        UpsertCase{"SecondFieldNaN",
                   [](Point* p) {
                     p->vectors.push_back({"image", {0, kNaN, 0}});
                   },
                   "points[1].vectors[image]", "NaN"},
        UpsertCase{"BadPayload", [](Point* p) { p->payload = "[]"; },
                   "points[1].payload", "JSON object"}),
    [](const auto& param) { return std::string(param.param.name); });

TEST(PrepareWriteTest, LongFieldNameIsCutBetweenCharacters) {
  Point point = GoodPoint(1);
  point.vectors[0].field.clear();
  for (int i = 0; i < 100; ++i) {
    point.vectors[0].field += i == 0 ? "x" : "é";
  }
  const auto write = PrepareUpsert(TwoFields(), {point}, Unlimited());
  EXPECT_THAT(write, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_TRUE(IsValidUtf8(write.status().message())) << write.status();
  EXPECT_LT(write.status().message().size(), 200U);
}

TEST(PrepareWriteTest, CountsOfPoints) {
  const struct {
    size_t count;
    bool valid;
  } cases[] = {{0, false},
               {1, true},
               {limits::kPointsPerWriteMax, true},
               {limits::kPointsPerWriteMax + 1, false}};
  for (const auto& test : cases) {
    std::vector<Point> points;
    std::vector<PointId> ids;
    for (uint64_t id = 0; id < test.count; ++id) {
      points.push_back(GoodPoint(id));
      ids.emplace_back(id);
    }
    const auto write =
        PrepareUpsert(TwoFields(), std::move(points), Unlimited());
    EXPECT_EQ(write.ok(), test.valid) << test.count;
    const auto deletion = PrepareDelete(TwoFields(), ids);
    EXPECT_EQ(deletion.ok(), test.valid) << test.count;
    if (!test.valid) {
      EXPECT_EQ(InvalidFieldPath(write.status()), "points");
      EXPECT_EQ(InvalidFieldPath(deletion.status()), "ids");
    }
  }
}

TEST(PrepareWriteTest, LastOfEqualIdsWins) {
  std::vector<Point> points;
  for (uint64_t i = 0; i < 6; ++i) {
    points.push_back(GoodPoint(i % 2 == 0 ? 7 : i));
    points.back().payload = absl::StrCat("{\"i\":", i, "}");
  }
  const auto write = PrepareUpsert(TwoFields(), std::move(points), Unlimited());
  ASSERT_OK(write);
  ASSERT_EQ(write->upserts.size(), 4U);  // 1, 3, 7 (i = 4), 5
  EXPECT_EQ(write->upserts[2].id, EncodeId(uint64_t{7}));
  EXPECT_EQ(write->upserts[2].point.payload, "{\"i\":4}");
  size_t size = 0;
  for (const PreparedPoint& point : write->upserts) {
    EXPECT_EQ(point.hash, HashPoint(point.View()));
    size += point.id.size() + point.point.payload.size() + 2 * sizeof(float);
  }
  EXPECT_EQ(write->size_bytes, size);
}

TEST(PrepareWriteTest, FieldsComeInSchemaOrder) {
  Point swapped = GoodPoint(1);
  swapped.vectors.insert(swapped.vectors.begin(), {"image", {4, 5, 6}});
  Point plain = GoodPoint(1);
  plain.vectors.push_back({"image", {4, 5, 6}});
  const auto write = PrepareUpsert(TwoFields(), {swapped}, Unlimited());
  const auto other = PrepareUpsert(TwoFields(), {plain}, Unlimited());
  ASSERT_OK(write);
  ASSERT_OK(other);
  ASSERT_EQ(write->upserts[0].vectors.size(), 2U);
  EXPECT_EQ(write->upserts[0].vectors[0].field, 0);
  EXPECT_EQ(write->upserts[0].vectors[1].field, 1);
  // The same point in another order of fields is the same content.
  EXPECT_EQ(write->upserts[0].hash, other->upserts[0].hash);
}

TEST(PrepareWriteTest, PreparedVectorsOutliveMoves) {
  auto write =
      PrepareUpsert(TwoFields(), {GoodPoint(1), GoodPoint(1)}, Unlimited());
  ASSERT_OK(write);
  const PreparedWrite moved = *std::move(write);
  const std::vector<float> values(moved.upserts[0].vectors[0].values.begin(),
                                  moved.upserts[0].vectors[0].values.end());
  EXPECT_EQ(values, (std::vector<float>{1, 2}));
}

TEST(PrepareWriteTest, DeletesAreDistinctAndChecked) {
  const PointId repeated[] = {uint64_t{3}, uint64_t{1}, uint64_t{3}};
  const auto write = PrepareDelete(TwoFields(), repeated);
  ASSERT_OK(write);
  EXPECT_EQ(write->deletes, (std::vector<std::string>{EncodeId(uint64_t{1}),
                                                      EncodeId(uint64_t{3})}));
  const PointId mixed[] = {uint64_t{3}, std::string("a")};
  EXPECT_EQ(InvalidFieldPath(PrepareDelete(TwoFields(), mixed).status()),
            "ids[1]");
}

TEST(PrepareWriteTest, EndsWithItsContext) {
  RequestContext cancelled;
  cancelled.Cancel();
  EXPECT_THAT(PrepareUpsert(TwoFields(), {GoodPoint(1)}, cancelled),
              StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace sextant
