// SPDX-License-Identifier: Apache-2.0
#include "index/text/growing_text.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/status_macros.h"
#include "index/text/text_merger.h"
#include "index/text/text_tail.h"

namespace sextant {
namespace {

// So many parts of one size become one of the next.
constexpr size_t kMergedParts = 8;
// The largest parts have kTailRows * kMergedParts ^ this rows, and stay: a
// merge stops the writer for its duration.
constexpr uint32_t kLargestLevel = 2;

// An index with its bytes.
struct OwnedIndex {
  std::string bytes;
  TextIndex index;
};

absl::StatusOr<std::shared_ptr<const TextIndex>> Own(std::string bytes,
                                                     uint32_t rows) {
  auto owned = std::make_shared<OwnedIndex>();
  owned->bytes = std::move(bytes);
  ASSIGN_OR_RETURN(owned->index, TextIndex::Open(owned->bytes, rows));
  return std::shared_ptr<const TextIndex>(owned, &owned->index);
}

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
                     Own(std::move(bytes), part.rows));
    frozen.fields.push_back(std::move(index));
  }
  return frozen;
}

}  // namespace

struct GrowingText::Rep {
  struct Frozen {
    TextPart part;
    uint32_t level = 0;
  };

  std::vector<TextIndexOptions> fields;
  std::vector<Frozen> frozen;
  Ordinal tail_first = 0;
  std::shared_ptr<TextTail> tail;

  absl::Status Freeze();
  absl::Status MergeLast();
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
  frozen.push_back({std::move(part), 0});
  tail_first += tail->rows();
  tail = std::make_shared<TextTail>(fields.size());
  return MergeLast();
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

absl::Status GrowingText::Rep::MergeLast() {
  while (frozen.size() >= kMergedParts) {
    const std::span<const Frozen> last =
        std::span<const Frozen>(frozen).last(kMergedParts);
    // Levels descend, so equal ends make all equal.
    if (last.front().level != last.back().level ||
        last.back().level == kLargestLevel) {
      break;
    }
    Frozen result;
    result.level = last.back().level + 1;
    result.part.first_row = last.front().part.first_row;
    std::vector<std::vector<Ordinal>> new_rows;
    for (const Frozen& source : last) {
      std::vector<Ordinal>& rows = new_rows.emplace_back(source.part.rows);
      for (Ordinal& row : rows) {
        row = result.part.rows++;
      }
    }
    for (size_t field = 0; field < fields.size(); ++field) {
      std::vector<TextMergeSource> sources;
      for (size_t i = 0; i < last.size(); ++i) {
        sources.push_back({last[i].part.fields[field].get(), new_rows[i]});
      }
      ASSIGN_OR_RETURN(
          std::string bytes,
          MergeTextIndexes(sources, result.part.rows, RequestContext()));
      ASSIGN_OR_RETURN(std::shared_ptr<const TextIndex> index,
                       Own(std::move(bytes), result.part.rows));
      result.part.fields.push_back(std::move(index));
    }
    frozen.resize(frozen.size() - kMergedParts);
    frozen.push_back(std::move(result));
  }
  return absl::OkStatus();
}

TextParts GrowingText::View() const {
  TextParts parts;
  parts.reserve(rep_->frozen.size() + 1);
  for (const Rep::Frozen& frozen : rep_->frozen) {
    parts.push_back(frozen.part);
  }
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
  for (const Rep::Frozen& frozen : rep_->frozen) {
    for (const auto& index : frozen.part.fields) {
      bytes += index->file_bytes();
    }
  }
  return bytes;
}

}  // namespace sextant
