// SPDX-License-Identifier: Apache-2.0
// Hubness of a collection against float64 by brute force.
#include "engine/diagnose_hubness.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "engine/engine_fixture.h"
#include "engine/exact_cosine.h"
#include "engine/normalizer_catalog.h"

namespace sextant {
namespace {

using testing::HasSubstr;
using Numbers = std::vector<float>;

constexpr uint32_t kTestDimension = 16;

class DiagnoseHubnessTest : public test::DatabaseFixture {
 protected:
  // Points of three segments, one of them growing, some deleted.
  void Fill(uint64_t count, Metric metric = Metric::kCosine) {
    Open();
    metric_ = metric;
    collection_ = Create("docs", test::OneFieldSchema(kTestDimension, metric));
    Upsert(0, count / 2);
    ASSERT_OK(collection_->SealAndWait(test::Unlimited()));
    Upsert(count / 2, count - count / 2);
    for (uint64_t id = 3; id < count; id += 11) {
      const std::vector<PointId> ids = {id};
      ASSERT_OK(collection_->Delete(ids, test::Unlimited()));
      model_.erase(id);
    }
  }
  void Upsert(uint64_t first, uint64_t count) {
    std::vector<Point> points;
    for (uint64_t id = first; id < first + count; ++id) {
      model_[id] = Vector();
      points.push_back(test::MakePoint(id, model_[id]));
    }
    ASSERT_OK(collection_->Upsert(std::move(points), test::Unlimited()));
  }
  Numbers Vector() {
    Numbers vector = test::SeededVector(random_(), kTestDimension);
    vector[0] += 1.5F;
    return vector;
  }

  absl::StatusOr<HubnessDiagnosis> Diagnose(const DiagnoseQuery& query) {
    auto pinned = collection_->Pin();
    EXPECT_OK(pinned.status());
    return DiagnoseCollection(
        *pinned, query,
        [this](const WorkProgress& at) {
          stages_.insert(std::string(at.stage));
        },
        test::Unlimited());
  }

  double Score(const Numbers& a, const Numbers& b) const {
    if (metric_ != Metric::kL2) {
      return test::ExactCosine(a, b);
    }
    double squares = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      const double difference =
          static_cast<double>(a[i]) - static_cast<double>(b[i]);
      squares += difference * difference;
    }
    return -squares;
  }

  // All but `self`, best first: scores less biases, and ids.
  using Ranked = std::vector<std::pair<double, uint64_t>>;
  Ranked Rank(uint64_t self, const Numbers& query,
              const std::map<uint64_t, double>& bias) const {
    Ranked scores;
    for (const auto& [id, vector] : model_) {
      if (id != self) {
        const auto off = bias.find(id);
        scores.emplace_back(
            Score(query, vector) - (off == bias.end() ? 0 : off->second), id);
      }
    }
    std::sort(scores.rbegin(), scores.rend());
    return scores;
  }
  std::map<uint64_t, uint32_t> NoCounts() const {
    std::map<uint64_t, uint32_t> counts;
    for (const auto& [id, vector] : model_) {
      counts[id] = 0;
    }
    return counts;
  }
  // N by id: `asked` have their k best counted, without `self`.
  template <typename Asked>
  std::map<uint64_t, uint32_t> Count(
      const Asked& asked, size_t k,
      const std::map<uint64_t, double>& bias) const {
    std::map<uint64_t, uint32_t> counts = NoCounts();
    for (const auto& [self, query] : asked) {
      const Ranked ranked = Rank(self, query, bias);
      for (size_t i = 0; i < k; ++i) {
        ++counts[ranked[i].second];
      }
    }
    return counts;
  }

  static void ExpectSame(const OccurrenceReport& report,
                         const std::map<uint64_t, uint32_t>& counts) {
    double mean = 0;
    for (const auto& [id, count] : counts) {
      mean += count;
    }
    const double sum = mean;
    const auto n = static_cast<double>(counts.size());
    mean /= n;
    double squares = 0;
    double cubes = 0;
    double away = 0;
    double none = 0;
    for (const auto& [id, count] : counts) {
      squares += std::pow(count - mean, 2) / n;
      cubes += std::pow(count - mean, 3) / n;
      away += std::abs(count - mean);
      none += count == 0 ? 1 : 0;
    }
    EXPECT_EQ(report.hubness.items, counts.size());
    // Nearly equal scores may stand the other way round in float32.
    EXPECT_NEAR(report.hubness.skewness, cubes / std::pow(squares, 1.5), 0.06);
    EXPECT_NEAR(report.hubness.robin_hood, away / 2 / sum, 0.002);
    EXPECT_NEAR(report.hubness.anti_hub_share, none / n, 0.007);
    ASSERT_FALSE(report.worst.empty());
    uint64_t last = report.hubness.greatest;
    for (const NamedHub& hub : report.worst) {
      EXPECT_NEAR(static_cast<double>(hub.occurrences),
                  counts.at(std::get<uint64_t>(hub.id)), 1);
      EXPECT_LE(hub.occurrences, last);
      last = hub.occurrences;
    }
    uint64_t points = 0;
    for (const uint64_t bucket : report.histogram) {
      points += bucket;
    }
    EXPECT_EQ(points, counts.size());
    EXPECT_NEAR(static_cast<double>(report.histogram[0]), none, 3);
  }

