// SPDX-License-Identifier: Apache-2.0
#include "engine/segment_builder.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

#include "base/status_macros.h"
#include "engine/payload.h"
#include "engine/segment_texts.h"
#include "index/columns/column_builder.h"
#include "index/columns/field_column.h"
#include "index/id_column.h"
#include "index/text/sparse_index_builder.h"
#include "index/text/sparse_segment.h"

namespace sextant {
namespace {

constexpr Ordinal kDropped = VectorIndexInput::kDropped;

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

// Values of a payload field that the inputs know.
absl::Status AddKnownValues(const SegmentBuild& build, size_t field,
                            const RequestContext& context,
                            ColumnBuilder* column) {
  constexpr Ordinal kRowsBetweenChecks = 8192;
  for (Ordinal row = 0; row < build.origins.size(); ++row) {
    if (row % kRowsBetweenChecks == 0) {
      RETURN_IF_ERROR(context.Check());
    }
    const auto& [position, old_row] = build.origins[row];
    const SegmentView& input = *build.inputs[position];
    if (!input.has_payload_field(field)) {
      continue;
    }
    if (input.growing != nullptr) {
      column->Add(row, input.growing->values(field, old_row));
    } else {
      column->Add(row, input.sealed->column(field)->ValuesOf(old_row));
    }
  }
  return absl::OkStatus();
}

// Columns under construction, by payload field; nothing where there will be
// none.
using Columns = std::vector<std::optional<ColumnBuilder>>;

// Reads the values that one input lacks from the stored payloads. A payload may
// be newer than the row: the row is dead then when the build is published.
class PayloadFill {
 public:
  PayloadFill(const Schema& schema, const SegmentBuildOptions& options,
              SegmentBuild* build, Columns* columns)
      : schema_(schema), options_(options), build_(build), columns_(columns) {}

  absl::Status Run(uint32_t input, const RequestContext& context) {
    constexpr size_t kRowsAtOnce = 512;
    const SegmentView& view = *build_->inputs[input];
    std::vector<PayloadFieldSchema> lacking;
    for (size_t i = 0; i < schema_.payload_fields.size(); ++i) {
      if (!view.has_payload_field(i)) {
        lacking.push_back(schema_.payload_fields[i]);
        positions_.push_back(i);
      }
    }
    if (lacking.empty() || options_.payloads == nullptr) {
      return absl::OkStatus();
    }
    const PayloadReader reader(lacking);
    for (Ordinal row = 0; row < build_->origins.size(); ++row) {
      const auto& [position, old_row] = build_->origins[row];
      if (position == input && !view.dead.Contains(old_row)) {
        rows_.push_back(row);
        ids_.push_back(view.id(old_row));
      }
      if (rows_.size() == kRowsAtOnce || row + 1 == build_->origins.size()) {
        RETURN_IF_ERROR(context.Check());
        RETURN_IF_ERROR(Flush(reader));
      }
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Flush(const PayloadReader& reader) {
    ASSIGN_OR_RETURN(const std::vector<std::string> payloads,
                     options_.payloads(ids_));
    for (size_t i = 0; i < rows_.size(); ++i) {
      const PayloadValues values =
          reader.ReadStored(payloads[i], &build_->misfits);
      for (size_t j = 0; j < positions_.size(); ++j) {
        (*columns_)[positions_[j]]->Add(rows_[i], values[j]);
      }
    }
    if (options_.rows_filled != nullptr) {
      *options_.rows_filled += rows_.size();
    }
    rows_.clear();
    ids_.clear();
    return absl::OkStatus();
  }

  const Schema& schema_;
  const SegmentBuildOptions& options_;
  SegmentBuild* const build_;
  Columns* const columns_;
  std::vector<size_t> positions_;  // of the lacking fields
  std::vector<Ordinal> rows_;
  std::vector<absl::string_view> ids_;
};

// The columns of all payload fields for which `wanted` says so.
absl::Status BuildColumns(const Schema& schema,
                          const SegmentBuildOptions& options,
                          const RequestContext& context,
                          const std::vector<bool>& wanted,
                          SegmentBuild* build) {
  const auto rows = static_cast<uint32_t>(build->origins.size());
  Columns columns(schema.payload_fields.size());
  for (size_t i = 0; i < columns.size(); ++i) {
    if (wanted[i]) {
      columns[i].emplace(schema.payload_fields[i].type, rows);
      RETURN_IF_ERROR(AddKnownValues(*build, i, context, &*columns[i]));
    }
  }
  for (uint32_t i = 0; i < build->inputs.size(); ++i) {
    RETURN_IF_ERROR(
        PayloadFill(schema, options, build, &columns).Run(i, context));
  }
  build->columns.resize(columns.size());
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].has_value()) {
      ASSIGN_OR_RETURN_WITH(build->columns[i],
                            (*std::move(columns[i])).Finish(),
                            schema.payload_fields[i].name);
    }
  }
  return absl::OkStatus();
}

// Those whose column an input has, or whose values can be read.
std::vector<bool> FillableFields(const Schema& schema,
                                 const SegmentBuild& build,
                                 const SegmentBuildOptions& options) {
  std::vector<bool> fillable(schema.payload_fields.size(), true);
  for (size_t i = 0; i < fillable.size(); ++i) {
    for (const auto& input : build.inputs) {
      fillable[i] = fillable[i] && (input->has_payload_field(i) ||
                                    options.payloads != nullptr);
    }
  }
  return fillable;
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

// Indexes of a vector field in the order of each of these columns.
void AddWindowsOf(const VectorIndex& index, size_t vector_field,
                  const std::vector<WindowColumn>& columns,
                  const SegmentBuildOptions& options, SegmentBuild* build) {
  const AlignedBytes codes =
      EncodeForWindows(index, kWindowCodeBits, options.pool);
  for (const WindowColumn& window : columns) {
    build->windows.push_back(
        {vector_field, window.field,
         BuildWindowIndex(index, window.column.number()->ordinals(), codes)});
  }
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
    AddWindowsOf(*index, i, columns, options, build);
  }
  return absl::OkStatus();
}

// The sparse fields, merged from those of the inputs.
absl::Status BuildSparse(const Schema& schema, const OrdinalMaps& maps,
                         const RequestContext& context, SegmentBuild* build) {
  for (size_t field = 0; field < schema.sparse_fields.size(); ++field) {
    std::vector<SparseParts> frozen;  // by input; own what is merged
    std::vector<SparseMergeSource> sources;
    for (size_t i = 0; i < build->inputs.size(); ++i) {
      ASSIGN_OR_RETURN(SparseParts parts,
                       FreezeSparseParts(build->inputs[i]->sparse[field]));
      for (const SparsePart& part : parts) {
        sources.push_back({part.index.get(), std::span(maps[i]).subspan(
                                                 part.first_row, part.rows)});
      }
      frozen.push_back(std::move(parts));
    }
    ASSIGN_OR_RETURN_WITH(
        std::string bytes,
        MergeSparseIndexes(
            sources, static_cast<uint32_t>(build->origins.size()), context),
        schema.sparse_fields[field].name);
    build->sparse.push_back(std::move(bytes));
  }
  return absl::OkStatus();
}

// Without postings that nobody searches any more.
std::vector<SegmentSection> SectionsToKeep(const Schema& schema,
                                           const SealedSegment& segment) {
  std::vector<std::string> texts;
  for (const TextIndexId& id : TextIndexIds(schema)) {
    texts.push_back(TextSection(id));
  }
  std::vector<SegmentSection> sections = segment.file().Sections();
  std::erase_if(sections, [&texts](const SegmentSection& section) {
    return absl::StartsWith(section.name, kTextSections) &&
           std::ranges::find(texts, section.name) == texts.end();
  });
  return sections;
}

}  // namespace

