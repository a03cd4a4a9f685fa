// SPDX-License-Identifier: Apache-2.0
#include "index/window_index.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <limits>
#include <new>

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/status_macros.h"
#include "index/distance.h"
#include "index/scan.h"
#include "index/vector_codes.h"

namespace sextant {
namespace {

// Windows of so few rows are scored without a look at their codes: that is one
// read of memory for each row, and the codes would not save many of them.
constexpr uint32_t kScoredRows = 48;
// Blocks between two polls of the context, at most; and at first, when nothing
// is known of what is worth keeping.
constexpr uint32_t kStepBlocks = 64;
constexpr uint32_t kFirstStepBlocks = 4;
constexpr uint32_t kRowsOfBlock = kBlockRows;
constexpr size_t kStepRows = size_t{kStepBlocks} * kBlockRows;
// Fewer estimates than this, or than some times k, are not worth sorting out.
constexpr size_t kNarrowAt = 128;
constexpr size_t kNarrowAtK = 4;
// Rows scored with floats at a time where the next ones may not be needed.
constexpr size_t kChunk = 8;
using SteadyClock = std::chrono::steady_clock;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Estimate {
  float distance = 0;
  uint32_t rank = 0;
};

bool Nearer(const Estimate& a, const Estimate& b) {
  return a.distance < b.distance;
}

struct Scratch {
  CodedQuery query;
  std::array<float, kStepRows> distances;
  std::vector<Estimate> kept;
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
        scorer_(request.shape.metric),
        is_all_(request.filter.is_all()),
        rows_(index.rows_.data()),
        ordinals_(index.index_->ordinals().data()),
        vectors_(index.index_->row_vector(0)),
        stride_(PaddedStride(request.shape.dimension)),
        prefetch_floats_(
            std::min<size_t>(2 * kPrefetchFloats, request.shape.dimension)) {}

  absl::Status ScoreAll(RankWindow window) {
    const uint32_t end = window.first + window.count;
    for (uint32_t rank = window.first; rank < end; ++rank) {
      if (chunk_size_ == kScoredRows) {
        ScoreChunk();
        RETURN_IF_ERROR(request_.context.Check());
      }
      if (IsLive(rank)) {
        Add(rank);
      }
    }
    ScoreChunk();
    return absl::OkStatus();
  }

  absl::Status Run(RankWindow window) {
    if (!index_.codes_->EncodeQuery(request_.query, scratch_.query)) {
      return ScoreAll(window);
    }
    error_ = index_.codes_->error(scratch_.query);
    scratch_.kept.clear();
    narrow_at_ = std::max(kNarrowAt, kNarrowAtK * top_.k());
    const uint32_t end = window.first + window.count;
    for (uint32_t rank = window.first; rank < end;) {
      RETURN_IF_ERROR(request_.context.Check());
      rank = EstimateStep(rank, end);
    }
    ScoreKept();
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
    std::vector<Estimate>& kept = scratch_.kept;
    const size_t before = kept.size();
    // Room for all, so that keeping one is a store and an addition.
    kept.resize(before + (stop - rank));
    Estimate* place = kept.data() + before;
    for (uint32_t i = rank; i < stop;) {
      const uint32_t block = i - i % kRowsOfBlock;
      const uint32_t block_end = std::min(stop, block + kRowsOfBlock);
      const float* const distances = scratch_.distances.data() - step_first;
      if (IsAnyBelow(distances + block, bound_)) {
        for (; i < block_end; ++i) {
          *place = {distances[i], i};
          place += distances[i] < bound_ ? 1 : 0;
        }
      }
      i = block_end;
    }
    kept.resize(static_cast<size_t>(place - kept.data()));
    DropDead(before);
    if (kept.size() >= narrow_at_) {
      Narrow();
    }
    return stop;
  }

  // Of one block, whose ends may be outside the window. Few blocks have one.
  static bool IsAnyBelow(const float* distances, float bound) {
    uint32_t any = 0;
    for (size_t i = 0; i < kBlockRows; ++i) {
      any |= distances[i] < bound ? 1U : 0U;
    }
    return any != 0;
  }

