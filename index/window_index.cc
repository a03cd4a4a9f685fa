// SPDX-License-Identifier: Apache-2.0
#include "index/window_index.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <new>

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/status_macros.h"
#include "index/distance.h"
#include "index/nearest_estimates.h"
#include "index/row_scorer.h"
#include "index/scan.h"
#include "index/vector_codes.h"

namespace sextant {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Estimate = NearestEstimates::Estimate;

// Windows of so few rows are scored without a look at their codes: that is one
// read of memory for each row, and the codes would not save many of them.
constexpr uint32_t kScoredRows = RowScorer::kRowsMax;
// Blocks between two polls of the context, at most; and at first, when nothing
// is known of what is worth keeping.
constexpr uint32_t kStepBlocks = 64;
constexpr uint32_t kFirstStepBlocks = 4;
constexpr uint32_t kRowsOfBlock = kBlockRows;

double NanosecondsSince(SteadyClock::time_point start) {
  return std::chrono::duration<double, std::nano>(SteadyClock::now() - start)
      .count();
}

struct Scratch {
  CodedQuery query;
  std::array<float, kStepBlocks * kBlockRows> distances;
  NearestEstimates nearest;
};

Scratch& ThreadScratch() {
  static thread_local Scratch scratch;
  return scratch;
}

}  // namespace

// One scan.
class WindowIndex::WindowScan {
 public:
  WindowScan(const WindowIndex& index, const ScanRequest& request, TopK& top,
             SearchWork& work)
      : index_(index),
        request_(request),
        top_(top),
        work_(work),
        scratch_(ThreadScratch()),
        is_all_(request.filter.is_all()),
        rows_(index.rows_.data()),
        ordinals_(index.index_->ordinals().data()),
        scorer_(request,
                {index.index_->row_vector(0), ordinals_, index.index_->rows()},
                top, work) {}

  absl::Status ScoreAll(RankWindow window) {
    const uint32_t end = window.first + window.count;
    for (uint32_t rank = window.first; rank < end; ++rank) {
      if (scorer_.waiting() == RowScorer::kRowsMax) {
        scorer_.Score();
        RETURN_IF_ERROR(request_.context.Check());
      }
      if (IsAllowed(rank)) {
        scorer_.Add(rows_[rank]);
      }
    }
    scorer_.Score();
    return absl::OkStatus();
  }

  absl::Status Run(RankWindow window) {
    if (!index_.codes_->EncodeQuery(request_.query, scratch_.query)) {
      return ScoreAll(window);
    }
    scratch_.nearest.Start(top_.k(), index_.codes_->error(scratch_.query));
    const uint32_t end = window.first + window.count;
    for (uint32_t rank = window.first; rank < end;) {
      RETURN_IF_ERROR(request_.context.Check());
      rank = EstimateStep(rank, end);
    }
    scratch_.nearest.Score(top_, scorer_,
                           [this](uint32_t rank) { return rows_[rank]; });
    return absl::OkStatus();
  }

 private:
  // Estimates ranks from `rank` on, at most a step; returns where it stopped.
  uint32_t EstimateStep(uint32_t rank, uint32_t end) {
    const uint32_t first = rank / kRowsOfBlock;
    const uint32_t blocks =
        std::min(step_blocks_, (end - 1) / kRowsOfBlock + 1 - first);
    step_blocks_ = std::min(kStepBlocks, 2 * step_blocks_);
    const uint32_t step_first = first * kRowsOfBlock;
    const uint32_t stop = std::min(end, step_first + blocks * kRowsOfBlock);
    index_.codes_->Distances(scratch_.query, first, blocks,
                             scratch_.distances.data());
    work_.distances += stop - rank;
    Correct(step_first, rank, stop);
    scratch_.nearest.Keep(stop - rank, [&](Estimate* place) {
      Estimate* const kept = place;
      for (uint32_t i = rank; i < stop;) {
        const uint32_t block = i - i % kRowsOfBlock;
        const uint32_t block_end = std::min(stop, block + kRowsOfBlock);
        place =
            KeepBlock(i, block_end,
                      scratch_.distances.data() + (block - step_first), place);
        i = block_end;
      }
      return DropLeftOut(kept, place);
    });
    return stop;
  }

