// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "index/distance.h"
#include "index/vector_index.h"
#include "index/vector_index_builder.h"

namespace sextant {

// For tests only: generated vectors and exact answers.

// Rows of `dimension` numbers, back to back.
struct TestVectors {
  uint32_t dimension = 0;
  std::vector<float> numbers;

  uint32_t rows() const {
    return static_cast<uint32_t>(numbers.size() / dimension);
  }
  std::span<const float> row(uint32_t row) const {
    return {numbers.data() + size_t{row} * dimension, dimension};
  }
  void Append(std::span<const float> vector) {
    numbers.insert(numbers.end(), vector.begin(), vector.end());
  }
};

// Rows around random centres, cluster after cluster: what real embeddings look
// like when they come in sorted. The wider they spread, the harder for a graph.
// Unit length if the metric is kCosine.
inline TestVectors ClusteredVectors(VectorShape shape, uint32_t rows,
                                    uint32_t clusters, uint64_t seed,
                                    float spread = 0.6F) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> centres(size_t{clusters} * shape.dimension);
  for (float& x : centres) {
    x = normal(random);
  }
  TestVectors result{shape.dimension, {}};
  std::vector<float> vector(shape.dimension);
  for (uint32_t row = 0; row < rows; ++row) {
    const uint64_t cluster = uint64_t{row} * clusters / rows;
    for (uint32_t i = 0; i < shape.dimension; ++i) {
      vector[i] =
          centres[cluster * shape.dimension + i] + spread * normal(random);
    }
    if (shape.metric == Metric::kCosine) {
      Normalize(vector);
    }
    result.Append(vector);
  }
  return result;
}

// The score that the index must give, in the same arithmetic.
inline float TestScore(Metric metric, std::span<const float> a,
                       std::span<const float> b) {
  return metric == Metric::kL2
             ? -Kernels().squared_l2(a.data(), b.data(), a.size())
             : Kernels().inner_product(a.data(), b.data(), a.size());
}

// Input with row i as ordinal i.
inline VectorIndexInput TestInput(VectorShape shape,
                                  const TestVectors& vectors) {
  VectorIndexInput input;
  input.shape = shape;
  input.min_graph_rows = 0;
  for (uint32_t row = 0; row < vectors.rows(); ++row) {
    input.rows.push_back({vectors.row(row).data(), row});
  }
  return input;
}

// Mean share of the k answers that are at least as good, less 1e-6, as the
// exact k-th: equal vectors are equally right. `search(query, top)` answers.
template <typename Search>
double TieAwareRecall(const VectorIndex& index, const TestVectors& queries,
                      size_t k, const RowSet& dead, Search search) {
  double sum = 0;
  const RequestContext context;
  for (uint32_t i = 0; i < queries.rows(); ++i) {
    SearchWork work;
    TopK exact(k);
    (void)index.Scan(queries.row(i), dead, context, exact, work);
    const std::vector<ScoredRow> truth = exact.TakeSorted();
    TopK top(k);
    search(queries.row(i), top);
    size_t right = 0;
    for (const ScoredRow& hit : top.TakeSorted()) {
      right += hit.score >= truth.back().score - 1e-6F ? 1U : 0U;
    }
    sum += static_cast<double>(right) / static_cast<double>(truth.size());
  }
  return sum / queries.rows();
}

// The same for a search with beam width `ef`.
inline double SearchRecall(const VectorIndex& index, const TestVectors& queries,
                           const SearchEffort& effort, const RowSet& dead) {
  const RequestContext context;
  return TieAwareRecall(
      index, queries, 10, dead, [&](std::span<const float> query, TopK& top) {
        SearchWork work;
        (void)index.Search(query, effort, dead, context, top, work);
      });
}

}  // namespace sextant
