// SPDX-License-Identifier: Apache-2.0
#include "engine/segment_builder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/string_view.h"

#include "base/status_macros.h"
#include "index/columns/column_builder.h"
#include "index/columns/field_column.h"
#include "index/id_column.h"

namespace sextant {
namespace {

constexpr Ordinal kDropped = VectorIndexInput::kDropped;

// New ordinal of every old row, by input; kDropped where it was dead.
using OrdinalMaps = std::vector<std::vector<Ordinal>>;

struct LiveRow {
  absl::string_view id;
  SegmentBuild::Origin origin;
};

std::vector<LiveRow> LiveRowsById(
    const std::vector<std::shared_ptr<const SegmentView>>& inputs) {
  std::vector<LiveRow> live;
  for (uint32_t i = 0; i < inputs.size(); ++i) {
    for (Ordinal row = 0; row < inputs[i]->rows; ++row) {
      if (!inputs[i]->dead.Contains(row)) {
        live.push_back({inputs[i]->id(row), {i, row}});
      }
    }
  }
  std::sort(live.begin(), live.end(),
            [](const LiveRow& a, const LiveRow& b) { return a.id < b.id; });
  return live;
}

// The vector rows of one field of one input, whatever kind it is.
struct FieldRows {
  const GrowingVectors* growing = nullptr;
  const VectorIndex* sealed = nullptr;
  uint32_t rows = 0;