  // Takes the biases of ranks [rank, stop) off their distances.
  void Correct(uint32_t step_first, uint32_t rank, uint32_t stop) {
    if (!request_.bias.is_set()) {
      return;
    }
    for (uint32_t i = rank; i < stop; ++i) {
      if (rows_[i] != VectorIndex::kNoRow) {
        scratch_.distances[i - step_first] += request_.bias.by_row[rows_[i]];
      }
    }
  }

  // Ranks [rank, end) of a block with these distances. Few blocks have one
  // that is worth keeping.
  Estimate* KeepBlock(uint32_t rank, uint32_t end, const float* distances,
                      Estimate* place) const {
    const float bound = scratch_.nearest.bound();
    uint32_t any = 0;
    for (size_t i = 0; i < kBlockRows; ++i) {
      any |= distances[i] < bound ? 1U : 0U;
    }
    if (any != 0) {
      for (; rank < end; ++rank) {
        const float distance = distances[rank % kRowsOfBlock];
        *place = {distance, rank};
        place += distance < bound ? 1 : 0;
      }
    }
    return place;
  }

  Estimate* DropLeftOut(Estimate* begin, Estimate* end) const {
    return index_.has_gaps_ || !is_all_
               ? std::remove_if(
                     begin, end,
                     [this](const Estimate& e) { return !IsAllowed(e.place); })
               : end;
  }

  bool IsAllowed(uint32_t rank) const {
    const uint32_t row = rows_[rank];
    return row != VectorIndex::kNoRow &&
           (is_all_ || request_.filter.Allows(row, ordinals_));
  }

  const WindowIndex& index_;
  const ScanRequest& request_;
  TopK& top_;
  SearchWork& work_;
  Scratch& scratch_;
  const bool is_all_;
  const uint32_t* const rows_;  // by rank
  const Ordinal* const ordinals_;
  RowScorer scorer_;
  uint32_t step_blocks_ = kFirstStepBlocks;
};

absl::StatusOr<std::unique_ptr<WindowIndex>> WindowIndex::Open(
    const VectorIndex& index, WindowIndexBytes bytes, Placement placement) {
  std::unique_ptr<WindowIndex> result(new WindowIndex);
  result->index_ = &index;
  if (bytes.rows.size() % sizeof(uint32_t) != 0 ||
      reinterpret_cast<uintptr_t>(bytes.rows.data()) % sizeof(uint32_t) != 0 ||
      reinterpret_cast<uintptr_t>(bytes.codes.data()) % sizeof(float) != 0) {
    return absl::DataLossError("window index: sections are not aligned to 4");
  }
  try {
    if (placement != Placement::kInPlace &&
        bytes.codes.size() >= kCopiedBytesMin) {
      result->copied_codes_ = AlignedBytes::Copy(bytes.codes);
      bytes.codes = result->copied_codes_;
    }
    result->ranks_.assign(index.rows(), VectorIndex::kNoRow);
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "window index: no memory for ", bytes.codes.size(), " bytes"));
  }
  result->rows_ = {reinterpret_cast<const uint32_t*>(bytes.rows.data()),
                   bytes.rows.size() / sizeof(uint32_t)};
  for (uint32_t rank = 0; rank < result->ranks(); ++rank) {
    const uint32_t row = result->rows_[rank];
    if (row == VectorIndex::kNoRow) {
      result->has_gaps_ = true;
      continue;
    }
    if (row >= index.rows() || result->ranks_[row] != VectorIndex::kNoRow) {
      return absl::DataLossError(absl::StrCat(
          "window index: rank ", rank, " has row ", row, " of ", index.rows()));
    }
    result->ranks_[row] = rank;
  }
  if (!bytes.codes.empty()) {
    ASSIGN_OR_RETURN(
        result->codes_,
        WindowCodes::Open(index.shape(), result->ranks(), bytes.codes));
    result->codes_bytes_ = bytes.codes.size();
  }
  result->planner_.emplace(
      result->ranks() == 0 ? 0 : result->codes_bytes_ / result->ranks());
  return result;
}

uint64_t WindowIndex::memory_bytes() const {
  return codes_bytes_ + rows_.size_bytes() + ranks_.size() * sizeof(uint32_t);
}

