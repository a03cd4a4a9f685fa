// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <span>
#include <vector>

#include "absl/status/statusor.h"

#include "ranking/hubness/bank_pass.h"
#include "ranking/hubness/vector_rows.h"

namespace sextant {

// How vectors lie in their space: what makes hubs, and what searches suffer
// from.

// Local intrinsic dimension by maximum likelihood (Levina and Bickel, 2004;
// Amsaleg et al., KDD 2015): -1 / ((1/k) sum_i ln(r_i / r_k)) over the
// distances r to the k nearest others, the k-th with them. Zero distances are
// left out. Infinity if all are equal or none is left.
double LocalIntrinsicDimension(std::span<const double> distances);

// Its mean over the items, each among the k nearest of all; items for which it
// is infinite are left out, and counted.
struct IntrinsicDimension {
  double mean = 0;
  double median = 0;
  size_t left_out = 0;
};
// Of what LocalIntrinsicDimension says of each item.
IntrinsicDimension SummarizeDimensions(std::vector<double> dimensions);
absl::StatusOr<IntrinsicDimension> MeasureIntrinsicDimension(
    const VectorRows& items, size_t k, const PassRun& run);

// Mean of |a_i - b_i|^2 over pairs of unit vectors that should be near (Wang
// and Isola, ICML 2020). Lower is better; 0 without pairs.
double Alignment(const VectorRows& a, const VectorRows& b);

// Log of the mean over all pairs of different rows of exp(-2 |x - y|^2), same
// paper: lower is more even. 0 for fewer than two rows.
absl::StatusOr<double> Uniformity(const VectorRows& items, const PassRun& run);

// IsoScore (Rudman et al., Findings of ACL 2022): how evenly the variance is
// spread over the dimensions; 0: along one line, 1: everywhere. 0 where there
// is no variance, 1 for one dimension.
double IsoScore(const VectorRows& items);

// Mu and Viswanath (ICLR 2018): least over greatest Z(a) = sum_x exp(a x), a
// the unit eigenvectors of X^T X and, because their signs mean nothing, their
// negatives. 1: isotropic. 1 without items.
double PartitionIsotropy(const VectorRows& items);

}  // namespace sextant
