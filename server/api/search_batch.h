// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "engine/database.h"
#include "sextant/v1/search_service.pb.h"

namespace sextant {

// What a batch has come to so far; the first search that is wrong is the one to
// name. Shared by the threads that work on the batch.
class BatchOutcome {
 public:
  explicit BatchOutcome(size_t searches)
      : failures_(searches), first_failed_(searches) {}

  // Once for a search.
  void Fail(size_t search, absl::Status status);
  // Searches behind a failed one are not worth starting; those before it are.
  bool IsPointless(size_t search) const {
    return search > first_failed_.load(std::memory_order_relaxed);
  }
  // Adds to the size of all answers; returns the sum.
  size_t AddBytes(size_t bytes) { return bytes_ += bytes; }

  // When all threads are done: OK, or the failure with `searches[3]` in front.
  absl::Status status() const;

 private:
  std::vector<absl::Status> failures_;
  std::atomic<size_t> first_failed_;
  std::atomic<size_t> bytes_{0};
};

// Searches of a batch that are run together: of one collection, one behind the
// other.
struct BatchGroup {
  size_t first = 0;
  size_t count = 0;
  std::shared_ptr<Collection> collection;
  const std::string* name = nullptr;  // in the request
};

// The groups of a batch, up to the first search whose collection is wrong.
std::vector<BatchGroup> GroupSearches(const Database& database,
                                      const v1::SearchBatchRequest& request,
                                      BatchOutcome* outcome);

}  // namespace sextant
