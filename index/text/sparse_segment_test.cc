// SPDX-License-Identifier: Apache-2.0
#include "index/text/sparse_segment.h"

#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/check.h"
#include "base/status_matchers.h"
#include "index/text/sparse_index_builder.h"
#include "index/text/text_merger.h"
#include "tests/support/test_seed.h"

namespace sextant {
namespace {

using ::testing::HasSubstr;
using Vector = std::vector<SparseEntry>;

class SparseSegmentTest : public testing::Test {
 protected:
  Vector RandomVector(uint32_t longest, bool negative) {
    std::map<uint32_t, float> entries;
    for (auto n = random_() % (longest + 1); n > 0; --n) {
      const double u = static_cast<double>(random_() >> 11U) * 0x1p-53;
      float weight = 0.25F * static_cast<float>(1 + random_() % 16);
      if (negative && random_() % 3 == 0) {
        weight = -weight;
      }
      // Low indexes are frequent; a few are very large.
      entries[random_() % 50 == 0 ? 4'000'000'000U
                                  : static_cast<uint32_t>(u * u * u * 80)] =
          weight;
    }
    Vector vector;
    for (const auto& [index, weight] : entries) {
      vector.push_back({index, weight});
    }
    return vector;
  }

  static std::shared_ptr<const SparseIndex> Build(
      const std::vector<Vector>& vectors) {
    struct Owned {
      std::string bytes;
      SparseIndex index;
    };
    SparseIndexBuilder builder;
    for (Ordinal row = 0; row < vectors.size(); ++row) {
      CHECK(builder.Add(row, vectors[row]).ok());
    }
    auto owned = std::make_shared<Owned>();
    const auto rows = static_cast<uint32_t>(vectors.size());
    owned->bytes = *std::move(builder).Finish(rows);
    auto index = SparseIndex::Open(owned->bytes, rows);
    CHECK(index.ok()) << index.status().message();
    owned->index = *index;
    return std::shared_ptr<const SparseIndex>(owned, &owned->index);
  }

  // Products summed in the order of indexes; null where none is shared.
  static const float* Product(const Vector& a, const Vector& b, float* sum) {
    bool shared = false;
    *sum = 0;
    for (const SparseEntry& x : a) {
      for (const SparseEntry& y : b) {
        if (x.index == y.index) {
          *sum += x.weight * y.weight;
          shared = true;
        }
      }
    }
    return shared ? sum : nullptr;
  }

  void Check(const SparseParts& parts, const std::vector<Vector>& vectors,
             const Vector& query) {
    std::vector<Ordinal> dead_rows;
    for (Ordinal row = 0; row < vectors.size();
         row += 1 + static_cast<Ordinal>(random_() % 9)) {
      dead_rows.push_back(row);
    }
    const RowSet dead =
        RowSet().With(dead_rows, static_cast<uint32_t>(vectors.size()));
    TopK expected(10);
    std::vector<float> products;
    for (Ordinal row = 0; row < vectors.size(); ++row) {
      float sum = 0;
      if (Product(query, vectors[row], &sum) != nullptr &&
          !dead.Contains(row)) {
        expected.Offer(sum, row);
      }
      products.push_back(sum);
    }
    const auto wanted = expected.TakeSorted();
    for (const bool prune : {false, true}) {
      TopK top(10);
      ASSERT_TRUE(SearchSparse(parts, query, RowFilter(dead), {.prune = prune},
                               RequestContext(), top)
                      .ok());
      const auto found = top.TakeSorted();
      ASSERT_EQ(found.size(), wanted.size());
      for (size_t i = 0; i < found.size(); ++i) {
        ASSERT_EQ(found[i].row, wanted[i].row) << prune;
        ASSERT_EQ(found[i].score, wanted[i].score) << prune;
      }
    }
    std::vector<Ordinal> rows(vectors.size());
    std::iota(rows.begin(), rows.end(), 0);
    const auto scores = ScoreSparse(parts, query, rows, RequestContext());
    ASSERT_TRUE(scores.ok());
    EXPECT_EQ(*scores, products);
    const auto row = static_cast<Ordinal>(random_() % vectors.size());
    const auto explained = ExplainSparse(parts, query, row, RequestContext());
    ASSERT_TRUE(explained.ok());
    float sum = 0;
    for (const SparseProduct& product : *explained) {
      EXPECT_EQ(product.score, product.query_weight * product.weight);
      sum += product.score;
    }
    EXPECT_EQ(sum, products[row]);
  }

