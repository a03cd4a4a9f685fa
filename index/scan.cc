// SPDX-License-Identifier: Apache-2.0
#include "index/scan.h"

#include <algorithm>
#include <array>

#include "base/status_macros.h"

namespace sextant {
namespace {

// Rows between two polls of the context.
constexpr uint32_t kStep = 512;

// Scores and offers rows of a block, at most kStep at a time.
class StepScorer {
 public:
  StepScorer(const ScanRequest& request, const RowBlock& block, TopK& top,
             SearchWork& work)
      : request_(request),
        block_(block),
        top_(top),
        work_(work),
        scorer_(request.shape.metric),
        stride_(PaddedStride(request.shape.dimension)) {}

  void Score(std::span<const uint32_t> rows) {
    scorer_.rows(request_.query.data(), block_.vectors, stride_,
                 request_.shape.dimension, rows, distances_.data());
    work_.distances += rows.size();
    request_.bias.Correct(rows, scorer_.sign, distances_.data());
    OfferScores(rows, distances_.data(), scorer_.sign, block_.ordinals, top_);
  }

 private:
  const ScanRequest& request_;
  const RowBlock& block_;
  TopK& top_;
  SearchWork& work_;
  const Scorer scorer_;
  const size_t stride_;
  std::array<float, kStep> distances_;
};

}  // namespace

absl::Status ScanBlock(const ScanRequest& request, const RowBlock& block,
                       TopK& top, SearchWork& work) {
  StepScorer scorer(request, block, top, work);
  std::array<uint32_t, kStep> live;
  for (uint32_t begin = 0; begin < block.rows;) {
    RETURN_IF_ERROR(request.context.Check());
    const uint32_t end = begin + std::min(kStep, block.rows - begin);
    uint32_t count = 0;
    for (uint32_t row = begin; row < end; ++row) {
      live[count] = row;
      count += request.filter.Allows(row, block.ordinals) ? 1U : 0U;
    }
    scorer.Score({live.data(), count});
    begin = end;
  }
  return absl::OkStatus();
}

absl::Status ScanRows(const ScanRequest& request, const RowBlock& block,
                      std::span<const uint32_t> rows, TopK& top,
                      SearchWork& work) {
  StepScorer scorer(request, block, top, work);
  for (size_t begin = 0; begin < rows.size(); begin += kStep) {
    RETURN_IF_ERROR(request.context.Check());
    scorer.Score(
        rows.subspan(begin, std::min<size_t>(kStep, rows.size() - begin)));
  }
  return absl::OkStatus();
}

}  // namespace sextant
