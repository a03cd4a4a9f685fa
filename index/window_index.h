// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "base/context.h"
#include "base/thread_pool.h"
#include "index/aligned_array.h"
#include "index/row_filter.h"
#include "index/top_k.h"
#include "index/vector_index.h"
#include "index/window_codes.h"
#include "index/window_plan.h"

namespace sextant {

// Consecutive places in the order of a payload field's values.
struct RankWindow {
  uint32_t first = 0;
  uint32_t count = 0;
};

// The bytes of a window index, as BuildWindowIndex made them and a segment file
// stores them.
struct WindowIndexBytes {
  absl::string_view
      rows;  // u32 little-endian, rank -> row; VectorIndex::kNoRow
  absl::string_view codes;  // WindowCodes; empty for vectors that have none
};

// What the searches of a window share.
struct WindowSearch {
  const RowSet& dead;
  const RequestContext& context;
  TopK& top;
  SearchWork& work;
};

// Searches the rows of a vector index whose value of one payload field lies in
// a window. The field's values put the points into an order; a window of values
// is a run of places in it, called ranks, and a copy of the vectors' codes in
// that order makes it one run of memory.
//
// Immutable, thread-safe; scratch memory is per thread. Queries as for
// VectorIndex.
class WindowIndex {
 public:
  // `index` outlives this. kDataLoss for bytes that do not fit it. `placement`
  // as for VectorIndex.
  static absl::StatusOr<std::unique_ptr<WindowIndex>> Open(
      const VectorIndex& index, WindowIndexBytes bytes, Placement placement);

  uint32_t ranks() const { return static_cast<uint32_t>(rows_.size()); }
  uint64_t memory_bytes() const;  // of all parts, copied or not

  // Offers the best rows of the window by their exact scores: estimates every
  // distance by codes, then scores what may be among the best, nearest first.
  // A row of the exact answer is missed with the probability that its estimate
  // is farther off than WindowCodes::error(): about 0.001. Windows of few rows
  // are scored whole. Rows that `filter` does not allow are left out. The
  // window lies within ranks().
  absl::Status Scan(const VectorQuery& query, RankWindow window,
                    const RowFilter& filter, const RequestContext& context,
                    TopK& top, SearchWork& work) const;

  // How to search a window for the best k: `recall_target` is as in a search
  // request, a share of the exact answer.
  WindowPlan Plan(RankWindow window, uint32_t k, double recall_target) const;

  // What a scan of the window is thought to take, nanoseconds; 0 without codes.
  double ScanNs(RankWindow window) const;

  // Offers to `search.top`, which is empty, the best rows by a plan that was
  // made for the same window and k, and learns what it cost. Returns the plan
  // as it was carried out: a walk of the graph that is given up, or that does
  // not lead to enough rows, is replaced by a scan.
  absl::StatusOr<WindowPlan> Search(const VectorQuery& query, RankWindow window,
                                    const WindowPlan& plan,
                                    const WindowSearch& search) const;

  // For searches of the vector index itself.
  RowFilter Filter(const RowSet& dead, RankWindow window) const {
    return RowFilter::Ranked(dead, ranks_, window.first, window.count);
  }

 private:
  class WindowScan;
  WindowIndex() = default;

  WindowFacts FactsOf(RankWindow window, uint32_t k) const;
  // True when the graph search's answer is to be taken.
  absl::StatusOr<bool> WalkGraph(const VectorQuery& query, RankWindow window,
                                 const WindowPlan& plan,
                                 const WindowSearch& search) const;

  const VectorIndex* index_ = nullptr;
  AlignedBytes copied_codes_;
  std::span<const uint32_t> rows_;  // by rank
  std::vector<uint32_t> ranks_;     // by row
  std::optional<WindowCodes> codes_;
  uint64_t codes_bytes_ = 0;
  bool has_gaps_ = false;  // ranks without a row
  // Learns from searches; what they answer does not depend on it but by the
  // way that is chosen.
  mutable std::optional<WindowPlanner> planner_;
};

// Bits a number of the codes of a window index. 4 lose nothing that the scores
// by floats do not find again (docs/adr/0014-window-index.md).
inline constexpr uint32_t kWindowCodeBits = 4;

struct BuiltWindowIndex {
  AlignedBytes rows;
  AlignedBytes codes;

  WindowIndexBytes view() const { return {rows, codes}; }
};

// The codes that all window indexes of a vector index share. Empty for vectors
// that have none. `pool` null: the calling thread only.
AlignedBytes EncodeForWindows(const VectorIndex& index, uint32_t bits,
                              ThreadPool* pool);

// `by_rank` has the ordinals of the points that have a value, in the order of
// values; `codes` come from EncodeForWindows.
BuiltWindowIndex BuildWindowIndex(const VectorIndex& index,
                                  std::span<const Ordinal> by_rank,
                                  const AlignedBytes& codes);

}  // namespace sextant
