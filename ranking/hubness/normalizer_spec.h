// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sextant {

// How scores are corrected for hubness: for items that are near to many queries
// for no good reason. s(q, x) is the raw score of item x for query q; sums and
// means are over a bank of vectors like the queries (B of them) or, where that
// is said, over a bank of vectors like the items.
//
// Additive methods rank by s(q, x) - b(x). Dynamic ones do so only for queries
// that a gate lets through (bias_terms.h). The others rescore candidates.
enum class NormalizerMethod : uint8_t {
  // b = (1/beta) log sum_i exp(beta s(bank_i, x)): the logarithm, over beta, of
  // exp(beta s) / sum_i exp(beta s(bank_i, x)), the "inverted softmax" of Smith
  // et al., ICLR 2017, as QB-Norm defines it (Bogolin et al., CVPR 2022).
  kInvertedSoftmax,
  // The same for queries whose nearest item is also among the gate_k nearest
  // items of some vector of the bank; others are left alone. QB-Norm.
  kDynamicInvertedSoftmax,
  // s minus the rank that s would have among the bank's scores of x. Dinu et
  // al., "Improving zero-shot learning by mitigating the hubness problem",
  // ICLR workshop 2015, "globally corrected". Rescores candidates.
  kGloballyCorrected,
  // b = (1/2) mean of the k greatest s(bank_i, x): "cross-domain similarity
  // local scaling", Conneau et al., ICLR 2018, eq. 3, halved and without the
  // query's own mean, neither of which changes a ranking.
  kCsls,
  // b = alpha * mean of the k greatest s(bank_i, x): "nearest neighbor
  // normalization" (NNN), EMNLP 2024.
  kNearestNeighbor,
  // b as for CSLS: the "distance" margin, a - b, of Artetxe and Schwenk, ACL
  // 2019.
  kMarginDistance,
  // s / ((m(q) + m(x)) / 2), m(q) the mean of s over the k nearest items of the
  // query, m(x) that over the k vectors of the bank nearest to x: the "ratio"
  // margin of the same paper. Rescores candidates; for products.
  kMarginRatio,
  // b = (log sum over the query bank of exp(beta s) + log sum over the item
  // bank of exp(gallery_beta s)) / (beta + gallery_beta): DualIS of DBNorm,
  // Wang et al., EMNLP 2023 (not their code, which reads another matrix).
  kDualInvertedSoftmax,
  // Each sum only for queries that its own bank's gate lets through: DualDIS of
  // the same paper. Where a gate is shut the factor is exp(beta s), so that all
  // scores
  // of a list have one scale; the paper's raw s would mix two.
  kDualDynamicInvertedSoftmax,
  // b = -tau log u(x), with u the item potentials of Sinkhorn's algorithm on
  // exp((s - 1) / tau) between items and the query bank. Dual Bank Sinkhorn
  // Normalization, arXiv 2508.02538, with a single bank.
  kSinkhorn,
  // The same with the item bank's vectors beside the items.
  kDualSinkhorn,
  // From the neighbourhoods of query and item: rescoring.h. That of an item is
  // among the bank or, without one, among the items. Rescore candidates.
  kMutualProximity,
  kLocalScaling,
  kNicdm,
};

// Every method, in the order above.
const std::vector<NormalizerMethod>& AllNormalizerMethods();
// "inverted_softmax" and so on.
absl::string_view NameOf(NormalizerMethod method);
absl::StatusOr<NormalizerMethod> MethodOfName(absl::string_view name);

struct NormalizerSpec {
  NormalizerMethod method = NormalizerMethod::kInvertedSoftmax;
  // Inverse temperatures, for raw cosines: scores that a model has already
  // multiplied by a scale want it divided by that scale.
  double beta = 20;
  double gallery_beta = 3;
  double alpha = 0.5;
  // Neighbours; more than a bank has means all of it.
  uint32_t k = 10;
  // Nearest items of each bank vector that open a gate.
  uint32_t gate_k = 1;
  double tau = 0.01;
  uint32_t iterations = 10;
  // Of methods that rescore: how many of the best by raw score.
  uint32_t candidates = 100;

  friend bool operator==(const NormalizerSpec&,
                         const NormalizerSpec&) = default;
};

inline constexpr double kBetaMax = 1e6;
inline constexpr double kTauMin = 1e-6;
inline constexpr double kTauMax = 1e6;
inline constexpr uint32_t kNeighborsMax = 4096;
inline constexpr uint32_t kGateNeighborsMax = 64;
inline constexpr uint32_t kSinkhornIterationsMax = 1000;
inline constexpr double kAlphaMax = 100;
inline constexpr uint32_t kRescoredMax = 1000;

// With the method's usual parameters.
NormalizerSpec DefaultSpec(NormalizerMethod method);

// kInvalidArgument naming the field and its limits. Parameters that the method
// does not read are not looked at.
absl::Status ValidateSpec(const NormalizerSpec& spec);

// Ranks by s - b: can be applied inside a search. Others rescore what a search
// by raw scores found.
bool IsAdditive(NormalizerMethod method);
// Has gates.
bool IsDynamic(NormalizerMethod method);
// Needs vectors like the queries; like the items.
bool NeedsQueryBank(NormalizerMethod method);
bool NeedsGalleryBank(NormalizerMethod method);

// "inverted_softmax(beta=20)".
std::string Describe(const NormalizerSpec& spec);

}  // namespace sextant
