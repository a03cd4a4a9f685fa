// SPDX-License-Identifier: Apache-2.0
#include "index/text/sparse_segment.h"

#include <algorithm>
#include <array>
#include <deque>
#include <numeric>
#include <string>
#include <utility>

#include "base/status_macros.h"
#include "index/text/frozen_parts.h"
#include "index/text/max_score.h"
#include "index/text/posting_cursor.h"
#include "index/text/row_sink.h"
#include "index/text/scored_postings.h"
#include "index/text/sparse_index_builder.h"
#include "index/text/text_merger.h"

namespace sextant {

// The newest rows. One writer appends; readers look below a published count.
class SparseTail {
 public:
  static constexpr uint32_t kRows = 128;

  void Append(std::span<const SparseEntry> entries) {
    vectors_[rows_].assign(entries.begin(), entries.end());
    bytes_ += entries.size_bytes();
    ++rows_;
  }
  uint32_t rows() const { return rows_; }    // writer only
  uint64_t bytes() const { return bytes_; }  // writer only
  std::span<const SparseEntry> vector(Ordinal row) const {
    return vectors_[row];
  }

  MemoryPostings Find(uint32_t index, uint32_t rows) const {
    MemoryPostings postings;
    for (Ordinal row = 0; row < rows; ++row) {
      const auto& vector = vectors_[row];
      const auto found = std::lower_bound(
          vector.begin(), vector.end(), index,
          [](const SparseEntry& a, uint32_t b) { return a.index < b; });
      if (found != vector.end() && found->index == index) {
        postings.rows.push_back(row);
        postings.weights.push_back(found->weight);
      }
    }
    return postings;
  }

 private:
  uint32_t rows_ = 0;
  uint64_t bytes_ = 0;
  std::array<std::vector<SparseEntry>, kRows> vectors_;
};

namespace {

absl::StatusOr<SparsePart> FrozenPart(const SparsePart& part) {
  SparseIndexBuilder builder;
  for (Ordinal row = 0; row < part.rows; ++row) {
    RETURN_IF_ERROR(builder.Add(row, part.tail->vector(row)));
  }
  ASSIGN_OR_RETURN(std::string bytes, std::move(builder).Finish(part.rows));
  SparsePart frozen;
  frozen.first_row = part.first_row;
  frozen.rows = part.rows;
  ASSIGN_OR_RETURN(frozen.index,
                   OwnIndex<SparseIndex>(std::move(bytes), part.rows));
  return frozen;
}

absl::Status MergeParts(const FrozenParts<SparsePart>::Merge& merge,
                        SparsePart* merged) {
  std::vector<SparseMergeSource> sources;
  for (size_t i = 0; i < merge.sources.size(); ++i) {
    sources.push_back({merge.sources[i].index.get(), merge.new_rows[i]});
  }
  ASSIGN_OR_RETURN(std::string bytes,
                   MergeSparseIndexes(sources, merged->rows, RequestContext()));
  ASSIGN_OR_RETURN(merged->index,
                   OwnIndex<SparseIndex>(std::move(bytes), merged->rows));
  return absl::OkStatus();
}

// The postings of an index in a part; `memory` keeps those of a tail.
PostingList FindList(const SparsePart& part, uint32_t index,
                     std::deque<MemoryPostings>* memory) {
  if (part.tail == nullptr) {
    return part.index->Find(index);
  }
  const MemoryPostings& found =
      memory->emplace_back(part.tail->Find(index, part.rows));
  PostingList list;
  list.count = static_cast<uint32_t>(found.rows.size());
  list.memory = &found;
  return list;
}

// Leaves in the order of indexes; `memory` keeps those of a tail.
void OpenLeaves(const SparsePart& part, std::span<const SparseEntry> query,
                std::deque<MemoryPostings>* memory,
                std::deque<ScoredPostings>* leaves) {
  for (const SparseEntry& entry : query) {
    const PostingList list = FindList(part, entry.index, memory);
    if (!list.empty()) {
      PostingScorer scorer;
      scorer.is_product = true;
      scorer.weight = entry.weight;
      leaves->emplace_back(list, scorer);
    }
  }
}

}  // namespace

struct GrowingSparse::Rep {
  FrozenParts<SparsePart> frozen;
  Ordinal tail_first = 0;
  std::shared_ptr<SparseTail> tail = std::make_shared<SparseTail>();

