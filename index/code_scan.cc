// SPDX-License-Identifier: Apache-2.0
#include "index/code_scan.h"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <vector>

#include "base/status_macros.h"

namespace sextant {
namespace {

constexpr float kNever = std::numeric_limits<float>::infinity();
// Nodes between two polls of the context.
constexpr uint32_t kStep = 512;
// Rows scored with floats at a time.
constexpr size_t kChunk = 8;

struct Scratch {
  CodedQuery query;
  std::vector<float> estimates;  // of distances, by node
  std::vector<float> nearest;    // that they may be; kNever: not to be scored
  std::vector<uint32_t> first;   // the nodes that are scored first
};

Scratch& ThreadScratch() {
  static thread_local Scratch scratch;
  return scratch;
}

class CodeScan {
 public:
  CodeScan(const ScanRequest& request, const SearchedGraph& searched,
           Scratch& scratch, TopK& top, SearchWork& work)
      : request_(request),
        searched_(searched),
        scratch_(scratch),
        top_(top),
        work_(work),
        scorer_(request.shape.metric) {}

  absl::Status Run(bool has_codes) {
    RETURN_IF_ERROR(Estimate(has_codes));
    RETURN_IF_ERROR(ScoreBestEstimates());
    for (uint32_t node = 0; node < searched_.graph.nodes(); ++node) {
      if (node % kStep == 0) {
        RETURN_IF_ERROR(request_.context.Check());
      }
      if (-scratch_.nearest[node] >= top_.threshold()) {
        Add(node);
      }
    }
    ScoreChunk();
    return absl::OkStatus();
  }

 private:
  // Without codes of the query, every row may be the nearest.
  absl::Status Estimate(bool has_codes) {
    const uint32_t nodes = searched_.graph.nodes();
    scratch_.estimates.resize(nodes);
    scratch_.nearest.resize(nodes);
    std::array<uint32_t, kStep> step;
    for (uint32_t begin = 0; begin < nodes;) {
      RETURN_IF_ERROR(request_.context.Check());
      const uint32_t count = std::min(kStep, nodes - begin);
      std::iota(step.begin(), step.begin() + count, begin);
      float* const estimates = scratch_.estimates.data() + begin;
      float* const nearest = scratch_.nearest.data() + begin;
      if (has_codes) {
        searched_.codes->Distances(scratch_.query, {step.data(), count},
                                   estimates);
        searched_.codes->Errors(scratch_.query, {step.data(), count}, nearest);
      } else {
        std::fill_n(estimates, count, 0.0F);
        std::fill_n(nearest, count, kNever);
      }
      request_.bias.Correct({step.data(), count}, -1, estimates);
      for (uint32_t i = 0; i < count; ++i) {
        // Infinite errors make it -infinity: always scored.
        nearest[i] = IsLive(begin + i) ? estimates[i] - nearest[i] : kNever;
      }
      work_.distances += count;
      begin += count;
    }
    return absl::OkStatus();
  }

  // So that the threshold is near the true one when the others are looked at.
  absl::Status ScoreBestEstimates() {
    const size_t nodes = scratch_.nearest.size();
    const size_t count = std::min(nodes, 4 * top_.k());
    scratch_.first.resize(nodes);
    std::iota(scratch_.first.begin(), scratch_.first.end(), 0U);
    std::nth_element(
        scratch_.first.begin(),
        scratch_.first.begin() + static_cast<std::ptrdiff_t>(count),
        scratch_.first.end(), [this](uint32_t a, uint32_t b) {
          return scratch_.estimates[a] < scratch_.estimates[b];
        });
    for (size_t i = 0; i < count; ++i) {
      if (scratch_.nearest[scratch_.first[i]] != kNever) {
        Add(scratch_.first[i]);
      }
    }
    ScoreChunk();
    return request_.context.Check();
  }

  void Add(uint32_t node) {
    scratch_.nearest[node] = kNever;
    chunk_[chunk_size_++] = node;
    if (chunk_size_ == kChunk) {
      ScoreChunk();
    }
  }

  void ScoreChunk() {
    std::array<float, kChunk> distances;
    scorer_.rows(request_.query.data(), searched_.vectors,
                 PaddedStride(request_.shape.dimension),
                 request_.shape.dimension, {chunk_.data(), chunk_size_},
                 distances.data());
    work_.distances += chunk_size_;
    request_.bias.Correct({chunk_.data(), chunk_size_}, scorer_.sign,
                          distances.data());
    for (size_t i = 0; i < chunk_size_; ++i) {
      Offer(chunk_[i], scorer_.sign * distances[i]);
    }
    chunk_size_ = 0;
  }

  bool IsLeftOut(uint32_t row) const {
    return !request_.filter.Allows(row, searched_.ordinals);
  }

  bool IsLive(uint32_t node) const {
    if (request_.filter.is_all() || !IsLeftOut(node)) {
      return true;
    }
    const FrozenGraph::RowRange rows = searched_.graph.duplicates(node);
    for (uint32_t row = rows.first; row < rows.end; ++row) {
      if (!IsLeftOut(row)) {
        return true;
      }
    }
    return false;
  }

  // All rows of a node share its score.
  void Offer(uint32_t node, float score) {
    if (!IsLeftOut(node)) {
      top_.Offer(score, searched_.ordinals[node]);
    }
    if (!searched_.graph.has_duplicates()) {
      return;
    }
    const FrozenGraph::RowRange rows = searched_.graph.duplicates(node);
    for (uint32_t row = rows.first; row < rows.end; ++row) {
      if (!IsLeftOut(row)) {
        top_.Offer(score, searched_.ordinals[row]);
      }
    }
  }

  const ScanRequest& request_;
  const SearchedGraph& searched_;
  Scratch& scratch_;
  TopK& top_;
  SearchWork& work_;
  const Scorer scorer_;
  std::array<uint32_t, kChunk> chunk_ = {};
  size_t chunk_size_ = 0;
};

}  // namespace

absl::Status ScanCodes(const ScanRequest& request,
                       const SearchedGraph& searched, TopK& top,
                       SearchWork& work) {
  Scratch& scratch = ThreadScratch();
  const bool has_codes =
      searched.codes->EncodeQuery(request.query, scratch.query);
  return CodeScan(request, searched, scratch, top, work).Run(has_codes);
}

}  // namespace sextant
