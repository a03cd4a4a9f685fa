// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

#include "base/context.h"
#include "base/thread_pool.h"
#include "ranking/hubness/vector_rows.h"

namespace sextant {

// How a pass over items runs.
struct PassRun {
  ThreadPool* pool = nullptr;  // null: on the calling thread only
  const RequestContext& context;
  // Items done are added; may be null.
  std::atomic<uint64_t>* progress = nullptr;

  void Count(uint64_t items) const {
    if (progress != nullptr) {
      progress->fetch_add(items, std::memory_order_relaxed);
    }
  }
};

// Similarities of consecutive items with consecutive rows of a bank.
struct SimilarityBlock {
  size_t first_item = 0;
  size_t items = 0;
  size_t first_bank_row = 0;
  size_t bank_rows = 0;
  float* values = nullptr;  // items x bank_rows, free to be overwritten

  float* row(size_t item) const { return values + item * bank_rows; }
};

// The blocks of some items, in the order of the bank. One thread's.
class BankBlocks {
 public:
  static constexpr size_t kItems = 256;
  static constexpr size_t kBankRows = 512;

  BankBlocks(const VectorRows& items, const VectorRows& bank,
             Similarity similarity, const RequestContext& context);

  size_t first_item() const { return first_; }
  size_t items() const { return count_; }
  // False after the last, and when the context stops: see status().
  bool Next(SimilarityBlock* block);
  const absl::Status& status() const { return status_; }

 private:
  friend class BankPass;
  void Start(size_t first, size_t count);

  const VectorRows& items_;
  const VectorRows& bank_;
  const Similarity similarity_;
  const RequestContext& context_;
  size_t first_ = 0;
  size_t count_ = 0;
  size_t next_bank_row_ = 0;
  std::vector<float> values_;
  absl::Status status_;
};

// Calls `reduce` for runs of items that together are all of them, each with the
// similarities of its items to the whole bank, as blocks of one matrix product:
// memory does not grow with either side. Several threads call `reduce` at a
// time, each with its own blocks. Both sides have one dimension. The context's
// error, or OK.
absl::Status ForEachBankBlocks(const VectorRows& items, const VectorRows& bank,
                               Similarity similarity, const PassRun& run,
                               absl::FunctionRef<void(BankBlocks&)> reduce);

// out[i * b.count + j] = similarity of a's row i and b's row j.
void ProductOfRows(const VectorRows& a, const VectorRows& b,
                   Similarity similarity, float* out);

}  // namespace sextant
