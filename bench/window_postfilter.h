// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "bench/ann_contestant.h"

namespace sextant {

// The nearest rows to a vector among those with ranks [first, first + count).
struct WindowQuery {
  const float* vector = nullptr;
  uint32_t first = 0;
  uint32_t count = 0;
};

struct PostfilterTask {
  uint32_t k = 10;
  uint32_t first_ef = 10;
  std::span<const uint32_t> rank_of;  // by row
};

// What a user does whose index knows no filter: asks HNSWlib for `first_ef`
// rows, keeps those in the window, and doubles the number until there are k or
// all rows were asked for. Rows go to `out`, nearest first; returns how many.
uint32_t Postfilter(AnnContestant& hnswlib, const WindowQuery& query,
                    const PostfilterTask& task, uint32_t* out);

}  // namespace sextant