  Metric metric_ = Metric::kCosine;
  std::shared_ptr<Collection> collection_;
  std::map<uint64_t, Numbers> model_;
  std::set<std::string> stages_;
  std::mt19937_64 random_{test::TestSeed()};
};

TEST_F(DiagnoseHubnessTest, PointsAskWithoutThemselves) {
  ASSERT_NO_FATAL_FAILURE(Fill(700));
  ASSERT_OK_AND_ASSIGN(
      const HubnessDiagnosis found,
      Diagnose({.queries_max = 20'000, .k = 5, .exact = true}));
  EXPECT_EQ(found.raw.hubness.queries, model_.size());
  EXPECT_EQ(found.raw.hubness.k, 5U);
  EXPECT_EQ(found.field, "embedding");
  EXPECT_FALSE(found.corrected.has_value());
  ExpectSame(found.raw, Count(model_, 5, {}));
  // That of a binomial distribution.
  const double p = 5 / static_cast<double>(model_.size());
  EXPECT_NEAR(found.by_chance.skewness, (1 - 2 * p) / std::sqrt(5 * (1 - p)),
              0.01);
  // By the index nearly the same.
  ASSERT_OK_AND_ASSIGN(const HubnessDiagnosis by_index,
                       Diagnose({.queries_max = 20'000, .k = 5}));
  EXPECT_NEAR(by_index.raw.hubness.skewness, found.raw.hubness.skewness, 0.2);
  // A sample of 100 counts no more than 500 neighbours.
  ASSERT_OK_AND_ASSIGN(const HubnessDiagnosis sampled,
                       Diagnose({.queries_max = 100, .k = 5}));
  EXPECT_EQ(sampled.raw.hubness.queries, 100U);
  EXPECT_GE(sampled.raw.hubness.anti_hub_share,
            1 - 500 / static_cast<double>(model_.size()));
}

TEST_F(DiagnoseHubnessTest, ABankAsksAndANormalizerAnswers) {
  ASSERT_NO_FATAL_FAILURE(Fill(500));
  std::map<uint64_t, Numbers> asked;
  BankUpload upload{"asked", "", false, {}};
  for (uint64_t i = 0; i < 300; ++i) {
    asked[1'000'000 + i] = Vector();
    upload.vectors.push_back(asked[1'000'000 + i]);
  }
  NormalizerCatalog& catalog = **collection_->normalizers();
  ASSERT_OK(catalog.PutBank(upload, test::Unlimited()));
  ASSERT_OK_AND_ASSIGN(storage::NormalizerRecord record,
                       UsualNormalizer("inverted_softmax"));
  record.set_name("is");
  record.set_query_bank("asked");
  ASSERT_OK(catalog.PutNormalizer(record, test::Unlimited()));
  ASSERT_OK_AND_ASSIGN(
      const HubnessDiagnosis found,
      Diagnose({.bank = "asked", .k = 10, .normalizer = "is", .exact = true}));
  EXPECT_EQ(found.raw.hubness.queries, 300U);
  ExpectSame(found.raw, Count(asked, 10, {}));
  std::map<uint64_t, double> bias;
  for (const auto& [id, vector] : model_) {
    double sum = 0;
    for (const auto& [row, query] : asked) {
      sum += std::exp(record.beta() * Score(query, vector));
    }
    bias[id] = std::log(sum) / record.beta();
  }
  ASSERT_TRUE(found.corrected.has_value());
  EXPECT_EQ(found.normalizer, "is");
  ExpectSame(*found.corrected, Count(asked, 10, bias));
  EXPECT_THAT(stages_, testing::ElementsAre("corrected", "geometry", "raw"));
}

TEST_F(DiagnoseHubnessTest, ANormalizerMayRescore) {
  ASSERT_NO_FATAL_FAILURE(Fill(400));
  NormalizerCatalog& catalog = **collection_->normalizers();
  ASSERT_OK_AND_ASSIGN(storage::NormalizerRecord record,
                       UsualNormalizer("nicdm"));
  record.set_name("scaled");
  record.set_candidates(50);
  // The same by brute force.
  std::map<uint64_t, Ranked> ranked;
  std::map<uint64_t, double> mean;  // distance to neighbours
  for (const auto& [id, vector] : model_) {
    ranked[id] = Rank(id, vector, {});
    for (size_t i = 0; i < record.k(); ++i) {
      mean[id] += (1 - ranked[id][i].first) / record.k();
    }
  }
  std::map<uint64_t, uint32_t> counts = NoCounts();
  for (auto& [id, candidates] : ranked) {
    candidates.resize(50);
    for (auto& [score, other] : candidates) {
      score = -(1 - score) / std::sqrt(mean[id] * mean[other]);
    }
    std::sort(candidates.rbegin(), candidates.rend());
    for (size_t i = 0; i < 10; ++i) {
      ++counts[candidates[i].second];
    }
  }
  ASSERT_OK(catalog.PutNormalizer(record, test::Unlimited()));
  ASSERT_OK_AND_ASSIGN(
      const HubnessDiagnosis found,
      Diagnose({.k = 10, .normalizer = "scaled", .exact = true}));
  ExpectSame(found.raw, Count(model_, 10, {}));
  ASSERT_TRUE(found.corrected.has_value());
  ExpectSame(*found.corrected, counts);
  // A point and 50 others.
  EXPECT_THAT(Diagnose({.k = 50, .normalizer = "scaled"}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("'scaled' rescores 50 points, and 51 are "
                                 "needed")));
}

TEST_F(DiagnoseHubnessTest, GeometryOfABallHasItsDimension) {
  ASSERT_NO_FATAL_FAILURE(Fill(900, Metric::kL2));
  ASSERT_OK_AND_ASSIGN(const HubnessDiagnosis found, Diagnose({}));
  ExpectSame(found.raw, Count(model_, 10, {}));
  const GeometryReport& geometry = found.geometry;
  // Estimates from 20 neighbours of 16 dimensions lie too low.
  EXPECT_GT(geometry.intrinsic_dimension.mean, 6);
  EXPECT_LT(geometry.intrinsic_dimension.mean, 18);
  EXPECT_EQ(geometry.vectors, model_.size());
  EXPECT_FALSE(geometry.uniformity.has_value());
  ASSERT_TRUE(geometry.iso_score.has_value());
  EXPECT_GT(*geometry.iso_score, 0.8);
}

TEST_F(DiagnoseHubnessTest, WhatIsWrongIsNamed) {
  ASSERT_NO_FATAL_FAILURE(Fill(100));
  const auto expect = [this](const DiagnoseQuery& query, const char* message) {
    EXPECT_THAT(Diagnose(query), StatusIs(absl::StatusCode::kInvalidArgument,
                                          HasSubstr(message)));
  };
  expect({.field = "other"}, "field: no vector field 'other'");
  expect({.bank = "other"}, "bank: no bank 'other'");
  expect({.queries_max = 20'001}, "queries_max: 0 to 20000, got 20001");
  expect({.k = 101}, "k: 0 to 100, got 101");
  expect({.hubs_max = 1001}, "hubs_max: 0 to 1000, got 1001");
  expect({.normalizer = "other"}, "normalizer: no normalizer 'other'");
  // Fewer points than neighbours, and too few.
  std::vector<PointId> ids;
  for (const auto& [id, vector] : model_) {
    ids.emplace_back(id);
  }
  ids.resize(ids.size() - 3);
  ASSERT_OK(collection_->Delete(ids, test::Unlimited()));
  ASSERT_OK_AND_ASSIGN(const HubnessDiagnosis few, Diagnose({}));
  EXPECT_EQ(few.raw.hubness.k, 2U);
  EXPECT_EQ(few.raw.hubness.skewness, 0);
  const std::vector<PointId> two = {std::prev(model_.end())->first,
                                    std::prev(model_.end(), 2)->first};
  ASSERT_OK(collection_->Delete(two, test::Unlimited()));
  EXPECT_THAT(Diagnose({}), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(DiagnoseHubnessTest, FiguresAreRemembered) {
  ASSERT_NO_FATAL_FAILURE(Fill(100));
  EXPECT_TRUE(collection_->Info().hubness.empty());
  Hubness hubness;
  hubness.skewness = 2;
  collection_->RememberHubness({"embedding", "none", hubness});
  hubness.skewness = 3;
  collection_->RememberHubness({"embedding", "none", hubness});
  ASSERT_EQ(collection_->Info().hubness.size(), 1U);
  EXPECT_EQ(collection_->Info().hubness[0].hubness.skewness, 3);
  // Normalisers that are gone are forgotten with the next measurement.
  collection_->RememberHubness({"embedding", "gone", hubness});
  collection_->RememberHubness({"embedding", "none", hubness});
  EXPECT_EQ(collection_->Info().hubness.size(), 1U);
}

}  // namespace
}  // namespace sextant
