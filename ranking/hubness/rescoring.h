// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <span>

#include "absl/status/status.h"

#include "ranking/hubness/bank_pass.h"
#include "ranking/hubness/normalizer_spec.h"
#include "ranking/hubness/vector_rows.h"

namespace sextant {

// Corrections that no bias per item expresses: they rescore the candidates that
// a search of raw scores found, and can only rank those. Bigger is better in
// what they return, as everywhere.
//
// Distances are 1 - s for products (of unit vectors: half the square of the
// Euclidean distance) and the Euclidean distance for negative squares, never
// below 0.
double DistanceOf(float similarity, Similarity measure);

// The distances of a vector to its nearest others.
struct Neighborhood {
  double kth = 0;  // the farthest of the k
  double mean = 0;
  double deviation = 0;  // population standard deviation
};

// Of the first k of `distances`, which ascend; of all, if there are fewer. All
// 0 for none.
Neighborhood NeighborhoodOf(std::span<const double> distances, size_t k);

// Of every item within the items themselves, itself left out.
absl::Status NeighborhoodsOfItems(const VectorRows& items,
                                  Similarity similarity, size_t k,
                                  const PassRun& run,
                                  std::span<Neighborhood> out);
// Of every item within a bank.
absl::Status NeighborhoodsInBank(const VectorRows& items,
                                 const VectorRows& bank, Similarity similarity,
                                 size_t k, const PassRun& run,
                                 std::span<Neighborhood> out);

// Mutual proximity with independent Gaussians (Schnitzer et al., JMLR 2012):
// SF(d; q) SF(d; x), SF(d) = erfc((d - mean) / (deviation sqrt 2)) / 2; a step
// at the mean where the deviation is 0. In [0, 1].
double MutualProximity(double distance, const Neighborhood& query,
                       const Neighborhood& item);
// Local scaling (Zelnik-Manor and Perona, NIPS 2004): exp(-d^2 / (r_k(q)
// r_k(x))). In [0, 1].
double LocalScaling(double distance, const Neighborhood& query,
                    const Neighborhood& item);
// Non-iterative contextual dissimilarity measure (Jegou et al., 2010, as
// Schnitzer et al. use it): -d / sqrt(mean_k(q) mean_k(x)).
double Nicdm(double distance, const Neighborhood& query,
             const Neighborhood& item);
// Globally corrected score: s minus the rank, from 1, that s would have among
// the bank's scores of the item.
double GloballyCorrected(float score, std::span<const float> bank_scores);

// The same of every item, whose scores are `scores`.
absl::Status GloballyCorrectedOfItems(
    const VectorRows& items, const VectorRows& bank, Similarity similarity,
    std::span<const double> scores, const PassRun& run, std::span<double> out);

// Whether it is one of the three methods above that compare neighbourhoods.
bool UsesNeighborhoods(NormalizerMethod method);
// By such a method.
double ScoreByNeighborhoods(NormalizerMethod method, double distance,
                            const Neighborhood& query,
                            const Neighborhood& item);

}  // namespace sextant
