// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "ranking/hubness/bank_pass.h"
#include "ranking/hubness/vector_rows.h"

namespace sextant::test {

// Random unit vectors that share a direction, as real embeddings do: without
// one there would hardly be hubs.
struct TestVectors {
  TestVectors(size_t count, uint32_t width, uint64_t seed)
      : dimension(width), numbers(count * width) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal;
    for (size_t row = 0; row < count; ++row) {
      double squares = 0;
      for (uint32_t i = 0; i < dimension; ++i) {
        const double x = normal(random) + (i == 0 ? 1.5 : 0);
        numbers[row * dimension + i] = static_cast<float>(x);
        squares += x * x;
      }
      for (uint32_t i = 0; i < dimension; ++i) {
        numbers[row * dimension + i] /= static_cast<float>(std::sqrt(squares));
      }
    }
  }

  VectorRows rows() const {
    return {numbers.data(), numbers.size() / dimension, dimension, dimension};
  }

  uint32_t dimension;
  std::vector<float> numbers;
};

// In float64.
inline double ExactSimilarity(const float* a, const float* b, size_t dimension,
                              Similarity similarity) {
  double sum = 0;
  for (size_t i = 0; i < dimension; ++i) {
    const auto x = static_cast<double>(a[i]);
    const auto y = static_cast<double>(b[i]);
    sum += similarity == Similarity::kProduct ? x * y : -(x - y) * (x - y);
  }
  return sum;
}

inline std::vector<double> ExactRow(const VectorRows& bank, const float* item,
                                    Similarity similarity) {
  std::vector<double> row;
  for (size_t i = 0; i < bank.count; ++i) {
    row.push_back(
        ExactSimilarity(bank.row(i), item, bank.dimension, similarity));
  }
  return row;
}

inline double ExactLogSumExp(const std::vector<double>& row, double scale) {
  double most = -std::numeric_limits<double>::infinity();
  for (const double s : row) {
    most = std::max(most, scale * s);
  }
  double sum = 0;
  for (const double s : row) {
    sum += std::exp(scale * s - most);
  }
  return most + std::log(sum);
}

inline double ExactTopMean(std::vector<double> row, size_t k) {
  std::sort(row.rbegin(), row.rend());
  row.resize(std::min(k, row.size()));
  double sum = 0;
  for (const double s : row) {
    sum += s;
  }
  return sum / static_cast<double>(row.size());
}

inline const RequestContext& NoLimit() {
  static const RequestContext& context = *new RequestContext;
  return context;
}

}  // namespace sextant::test
