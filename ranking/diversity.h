// SPDX-License-Identifier: Apache-2.0
//
// Maximal marginal relevance: an order in which each candidate is good and
// unlike those before it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"

namespace sextant {

// Chooses `count` of the candidates, or all where there are fewer, one after
// another: each time the one with the greatest
//
//     (1 - strength) * relevance[i] - strength * max over chosen j of sim(i, j)
//
// (Carbonell and Goldstein, "The Use of MMR, Diversity-Based Reranking for
// Reordering Documents and Producing Summaries", SIGIR 1998, equation 1, with
// lambda = 1 - strength); the first of all is the most relevant. Of equal ones
// the lower number is first. Exact: O(candidates x count) similarities, each of
// a candidate and the one chosen last.
//
// `strength` is 0 to 1: at 0 the order is that of relevance. `relevance` and
// similarities are finite and on one scale; bigger is more alike. `similarity`
// of the candidates `first` and all in `others` fills `out`.
//
// Ends early with an error that `similarity` returns.
using SimilarityToAll = absl::FunctionRef<absl::Status(
    uint32_t first, std::span<const uint32_t> others, std::span<float> out)>;
absl::StatusOr<std::vector<uint32_t>> SelectDiverse(
    std::span<const float> relevance, double strength, size_t count,
    SimilarityToAll similarity);

}  // namespace sextant
