// SPDX-License-Identifier: Apache-2.0
#include "index/text/sparse_index_builder.h"

#include <algorithm>
#include <limits>
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
  PostingWriter writer(false, {});
  std::vector<uint32_t> indexes;
  std::vector<PostingListRecord> lists;
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
    indexes.push_back(postings_[first].index);
    lists.push_back(writer.Append({list_rows, {}, weights, {}}).list);
    first = i;
  }
  RETURN_IF_ERROR(writer.status());
  TextHeader header;
  header.kind = kSparseKind;
  header.rows = rows;
  header.terms = static_cast<uint32_t>(indexes.size());
  header.tokens = postings_.size();
  writer.FillHeader(&header);
  std::string bytes;
  AppendTextArray(std::span<const TextHeader>(&header, 1), &bytes);
  AppendTextArray(std::span<const uint32_t>(indexes), &bytes);
  AppendTextArray(std::span<const PostingListRecord>(lists), &bytes);
  writer.AppendSections(&bytes);
  return bytes;
}

absl::StatusOr<std::string> MergeSparseIndexes(
    std::span<const SparseMergeSource> sources, uint32_t rows,
    const RequestContext& context) {
  struct Entry {
    Ordinal row;
    SparseEntry entry;
  };
  std::vector<Entry> entries;
  for (const SparseMergeSource& source : sources) {
    if (source.new_rows.size() != source.index->rows()) {
      return absl::InvalidArgumentError(
          "sparse merge: one new row is needed for each row of a source");
    }
    for (const uint32_t index : source.index->indexes()) {
      RETURN_IF_ERROR(context.Check());
      for (PostingCursor cursor(source.index->Find(index));
           cursor.row() != kEndRow; cursor.Next()) {
        const Ordinal row = source.new_rows[cursor.row()];
        if (row != kDroppedRow) {
          entries.push_back({row, {index, cursor.weight()}});
        }
      }
    }
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.row != b.row ? a.row < b.row : a.entry.index < b.entry.index;
  });
  SparseIndexBuilder builder;
  std::vector<SparseEntry> row_entries;
  for (size_t i = 0; i < entries.size();) {
    const Ordinal row = entries[i].row;
    row_entries.clear();
    for (; i < entries.size() && entries[i].row == row; ++i) {
      if (!row_entries.empty() &&
          row_entries.back().index == entries[i].entry.index) {
        return absl::InvalidArgumentError(
            "sparse merge: a new row is taken "
            "twice");
      }
      row_entries.push_back(entries[i].entry);
    }
    if (row >= rows) {
      return absl::InvalidArgumentError(
          "sparse merge: a new row is past the "
          "end");
    }
    RETURN_IF_ERROR(builder.Add(row, row_entries));
  }
  return std::move(builder).Finish(rows);
}

}  // namespace sextant
