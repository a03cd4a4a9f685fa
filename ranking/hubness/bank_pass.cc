// SPDX-License-Identifier: Apache-2.0
#include "ranking/hubness/bank_pass.h"

#include <cblas.h>

#include <algorithm>

#include "base/check.h"
#include "base/mutex.h"

namespace sextant {
namespace {

// Our pools have the threads; the library's own would fight with them.
void UseOneThreadPerProduct() {
  static const bool kOnce = [] {
    openblas_set_num_threads(1);
    return true;
  }();
  static_cast<void>(kOnce);
}

float SquareOf(const float* row, size_t dimension) {
  double sum = 0;
  for (size_t i = 0; i < dimension; ++i) {
    sum += static_cast<double>(row[i]) * static_cast<double>(row[i]);
  }
  return static_cast<float>(sum);
}

}  // namespace

void ProductOfRows(const VectorRows& a, const VectorRows& b,
                   Similarity similarity, float* out) {
  CHECK_EQ(a.dimension, b.dimension) << "rows of two dimensions";
  if (a.count == 0 || b.count == 0) {
    return;
  }
  UseOneThreadPerProduct();
  const float scale = similarity == Similarity::kNegativeSquares ? 2.0F : 1.0F;
  cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, static_cast<blasint>(a.count),
      static_cast<blasint>(b.count), static_cast<blasint>(a.dimension), scale,
      a.data, static_cast<blasint>(a.stride), b.data,
      static_cast<blasint>(b.stride), 0.0F, out, static_cast<blasint>(b.count));
  if (similarity != Similarity::kNegativeSquares) {
    return;
  }
  std::vector<float> squares(b.count);
  for (size_t j = 0; j < b.count; ++j) {
    squares[j] = SquareOf(b.row(j), b.dimension);
  }
  for (size_t i = 0; i < a.count; ++i) {
    const float own = SquareOf(a.row(i), a.dimension);
    float* const row = out + i * b.count;
    for (size_t j = 0; j < b.count; ++j) {
      row[j] = std::min(0.0F, row[j] - own - squares[j]);
    }
  }
}

BankBlocks::BankBlocks(const VectorRows& items, const VectorRows& bank,
                       Similarity similarity, const RequestContext& context)
    : items_(items), bank_(bank), similarity_(similarity), context_(context) {}

void BankBlocks::Start(size_t first, size_t count) {
  first_ = first;
  count_ = count;
  next_bank_row_ = 0;
}

bool BankBlocks::Next(SimilarityBlock* block) {
  if (next_bank_row_ >= bank_.count || !status_.ok()) {
    return false;
  }
  status_ = context_.Check();
  if (!status_.ok()) {
    return false;
  }
  const size_t rows = std::min(kBankRows, bank_.count - next_bank_row_);
  values_.resize(std::max(values_.size(), count_ * rows));
  *block = {first_, count_, next_bank_row_, rows, values_.data()};
  ProductOfRows(items_.Sub(first_, count_), bank_.Sub(next_bank_row_, rows),
                similarity_, values_.data());
  next_bank_row_ += rows;
  return true;
}

// The threads of one pass.
class BankPass {
 public:
  BankPass(const VectorRows& items, const VectorRows& bank,
           Similarity similarity, const PassRun& run)
      : items_(items), bank_(bank), similarity_(similarity), run_(run) {}

  absl::Status Run(absl::FunctionRef<void(BankBlocks&)> reduce) {
    const size_t runs =
        (items_.count + BankBlocks::kItems - 1) / BankBlocks::kItems;
    const auto work = [&](size_t) { Work(runs, reduce); };
    if (run_.pool == nullptr || runs <= 1) {
      work(0);
    } else {
      const auto threads = static_cast<size_t>(run_.pool->threads());
      run_.pool->ParallelFor(threads, run_.pool->threads(), work);
    }
    MutexLock lock(&mutex_);
    return status_;
  }

 private:
  void Work(size_t runs, absl::FunctionRef<void(BankBlocks&)> reduce) {
    BankBlocks blocks(items_, bank_, similarity_, run_.context);
    for (size_t i = next_.fetch_add(1); i < runs; i = next_.fetch_add(1)) {
      const size_t first = i * BankBlocks::kItems;
      const size_t count = std::min(BankBlocks::kItems, items_.count - first);
      blocks.Start(first, count);
      reduce(blocks);
      if (!blocks.status().ok()) {
        next_ = runs;
        MutexLock lock(&mutex_);
        status_ = blocks.status();
        return;
      }
      run_.Count(count);
    }
  }

  const VectorRows& items_;
  const VectorRows& bank_;
  const Similarity similarity_;
  const PassRun& run_;
  std::atomic<size_t> next_{0};
  Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

absl::Status ForEachBankBlocks(const VectorRows& items, const VectorRows& bank,
                               Similarity similarity, const PassRun& run,
                               absl::FunctionRef<void(BankBlocks&)> reduce) {
  CHECK_EQ(items.dimension, bank.dimension) << "a bank of another dimension";
  return BankPass(items, bank, similarity, run).Run(reduce);
}

}  // namespace sextant
