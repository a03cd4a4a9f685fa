// SPDX-License-Identifier: Apache-2.0
#include "engine/segment_table.h"

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "engine/engine_fixture.h"
#include "engine/segment_fixture.h"
#include "index/distance.h"

namespace sextant {
namespace {

using test::Build;
using test::OneFieldSchema;
using test::Seal;
using test::SeededVector;

using Views = std::vector<std::shared_ptr<const SegmentView>>;

constexpr uint32_t kTestDimension = 4;

// The vector of the row with this ordinal.
const float* VectorAt(const SegmentView& view, Ordinal ordinal) {
  if (view.growing != nullptr) {
    for (uint32_t row = 0; row < view.field_rows[0]; ++row) {
      if (view.growing->field(0).row_ordinal(row) == ordinal) {
        return view.growing->field(0).row_vector(row);
      }
    }
    return nullptr;
  }
  const VectorIndex& index = view.sealed->field(0);
  for (uint32_t row = 0; row < index.rows(); ++row) {
    if (index.row_ordinal(row) == ordinal) {
      return index.row_vector(row);
    }
  }
  return nullptr;
}

// A table and what it must hold: id -> seed of its vector.
class Model {
 public:
  explicit Model(uint32_t seal_rows)
      : schema(OneFieldSchema(kTestDimension, Metric::kL2)),
        table(&schema, seal_rows) {}

  void Upsert(uint64_t id, uint64_t seed) {
    const test::OwnedVectors vectors = test::VectorsOf(seed, schema);
    table.Upsert(EncodeId(id), vectors.fields, seq++);
    points[EncodeId(id)] = seed;
  }
  void Delete(uint64_t id) {
    ++seq;
    EXPECT_EQ(table.Delete(EncodeId(id)), points.erase(EncodeId(id)) == 1);
  }

  // What a merge of these inputs would find at its start.
  SegmentBuild StartMerge(Views inputs) {
    auto build = Build(schema, std::move(inputs));
    CHECK(build.ok()) << build.status().ToString();
    return *std::move(build);
  }
  void EndMerge(const SegmentBuild& build) {
    auto copy = Build(schema, build.inputs);  // the file's bytes
    CHECK(copy.ok());
    table.Replace(build, Seal(schema, *std::move(copy), table.TakeNumber()));
  }

  // Each live id is in exactly one segment, with its newest vector.
  void Check() { CheckViews(table.Views(), points); }
  static void CheckViews(const Views& views,
                         const std::map<std::string, uint64_t>& points) {
    std::set<std::string> seen;
    for (const auto& view : views) {
      uint64_t live = 0;
      for (Ordinal row = 0; row < view->rows; ++row) {
        if (view->dead.Contains(row)) {
          continue;
        }
        ++live;
        const std::string id(view->id(row));
        ASSERT_TRUE(seen.insert(id).second) << "an id is live twice";
        const auto point = points.find(id);
        ASSERT_NE(point, points.end()) << "a deleted id is live";
        const std::vector<float> expected =
            SeededVector(point->second, kTestDimension);
        const float* vector = VectorAt(*view, row);
        ASSERT_NE(vector, nullptr);
        ASSERT_EQ(std::vector<float>(vector, vector + kTestDimension),
                  expected);
      }
      ASSERT_EQ(view->live(), live);
    }
    ASSERT_EQ(seen.size(), points.size());
  }

