// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sextant {

// A folder with base.npy, queries.npy and gt_scores.npy (exact inner products
// of the best rows, best first); vectors have unit length.
struct AnnDataset {
  std::string name;  // of the folder
  uint32_t dimension = 0;
  uint32_t rows = 0;
  uint32_t queries = 0;
  std::vector<float> base;
  std::vector<float> query_vectors;
  // For each query, the exact score of the k-th best row.
  std::vector<float> kth_scores;
  // Of all of the above; names caches.
  uint64_t hash = 0;

  const float* row(uint64_t i) const { return base.data() + i * dimension; }
  const float* query(uint64_t i) const {
    return query_vectors.data() + i * dimension;
  }
};

// The first `max_rows` rows only if that is not 0; the exact scores are then
// computed here.
absl::StatusOr<AnnDataset> ReadAnnDataset(absl::string_view folder, uint32_t k,
                                          uint32_t max_rows);

// An inner product in doubles.
double ExactProduct(const float* a, const float* b, uint32_t dimension);

// Scores nearer than this are equally right.
inline constexpr double kScoreTie = 1e-6;

// The share of the k answers of a query that are right: their exact score is
// at least the exact k-th less kScoreTie (equal vectors are equally right).
double TieAwareRecall(const AnnDataset& dataset, uint32_t query,
                      const uint32_t* answers, uint32_t k);

}  // namespace sextant