  static FieldRows Of(const SegmentView& view, size_t field) {
    if (view.growing != nullptr) {
      return {&view.growing->field(field), nullptr, view.field_rows[field]};
    }
    const VectorIndex* index = &view.sealed->field(field);
    return {nullptr, index, index->rows()};
  }
  const float* vector(uint32_t row) const {
    return growing != nullptr ? growing->row_vector(row)
                              : sealed->row_vector(row);
  }
  Ordinal ordinal(uint32_t row) const {
    return growing != nullptr ? growing->row_ordinal(row)
                              : sealed->row_ordinal(row);
  }
};

VectorIndexInput FieldInput(
    const std::vector<std::shared_ptr<const SegmentView>>& inputs,
    const OrdinalMaps& maps, size_t field) {
  VectorIndexInput input;
  size_t base_input = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const FieldRows rows = FieldRows::Of(*inputs[i], field);
    for (uint32_t row = 0; row < rows.rows; ++row) {
      const Ordinal ordinal = maps[i][rows.ordinal(row)];
      if (ordinal != kDropped) {
        input.rows.push_back({rows.vector(row), ordinal});
      }
    }
    if (rows.sealed != nullptr && rows.sealed->has_graph() &&
        (input.base == nullptr || rows.rows > input.base->rows())) {
      input.base = rows.sealed;
      base_input = i;
    }
  }
  std::sort(input.rows.begin(), input.rows.end(),
            [](const VectorIndexInput::Row& a, const VectorIndexInput::Row& b) {
              return a.ordinal < b.ordinal;
            });
  if (input.base != nullptr) {
    input.base_to_ordinal.reserve(input.base->rows());
    for (uint32_t row = 0; row < input.base->rows(); ++row) {
      input.base_to_ordinal.push_back(
          maps[base_input][input.base->row_ordinal(row)]);
    }
  }
  return input;
}

// The column of a payload field, put together from the inputs' values.
absl::StatusOr<std::string> BuildColumn(const SegmentBuild& build,
                                        FieldType type, size_t field,
                                        const RequestContext& context) {
  constexpr Ordinal kRowsBetweenChecks = 8192;
  for (const auto& input : build.inputs) {
    if (input->sealed != nullptr && input->sealed->column(field) == nullptr) {
      return std::string();
    }
  }
  ColumnBuilder column(type, static_cast<uint32_t>(build.origins.size()));
  for (Ordinal row = 0; row < build.origins.size(); ++row) {
    if (row % kRowsBetweenChecks == 0) {
      RETURN_IF_ERROR(context.Check());
    }
    const auto& [position, old_row] = build.origins[row];
    const SegmentView& input = *build.inputs[position];
    if (input.growing != nullptr) {
      column.Add(row, input.growing->values(field, old_row));
    } else {
      column.Add(row, input.sealed->column(field)->ValuesOf(old_row));
    }
  }
  return std::move(column).Finish();
}

// A payload field with a window, and its column.
struct WindowColumn {
  size_t field = 0;
  FieldColumn column;
};

absl::StatusOr<std::vector<WindowColumn>> OpenWindowColumns(
    const Schema& schema, const SegmentBuild& build) {
  const auto rows = static_cast<uint32_t>(build.origins.size());
  std::vector<WindowColumn> columns;
  for (size_t i = 0; i < schema.payload_fields.size(); ++i) {
    const PayloadFieldSchema& field = schema.payload_fields[i];
    if (field.window && !build.columns[i].empty()) {
      ASSIGN_OR_RETURN_WITH(
          FieldColumn column,
          FieldColumn::Open(field.type, build.columns[i], rows), field.name);
      columns.push_back({i, std::move(column)});
    }
  }
  return columns;
}

// An index of the window fields for every vector field, in the order of their
// columns. Needs both.
absl::Status AddWindows(const Schema& schema,
                        const SegmentBuildOptions& options,
                        const RequestContext& context, SegmentBuild* build) {
  ASSIGN_OR_RETURN(const std::vector<WindowColumn> columns,
                   OpenWindowColumns(schema, *build));
  if (columns.empty()) {
    return absl::OkStatus();
  }
  const auto rows = static_cast<uint32_t>(build->origins.size());
  for (size_t i = 0; i < schema.vector_fields.size(); ++i) {
    RETURN_IF_ERROR(context.Check());
    const VectorFieldSchema& field = schema.vector_fields[i];
    ASSIGN_OR_RETURN_WITH(const std::unique_ptr<VectorIndex> index,
                          VectorIndex::Open({field.metric, field.dimension},
                                            rows, build->fields[i].view()),
                          field.name);
    const AlignedBytes codes =
        EncodeForWindows(*index, kWindowCodeBits, options.pool);
    for (const WindowColumn& window : columns) {
      build->windows.push_back(
          {i, window.field,
           BuildWindowIndex(*index, window.column.number()->ordinals(),
                            codes)});
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<SegmentSection> SegmentBuild::Sections() const {
  std::vector<SegmentSection> sections = {{kIdsSection, ids}};
  for (size_t i = 0; i < fields.size(); ++i) {
    const VectorIndexBytes bytes = fields[i].view();
    sections.push_back({FieldSection(i, "vectors"), bytes.vectors});
    sections.push_back({FieldSection(i, "ordinals"), bytes.ordinals});
    sections.push_back({FieldSection(i, "graph"), bytes.graph});
    sections.push_back({FieldSection(i, "codes"), bytes.codes});
    sections.push_back({FieldSection(i, "calibration"), bytes.calibration});
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    if (!columns[i].empty()) {
      sections.push_back({ColumnSection(i), columns[i]});
    }
  }
  for (const Window& window : windows) {
    const WindowIndexBytes bytes = window.index.view();
    const auto name = [&window](const char* part) {
      return WindowSection(window.vector_field, window.payload_field, part);
    };
    sections.push_back({name("rows"), bytes.rows});
    sections.push_back({name("codes"), bytes.codes});
  }
  return sections;
}

absl::StatusOr<SegmentBuild> BuildSegment(
    const Schema& schema,
    std::vector<std::shared_ptr<const SegmentView>> inputs,
    const SegmentBuildOptions& options, const RequestContext& context,
    BuildProgress* progress) {
  SegmentBuild build;
  build.inputs = std::move(inputs);
  OrdinalMaps maps;
  for (const auto& input : build.inputs) {
    maps.emplace_back(input->rows, kDropped);
  }
  std::vector<absl::string_view> ids;
  for (const LiveRow& row : LiveRowsById(build.inputs)) {
    maps[row.origin.input][row.origin.row] =
        static_cast<Ordinal>(build.origins.size());
    build.origins.push_back(row.origin);
    ids.push_back(row.id);
  }
  if (build.origins.empty()) {
    return build;
  }
  build.ids = IdColumn::Encode(ids);
  for (size_t i = 0; i < schema.vector_fields.size(); ++i) {
    const VectorFieldSchema& field = schema.vector_fields[i];
    VectorIndexInput input = FieldInput(build.inputs, maps, i);
    input.shape = {field.metric, field.dimension};
    input.graph = field.graph;
    input.encoding = field.storage.encoding;
    input.scoring = field.storage.rerank == Rerank::kNone ? Scoring::kCodes
                                                          : Scoring::kFloats;
    input.min_graph_rows = options.min_graph_rows;
    ASSIGN_OR_RETURN_WITH(
        BuiltVectorIndex built,
        BuildVectorIndex(input, options.pool, context, progress), field.name);
    build.fields.push_back(std::move(built));
  }
  for (size_t i = 0; i < schema.payload_fields.size(); ++i) {
    const PayloadFieldSchema& field = schema.payload_fields[i];
    ASSIGN_OR_RETURN_WITH(std::string column,
                          BuildColumn(build, field.type, i, context),
                          field.name);
    build.columns.push_back(std::move(column));
  }
  RETURN_IF_ERROR(AddWindows(schema, options, context, &build));
  return build;
}

}  // namespace sextant
