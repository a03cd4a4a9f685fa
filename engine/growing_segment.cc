// SPDX-License-Identifier: Apache-2.0
#include "engine/growing_segment.h"

#include <utility>

#include "base/check.h"
#include "index/distance.h"

namespace sextant {
namespace {

uint64_t SizeBytes(const FieldValues& values) {
  uint64_t size = sizeof(FieldValues) + values.size() * sizeof(FieldValue);
  for (const FieldValue& value : values) {
    const auto* text = std::get_if<std::string>(&value);
    // Short ones lie in the string itself.
    size += text != nullptr && text->size() >= sizeof(std::string) / 2
                ? text->size()
                : 0;
  }
  return size;
}

}  // namespace

GrowingSegment::GrowingSegment(const Schema& schema, uint32_t number,
                               Sequence start_seq, uint32_t max_rows)
    : number_(number),
      start_seq_(start_seq),
      max_rows_(max_rows),
      values_(schema.payload_fields.size()) {
  for (const VectorFieldSchema& field : schema.vector_fields) {
    normalise_.push_back(field.metric == Metric::kCosine);
    fields_.push_back(std::make_unique<GrowingVectors>(
        VectorShape{field.metric, field.dimension}, max_rows));
  }
  std::vector<TextIndexOptions> texts;
  for (size_t i = 0; i < schema.text_index_count(); ++i) {
    texts.push_back({.positions = schema.text_index(i).positions});
  }
  if (!texts.empty()) {
    no_tokens_.resize(texts.size());
    text_ = std::make_unique<GrowingText>(std::move(texts));
  }
  for (size_t i = 0; i < schema.sparse_fields.size(); ++i) {
    sparse_.push_back(std::make_unique<GrowingSparse>());
  }
}

Ordinal GrowingSegment::Append(absl::string_view id,
                               std::span<const FieldVector> vectors,
                               const RowContent& content) {
  CHECK(!full());
  const Ordinal ordinal = ids_.size();
  ids_.Append(std::string(id));
  for (const FieldVector& vector : vectors) {
    std::span<const float> numbers = vector.values;
    if (normalise_[vector.field]) {
      scratch_.assign(numbers.begin(), numbers.end());
      CHECK(Normalize(scratch_)) << "a zero vector passed validation";
      numbers = scratch_;
    }
    fields_[vector.field]->Append(numbers, ordinal);
  }
  for (size_t field = 0; field < values_.size(); ++field) {
    values_[field].Append(field < content.values.size() ? content.values[field]
                                                        : FieldValues());
    values_bytes_ += SizeBytes(values_[field][ordinal]);
  }
  if (text_ != nullptr) {
    // Freezes long before an index could overflow: see full().
    CHECK_OK(text_->Append(content.tokens.empty()
                               ? std::span<const TokenList>(no_tokens_)
                               : content.tokens));
  }
  auto next = content.sparse.begin();
  for (size_t field = 0; field < sparse_.size(); ++field) {
    std::span<const SparseEntry> entries;
    if (next != content.sparse.end() && next->field == field) {
      entries = next->entries;
      ++next;
    }
    CHECK_OK(sparse_[field]->Append(entries));
  }
  return ordinal;
}

void GrowingSegment::StartAt(Sequence start_seq) {
  CHECK_EQ(ids_.size(), 0U);
  start_seq_ = start_seq;
}

std::vector<SparseParts> GrowingSegment::Sparse() const {
  std::vector<SparseParts> parts;
  parts.reserve(sparse_.size());
  for (const auto& field : sparse_) {
    parts.push_back(field->View());
  }
  return parts;
}

uint64_t GrowingSegment::sparse_bytes() const {
  uint64_t size = 0;
  for (const auto& field : sparse_) {
    size += field->size_bytes();
  }
  return size;
}

uint64_t GrowingSegment::size_bytes() const {
  uint64_t size = ids_.size() * sizeof(std::string) + values_bytes_;
  for (const auto& field : fields_) {
    size += field->size_bytes();
  }
  size += text_ == nullptr ? 0 : text_->size_bytes();
  size += sparse_bytes();
  return size;
}

}  // namespace sextant
