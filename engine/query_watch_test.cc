// SPDX-License-Identifier: Apache-2.0
//
// Sampled queries of a collection: opt-in, stored, made into a bank, and
// compared with one.

#include "engine/query_watch.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/errors.h"
#include "base/status_matchers.h"
#include "engine/engine_fixture.h"
#include "engine/limits.h"
#include "engine/normalizer.h"
#include "engine/normalizer_catalog.h"
#include "engine/query_sampler.h"

namespace sextant {
namespace {

using test::DenseQuery;
using test::OneFieldSchema;
using test::SeededPoints;
using test::SeededVector;
using test::Unlimited;
using ::testing::SizeIs;

constexpr uint32_t kTestDimension = 16;

class QueryWatchTest : public test::DatabaseFixture {
 protected:
  void SetUp() override {
    Open();
    docs_ = Create("docs", OneFieldSchema(kTestDimension));
    ASSERT_OK(docs_->Upsert(SeededPoints(0, 300, kTestDimension), Unlimited()));
  }

  // About one direction, or about the opposite one.
  static std::vector<float> Asked(uint64_t seed, float pull) {
    std::vector<float> vector = SeededVector(9000 + seed, kTestDimension);
    vector[0] += pull;
    return vector;
  }

  void Ask(uint64_t first, uint64_t count, float pull) {
    for (uint64_t i = first; i < first + count; ++i) {
      ASSERT_OK(
          docs_->Search(DenseQuery(Asked(i, pull), 3), Unlimited()).status());
    }
  }

  QuerySampler& Queries() {
    auto queries = docs_->queries();
    EXPECT_OK(queries);
    return **queries;
  }
  NormalizerCatalog& Normalizers() {
    auto catalog = docs_->normalizers();
    EXPECT_OK(catalog);
    return **catalog;
  }
  QueryWatch& Watch() {
    auto watch = docs_->query_watch();
    EXPECT_OK(watch);
    return **watch;
  }

  void PutNormalizer(const std::string& name, const std::string& bank) {
    ASSERT_OK_AND_ASSIGN(storage::NormalizerRecord record,
                         UsualNormalizer("csls"));
    record.set_name(name);
    record.set_query_bank(bank);
    ASSERT_OK(Normalizers().PutNormalizer(record, Unlimited()));
  }

