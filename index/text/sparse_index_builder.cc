// SPDX-License-Identifier: Apache-2.0
#include "index/text/sparse_index_builder.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/status_macros.h"
#include "index/text/posting_cursor.h"
#include "index/text/posting_writer.h"
#include "index/text/text_layout.h"
#include "index/text/text_merger.h"

namespace sextant {
namespace {

// The bytes of an index, list after list.
class SparseIndexWriter {
 public:
  // By ascending index; `rows` ascend and are not none.
  void Append(uint32_t index, std::span<const Ordinal> rows,
              std::span<const float> weights) {
    indexes_.push_back(index);
    lists_.push_back(writer_.Append({rows, {}, weights, {}}).list);
    entries_ += rows.size();
  }

  absl::StatusOr<std::string> Finish(uint32_t rows) const {
    RETURN_IF_ERROR(writer_.status());
    TextHeader header;
    header.kind = kSparseKind;
    header.rows = rows;
    header.terms = static_cast<uint32_t>(indexes_.size());
    header.tokens = entries_;
    writer_.FillHeader(&header);
    std::string bytes;
    AppendTextArray(std::span<const TextHeader>(&header, 1), &bytes);
    AppendTextArray(std::span<const uint32_t>(indexes_), &bytes);
    AppendTextArray(std::span<const PostingListRecord>(lists_), &bytes);
    writer_.AppendSections(&bytes);
    return bytes;
  }

 private:
  PostingWriter writer_{false, {}};
  std::vector<uint32_t> indexes_;
  std::vector<PostingListRecord> lists_;
  uint64_t entries_ = 0;
};

// Where a merge stands in the lists of a source.
struct MergeCursor {
  const SparseMergeSource* source = nullptr;
  size_t position = 0;

  bool at_end() const { return position == source->index->indexes().size(); }
  uint32_t index() const { return source->index->indexes()[position]; }
};

struct MergedPosting {
  Ordinal row = 0;
  float weight = 0;
};

// The postings of one index in all sources, by new row; moves past them.
void TakeList(uint32_t index, std::vector<MergeCursor>* cursors,
              std::vector<MergedPosting>* list) {
  list->clear();
  for (MergeCursor& cursor : *cursors) {
    if (cursor.at_end() || cursor.index() != index) {
      continue;
    }
    for (PostingCursor posting(cursor.source->index->Find(index));
         posting.row() != kEndRow; posting.Next()) {
      const Ordinal row = cursor.source->new_rows[posting.row()];
      if (row != kDroppedRow) {
        list->push_back({row, posting.weight()});
      }
    }
    ++cursor.position;
  }
  std::sort(list->begin(), list->end(),
            [](const MergedPosting& a, const MergedPosting& b) {
              return a.row < b.row;
            });
}

// The least index that is still ahead; none at the end.
std::optional<uint32_t> NextIndex(const std::vector<MergeCursor>& cursors) {
  std::optional<uint32_t> next;
  for (const MergeCursor& cursor : cursors) {
    if (!cursor.at_end() && (!next.has_value() || cursor.index() < *next)) {
      next = cursor.index();
    }
  }
  return next;
}

}  // namespace

absl::Status SparseIndexBuilder::Add(Ordinal row,
                                     std::span<const SparseEntry> entries) {
  CHECK(postings_.empty() || row > postings_.back().row)
      << "rows come in ascending order";
  if (postings_.size() + entries.size() >
      std::numeric_limits<uint32_t>::max()) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "sparse index: too many entries in one segment, at row ", row));
  }
  for (const SparseEntry& entry : entries) {
    postings_.push_back({entry.index, row, entry.weight});
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> SparseIndexBuilder::Finish(uint32_t rows) && {
  CHECK(postings_.empty() || postings_.back().row < rows)
      << "a row past the end";
  // Rows ascend already.
  std::stable_sort(
      postings_.begin(), postings_.end(),
      [](const Posting& a, const Posting& b) { return a.index < b.index; });
  SparseIndexWriter writer;
  std::vector<Ordinal> list_rows;
  std::vector<float> weights;
  for (size_t first = 0; first < postings_.size();) {
    list_rows.clear();
    weights.clear();
    size_t i = first;
    for (; i < postings_.size() && postings_[i].index == postings_[first].index;
         ++i) {
      list_rows.push_back(postings_[i].row);
      weights.push_back(postings_[i].weight);
    }
    writer.Append(postings_[first].index, list_rows, weights);
    first = i;
  }
  return writer.Finish(rows);
}

absl::StatusOr<std::string> MergeSparseIndexes(
    std::span<const SparseMergeSource> sources, uint32_t rows,
    const RequestContext& context) {
  std::vector<MergeCursor> cursors;
  for (const SparseMergeSource& source : sources) {
    if (source.new_rows.size() != source.index->rows()) {
      return absl::InvalidArgumentError(
          "sparse merge: one new row is needed for each row of a source");
    }
    cursors.push_back({&source});
  }
  SparseIndexWriter writer;
  std::vector<MergedPosting> list;
  std::vector<Ordinal> list_rows;
  std::vector<float> weights;
  while (const std::optional<uint32_t> index = NextIndex(cursors)) {
    RETURN_IF_ERROR(context.Check());
    TakeList(*index, &cursors, &list);
    list_rows.clear();
    weights.clear();
    for (const MergedPosting& posting : list) {
      if (posting.row >= rows) {
        return absl::InvalidArgumentError(
            "sparse merge: a new row is past the end");
      }
      if (!list_rows.empty() && list_rows.back() == posting.row) {
        return absl::InvalidArgumentError(
            "sparse merge: a new row is taken twice");
      }
      list_rows.push_back(posting.row);
      weights.push_back(posting.weight);
    }
    if (!list_rows.empty()) {
      writer.Append(*index, list_rows, weights);
    }
  }
  return writer.Finish(rows);
}

}  // namespace sextant
