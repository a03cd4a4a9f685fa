// SPDX-License-Identifier: Apache-2.0
#include "engine/sealed_segment.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/first_not.h"
#include "base/status_macros.h"

namespace sextant {

std::string FieldSection(size_t field, const char* part) {
  return absl::StrCat("field", field, ".", part);
}

std::string ColumnSection(size_t payload_field) {
  return absl::StrCat("payload", payload_field);
}

std::string WindowSection(size_t field, size_t payload_field,
                          const char* part) {
  return absl::StrCat("field", field, ".window", payload_field, ".", part);
}

uint64_t SealedSegment::windows_bytes() const {
  uint64_t bytes = 0;
  for (const auto& of_field : windows_) {
    for (const std::unique_ptr<WindowIndex>& window : of_field) {
      bytes += window != nullptr ? window->memory_bytes() : 0;
    }
  }
  return bytes;
}

absl::Status SealedSegment::OpenWindows(const Schema& schema) {
  const auto has_window = [](const PayloadFieldSchema& field) {
    return field.window;
  };
  if (std::ranges::none_of(schema.payload_fields, has_window)) {
    return absl::OkStatus();
  }
  windows_.resize(fields_.size());
  for (size_t i = 0; i < fields_.size(); ++i) {
    windows_[i].resize(schema.payload_fields.size());
    for (size_t j = 0; j < schema.payload_fields.size(); ++j) {
      const WindowIndexBytes bytes = {
          file_->FindSection(WindowSection(i, j, "rows")),
          file_->FindSection(WindowSection(i, j, "codes"))};
      if (bytes.rows.empty() || !columns_[j].has_value()) {
        continue;
      }
      ASSIGN_OR_RETURN_WITH(
          windows_[i][j],
          WindowIndex::Open(*fields_[i], bytes, Placement::kHugePages),
          file_->path());
      const NumberColumn* const column = columns_[j]->number();
      if (column == nullptr || column->size() != windows_[i][j]->ranks()) {
        return absl::DataLossError(
            absl::StrCat(file_->path(), ": the window of payload field ", j,
                         " does not fit its column"));
      }
    }
  }
  return absl::OkStatus();
}

std::string TextSection(const TextIndexId& index) {
  return index.generation == 0
             ? absl::StrCat(kTextSections, index.field)
             : absl::StrCat(kTextSections, index.field, ".", index.generation);
}

absl::Status SealedSegment::OpenTexts(const Schema& schema) {
  for (size_t i = 0; i < schema.text_index_count(); ++i) {
    const TextIndexId id = TextIndexIdAt(schema, i);
    const std::string section = TextSection(id);
    absl::string_view bytes = file_->FindSection(section);
    if (i < schema.text_fields.size()) {
      ASSIGN_OR_RETURN(bytes, file_->Section(section));
    } else if (bytes.empty()) {
      continue;  // not made yet
    }
    ASSIGN_OR_RETURN_WITH(TextIndex index, TextIndex::Open(bytes, rows()),
                          file_->path());
    texts_.push_back({id, std::make_shared<const TextIndex>(std::move(index))});
  }
  return absl::OkStatus();
}

std::string SparseSection(size_t sparse_field) {
  return absl::StrCat("sparse", sparse_field);
}

absl::Status SealedSegment::OpenSparse(const Schema& schema) {
  for (size_t i = 0; i < schema.sparse_fields.size(); ++i) {
    ASSIGN_OR_RETURN(const absl::string_view bytes,
                     file_->Section(SparseSection(i)));
    ASSIGN_OR_RETURN_WITH(SparseIndex index, SparseIndex::Open(bytes, rows()),
                          file_->path());
    sparse_.push_back(std::make_shared<const SparseIndex>(index));
  }
  return absl::OkStatus();
}

std::vector<SparseParts> SealedSegment::Sparse() const {
  std::vector<SparseParts> parts;
  parts.reserve(sparse_.size());
  for (const auto& index : sparse_) {
    parts.push_back(SealedSparseParts(index));
  }
  return parts;
}

uint64_t SealedSegment::sparse_bytes() const {
  uint64_t bytes = 0;
  for (const auto& index : sparse_) {
    bytes += index->file_bytes();
  }
  return bytes;
}

TextSegment SealedSegment::Text(const Schema& schema, RowSet dead) const {
  std::vector<std::shared_ptr<const TextIndex>> indexes;
  for (size_t i = 0; i < schema.text_index_count(); ++i) {
    const auto text =
        std::ranges::find(texts_, TextIndexIdAt(schema, i), &OpenText::id);
    if (text != texts_.end()) {
      indexes.push_back(text->index);
    } else {
      CHECK(i >= schema.text_fields.size())
          << "postings of a field are missing";
    }
  }
  const size_t fields = indexes.size();
  return {fields == 0 ? TextParts() : SealedTextParts(std::move(indexes)),
          fields, std::move(dead)};
}

uint64_t SealedSegment::texts_bytes() const {
  uint64_t bytes = 0;
  for (const OpenText& text : texts_) {
    bytes += text.index->file_bytes();
  }
  return bytes;
}

std::optional<Ordinal> SealedSegment::FindId(absl::string_view id) const {
  const Ordinal first = FirstNot(
      Ordinal{0}, rows(), [&](Ordinal row) { return ids_.id(row) < id; });
  return first < rows() && ids_.id(first) == id ? std::optional<Ordinal>(first)
                                                : std::nullopt;
}

uint64_t SealedSegment::columns_bytes() const {
  uint64_t bytes = 0;
  for (const std::optional<FieldColumn>& column : columns_) {
    bytes +=
        column.has_value() ? column->file_bytes() + column->memory_bytes() : 0;
  }
  return bytes;
}

absl::StatusOr<std::shared_ptr<const SealedSegment>> SealedSegment::Open(
    const Schema& schema, storage::SegmentRecord record,
    std::shared_ptr<const SegmentFile> file) {
  if (record.rows() >= std::numeric_limits<Ordinal>::max()) {
    return absl::DataLossError(
        absl::StrCat(file->path(), ": ", record.rows(), " rows"));
  }
  const auto rows = static_cast<uint32_t>(record.rows());
  std::shared_ptr<SealedSegment> segment(new SealedSegment());
  ASSIGN_OR_RETURN(absl::string_view ids, file->Section(kIdsSection));
  ASSIGN_OR_RETURN_WITH(segment->ids_, IdColumn::Open(ids, rows), file->path());
  segment->ids_bytes_ = ids.size();
  if (schema.id_kind == IdKind::kNumber) {
    for (Ordinal row = 0; row < rows; ++row) {
      if (segment->ids_.id(row).size() != sizeof(uint64_t)) {
        return absl::DataLossError(absl::StrCat(
            file->path(), ": the id of row ", row, " is not a number"));
      }
    }
  }
  bool unload = false;
  for (size_t i = 0; i < schema.vector_fields.size(); ++i) {
    const VectorFieldSchema& field = schema.vector_fields[i];
    VectorIndexBytes bytes;
    ASSIGN_OR_RETURN(bytes.vectors, file->Section(FieldSection(i, "vectors")));
    ASSIGN_OR_RETURN(bytes.ordinals,
                     file->Section(FieldSection(i, "ordinals")));
    ASSIGN_OR_RETURN(bytes.graph, file->Section(FieldSection(i, "graph")));
    ASSIGN_OR_RETURN(bytes.codes, file->Section(FieldSection(i, "codes")));
    bytes.calibration = file->FindSection(FieldSection(i, "calibration"));
    const Rerank rerank = field.storage.rerank;
    ASSIGN_OR_RETURN_WITH(
        std::unique_ptr<VectorIndex> index,
        VectorIndex::Open(
            {field.metric, field.dimension}, rows, bytes,
            rerank == Rerank::kMemory ? Placement::kHugePages
                                      : Placement::kHugePagesButVectors,
            rerank == Rerank::kNone ? Scoring::kCodes : Scoring::kFloats),
        file->path());
    unload = unload || index->owned_bytes() > 0 || index->scores_by_codes();
    segment->fields_.push_back(std::move(index));
  }
  for (size_t i = 0; i < schema.payload_fields.size(); ++i) {
    std::optional<FieldColumn>& column = segment->columns_.emplace_back();
    const absl::string_view bytes = file->FindSection(ColumnSection(i));
    if (!bytes.empty()) {
      ASSIGN_OR_RETURN_WITH(
          column, FieldColumn::Open(schema.payload_fields[i].type, bytes, rows),
          file->path());
    }
  }
  segment->file_ = std::move(file);
  RETURN_IF_ERROR(segment->OpenWindows(schema));
  RETURN_IF_ERROR(segment->OpenTexts(schema));
  RETURN_IF_ERROR(segment->OpenSparse(schema));
  if (unload) {
    // Else the process holds twice what was copied, and floats nobody reads.
    segment->file_->Unload();
  }
  segment->record_ = std::move(record);
  return segment;
}

}  // namespace sextant
