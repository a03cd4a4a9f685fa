// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace sextant {

// All rows of a vector file in memory.
struct Matrix {
  uint64_t rows = 0;
  uint64_t dimension = 0;
  std::vector<float> numbers;

  std::span<const float> Row(uint64_t row) const {
    return std::span(numbers).subspan(row * dimension, dimension);
  }
};

absl::StatusOr<Matrix> ReadMatrix(const std::string& path);

double Dot(std::span<const float> a, std::span<const float> b);
double Cosine(std::span<const float> a, std::span<const float> b);

// What is searched: ids and their vectors (by row number of a matrix).
struct ExactPoint {
  uint64_t id = 0;
  uint64_t row = 0;
};

// Recall of one answer, aware of ties: a returned id is right when its exact
// score is at least the exact k-th score minus 1e-6. Ids that are not among the
// points, and repeated ids, are wrong. k is the smaller of `k` and the number
// of points.
double TieAwareRecall(const Matrix& matrix,
                      const std::vector<ExactPoint>& points,
                      std::span<const float> query,
                      const std::vector<uint64_t>& answer, uint64_t k);

// The exact k-th best cosine of each of the first `count` queries; k is at most
// the number of points. Much faster than TieAwareRecall() where many answers
// are measured on many points.
std::vector<double> KthCosines(const Matrix& matrix,
                               const std::vector<ExactPoint>& points,
                               const Matrix& queries, uint64_t count,
                               uint64_t k);

}  // namespace sextant