  std::shared_ptr<Collection> docs_;
};

TEST_F(QueryWatchTest, NothingIsKeptUntilItIsAskedFor) {
  Ask(0, 20, 0);
  EXPECT_THAT(Queries().List(), SizeIs(0));
  EXPECT_EQ(Queries().Vectors("").status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Queries().Clear("").status().code(),
            absl::StatusCode::kFailedPrecondition);
  ASSERT_OK(Queries().Start("", 50, 1));
  Ask(0, 20, 0);
  // Those of stored points are not the client's vectors.
  SearchQuery by_point = DenseQuery({}, 3);
  std::get<DenseSource>(by_point.sources[0]).target = PointId(uint64_t{7});
  ASSERT_OK(docs_->Search(by_point, Unlimited()).status());
  const std::vector<SearchQuery> batch = {DenseQuery(Asked(77, 0), 3)};
  ASSERT_OK(docs_->SearchBatch(batch, Unlimited())[0].status());
  ASSERT_THAT(Queries().List(), SizeIs(1));
  EXPECT_EQ(Queries().List()[0].seen, 21U);
  ASSERT_OK_AND_ASSIGN(const auto vectors, Queries().Vectors("embedding"));
  ASSERT_THAT(vectors, SizeIs(21));
  double square = 0;
  for (const float x : vectors[20]) {
    square += static_cast<double>(x) * static_cast<double>(x);
  }
  EXPECT_NEAR(square, 1, 1e-5);
  ASSERT_OK(Queries().Clear(""));
  EXPECT_EQ(Queries().List()[0].kept, 0U);
  ASSERT_OK(Queries().Start("", 0, 0));
  EXPECT_THAT(Queries().List(), SizeIs(0));
}

TEST_F(QueryWatchTest, SurvivesARestartAndBecomesABank) {
  ASSERT_OK(Queries().Start("", 60, 3));
  Ask(0, 500, 1);
  ASSERT_OK_AND_ASSIGN(const auto before, Queries().Vectors(""));
  docs_.reset();
  Reopen();
  docs_ = Find("docs");
  ASSERT_THAT(Queries().List(), SizeIs(1));
  EXPECT_EQ(Queries().List()[0].seen, 500U);
  ASSERT_OK_AND_ASSIGN(const auto vectors, Queries().Vectors(""));
  EXPECT_EQ(vectors, before);
  ASSERT_OK_AND_ASSIGN(
      const storage::BankRecord bank,
      Normalizers().PutBank({"asked", "", false, vectors}, Unlimited()));
  EXPECT_EQ(bank.rows(), 60U);
  // A kill loses what was not stored yet, and nothing else.
  Ask(500, 100, 1);
  docs_.reset();
  ReopenWithoutClose();
  docs_ = Find("docs");
  EXPECT_EQ(Queries().List()[0].seen, 500U);
  ASSERT_OK(Queries().Start("", 0, 0));
  docs_.reset();
  Reopen();
  docs_ = Find("docs");
  EXPECT_THAT(Queries().List(), SizeIs(0));
}

TEST_F(QueryWatchTest, WarnsOfQueriesThatAreNotLikeTheBank) {
  ASSERT_OK(Queries().Start("", 400, 3));
  Ask(0, 400, 3);
  ASSERT_OK_AND_ASSIGN(const auto vectors, Queries().Vectors(""));
  ASSERT_OK(Normalizers().PutBank({"asked", "", false, vectors}, Unlimited()));
  PutNormalizer("csls", "asked");
  const MonotonicTime start = std::chrono::steady_clock::now();
  Ask(1000, 256, 3);
  Watch().Measure(start, Unlimited());
  ASSERT_TRUE(Watch().ShiftOf("csls").has_value());
  EXPECT_FALSE(Watch().ShiftOf("csls")->is_shifted());
  EXPECT_EQ(events_.CountOf("are not like bank"), 0U);

  Ask(2000, 256 * 16, -3);
  Watch().Measure(start, Unlimited());
  ASSERT_TRUE(Watch().ShiftOf("csls").has_value());
  EXPECT_TRUE(Watch().ShiftOf("csls")->is_shifted());
  EXPECT_EQ(docs_->Info().query_shifts.size(), 1U);
  EXPECT_EQ(events_.CountOf("queries are not like bank 'asked'"), 1U);
  // Once an hour.
  Watch().Measure(start + std::chrono::minutes(59), Unlimited());
  EXPECT_EQ(events_.CountOf("are not like bank"), 1U);
  Watch().Measure(start + std::chrono::minutes(61), Unlimited());
  EXPECT_EQ(events_.CountOf("are not like bank"), 2U);
  // Nothing is said any more when queries are not sampled any more.
  ASSERT_OK(Queries().Start("", 0, 0));
  Watch().Measure(start, Unlimited());
  EXPECT_FALSE(Watch().ShiftOf("csls").has_value());
}

TEST_F(QueryWatchTest, BadRequestsAreNamed) {
  EXPECT_EQ(InvalidFieldPath(Queries().Start("other", 1, 1).status()), "field");
  EXPECT_EQ(InvalidFieldPath(
                Queries().Start("", limits::kQuerySampleMax + 1, 1).status()),
            "capacity");
  docs_ = Create("wide", OneFieldSchema(4096));
  EXPECT_EQ(InvalidFieldPath(Queries().Start("", 5000, 1).status()),
            "capacity");
}

}  // namespace
}  // namespace sextant
