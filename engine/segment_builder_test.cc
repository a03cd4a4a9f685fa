// SPDX-License-Identifier: Apache-2.0
//
// Growing segments, what is built of them, and what is read back.

#include "engine/segment_builder.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "engine/engine_fixture.h"
#include "engine/segment_fixture.h"
#include "index/distance.h"
#include "index/id_column.h"

namespace sextant {
namespace {

using test::Build;
using test::OneFieldSchema;
using test::RecordFor;
using test::Seal;
using test::SeededVector;
using test::Unlimited;

using Views = std::vector<std::shared_ptr<const SegmentView>>;

Schema TwoVectorFields() {
  Schema schema = OneFieldSchema(4);
  schema.vector_fields.push_back({"image", 3, Metric::kL2, {}});
  return schema;
}

// All of a growing segment.
std::shared_ptr<const SegmentView> ViewOf(
    const std::shared_ptr<GrowingSegment>& segment) {
  auto view = std::make_shared<SegmentView>();
  view->growing = segment;
  view->rows = segment->rows();
  for (size_t i = 0; i < segment->field_count(); ++i) {
    view->field_rows.push_back(segment->field(i).rows());
  }
  return view;
}

std::shared_ptr<const SegmentView> ViewOf(
    std::shared_ptr<const SealedSegment> segment,
    std::vector<Ordinal> dead = {}) {
  auto view = std::make_shared<SegmentView>();
  view->rows = segment->rows();
  view->dead = RowSet().With(dead, view->rows);
  view->sealed = std::move(segment);
  return view;
}

std::shared_ptr<GrowingSegment> Growing(const Schema& schema, uint32_t number,
                                        const std::vector<uint64_t>& ids) {
  auto segment = std::make_shared<GrowingSegment>(schema, number, 0, 1000);
  for (const uint64_t id : ids) {
    segment->Append(EncodeId(id), test::VectorsOf(id, schema).fields);
  }
  return segment;
}

TEST(GrowingSegmentTest, NormalisesUnderCosineOnly) {
  const Schema schema = TwoVectorFields();
  GrowingSegment segment(schema, 1, 5, 2);
  const test::OwnedVectors vectors = test::VectorsOf(3, schema);
  EXPECT_EQ(segment.Append("a", vectors.fields), 0U);
  std::vector<float> unit = vectors.values[0];
  ASSERT_TRUE(Normalize(unit));
  const float* text = segment.field(0).row_vector(0);
  EXPECT_EQ(std::vector<float>(text, text + 4), unit);
  const float* image = segment.field(1).row_vector(0);
  EXPECT_EQ(std::vector<float>(image, image + 3), vectors.values[1]);
  EXPECT_EQ(segment.start_seq(), 5U);
}

TEST(GrowingSegmentTest, PointsWithoutAFieldHaveNoRowInIt) {
  const Schema schema = TwoVectorFields();
  GrowingSegment segment(schema, 1, 0, 3);
  const test::OwnedVectors vectors = test::VectorsOf(3, schema);
  segment.Append("b", {{vectors.fields[1]}});
  segment.Append("a", vectors.fields);
  segment.Append("c", {{vectors.fields[0]}});
  EXPECT_TRUE(segment.full());
  ASSERT_EQ(segment.field(0).rows(), 2U);
  EXPECT_EQ(segment.field(0).row_ordinal(0), 1U);
  EXPECT_EQ(segment.field(0).row_ordinal(1), 2U);
  ASSERT_EQ(segment.field(1).rows(), 2U);
  EXPECT_EQ(segment.field(1).row_ordinal(0), 0U);
  EXPECT_TRUE(segment.Before(1, 0)) << "by id, not by arrival";
}

TEST(SegmentBuilderTest, IdsAscendAndOriginsPointBack) {
  const Schema schema = TwoVectorFields();
  const auto first = Growing(schema, 1, {50, 10, 30});
  const auto second = Growing(schema, 2, {20, 60, 40});
  auto dead = std::make_shared<SegmentView>(*ViewOf(second));
  dead->dead = RowSet().With(std::vector<Ordinal>{1}, 3);  // 60
  const auto build = Build(schema, {ViewOf(first), dead});
  ASSERT_OK(build);
  ASSERT_EQ(build->origins.size(), 5U);
  const auto ids = IdColumn::Open(build->ids, 5);
  ASSERT_OK(ids);
  const std::vector<uint64_t> expected = {10, 20, 30, 40, 50};
  for (Ordinal row = 0; row < 5; ++row) {
    EXPECT_EQ(ids->id(row), EncodeId(expected[row]));
    const SegmentBuild::Origin& origin = build->origins[row];
    EXPECT_EQ(build->inputs[origin.input]->id(origin.row), ids->id(row));
  }
}

TEST(SegmentBuilderTest, VectorsSurviveSealAndMergeBitByBit) {
  const Schema schema = TwoVectorFields();
  std::vector<uint64_t> ids;
  for (uint64_t id = 0; id < 300; ++id) {
    ids.push_back(id * 7 % 300);
  }
  const auto growing = Growing(schema, 1, ids);
  auto first = Build(schema, {ViewOf(growing)});
  ASSERT_OK(first);
  const auto sealed = Seal(schema, *std::move(first), 2);
  EXPECT_TRUE(sealed->field(0).has_graph());
  // Half of the rows die; ten new ones come.
  std::vector<Ordinal> dead;
  for (Ordinal row = 0; row < 300; row += 2) {
    dead.push_back(row);
  }
  const auto more = Growing(schema, 3, {1000, 1001, 1002, 1003, 1004});
  auto second = Build(schema, {ViewOf(sealed, dead), ViewOf(more)});
  ASSERT_OK(second);
  const auto merged = Seal(schema, *std::move(second), 4);
  ASSERT_EQ(merged->rows(), 155U);
  for (size_t field = 0; field < 2; ++field) {
    const VectorIndex& index = merged->field(field);
    ASSERT_EQ(index.rows(), 155U);
    std::vector<bool> seen(155);
    for (uint32_t row = 0; row < index.rows(); ++row) {
      const Ordinal ordinal = index.row_ordinal(row);
      EXPECT_FALSE(seen[ordinal]);
      seen[ordinal] = true;
      const auto id =
          std::get<uint64_t>(DecodeId(IdKind::kNumber, merged->id(ordinal)));
      EXPECT_TRUE(id >= 1000 || id % 2 == 1);
      std::vector<float> expected =
          SeededVector(id + field, schema.vector_fields[field].dimension);
      if (field == 0) {
        ASSERT_TRUE(Normalize(expected));
      }
      const float* vector = index.row_vector(row);
      EXPECT_EQ(std::vector<float>(vector, vector + expected.size()), expected);
    }
  }
}

TEST(SegmentBuilderTest, SmallSegmentsGetNoGraph) {
  const Schema schema = OneFieldSchema(4);
  auto build = Build(schema, {ViewOf(Growing(schema, 1, {1, 2, 3}))});
  ASSERT_OK(build);
  EXPECT_FALSE(Seal(schema, *std::move(build), 2)->field(0).has_graph());
}

TEST(SegmentBuilderTest, FieldThatNoPointHas) {
  const Schema schema = TwoVectorFields();
  auto growing = std::make_shared<GrowingSegment>(schema, 1, 0, 10);
  growing->Append(EncodeId(uint64_t{1}),
                  {{test::VectorsOf(1, schema).fields[0]}});
  auto build = Build(schema, {ViewOf(growing)});
  ASSERT_OK(build);
  const auto sealed = Seal(schema, *std::move(build), 2);
  EXPECT_EQ(sealed->field(0).rows(), 1U);
  EXPECT_EQ(sealed->field(1).rows(), 0U);
  TopK top(5);
  SearchWork work;
  const std::vector<float> query = {1, 2, 3};
  EXPECT_OK(sealed->field(1).Scan(query, RowSet(), Unlimited(), top, work));
  EXPECT_EQ(top.size(), 0U);
}

TEST(SegmentBuilderTest, EndsWithItsContext) {
  const Schema schema = OneFieldSchema(4);
  RequestContext cancelled;
  cancelled.Cancel();
  EXPECT_THAT(BuildSegment(schema, {ViewOf(Growing(schema, 1, {1, 2, 3}))},
                           {.min_graph_rows = 2}, cancelled, nullptr),
              StatusIs(absl::StatusCode::kCancelled));
}

// Sections that a checksum lets pass but that do not fit are damage, never a
// crash: the file of a program with a bug, say.
TEST(SealedSegmentTest, SectionsThatDoNotFitAreDamage) {
  const Schema schema = OneFieldSchema(4);
  auto built = Build(schema, {ViewOf(Growing(schema, 1, {1, 2, 3}))}, 2);
  ASSERT_OK(built);
  const auto build = std::make_shared<const SegmentBuild>(*std::move(built));
  const std::vector<absl::string_view> long_ids = {"aaaaaaaaa", "b", "c"};
  const std::string strings = IdColumn::Encode(long_ids);
  const std::string text(64, 'x');
  const struct {
    const char* name;
    const char* section;
    absl::string_view bytes;
  } cases[] = {
      {"no ids", "ids", absl::string_view()},
      {"no vectors", "field0.vectors", absl::string_view()},
      {"no ordinals", "field0.ordinals", absl::string_view()},
      {"no graph", "field0.graph", absl::string_view()},
      {"short vectors", "field0.vectors", text},
      {"long ordinals", "field0.ordinals", text},
      {"broken graph", "field0.graph", text},
      {"broken calibration", "field0.calibration", text},
      {"broken ids", "ids", text},
      {"string ids among numbers", "ids", strings},
  };
  for (const auto& test : cases) {
    const auto file = std::make_shared<test::MemorySegmentFile>(build);
    ASSERT_OK(SealedSegment::Open(schema, RecordFor(2, 3), file));
    file->Replace(test.section, test.bytes);
    EXPECT_THAT(SealedSegment::Open(schema, RecordFor(2, 3), file),
                StatusIs(absl::StatusCode::kDataLoss))
        << test.name;
  }
  const auto file = std::make_shared<test::MemorySegmentFile>(build);
  EXPECT_THAT(SealedSegment::Open(schema, RecordFor(2, 4), file),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(SealedSegment::Open(schema, RecordFor(2, 1ULL << 40U), file),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(SealedSegment::Open(OneFieldSchema(40), RecordFor(2, 3), file),
              StatusIs(absl::StatusCode::kDataLoss))
      << "another dimension";
  EXPECT_THAT(SealedSegment::Open(TwoVectorFields(), RecordFor(2, 3), file),
              StatusIs(absl::StatusCode::kDataLoss))
      << "another schema";
}

Schema WithPayloadFields() {
  Schema schema = OneFieldSchema(4);
  schema.payload_fields = {{"size", FieldType::kInteger, true},
                           {"tags", FieldType::kKeyword}};
  return schema;
}

// What point `id` has: some have no size, some several tags.
PayloadValues ValuesOf(uint64_t id) {
  PayloadValues values(2);
  if (id % 3 != 0) {
    values[0] = {KeyOfInteger(static_cast<int64_t>(id) - 50)};
  }
  for (uint64_t tag = 0; tag < id % 4; ++tag) {
    values[1].emplace_back(absl::StrCat("tag", tag));
  }
  return values;
}

void ExpectColumns(const SealedSegment& segment) {
  ASSERT_NE(segment.column(0), nullptr);
  ASSERT_NE(segment.column(1), nullptr);
  for (Ordinal row = 0; row < segment.rows(); ++row) {
    const PointId id = DecodeId(IdKind::kNumber, segment.id(row));
    const PayloadValues expected = ValuesOf(std::get<uint64_t>(id));
    EXPECT_EQ(segment.column(0)->ValuesOf(row), expected[0]);
    EXPECT_EQ(segment.column(1)->ValuesOf(row), expected[1]);
  }
}

// The points with a size from -20 to 20, whatever they are near to.
void ExpectWindow(const SealedSegment& segment) {
  ASSERT_NE(segment.window(0, 0), nullptr);
  EXPECT_EQ(segment.window(0, 1), nullptr);
  const PositionRun run =
      segment.column(0)->number()->Range(KeyOfInteger(-20), KeyOfInteger(20));
  std::set<uint64_t> expected;
  for (Ordinal row = 0; row < segment.rows(); ++row) {
    const auto id =
        std::get<uint64_t>(DecodeId(IdKind::kNumber, segment.id(row)));
    if (id % 3 != 0 && id >= 30 && id <= 70) {
      expected.insert(id);
    }
  }
  TopK top(1000);
  SearchWork work;
  ASSERT_OK(segment.window(0, 0)->Scan(std::vector<float>{1, 0, 0, 0},
                                       {run.first, run.count()}, RowSet(),
                                       RequestContext(), top, work));
  std::set<uint64_t> found;
  for (const ScoredRow& row : top.TakeSorted()) {
    found.insert(
        std::get<uint64_t>(DecodeId(IdKind::kNumber, segment.id(row.row))));
  }
  EXPECT_EQ(found, expected);
}

TEST(SegmentBuilderTest, ValuesOfPayloadFieldsAreMerged) {
  const Schema schema = WithPayloadFields();
  const auto grow = [&](uint32_t number, uint64_t first, uint64_t step) {
    auto segment = std::make_shared<GrowingSegment>(schema, number, 0, 1000);
    const uint64_t empty = segment->size_bytes();
    for (uint64_t id = first; id < 90; id += step) {
      segment->Append(EncodeId(id), test::VectorsOf(id, schema).fields,
                      {ValuesOf(id)});
    }
    EXPECT_GT(segment->size_bytes(), empty + 1000);
    return segment;
  };
  auto first = Build(schema, {ViewOf(grow(1, 0, 2))});
  ASSERT_OK(first);
  const auto sealed = Seal(schema, *std::move(first), 2);
  ExpectColumns(*sealed);
  ExpectWindow(*sealed);
  EXPECT_GT(sealed->columns_bytes(), 0U);
  EXPECT_GT(sealed->windows_bytes(), 0U);
  auto second = Build(schema, {ViewOf(sealed, {0, 7}), ViewOf(grow(3, 1, 2))});
  ASSERT_OK(second);
  const auto merged = Seal(schema, *std::move(second), 4);
  EXPECT_EQ(merged->rows(), 88U);
  ExpectColumns(*merged);
  ExpectWindow(*merged);
}

TEST(SegmentBuilderTest, AFileFromBeforeAFieldWasDeclaredOpensWithoutIt) {
  const Schema before = OneFieldSchema(4);
  auto build = Build(before, {ViewOf(Growing(before, 1, {1, 2, 3}))});
  ASSERT_OK(build);
  const Schema schema = WithPayloadFields();
  const auto sealed = Seal(schema, *std::move(build), 2);
  EXPECT_EQ(sealed->column(0), nullptr);
  EXPECT_EQ(sealed->window(0, 0), nullptr);
  EXPECT_EQ(sealed->columns_bytes(), 0U);
  auto merged = Build(schema, {ViewOf(sealed)});
  ASSERT_OK(merged);
  EXPECT_EQ(Seal(schema, *std::move(merged), 3)->column(1), nullptr);
}

TEST(SegmentBuilderTest, AWindowThatDoesNotFitItsColumnIsFound) {
  const Schema schema = WithPayloadFields();
  auto segment = std::make_shared<GrowingSegment>(schema, 1, 0, 1000);
  for (uint64_t id = 1; id < 9; ++id) {
    segment->Append(EncodeId(id), test::VectorsOf(id, schema).fields,
                    {ValuesOf(id)});
  }
  auto build = Build(schema, {ViewOf(segment)});
  ASSERT_OK(build);
  test::MemorySegmentFile file(
      std::make_shared<const SegmentBuild>(*std::move(build)));
  const std::string section = WindowSection(0, 0, "rows");
  const std::string rows(file.FindSection(section));
  ASSERT_EQ(rows.size(), 6 * sizeof(uint32_t));
  for (const absl::string_view bytes :
       {absl::string_view(rows).substr(4),
        absl::string_view("\1\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5\0\0\0",
                          24)}) {
    file.Replace(section, bytes);
    EXPECT_THAT(
        SealedSegment::Open(schema, RecordFor(1, 8),
                            std::make_shared<test::MemorySegmentFile>(file)),
        StatusIs(absl::StatusCode::kDataLoss));
  }
}

TEST(SegmentBuilderTest, ADamagedColumnIsFound) {
  const Schema schema = WithPayloadFields();
  auto build = Build(schema, {ViewOf(Growing(schema, 1, {1, 2, 3}))});
  ASSERT_OK(build);
  test::MemorySegmentFile file(
      std::make_shared<const SegmentBuild>(*std::move(build)));
  const absl::string_view column = file.FindSection(ColumnSection(0));
  ASSERT_FALSE(column.empty());
  file.Replace(ColumnSection(0), column.substr(0, column.size() - 8));
  EXPECT_THAT(
      SealedSegment::Open(schema, RecordFor(1, 3),
                          std::make_shared<test::MemorySegmentFile>(file)),
      StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace sextant
