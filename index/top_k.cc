// SPDX-License-Identifier: Apache-2.0
#include "index/top_k.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace sextant {
namespace {

// "a comes before b in the answer". As the heap's order it puts the last of
// the answer on top.
struct Precedes {
  const RowOrder* order;

  bool operator()(const ScoredRow& a, const ScoredRow& b) const {
    if (a.score != b.score) {
      return a.score > b.score;
    }
    return order == nullptr ? a.row < b.row : order->Before(a.row, b.row);
  }
};

}  // namespace

TopK::TopK(size_t k, const RowOrder* order) : k_(k), order_(order) {}

void TopK::Offer(float score, Ordinal row) {
  if (std::isnan(score)) {
    // Products of huge numbers can cancel to "not a number", which has no
    // place in an order.
    score = -std::numeric_limits<float>::infinity();
  }
  const Precedes precedes{order_};
  const ScoredRow candidate{score, row};
  if (heap_.size() < k_) {
    heap_.push_back(candidate);
    std::push_heap(heap_.begin(), heap_.end(), precedes);
    return;
  }
  if (k_ == 0 || !precedes(candidate, heap_.front())) {
    return;
  }
  std::pop_heap(heap_.begin(), heap_.end(), precedes);
  heap_.back() = candidate;
  std::push_heap(heap_.begin(), heap_.end(), precedes);
}

float TopK::threshold() const {
  if (heap_.size() < k_) {
    return -std::numeric_limits<float>::infinity();
  }
  return k_ == 0 ? std::numeric_limits<float>::infinity() : heap_.front().score;
}

size_t TopK::size() const {
  return heap_.size();
}

std::vector<ScoredRow> TopK::TakeSorted() {
  std::sort_heap(heap_.begin(), heap_.end(), Precedes{order_});
  return std::exchange(heap_, {});
}

}  // namespace sextant
