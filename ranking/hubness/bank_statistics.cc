// SPDX-License-Identifier: Apache-2.0
#include "ranking/hubness/bank_statistics.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <vector>

#include "base/check.h"
#include "ranking/hubness/nearest_rows.h"
#include "ranking/hubness/row_kernels.h"

namespace sextant {
namespace {

constexpr float kNone = -std::numeric_limits<float>::infinity();

// A sum of exponentials that grows block by block.
struct RunningSum {
  double max = -std::numeric_limits<double>::infinity();
  double sum = 0;  // of exp(term - max)

  void Add(double block_max, double block_sum) {
    if (block_max == -std::numeric_limits<double>::infinity()) {
      return;
    }
    if (block_max > max) {
      sum = sum * std::exp(max - block_max) + block_sum;
      max = block_max;
    } else {
      sum += block_sum * std::exp(block_max - max);
    }
  }
  double Log() const { return max + std::log(sum); }
};

// The greatest k numbers of many, their order left open.
class GreatestNumbers {
 public:
  explicit GreatestNumbers(size_t k) : k_(k) {}

  void Add(const float* values, size_t count) {
    if (kept_.size() >= k_ &&
        ChosenRowKernels().max(values, count) <= threshold_) {
      return;
    }
    for (size_t i = 0; i < count; ++i) {
      if (values[i] > threshold_) {
        kept_.push_back(values[i]);
        if (kept_.size() >= 2 * k_) {
          Narrow();
        }
      }
    }
  }

  float Mean() {
    Narrow();
    if (kept_.empty()) {
      return 0;
    }
    const double sum = std::accumulate(kept_.begin(), kept_.end(), 0.0);
    return static_cast<float>(sum / static_cast<double>(kept_.size()));
  }

 private:
  void Narrow() {
    if (kept_.size() < k_) {
      return;
    }
    const auto kth = kept_.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
    std::nth_element(kept_.begin(), kth, kept_.end(), std::greater<>());
    threshold_ = *kth;
    kept_.resize(k_);
  }

  size_t k_;
  float threshold_ = kNone;
  std::vector<float> kept_;
};

}  // namespace

absl::Status LogSumExpOfItems(const VectorRows& items, const VectorRows& bank,
                              Similarity similarity, const LogSumExp& sum,
                              const PassRun& run, std::span<double> out) {
  CHECK_EQ(out.size(), items.count) << "a place for every item";
  CHECK(sum.offsets.empty() || sum.offsets.size() == bank.count)
      << "an offset for every row of the bank";
  const RowKernels& kernels = ChosenRowKernels();
  const auto scale = static_cast<float>(sum.scale);
  return ForEachBankBlocks(
      items, bank, similarity, run, [&](BankBlocks& blocks) {
        std::vector<RunningSum> sums(blocks.items());
        for (SimilarityBlock block; blocks.Next(&block);) {
          const float* offsets =
              sum.offsets.empty() ? nullptr
                                  : sum.offsets.data() + block.first_bank_row;
          for (size_t i = 0; i < block.items; ++i) {
            const float max = kernels.scale_and_max(
                block.row(i), block.bank_rows, scale, offsets);
            sums[i].Add(static_cast<double>(max),
                        static_cast<double>(kernels.sum_exp(
                            block.row(i), block.bank_rows, max)));
          }
        }
        for (size_t i = 0; i < blocks.items(); ++i) {
          out[blocks.first_item() + i] = sums[i].Log();
        }
      });
}

absl::Status TopMeansOfItems(const VectorRows& items, const VectorRows& bank,
                             Similarity similarity, size_t k,
                             const PassRun& run, std::span<float> out) {
  CHECK_EQ(out.size(), items.count) << "a place for every item";
  CHECK_GE(k, 1U) << "the mean of no numbers";
  return ForEachBankBlocks(
      items, bank, similarity, run, [&](BankBlocks& blocks) {
        std::vector<GreatestNumbers> greatest(blocks.items(),
                                              GreatestNumbers(k));
        for (SimilarityBlock block; blocks.Next(&block);) {
          for (size_t i = 0; i < block.items; ++i) {
            greatest[i].Add(block.row(i), block.bank_rows);
          }
        }
        for (size_t i = 0; i < blocks.items(); ++i) {
          out[blocks.first_item() + i] = greatest[i].Mean();
        }
      });
}

size_t NeighborsOf(const VectorRows& bank, const NearestOptions& options) {
  const size_t others =
      options.same_rows && bank.count > 0 ? bank.count - 1 : bank.count;
  return std::min(options.k, others);
}

absl::Status NearestOfItems(const VectorRows& items, const VectorRows& bank,
                            Similarity similarity,
                            const NearestOptions& options, const PassRun& run,
                            std::span<Neighbor> out) {
  const size_t k = NeighborsOf(bank, options);
  CHECK_EQ(out.size(), items.count * k) << "k places for every item";
  if (k == 0) {
    return run.context.Check();
  }
  return ForEachBankBlocks(
      items, bank, similarity, run, [&](BankBlocks& blocks) {
        std::vector<NearestRows> nearest;
        nearest.reserve(blocks.items());
        for (size_t i = 0; i < blocks.items(); ++i) {
          nearest.emplace_back(out.subspan((blocks.first_item() + i) * k, k));
        }
        for (SimilarityBlock block; blocks.Next(&block);) {
          for (size_t i = 0; i < block.items; ++i) {
            const size_t own = block.first_item + i;
            const size_t place = own - block.first_bank_row;
            if (options.same_rows && own >= block.first_bank_row &&
                place < block.bank_rows) {
              nearest[i].Add(block.row(i), block.first_bank_row, place);
              nearest[i].Add(block.row(i) + place + 1, own + 1,
                             block.bank_rows - place - 1);
            } else {
              nearest[i].Add(block.row(i), block.first_bank_row,
                             block.bank_rows);
            }
          }
        }
      });
}

}  // namespace sextant