  std::mt19937_64 random_{test::TestSeed()};
};

TEST_F(SparseSegmentTest, FindsWhatAllProductsFind) {
  for (const bool negative : {false, true}) {
    std::vector<Vector> vectors;
    GrowingSparse growing;
    for (int row = 0; row < 3000; ++row) {
      vectors.push_back(RandomVector(12, negative));
      ASSERT_TRUE(growing.Append(vectors.back()).ok());
    }
    ASSERT_EQ(growing.rows(), 3000);
    const SparseParts sealed = SealedSparseParts(Build(vectors));
    for (int i = 0; i < 40; ++i) {
      const Vector query = RandomVector(8, negative);
      Check(sealed, vectors, query);
      Check(growing.View(), vectors, query);
    }
  }
}

TEST_F(SparseSegmentTest, AMergeIsWhatABuildOfTheLiveRowsMakes) {
  std::vector<Vector> vectors;
  GrowingSparse growing;
  for (int row = 0; row < 700; ++row) {
    vectors.push_back(RandomVector(12, true));
    ASSERT_TRUE(growing.Append(vectors.back()).ok());
  }
  const auto parts = FreezeSparseParts(growing.View());
  ASSERT_TRUE(parts.ok());
  std::vector<std::vector<Ordinal>> new_rows;
  std::vector<Vector> kept;
  for (const SparsePart& part : *parts) {
    std::vector<Ordinal>& rows = new_rows.emplace_back();
    for (Ordinal row = 0; row < part.rows; ++row) {
      const bool dropped = row % 5 == 1;
      rows.push_back(dropped ? kDroppedRow : static_cast<Ordinal>(kept.size()));
      if (!dropped) {
        kept.push_back(vectors[part.first_row + row]);
      }
    }
  }
  std::vector<SparseMergeSource> sources;
  for (size_t i = 0; i < parts->size(); ++i) {
    sources.push_back({(*parts)[i].index.get(), new_rows[i]});
  }
  const auto rows = static_cast<uint32_t>(kept.size());
  const auto merged = MergeSparseIndexes(sources, rows, RequestContext());
  ASSERT_TRUE(merged.ok());
  SparseIndexBuilder builder;
  for (Ordinal row = 0; row < rows; ++row) {
    ASSERT_TRUE(builder.Add(row, kept[row]).ok());
  }
  EXPECT_EQ(*merged, *std::move(builder).Finish(rows));
}

TEST_F(SparseSegmentTest, RefusesBadVectors) {
  struct Case {
    Vector vector;
    const char* message;
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Case cases[] = {
      {{{1, 1}, {2, nan}}, "f.weights[1]: must be a number"},
      {{{1, 1e16F}}, "f.weights[0]"},
      {{{1, -std::numeric_limits<float>::infinity()}}, "f.weights[0]"},
      {{{7, 1}, {1, 1}, {7, 2}}, "f: index 7 occurs twice"},
      {Vector(kSparseEntriesMax + 1), "at most 65536"},
  };
  for (const Case& c : cases) {
    Vector vector = c.vector;
    EXPECT_THAT(
        NormalizeSparse(vector, "f"),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.message)));
  }
  Vector vector = {{9, 1}, {3, 0}, {1, -2}};
  ASSERT_TRUE(NormalizeSparse(vector, "f").ok());
  EXPECT_EQ(vector, (Vector{{1, -2}, {9, 1}}));
}

// Whatever the bytes, they are refused or can be read.
TEST_F(SparseSegmentTest, DamageIsRefusedOrHarmless) {
  SparseIndexBuilder builder;
  for (Ordinal row = 0; row < 500; ++row) {
    ASSERT_TRUE(builder.Add(row, RandomVector(10, true)).ok());
  }
  const std::string good = *std::move(builder).Finish(500);
  for (size_t cut = 0; cut < good.size(); cut += 1 + random_() % 512) {
    EXPECT_THAT(SparseIndex::Open(good.substr(0, cut), 500),
                StatusIs(absl::StatusCode::kDataLoss));
  }
  int refused = 0;
  for (int round = 0; round < 1500; ++round) {
    std::string bytes = good;
    bytes[random_() % bytes.size()] = static_cast<char>(random_());
    const auto index = SparseIndex::Open(bytes, 500);
    refused += index.ok() ? 0 : 1;
    if (index.ok()) {
      TopK top(10);
      ASSERT_TRUE(
          SearchSparse(SealedSparseParts(std::make_shared<SparseIndex>(*index)),
                       RandomVector(10, true), RowFilter(RowSet()), {},
                       RequestContext(), top)
              .ok());
    }
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace sextant