  const Schema schema;
  SegmentTable table;
  std::map<std::string, uint64_t> points;
  Sequence seq = 0;
};

TEST(SegmentTableTest, RandomWorkAgainstAMap) {
  std::mt19937_64 random(test::TestSeed());
  Model model(32);
  std::optional<SegmentBuild> merge;
  // A view taken earlier never changes.
  Views old_views;
  std::map<std::string, uint64_t> old_points;
  for (int step = 0; step < 6000 && !::testing::Test::HasFatalFailure();
       ++step) {
    const uint64_t id = random() % 200;
    const uint64_t dice = random() % 100;
    if (dice < 60) {
      model.Upsert(id, random());
    } else if (dice < 80) {
      model.Delete(id);
    } else if (dice < 82) {
      model.table.Freeze(model.seq);
    } else if (dice < 86 && !merge.has_value()) {
      Views inputs = model.table.FrozenViews();
      for (const auto& view : model.table.SealedViews()) {
        if (random() % 2 == 0) {
          inputs.push_back(view);
        }
      }
      if (!inputs.empty()) {
        merge = model.StartMerge(std::move(inputs));
      }
    } else if (dice < 90 && merge.has_value()) {
      model.EndMerge(*merge);
      merge.reset();
      model.Check();
    } else if (dice == 90) {
      model.Check();
      Model::CheckViews(old_views, old_points);
      old_views = model.table.Views();
      old_points = model.points;
    }
    EXPECT_EQ(model.table.live_count(), model.points.size());
    EXPECT_EQ(model.table.Contains(EncodeId(id)),
              model.points.contains(EncodeId(id)));
  }
  model.Check();
  Model::CheckViews(old_views, old_points);
}

TEST(SegmentTableTest, RowsThatDieDuringTheBuildAreDeadInItsResult) {
  Model model(100);
  for (uint64_t id = 0; id < 10; ++id) {
    model.Upsert(id, id);
  }
  model.table.Freeze(model.seq);
  const SegmentBuild build = model.StartMerge(model.table.FrozenViews());
  model.Delete(3);
  model.Upsert(4, 44);
  model.Delete(5);
  model.Upsert(5, 55);
  model.EndMerge(build);
  model.Check();
  const Views sealed = model.table.SealedViews();
  ASSERT_EQ(sealed.size(), 1U);
  EXPECT_EQ(sealed[0]->dead.count(), 3U);
  EXPECT_EQ(sealed[0]->live(), 7U);
}

TEST(SegmentTableTest, AMergeOfDeadRowsOnlyRemovesItsInputs) {
  Model model(100);
  for (uint64_t id = 0; id < 3; ++id) {
    model.Upsert(id, id);
  }
  model.table.Freeze(model.seq);
  for (uint64_t id = 0; id < 3; ++id) {
    model.Delete(id);
  }
  const SegmentBuild build = model.StartMerge(model.table.FrozenViews());
  EXPECT_TRUE(build.origins.empty());
  model.EndMerge(build);
  model.Check();
  EXPECT_TRUE(model.table.Views().empty());
  EXPECT_FALSE(model.table.has_frozen());
}

TEST(SegmentTableTest, LoadRefusesAnIdInTwoSegments) {
  Model model(100);
  Views views;
  for (uint32_t number = 1; number <= 2; ++number) {
    SegmentTable source(&model.schema, 100);
    const test::OwnedVectors vectors = test::VectorsOf(1, model.schema);
    source.Upsert(EncodeId(uint64_t{7}), vectors.fields, 0);
    source.Freeze(1);
    auto build = Build(model.schema, source.FrozenViews());
    ASSERT_OK(build);
    auto view = std::make_shared<SegmentView>();
    view->sealed = Seal(model.schema, *std::move(build), number);
    view->rows = 1;
    views.push_back(std::move(view));
  }
  EXPECT_THAT(model.table.Load(views, 3, 0),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_OK(model.table.Load({views[0]}, 3, 0));
  EXPECT_TRUE(model.table.Contains(EncodeId(uint64_t{7})));
  EXPECT_EQ(model.table.live_count(), 1U);
}

// How far the sealed segments reach never goes back, also when deletes come
// while nothing grows.
TEST(SegmentTableTest, SealedSeqNeverGoesBack) {
  Model model(100);
  for (uint64_t id = 0; id < 10; ++id) {
    model.Upsert(id, id);
  }
  model.table.Freeze(model.seq);
  const SegmentBuild build = model.StartMerge(model.table.FrozenViews());
  model.EndMerge(build);
  EXPECT_EQ(model.table.SealedSeq(model.seq), 10U);
  model.Delete(1);
  model.Delete(2);
  EXPECT_EQ(model.table.SealedSeq(model.seq), 12U);
  model.Upsert(11, 11);
  EXPECT_EQ(model.table.SealedSeq(model.seq), 12U);
}

TEST(SegmentTableTest, SealedSeqStopsBeforeTheOldestUnsealedWrite) {
  Model model(5);
  for (uint64_t id = 0; id < 12; ++id) {  // 5 + 5 frozen, 2 growing
    model.Upsert(id, id);
  }
  EXPECT_EQ(model.table.SealedSeq(model.seq), 0U);
  Views frozen = model.table.FrozenViews();
  ASSERT_EQ(frozen.size(), 2U);
  model.EndMerge(model.StartMerge({frozen[0]}));
  EXPECT_EQ(model.table.SealedSeq(model.seq), 5U);
  model.EndMerge(model.StartMerge({frozen[1]}));
  EXPECT_EQ(model.table.SealedSeq(model.seq), 10U);
  model.table.Freeze(model.seq);
  model.EndMerge(model.StartMerge(model.table.FrozenViews()));
  EXPECT_EQ(model.table.SealedSeq(model.seq), 12U);
}

}  // namespace
}  // namespace sextant