  SparsePart TailPart() const {
    SparsePart part;
    part.first_row = tail_first;
    part.rows = tail->rows();
    part.tail = tail;
    return part;
  }
  absl::Status Freeze();
};

GrowingSparse::GrowingSparse() : rep_(std::make_unique<Rep>()) {}
GrowingSparse::~GrowingSparse() = default;

uint32_t GrowingSparse::rows() const {
  return rep_->tail_first + rep_->tail->rows();
}

absl::Status GrowingSparse::Append(std::span<const SparseEntry> entries) {
  if (rep_->tail->rows() == SparseTail::kRows) {
    RETURN_IF_ERROR(rep_->Freeze());
  }
  rep_->tail->Append(entries);
  return absl::OkStatus();
}

absl::Status GrowingSparse::Rep::Freeze() {
  ASSIGN_OR_RETURN(SparsePart part, FrozenPart(TailPart()));
  tail_first += tail->rows();
  tail = std::make_shared<SparseTail>();
  return frozen.Push(std::move(part), MergeParts);
}

uint64_t GrowingSparse::size_bytes() const {
  uint64_t bytes = rep_->tail->bytes();
  for (const SparsePart& part : rep_->frozen.parts()) {
    bytes += part.index->file_bytes();
  }
  return bytes;
}

SparseParts GrowingSparse::View() const {
  SparseParts parts = rep_->frozen.parts();
  if (rep_->tail->rows() > 0) {
    parts.push_back(rep_->TailPart());
  }
  return parts;
}

SparseParts SealedSparseParts(std::shared_ptr<const SparseIndex> index) {
  SparsePart part;
  part.rows = index->rows();
  part.index = std::move(index);
  return {std::move(part)};
}

absl::StatusOr<SparseParts> FreezeSparseParts(SparseParts parts) {
  for (SparsePart& part : parts) {
    if (part.tail != nullptr) {
      ASSIGN_OR_RETURN(part, FrozenPart(part));
    }
  }
  return parts;
}

absl::Status SearchSparse(const SparseParts& parts,
                          std::span<const SparseEntry> query,
                          const RowFilter& filter,
                          const SparseSearchOptions& options,
                          const RequestContext& context, TopK& top) {
  if (top.k() == 0) {
    return absl::OkStatus();
  }
  for (const SparsePart& part : parts) {
    RETURN_IF_ERROR(context.Check());
    std::deque<MemoryPostings> memory;
    std::deque<ScoredPostings> leaves;
    OpenLeaves(part, query, &memory, &leaves);
    RowSink sink(filter, part.first_row, options.prune, top);
    RETURN_IF_ERROR(SearchMaxScore(leaves, part.rows, nullptr, context, sink));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<float>> ScoreSparse(
    const SparseParts& parts, std::span<const SparseEntry> query,
    std::span<const Ordinal> rows, const RequestContext& context) {
  std::vector<float> scores(rows.size());
  std::vector<size_t> order(rows.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return rows[a] < rows[b]; });
  size_t next = 0;
  for (const SparsePart& part : parts) {
    RETURN_IF_ERROR(context.Check());
    const Ordinal end = part.first_row + part.rows;
    if (next == order.size() || rows[order[next]] >= end) {
      continue;
    }
    std::deque<MemoryPostings> memory;
    std::deque<ScoredPostings> leaves;
    OpenLeaves(part, query, &memory, &leaves);
    for (; next < order.size() && rows[order[next]] < end; ++next) {
      const Ordinal row = rows[order[next]] - part.first_row;
      float& score = scores[order[next]];
      for (ScoredPostings& leaf : leaves) {
        if (leaf.cursor().Advance(row) == row) {
          score += leaf.Score();
        }
      }
    }
  }
  return scores;
}

absl::StatusOr<std::vector<SparseProduct>> ExplainSparse(
    const SparseParts& parts, std::span<const SparseEntry> query, Ordinal row,
    const RequestContext& context) {
  std::vector<SparseProduct> products;
  for (const SparsePart& part : parts) {
    if (row < part.first_row || row - part.first_row >= part.rows) {
      continue;
    }
    const Ordinal wanted = row - part.first_row;
    for (const SparseEntry& entry : query) {
      RETURN_IF_ERROR(context.Check());
      std::deque<MemoryPostings> memory;
      PostingCursor cursor(FindList(part, entry.index, &memory));
      if (cursor.Advance(wanted) == wanted) {
        const float weight = cursor.weight();
        products.push_back(
            {entry.index, entry.weight, weight, entry.weight * weight});
      }
    }
  }
  return products;
}

}  // namespace sextant