  void DropDead(size_t from) {
    std::vector<Estimate>& kept = scratch_.kept;
    if (index_.has_gaps_ || !is_all_) {
      kept.erase(
          std::remove_if(kept.begin() + static_cast<std::ptrdiff_t>(from),
                         kept.end(),
                         [this](const Estimate& e) { return !IsLive(e.rank); }),
          kept.end());
    }
  }

  // Of k rows that are estimated at d or less the farthest is hardly farther
  // than d, so a row of the answer is hardly estimated beyond d + error.
  void Narrow() {
    std::vector<Estimate>& kept = scratch_.kept;
    const size_t k = std::max<size_t>(1, top_.k());
    if (kept.size() > k) {
      std::nth_element(kept.begin(),
                       kept.begin() + static_cast<std::ptrdiff_t>(k - 1),
                       kept.end(), Nearer);
      bound_ = std::min(bound_, kept[k - 1].distance + error_);
      kept.erase(std::remove_if(kept.begin(), kept.end(),
                                [this](const Estimate& e) {
                                  return !(e.distance < bound_);
                                }),
                 kept.end());
    }
    narrow_at_ = std::max(narrow_at_, 2 * kept.size());
  }

  // Nearest first, until what follows cannot be among the best.
  void ScoreKept() {
    Narrow();
    std::vector<Estimate>& kept = scratch_.kept;
    std::sort(kept.begin(), kept.end(), Nearer);
    for (const Estimate& estimate : kept) {
      if (chunk_size_ == 0 && -estimate.distance + error_ < top_.threshold()) {
        break;
      }
      Add(estimate.rank);
      if (chunk_size_ == kChunk) {
        ScoreChunk();
      }
    }
    ScoreChunk();
  }

  bool IsLive(uint32_t rank) const {
    const uint32_t row = rows_[rank];
    return row != kNoRankedRow &&
           (is_all_ || request_.filter.Allows(row, ordinals_));
  }

  void Add(uint32_t rank) {
    const uint32_t row = rows_[rank];
    const float* const vector = vectors_ + row * stride_;
    for (size_t i = 0; i < prefetch_floats_; i += kLineFloats) {
      __builtin_prefetch(vector + i);
    }
    chunk_[chunk_size_++] = row;
  }

  void ScoreChunk() {
    std::array<float, kScoredRows> distances;
    scorer_.rows(request_.query.data(), vectors_, stride_,
                 request_.shape.dimension, {chunk_.data(), chunk_size_},
                 distances.data());
    work_.distances += chunk_size_;
    float threshold = top_.threshold();
    for (size_t i = 0; i < chunk_size_; ++i) {
      const float score = scorer_.sign * distances[i];
      if (!(score < threshold)) {
        top_.Offer(score, ordinals_[chunk_[i]]);
        threshold = top_.threshold();
      }
    }
    chunk_size_ = 0;
  }

