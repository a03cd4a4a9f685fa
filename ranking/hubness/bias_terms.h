// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "ranking/hubness/bank_pass.h"
#include "ranking/hubness/bank_statistics.h"
#include "ranking/hubness/normalizer_spec.h"
#include "ranking/hubness/vector_rows.h"

namespace sextant {

// An additive normaliser's correction is a sum of terms, one a bank: b(x) =
// sum_t b_t(x), and a dynamic one leaves out the terms whose gate is shut for a
// query. Scores that leave the server are
//
//     score = s(q, x) - sum over open terms t of (b_t(x) - r_t),
//
// where the reference r_t is the mean of b_t over the items searched: an item
// with the usual bias keeps its raw score, whichever gates are open, so that
// scores of different queries are comparable. References change no ranking.

// The banks of a normaliser; those that it does not need may be empty.
struct NormalizerBanks {
  VectorRows queries;
  VectorRows gallery;
};

// One term. The bank outlives it.
struct BiasTerm {
  enum class Kind : uint8_t {
    kLogSumExp,  // factor * log sum_i exp(scale s_i + offsets_i)
    kTopMean,    // factor * mean of the k greatest s_i
  };

  Kind kind = Kind::kLogSumExp;
  Similarity similarity = Similarity::kProduct;
  VectorRows bank;
  double scale = 1;
  double factor = 1;
  uint32_t k = 1;
  std::vector<float> offsets;  // Sinkhorn's; empty: 0
  // Nearest items of each bank row that open the gate; 0: always open.
  uint32_t gate_k = 0;
};

// That the banks which the spec needs have vectors: kInvalidArgument naming the
// one that is missing.
absl::Status CheckBanks(const NormalizerSpec& spec,
                        const NormalizerBanks& banks);

// How often each item is counted in `run.progress` by MakeBiasTerms(), and by
// ComputeBias() and ComputeGate() of all terms together.
uint64_t FitPassesOf(const NormalizerSpec& spec);
uint64_t BiasPassesOf(const NormalizerSpec& spec);

// The terms of a valid, additive spec. `items` are those that will be searched,
// in any number of parts; only Sinkhorn's potentials depend on them, and stay
// as they are for items that come later. kInvalidArgument naming the bank that
// is missing or of another dimension than `dimension`.
absl::StatusOr<std::vector<BiasTerm>> MakeBiasTerms(
    const NormalizerSpec& spec, const NormalizerBanks& banks,
    Similarity similarity, std::span<const VectorRows> items,
    const PassRun& run);

// b_t of every item, each counted once.
absl::Status ComputeBias(const BiasTerm& term, const VectorRows& items,
                         const PassRun& run, std::span<float> out);

// For every bank row of a gated term its nearest items, best first:
// out[bank_row * k + i]. k is NeighborsOf(items, {keep}), where `keep` is
// gate_k or more: the spare ones stand in for items that are deleted. Items are
// counted once more.
absl::StatusOr<std::vector<Neighbor>> ComputeGate(const BiasTerm& term,
                                                  const VectorRows& items,
                                                  uint32_t keep,
                                                  const PassRun& run);

}  // namespace sextant
