// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "engine/schema.h"
#include "engine/text_change.h"
#include "filters/segment_filter.h"
#include "index/columns/field_column.h"
#include "index/id_column.h"
#include "index/row_set.h"
#include "index/text/sparse_segment.h"
#include "index/text/text_index.h"
#include "index/text/text_segment.h"
#include "index/vector_index.h"
#include "index/window_index.h"
#include "storage/format.pb.h"
#include "storage/segment_directory.h"

namespace sextant {

// Names of a segment file's sections.
inline constexpr char kIdsSection[] = "ids";
inline constexpr char kTextSections[] = "text";  // begins all of them
std::string FieldSection(size_t field, const char* part);
std::string ColumnSection(size_t payload_field);
std::string WindowSection(size_t field, size_t payload_field, const char* part);
std::string TextSection(const TextIndexId& index);
std::string SparseSection(size_t sparse_field);

// An immutable segment: its points' ids in ascending order, one vector index
// for each vector field, one column for each payload field and one window index
// for each two of them where the payload field has a window, from a mapped
// file. Indexes of some size are copied into memory, except for vectors that
// the schema leaves in the file.
//
// Thread-safe; shared by snapshots.
class SealedSegment final : public SegmentColumns {
 public:
  // kDataLoss naming the file.
  static absl::StatusOr<std::shared_ptr<const SealedSegment>> Open(
      const Schema& schema, storage::SegmentRecord record,
      std::shared_ptr<const SegmentFile> file);

  uint32_t number() const { return static_cast<uint32_t>(record_.number()); }
  uint32_t rows() const override { return ids_.size(); }
  absl::string_view id(Ordinal row) const { return ids_.id(row); }
  const VectorIndex& field(size_t i) const { return *fields_[i]; }
  size_t field_count() const { return fields_.size(); }
  // Of a payload field; null when the file was written before the field was
  // declared.
  const FieldColumn* column(size_t i) const override {
    return i < columns_.size() && columns_[i].has_value() ? &*columns_[i]
                                                          : nullptr;
  }
  // Of a vector field in the order of a payload field; null where that has no
  // window, or no point had a value.
  const WindowIndex* window(size_t field, size_t payload_field) const {
    return windows_.empty() || payload_field >= windows_[field].size()
               ? nullptr
               : windows_[field][payload_field].get();
  }
  uint64_t windows_bytes() const;
  // The text indexes of a schema, with these rows dead: of all its text fields,
  // and of what one of them is going to be where this segment has it.
  TextSegment Text(const Schema& schema, RowSet dead) const;
  uint64_t texts_bytes() const;  // in the file
  // The sparse vectors, by field.
  std::vector<SparseParts> Sparse() const;
  uint64_t sparse_bytes() const;  // in the file
  std::optional<Ordinal> FindId(absl::string_view id) const override;
  // Of the columns, in the file and beside it.
  uint64_t columns_bytes() const;
  uint64_t size_bytes() const { return file_->size_bytes(); }
  uint64_t ids_bytes() const { return ids_bytes_; }
  const SegmentFile& file() const { return *file_; }
  // As of the write of the file; its dead rows are not kept current.
  const storage::SegmentRecord& record() const { return record_; }

 private:
  SealedSegment() = default;

  absl::Status OpenWindows(const Schema& schema);
  absl::Status OpenTexts(const Schema& schema);
  absl::Status OpenSparse(const Schema& schema);

  storage::SegmentRecord record_;
  std::shared_ptr<const SegmentFile> file_;
  IdColumn ids_;
  uint64_t ids_bytes_ = 0;
  std::vector<std::unique_ptr<VectorIndex>> fields_;
  std::vector<std::optional<FieldColumn>> columns_;
  // Those of the schema that it was opened with.
  struct OpenText {
    TextIndexId id;
    std::shared_ptr<const TextIndex> index;
  };
  std::vector<OpenText> texts_;
  std::vector<std::shared_ptr<const SparseIndex>> sparse_;  // by sparse field
  // By vector field and payload field; empty when no field has a window.
  std::vector<std::vector<std::unique_ptr<WindowIndex>>> windows_;
};

}  // namespace sextant
