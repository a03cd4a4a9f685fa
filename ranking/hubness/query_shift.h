// SPDX-License-Identifier: Apache-2.0
//
// Whether queries still are like the bank that stands for them.

#pragma once

#include <cstddef>

#include "absl/status/statusor.h"

#include "ranking/hubness/bank_pass.h"
#include "ranking/hubness/vector_rows.h"

namespace sextant {

// Compares how near queries are to a bank with how near its own rows are to
// each other: were the queries drawn as the bank was, the similarity to the
// nearest row would have the same distribution for both. Both samples of
// nearest similarities are compared by the one-sided Kolmogorov-Smirnov test
// (univariate tests of a representation: Rabanser, Guennemann and Lipton,
// "Failing Loudly", NeurIPS 2019; nearest neighbours as what shows that a
// vector is out of distribution: Sun et al., ICML 2022).
struct QueryShift {
  // Queries that were compared, and rows of the bank.
  size_t queries = 0;
  size_t bank_rows = 0;
  // Means of the similarity to the nearest row: of queries, and of rows to
  // another row.
  double query_similarity = 0;
  double bank_similarity = 0;
  // sup_x F_queries(x) - F_bank(x), 0 to 1: by how much more queries than rows
  // of the bank lie below some similarity.
  double distance = 0;
  // What `distance` exceeds by chance once in a thousand times.
  double critical = 0;

  // Below it a shift is of no interest, however sure it is.
  static constexpr double kNotable = 0.2;

  bool is_shifted() const { return distance > critical && distance > kNotable; }
};

// Of few queries nothing can be said, nor of a bank of few rows.
inline constexpr size_t kShiftQueriesMin = 50;
inline constexpr size_t kShiftBankRowsMin = 50;
// Of larger banks so many rows are looked at, evenly spaced, and so many of
// them compared with the others.
inline constexpr size_t kShiftBankRowsMax = 10'000;
inline constexpr size_t kShiftReferencesMax = 500;

// kFailedPrecondition with fewer than the least of either; the context's error.
absl::StatusOr<QueryShift> MeasureQueryShift(const VectorRows& bank,
                                             const VectorRows& queries,
                                             Similarity similarity,
                                             const PassRun& run);

}  // namespace sextant
