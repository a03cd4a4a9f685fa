// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "engine/append_only.h"
#include "engine/limits.h"
#include "engine/schema.h"
#include "index/columns/field_value.h"
#include "index/growing_vectors.h"
#include "index/text/growing_text.h"
#include "index/text/sparse_segment.h"
#include "index/text/token_list.h"
#include "index/top_k.h"
#include "storage/records.h"

namespace sextant {

// What a row has besides dense vectors.
struct RowContent {
  // By payload field; fields past its end are absent.
  std::span<const FieldValues> values = {};
  // By Schema::text_index, all of them or none.
  std::span<const TokenList> tokens = {};
  // In ascending order of fields.
  std::span<const FieldSparse> sparse = {};
};

// The newest points of a collection, searched by exact scan until a sealed
// segment takes their place.
//
// Shared by the writer and the snapshots. Only the collection's writer appends;
// readers look at ordinals and rows below the counts of their SegmentView.
class GrowingSegment final : public RowOrder {
 public:
  // `start_seq`: every change up to it lies in earlier segments.
  GrowingSegment(const Schema& schema, uint32_t number, Sequence start_seq,
                 uint32_t max_rows);

  // Writer only; not when full(). Vectors are the original ones: this
  // normalises them where the metric asks for it.
  Ordinal Append(absl::string_view id, std::span<const FieldVector> vectors,
                 const RowContent& content = {});

  bool full() const {  // writer only
    return ids_.size() >= max_rows_ ||
           (text_ != nullptr &&
            text_->size_bytes() >= limits::kGrowingTextBytesMax) ||
           sparse_bytes() >= limits::kGrowingTextBytesMax;
  }
  uint32_t rows() const { return ids_.size(); }  // writer only
  uint32_t number() const { return number_; }
  Sequence start_seq() const { return start_seq_; }  // writer only
  // Moves the start of an empty segment; writer only.
  void StartAt(Sequence start_seq);

  absl::string_view id(Ordinal row) const { return ids_[row]; }
  const GrowingVectors& field(size_t i) const { return *fields_[i]; }
  size_t field_count() const { return fields_.size(); }
  // Whether a payload field was declared when this segment was begun.
  bool has_payload_field(size_t field) const { return field < values_.size(); }
  // Of a payload field that it has.
  const FieldValues& values(size_t field, Ordinal row) const {
    return values_[field][row];
  }
  // The text of the rows so far, for views; writer only.
  TextParts Text() const {
    return text_ == nullptr ? TextParts() : text_->View();
  }
  // The sparse vectors of the rows so far, by field; writer only.
  std::vector<SparseParts> Sparse() const;
  uint64_t size_bytes() const;  // writer only

  // By id.
  bool Before(Ordinal a, Ordinal b) const override { return ids_[a] < ids_[b]; }

 private:
  uint64_t sparse_bytes() const;

  const uint32_t number_;
  Sequence start_seq_;
  const uint32_t max_rows_;
  std::vector<bool> normalise_;  // by field

  AppendOnly<std::string> ids_;
  std::vector<std::unique_ptr<GrowingVectors>> fields_;
  std::vector<AppendOnly<FieldValues>> values_;  // by payload field
  uint64_t values_bytes_ = 0;                    // writer only
  std::unique_ptr<GrowingText> text_;            // null without text fields
  std::vector<TokenList> no_tokens_;             // of a row without
  std::vector<std::unique_ptr<GrowingSparse>> sparse_;  // by sparse field
  std::vector<float> scratch_;
};

}  // namespace sextant