absl::Status WindowIndex::Scan(const VectorQuery& query, RankWindow window,
                               const RowFilter& filter,
                               const RequestContext& context, TopK& top,
                               SearchWork& work) const {
  CHECK_LE(uint64_t{window.first} + window.count, rows_.size());
  if (window.count == 0) {
    return absl::OkStatus();
  }
  const ScanRequest request{index_->shape(), query.vector, filter, context,
                            query.bias};
  WindowScan scan(*this, request, top, work);
  if (window.count <= kScoredRows || !codes_.has_value()) {
    return scan.ScoreAll(window);
  }
  return scan.Run(window);
}

WindowFacts WindowIndex::FactsOf(RankWindow window, uint32_t k) const {
  return {index_->rows(), window.count, k,
          index_->has_graph() ? index_->recall_curve() : nullptr};
}

WindowPlan WindowIndex::Plan(RankWindow window, uint32_t k,
                             double recall_target) const {
  if (window.count <= kScoredRows) {
    return {};
  }
  return planner_->Plan(FactsOf(window, k), recall_target);
}

double WindowIndex::ScanNs(RankWindow window) const {
  return codes_.has_value() ? planner_->Plan(FactsOf(window, 1), 1).scan_ns : 0;
}

absl::StatusOr<bool> WindowIndex::WalkGraph(const VectorQuery& query,
                                            RankWindow window,
                                            const WindowPlan& plan,
                                            const WindowSearch& search) const {
  SearchWork work;
  const SteadyClock::time_point start = SteadyClock::now();
  RETURN_IF_ERROR(index_->Search(query, plan.effort,
                                 Filter(search.dead, window), search.context,
                                 search.top, work));
  planner_->ObserveGraph(FactsOf(window, static_cast<uint32_t>(search.top.k())),
                         plan, work.distances, NanosecondsSince(start));
  search.work.distances += work.distances;
  search.work.hops += work.hops;
  const size_t there = std::min<size_t>(search.top.k(), window.count);
  if (!work.gave_up && search.top.size() >= there) {
    return true;
  }
  search.top.TakeSorted();  // leaves it empty
  return false;
}

absl::StatusOr<WindowPlan> WindowIndex::Search(
    const VectorQuery& query, RankWindow window, const WindowPlan& plan,
    const WindowSearch& search) const {
  WindowPlan done = plan;
  if (plan.method == WindowMethod::kGraph) {
    ASSIGN_OR_RETURN(const bool found, WalkGraph(query, window, plan, search));
    if (found) {
      return done;
    }
    done.method = WindowMethod::kScan;
  } else if (plan.graph_ns > 0) {
    planner_->Forget(FactsOf(window, static_cast<uint32_t>(search.top.k())));
  }
  // A look at the clock would take longer than few rows.
  const bool is_timed = window.count > kScoredRows;
  const SteadyClock::time_point start =
      is_timed ? SteadyClock::now() : SteadyClock::time_point();
  RETURN_IF_ERROR(Scan(query, window, search.dead, search.context, search.top,
                       search.work));
  if (is_timed) {
    planner_->ObserveScan(window.count, NanosecondsSince(start));
  }
  return done;
}

BuiltWindowIndex BuildWindowIndex(const VectorIndex& index,
                                  std::span<const Ordinal> by_rank,
                                  const AlignedBytes& codes) {
  const std::span<const uint32_t> row_of = index.rows_by_ordinal();
  BuiltWindowIndex built;
  built.rows = AlignedBytes(by_rank.size() * sizeof(uint32_t));
  const std::span<uint32_t> rows(reinterpret_cast<uint32_t*>(built.rows.data()),
                                 by_rank.size());
  for (size_t rank = 0; rank < by_rank.size(); ++rank) {
    rows[rank] = row_of[by_rank[rank]];
  }
  if (codes.size() != 0) {
    built.codes = BuildWindowCodes(codes, rows);
  }
  return built;
}

AlignedBytes EncodeForWindows(const VectorIndex& index, uint32_t bits,
                              ThreadPool* pool) {
  return index.rows() == 0 ? AlignedBytes()
                           : EncodeVectors(index.shape(), index.row_vector(0),
                                           index.rows(), bits, pool);
}

}  // namespace sextant