std::vector<SegmentSection> SegmentBuild::Sections() const {
  std::vector<SegmentSection> sections = kept;
  if (kept.empty()) {
    sections.push_back({kIdsSection, ids});
  }
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
  for (const Text& text : texts) {
    sections.push_back({TextSection(text.id), text.bytes});
  }
  for (size_t i = 0; i < sparse.size(); ++i) {
    sections.push_back({SparseSection(i), sparse[i]});
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
  RETURN_IF_ERROR(BuildColumns(schema, options, context,
                               FillableFields(schema, build, options), &build));
  RETURN_IF_ERROR(AddWindows(schema, options, context, &build));
  RETURN_IF_ERROR(BuildTexts(schema, maps, options, context, &build));
  RETURN_IF_ERROR(BuildSparse(schema, maps, context, &build));
  return build;
}

absl::StatusOr<SegmentBuild> FillSegment(
    const Schema& schema, std::shared_ptr<const SegmentView> input,
    const SegmentBuildOptions& options, const RequestContext& context) {
  const SealedSegment& segment = *input->sealed;
  SegmentBuild build;
  build.kept = SectionsToKeep(schema, segment);
  for (Ordinal row = 0; row < input->rows; ++row) {
    build.origins.push_back({0, row});
  }
  std::vector<bool> wanted;
  for (size_t i = 0; i < schema.payload_fields.size(); ++i) {
    wanted.push_back(!input->has_payload_field(i));
  }
  build.inputs.push_back(std::move(input));
  RETURN_IF_ERROR(BuildColumns(schema, options, context, wanted, &build));
  ASSIGN_OR_RETURN(const std::vector<WindowColumn> columns,
                   OpenWindowColumns(schema, build));
  for (size_t i = 0; i < segment.field_count() && !columns.empty(); ++i) {
    RETURN_IF_ERROR(context.Check());
    AddWindowsOf(segment.field(i), i, columns, options, &build);
  }
  RETURN_IF_ERROR(FillTexts(schema, options, context, &build));
  return build;
}

}  // namespace sextant