  const WindowIndex& index_;
  const ScanRequest& request_;
  TopK& top_;
  SearchWork& work_;
  Scratch& scratch_;
  const Scorer scorer_;
  const bool is_all_;
  const uint32_t* const rows_;  // by rank
  const Ordinal* const ordinals_;
  const float* const vectors_;
  const size_t stride_;
  const size_t prefetch_floats_;
  float error_ = 0;
  float bound_ = kInfinity;
  uint32_t step_blocks_ = kFirstStepBlocks;
  size_t narrow_at_ = 0;
  std::array<uint32_t, kScoredRows> chunk_;  // rows
  size_t chunk_size_ = 0;
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
    // Below this all of it fits into the TLB's reach anyway.
    constexpr uint64_t kWorthwhileBytes = uint64_t{8} << 20;
    if (placement != Placement::kInPlace &&
        bytes.codes.size() >= kWorthwhileBytes) {
      result->copied_codes_ = AlignedBytes::Copy(bytes.codes);
      bytes.codes = result->copied_codes_;
    }
    result->ranks_.assign(index.rows(), kNoRankedRow);
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "window index: no memory for ", bytes.codes.size(), " bytes"));
  }
  result->rows_ = {reinterpret_cast<const uint32_t*>(bytes.rows.data()),
                   bytes.rows.size() / sizeof(uint32_t)};
  for (uint32_t rank = 0; rank < result->ranks(); ++rank) {
    const uint32_t row = result->rows_[rank];
    if (row == kNoRankedRow) {
      result->has_gaps_ = true;
      continue;
    }
    if (row >= index.rows() || result->ranks_[row] != kNoRankedRow) {
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

absl::Status WindowIndex::Scan(std::span<const float> query, RankWindow window,
                               const RowFilter& filter,
                               const RequestContext& context, TopK& top,
                               SearchWork& work) const {
  CHECK_LE(uint64_t{window.first} + window.count, rows_.size());
  if (window.count == 0) {
    return absl::OkStatus();
  }
  const ScanRequest request{index_->shape(), query, filter, context};
  WindowScan scan(*this, request, top, work);
  if (window.count <= kScoredRows || !codes_.has_value()) {
    return scan.ScoreAll(window);
  }
  return scan.Run(window);
}

absl::StatusOr<WindowPlan> WindowIndex::Search(
    std::span<const float> query, RankWindow window, double recall_target,
    const WindowSearch& search) const {
  if (window.count <= kScoredRows) {
    RETURN_IF_ERROR(Scan(query, window, search.dead, search.context, search.top,
                         search.work));
    return WindowPlan{};
  }
  const WindowFacts facts{
      index_->rows(), window.count, static_cast<uint32_t>(search.top.k()),
      recall_target, index_->has_graph() ? index_->recall_curve() : nullptr};
  WindowPlan plan = planner_->Plan(facts);
  const auto seconds_since = [](SteadyClock::time_point start) {
    return std::chrono::duration<double, std::nano>(SteadyClock::now() - start)
        .count();
  };
  if (plan.method == WindowMethod::kGraph) {
    SearchEffort effort = plan.effort;
    effort.distances_max = plan.distances_max;
    SearchWork work;
    const SteadyClock::time_point start = SteadyClock::now();
    RETURN_IF_ERROR(index_->Search(query, effort, Filter(search.dead, window),
                                   search.context, search.top, work));
    planner_->ObserveGraph(facts, plan, work.distances, seconds_since(start));
    search.work.distances += work.distances;
    search.work.hops += work.hops;
    if (!work.gave_up) {
      return plan;
    }
    plan.method = WindowMethod::kScan;
  } else if (plan.graph_ns > 0) {
    planner_->Forget(facts);
  }
  const SteadyClock::time_point start = SteadyClock::now();
  RETURN_IF_ERROR(Scan(query, window, search.dead, search.context, search.top,
                       search.work));
  planner_->ObserveScan(window.count, seconds_since(start));
  return plan;
}

BuiltWindowIndex BuildWindowIndex(const VectorIndex& index,
                                  std::span<const Ordinal> by_rank,
                                  uint32_t bits, ThreadPool* pool) {
  std::vector<uint32_t> row_of;  // by ordinal
  const std::span<const Ordinal> ordinals = index.ordinals();
  for (uint32_t row = 0; row < ordinals.size(); ++row) {
    if (ordinals[row] >= row_of.size()) {
      row_of.resize(size_t{ordinals[row]} + 1, kNoRankedRow);
    }
    row_of[ordinals[row]] = row;
  }
  BuiltWindowIndex built;
  built.rows = AlignedBytes(by_rank.size() * sizeof(uint32_t));
  const std::span<uint32_t> rows(reinterpret_cast<uint32_t*>(built.rows.data()),
                                 by_rank.size());
  for (size_t rank = 0; rank < by_rank.size(); ++rank) {
    rows[rank] =
        by_rank[rank] < row_of.size() ? row_of[by_rank[rank]] : kNoRankedRow;
  }
  if (index.rows() == 0) {
    return built;
  }
  const AlignedBytes codes = EncodeVectors(index.shape(), index.row_vector(0),
                                           index.rows(), bits, pool);
  if (codes.size() != 0) {
    built.codes = BuildWindowCodes(codes, rows);
  }
  return built;
}

}  // namespace sextant
