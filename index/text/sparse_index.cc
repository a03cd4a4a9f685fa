// SPDX-License-Identifier: Apache-2.0
#include "index/text/sparse_index.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "index/text/posting_block.h"
#include "index/text/posting_check.h"
#include "index/text/text_layout.h"

namespace sextant {

absl::Status NormalizeSparse(std::vector<SparseEntry>& entries,
                             absl::string_view field) {
  if (entries.size() > kSparseEntriesMax) {
    return InvalidField(
        field, absl::StrCat("has ", entries.size(), " entries, at most ",
                            kSparseEntriesMax));
  }
  for (size_t i = 0; i < entries.size(); ++i) {
    // Not the negation of the opposite: NaN must fail.
    if (!(std::abs(entries[i].weight) <= kSparseWeightMax)) {
      return InvalidField(
          absl::StrCat(field, ".weights[", i, "]"),
          absl::StrCat("must be a number from -", kSparseWeightMax, " to ",
                       kSparseWeightMax));
    }
  }
  std::sort(entries.begin(), entries.end(),
            [](const SparseEntry& a, const SparseEntry& b) {
              return a.index < b.index;
            });
  for (size_t i = 1; i < entries.size(); ++i) {
    if (entries[i].index == entries[i - 1].index) {
      return InvalidField(
          field, absl::StrCat("index ", entries[i].index, " occurs twice"));
    }
  }
  std::erase_if(entries,
                [](const SparseEntry& entry) { return entry.weight == 0; });
  return absl::OkStatus();
}

absl::StatusOr<SparseIndex> SparseIndex::Open(absl::string_view bytes,
                                              uint32_t rows) {
  TextReader reader(bytes);
  TextHeader header;
  RETURN_IF_ERROR(reader.TakeHeader(kSparseKind, rows, &header));
  SparseIndex index;
  RETURN_IF_ERROR(reader.Take(header.terms, &index.indexes_));
  RETURN_IF_ERROR(reader.Take(header.terms, &index.lists_));
  RETURN_IF_ERROR(reader.TakePostings(header, &index.postings_));
  if (header.has_positions != 0) {
    return DamagedText("sparse vectors with positions");
  }
  index.rows_ = rows;
  index.file_bytes_ = bytes.size();
  PostingCheck check(index.postings_, rows, nullptr);
  uint32_t block = 0;
  for (size_t i = 0; i < index.lists_.size(); ++i) {
    const PostingListRecord& list = index.lists_[i];
    if (i > 0 && index.indexes_[i] <= index.indexes_[i - 1]) {
      return DamagedText("indexes do not ascend");
    }
    const uint64_t end = i + 1 < index.lists_.size()
                             ? index.lists_[i + 1].posting_offset
                             : header.posting_bytes;
    if (list.count == 0 || list.first_block != block ||
        list.posting_offset > end || list.position_offset != 0 ||
        (i == 0 && list.posting_offset != 0)) {
      return DamagedText("a list is elsewhere");
    }
    block += BlockEntries(list.count);
    index.entries_ += list.count;
    RETURN_IF_ERROR(check.List({list, end - list.posting_offset, 0}));
  }
  if (index.entries_ != header.tokens) {
    return DamagedText("lists that do not add up");
  }
  RETURN_IF_ERROR(check.Finish());
  return index;
}

PostingList SparseIndex::Find(uint32_t index) const {
  const auto found = std::lower_bound(indexes_.begin(), indexes_.end(), index);
  if (found == indexes_.end() || *found != index) {
    return {};
  }
  return postings_.At(lists_[static_cast<size_t>(found - indexes_.begin())]);
}

}  // namespace sextant
