// SPDX-License-Identifier: Apache-2.0
#include "index/text/growing_text.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/status_macros.h"
#include "index/text/frozen_parts.h"
#include "index/text/text_merger.h"
#include "index/text/text_tail.h"

namespace sextant {
namespace {

// A part of a tail with an index a field instead.
absl::StatusOr<TextPart> FrozenPart(const TextPart& part,
                                    std::span<const TextIndexOptions> fields) {
  TextPart frozen;
  frozen.first_row = part.first_row;
  frozen.rows = part.rows;
  TokenList tokens;
  for (size_t field = 0; field < fields.size(); ++field) {
    TextIndexBuilder builder(fields[field]);
    for (Ordinal row = 0; row < part.rows; ++row) {
      part.tail->Tokens(field, row, &tokens);
      RETURN_IF_ERROR(builder.Add(row, tokens));
    }
    ASSIGN_OR_RETURN(std::string bytes, std::move(builder).Finish(part.rows));
    ASSIGN_OR_RETURN(std::shared_ptr<const TextIndex> index,
                     OwnIndex<TextIndex>(std::move(bytes), part.rows));
    frozen.fields.push_back(std::move(index));
  }
  return frozen;
}

absl::Status MergeParts(const FrozenParts<TextPart>::Merge& merge,
                        TextPart* merged) {
  const size_t fields = merge.sources.front().fields.size();
  for (size_t field = 0; field < fields; ++field) {
    std::vector<TextMergeSource> sources;
    for (size_t i = 0; i < merge.sources.size(); ++i) {
      sources.push_back(
          {merge.sources[i].fields[field].get(), merge.new_rows[i]});
    }
    ASSIGN_OR_RETURN(std::string bytes,
                     MergeTextIndexes(sources, merged->rows, RequestContext()));
    ASSIGN_OR_RETURN(std::shared_ptr<const TextIndex> index,
                     OwnIndex<TextIndex>(std::move(bytes), merged->rows));
    merged->fields.push_back(std::move(index));
  }
  return absl::OkStatus();
}

}  // namespace

struct GrowingText::Rep {
  std::vector<TextIndexOptions> fields;
  FrozenParts<TextPart> frozen;
  Ordinal tail_first = 0;
  std::shared_ptr<TextTail> tail;

  absl::Status Freeze();
};

GrowingText::GrowingText(std::vector<TextIndexOptions> fields)
    : rep_(std::make_unique<Rep>()) {
  rep_->fields = std::move(fields);
  rep_->tail = std::make_shared<TextTail>(rep_->fields.size());
}

GrowingText::~GrowingText() = default;

uint32_t GrowingText::rows() const {
  return rep_->tail_first + rep_->tail->rows();
}

absl::Status GrowingText::Append(std::span<const TokenList> tokens) {
  CHECK_EQ(tokens.size(), rep_->fields.size()) << "one list a field";
  for (const TokenList& list : tokens) {
    RETURN_IF_ERROR(CheckRowTokens(list));
  }
  if (rep_->tail->rows() == kTailRows) {
    RETURN_IF_ERROR(rep_->Freeze());
  }
  rep_->tail->Append(tokens);
  return absl::OkStatus();
}

absl::Status GrowingText::Rep::Freeze() {
  TextPart part;
  part.first_row = tail_first;
  part.rows = tail->rows();
  part.tail = tail;
  ASSIGN_OR_RETURN(part, FrozenPart(part, fields));
  tail_first += tail->rows();
  tail = std::make_shared<TextTail>(fields.size());
  return frozen.Push(std::move(part), MergeParts);
}

absl::StatusOr<TextParts> FreezeTextParts(
    TextParts parts, std::span<const TextIndexOptions> fields) {
  for (TextPart& part : parts) {
    if (part.tail != nullptr) {
      ASSIGN_OR_RETURN(part, FrozenPart(part, fields));
    }
  }
  return parts;
}

TextParts GrowingText::View() const {
  TextParts parts = rep_->frozen.parts();
  if (rep_->tail->rows() > 0) {
    TextPart part;
    part.first_row = rep_->tail_first;
    part.rows = rep_->tail->rows();
    part.tail = rep_->tail;
    parts.push_back(std::move(part));
  }
  return parts;
}

uint64_t GrowingText::size_bytes() const {
  uint64_t bytes = rep_->tail->memory_bytes();
  for (const TextPart& part : rep_->frozen.parts()) {
    for (const auto& index : part.fields) {
      bytes += index->file_bytes();
    }
  }
  return bytes;
}

}  // namespace sextant
