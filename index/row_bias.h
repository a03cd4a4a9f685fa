// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

namespace sextant {

// What is taken off the score of each row: a search then ranks by s(q, x) -
// b(x), where b says how near x is to all queries for no good reason (hubness).
// Equal rows have equal biases. A view, by row of the index that is searched;
// none: all 0.
struct RowBias {
  const float* by_row = nullptr;

  bool is_set() const { return by_row != nullptr; }
  // Turns scores, as distances of this sign, into corrected ones.
  void Correct(std::span<const uint32_t> rows, float sign,
               float* distances) const {
    if (by_row == nullptr) {
      return;
    }
    for (size_t i = 0; i < rows.size(); ++i) {
      distances[i] -= sign * by_row[rows[i]];
    }
  }
};

// What a vector index is asked for: rows near to a vector, by corrected scores
// if there is a bias. A view.
struct VectorQuery {
  // NOLINTBEGIN(google-explicit-constructor): most queries are a vector alone
  template <typename Numbers>
  requires std::convertible_to<const Numbers&, std::span<const float>>
  VectorQuery(const Numbers& numbers) : vector(numbers) {}
  // NOLINTEND(google-explicit-constructor): as above
  VectorQuery(std::span<const float> numbers, const RowBias& row_bias)
      : vector(numbers), bias(row_bias) {}

  std::span<const float> vector;
  RowBias bias;
};

}  // namespace sextant
