// SPDX-License-Identifier: Apache-2.0
#include "index/graph_builder.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/status_matchers.h"
#include "index/neighbour_selection.h"
#include "index/test_vectors.h"

#define NO_MANUAL_VECTORIZATION
#include "hnswlib/hnswlib.h"

namespace sextant {
namespace {

constexpr uint64_t kSeed = 20251125;
constexpr uint32_t kDimension = 24;
constexpr size_t kHits = 10;

// Clusters that lie in few dimensions, and others that fill all of them, one
// after another: local intrinsic dimensions differ as they do in real data.
TestVectors MixedVectors(uint32_t rows, uint32_t clusters, uint64_t seed) {
  // The same shapes for every seed, so that queries fit the rows.
  std::mt19937_64 shapes(kSeed);
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> centres(size_t{clusters} * kDimension);
  for (float& x : centres) {
    x = normal(shapes);
  }
  TestVectors result{kDimension, {}};
  std::vector<float> vector(kDimension);
  for (uint32_t row = 0; row < rows; ++row) {
    const auto cluster = static_cast<uint32_t>(uint64_t{row} * clusters / rows);
    const uint32_t filled = 2 + cluster * (kDimension - 2) / clusters;
    for (uint32_t i = 0; i < kDimension; ++i) {
      vector[i] = centres[size_t{cluster} * kDimension + i] +
                  (i < filled ? 0.5F : 0.02F) * normal(random);
    }
    result.Append(vector);
  }
  return result;
}

TestVectors InOrder(const TestVectors& vectors,
                    const std::vector<uint32_t>& order) {
  TestVectors result{vectors.dimension, {}};
  for (const uint32_t row : order) {
    result.Append(vectors.row(row));
  }
  return result;
}

// A built index and its bytes.
struct Index {
  BuiltVectorIndex bytes;
  std::unique_ptr<VectorIndex> index;
};

// Opened without its codes: these tests are about the graph.
Index MustBuild(const VectorIndexInput& input) {
  absl::StatusOr<BuiltVectorIndex> built =
      BuildVectorIndex(input, nullptr, RequestContext(), nullptr);
  EXPECT_OK(built);
  Index result{*std::move(built), nullptr};
  VectorIndexBytes bytes = result.bytes.view();
  bytes.codes = {};
  auto index =
      VectorIndex::Open(input.shape, input.rows.back().ordinal + 1, bytes);
  EXPECT_OK(index);
  result.index = *std::move(index);
  return result;
}

double Recall(const TestVectors& vectors, const TestVectors& queries,
              uint32_t ef) {
  const Index built =
      MustBuild(TestInput({Metric::kL2, vectors.dimension}, vectors));
  return SearchRecall(*built.index, queries, {.ef = ef}, RowSet());
}

// Maximum-likelihood estimate of the intrinsic dimension around each row, from
// its 20 nearest (Levina and Bickel 2004).
std::vector<double> IntrinsicDimensions(const TestVectors& vectors) {
  constexpr size_t kNear = 20;
  std::vector<double> result;
  std::vector<double> squared(vectors.rows());
  for (uint32_t row = 0; row < vectors.rows(); ++row) {
    for (uint32_t other = 0; other < vectors.rows(); ++other) {
      squared[other] = -static_cast<double>(
          TestScore(Metric::kL2, vectors.row(row), vectors.row(other)));
    }
    squared[row] = std::numeric_limits<double>::infinity();
    std::nth_element(squared.begin(), squared.begin() + (kNear - 1),
                     squared.end());
    double sum = 0;
    for (size_t i = 0; i < kNear; ++i) {
      sum += 0.5 * std::log(squared[i] / squared[kNear - 1]);
    }
    result.push_back(-static_cast<double>(kNear) / sum);
  }
  return result;
}

// The order in which rows come in must not matter: not that of their clusters,
// nor that of their intrinsic dimension (which costs HNSWlib several points of
// recall, arXiv 2405.17813).
TEST(GraphBuilderTest, OrderOfTheInputCostsNoRecall) {
  constexpr uint32_t kEf = 16;
  const TestVectors sorted = MixedVectors(4000, 100, kSeed + 1);
  const TestVectors queries = MixedVectors(400, 100, kSeed + 2);
  std::vector<uint32_t> order(sorted.rows());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::shuffle(order, std::mt19937_64(kSeed));
  const double shuffled = Recall(InOrder(sorted, order), queries, kEf);
  EXPECT_GT(shuffled, 0.85) << "seed " << kSeed;
  // Less than chance moves it: of 4,000 hits.
  constexpr double kNoise = 0.015;
  const auto expect_no_loss = [&](const std::vector<uint32_t>& other,
                                  absl::string_view name) {
    EXPECT_GT(Recall(InOrder(sorted, other), queries, kEf), shuffled - kNoise)
        << name << " seed " << kSeed;
  };
  std::ranges::sort(order);
  expect_no_loss(order, "cluster after cluster");
  std::ranges::reverse(order);
  expect_no_loss(order, "reversed");
  std::ranges::sort(order, {},
                    [&sorted](uint32_t row) { return sorted.row(row)[0]; });
  expect_no_loss(order, "sorted by a number");
  const std::vector<double> dimensions = IntrinsicDimensions(sorted);
  std::ranges::sort(order, {},
                    [&dimensions](uint32_t row) { return dimensions[row]; });
  expect_no_loss(order, "ascending intrinsic dimension");
  std::ranges::reverse(order);
  expect_no_loss(order, "descending intrinsic dimension");
}

// HNSWlib's own recall with the same parameters, rows in the same order.
double HnswlibRecall(const TestVectors& vectors, const TestVectors& queries,
                     uint32_t ef) {
  hnswlib::L2Space space(vectors.dimension);
  const GraphParameters parameters;
  hnswlib::HierarchicalNSW<float> graph(&space, vectors.rows(), parameters.m,
                                        parameters.ef_construction);
  for (uint32_t row = 0; row < vectors.rows(); ++row) {
    graph.addPoint(vectors.row(row).data(), row);
  }
  graph.setEf(ef);
  const Index exact =
      MustBuild(TestInput({Metric::kL2, vectors.dimension}, vectors));
  return TieAwareRecall(
      *exact.index, queries, kHits, RowSet(),
      [&](std::span<const float> query, TopK& top) {
        auto found = graph.searchKnn(query.data(), kHits);
        for (; !found.empty(); found.pop()) {
          const auto row = static_cast<uint32_t>(found.top().second);
          top.Offer(TestScore(Metric::kL2, query, vectors.row(row)), row);
        }
      });
}

TEST(GraphBuilderTest, FindsNoLessThanHnswlib) {
  for (const uint32_t ef : {10U, 20U, 40U}) {
    const TestVectors vectors = MixedVectors(4000, 10, kSeed + 3);
    const TestVectors queries = MixedVectors(400, 10, kSeed + 4);
    std::vector<uint32_t> order(vectors.rows());
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::shuffle(order, std::mt19937_64(kSeed));
    const TestVectors shuffled = InOrder(vectors, order);
    EXPECT_GT(Recall(shuffled, queries, ef),
              HnswlibRecall(shuffled, queries, ef) - 0.01)
        << "ef " << ef << " seed " << kSeed;
  }
}

// Ten merges that each replace a tenth of the rows, against a graph of the last
// rows made at once.
TEST(GraphBuilderTest, ManyGenerationsFindWhatAFreshGraphFinds) {
  constexpr uint32_t kRows = 3000;
  constexpr uint32_t kGenerations = 10;
  constexpr uint32_t kEf = 16;
  std::vector<uint32_t> order(2 * kRows);
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::shuffle(order, std::mt19937_64(kSeed));
  const TestVectors all =
      InOrder(MixedVectors(2 * kRows, 200, kSeed + 5), order);
  const TestVectors queries = MixedVectors(400, 200, kSeed + 6);
  const auto input = [&](uint32_t first, const VectorIndex* base) {
    VectorIndexInput result;
    result.shape = {Metric::kL2, all.dimension};
    result.min_graph_rows = 0;
    result.base = base;
    for (uint32_t row = first; row < first + kRows; ++row) {
      result.rows.push_back({all.row(row).data(), row});
    }
    return result;
  };
  Index merged = MustBuild(input(0, nullptr));
  for (uint32_t generation = 1; generation <= kGenerations; ++generation) {
    Index next =
        MustBuild(input(generation * kRows / kGenerations, merged.index.get()));
    merged = std::move(next);
  }
  const Index fresh = MustBuild(input(kRows, nullptr));
  constexpr double kNoise = 0.015;  // as above
  EXPECT_GT(SearchRecall(*merged.index, queries, {.ef = kEf}, RowSet()),
            SearchRecall(*fresh.index, queries, {.ef = kEf}, RowSet()) - kNoise)
      << "seed " << kSeed;
}

// Groups of rows that differ by less than a step of the codes.
TEST(GraphBuilderTest, RowsThatCodesCannotTellApartAreFound) {
  const VectorShape shape{Metric::kL2, kDimension};
  const TestVectors vectors = ClusteredVectors(shape, 3000, 300, kSeed, 1e-4F);
  // A few groups lie out of the way of a beam of this width.
  EXPECT_GT(Recall(vectors, vectors, 100), 0.96) << "seed " << kSeed;
}

TEST(NeighbourSelectorTest, KeepsWhatTheRuleKeeps) {
  const VectorShape shape{Metric::kL2, kDimension};
  constexpr uint32_t kStride = 32;
  constexpr uint32_t kRows = 200;
  const TestVectors vectors = ClusteredVectors(shape, kRows, 4, kSeed);
  std::vector<float> padded(size_t{kRows} * kStride, 0);
  for (uint32_t row = 0; row < kRows; ++row) {
    std::ranges::copy(vectors.row(row), &padded[size_t{row} * kStride]);
  }
  const NodeDistances distances(shape, padded.data(), nullptr);
  const auto distance = [&vectors](uint32_t a, uint32_t b) {
    return -TestScore(Metric::kL2, vectors.row(a), vectors.row(b));
  };
  NeighbourSelector selector;
  for (uint32_t node = 0; node < kRows; node += 7) {
    std::vector<BeamNode> candidates;
    for (uint32_t row = 0; row < kRows; ++row) {
      if (row != node) {
        candidates.push_back({distance(node, row), row});
      }
    }
    std::ranges::sort(candidates, {}, &BeamNode::distance);
    for (const uint32_t count : {1U, 5U, 32U}) {
      std::vector<uint32_t> expected;
      for (const BeamNode& candidate : candidates) {
        if (expected.size() < count &&
            std::ranges::none_of(expected, [&](uint32_t kept) {
              return distance(kept, candidate.node) < candidate.distance;
            })) {
          expected.push_back(candidate.node);
        }
      }
      const auto kept = selector.Select(distances, candidates, count);
      EXPECT_TRUE(std::ranges::equal(kept, expected))
          << "node " << node << " count " << count << " seed " << kSeed;
    }
  }
}

}  // namespace
}  // namespace sextant
