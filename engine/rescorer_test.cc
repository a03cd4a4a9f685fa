// SPDX-License-Identifier: Apache-2.0
// Searches under normalisers that rescore candidates, against float64 by brute
// force.
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "engine/exact_cosine.h"
#include "engine/normalizer_fixture.h"

namespace sextant {
namespace {

using testing::HasSubstr;
using Numbers = std::vector<float>;

constexpr uint32_t kCandidates = 30;

class RescorerTest : public test::NormalizerFixture {
 protected:
  const std::vector<NormalizerMethod> rescoring_ = {
      NormalizerMethod::kGloballyCorrected, NormalizerMethod::kMarginRatio,
      NormalizerMethod::kMutualProximity, NormalizerMethod::kLocalScaling,
      NormalizerMethod::kNicdm};

  // Neighbourhoods of points are among the bank in place of the points.
  bool within_bank_ = false;

  storage::NormalizerRecord Rescoring(NormalizerMethod method) {
    storage::NormalizerRecord record = Record(method);
    record.set_k(6);
    record.set_candidates(kCandidates);
    if (within_bank_) {
      record.set_query_bank("queries");
    }
    return record;
  }

  // Cosines of a vector with all points but one, best first.
  std::vector<double> CosinesOf(const Numbers& vector, uint64_t but) const {
    std::vector<double> cosines;
    for (const auto& [id, item] : model_) {
      if (id != but) {
        cosines.push_back(test::ExactCosine(vector, item));
      }
    }
    std::sort(cosines.rbegin(), cosines.rend());
    return cosines;
  }
  struct Near {
    double mean = 0;  // distance
    double deviation = 0;
    double kth = 0;
  };
  static Near NearOf(const std::vector<double>& cosines, size_t k) {
    Near near;
    for (size_t i = 0; i < k; ++i) {
      near.mean += (1 - cosines[i]) / static_cast<double>(k);
    }
    for (size_t i = 0; i < k; ++i) {
      near.deviation +=
          std::pow(1 - cosines[i] - near.mean, 2) / static_cast<double>(k);
    }
    near.deviation = std::sqrt(near.deviation);
    near.kth = 1 - cosines[k - 1];
    return near;
  }
  static double Survival(double distance, const Near& near) {
    return std::erfc((distance - near.mean) / near.deviation / std::sqrt(2.0)) /
           2;
  }

  double Score(const NormalizerSpec& spec, const Numbers& query, uint64_t self,
               uint64_t id) const {
    const Numbers& item = model_.at(id);
    const double s = test::ExactCosine(query, item);
    const std::vector<double> of_query = CosinesOf(query, self);
    std::vector<double> in_bank;
    for (const Numbers& row : banks_.at("queries")) {
      in_bank.push_back(test::ExactCosine(row, item));
    }
    std::sort(in_bank.rbegin(), in_bank.rend());
    const auto mean = [&spec](const std::vector<double>& values) {
      return std::accumulate(values.begin(), values.begin() + spec.k, 0.0) /
             spec.k;
    };
    const Near q = NearOf(of_query, spec.k);
    const Near x = NearOf(within_bank_ ? in_bank : CosinesOf(item, id), spec.k);
    const double d = 1 - s;
    switch (spec.method) {
      case NormalizerMethod::kGloballyCorrected:
        return s - 1 -
               static_cast<double>(
                   std::count_if(in_bank.begin(), in_bank.end(),
                                 [s](double other) { return other > s; }));
      case NormalizerMethod::kMarginRatio:
        return s / ((mean(of_query) + mean(in_bank)) / 2);
      case NormalizerMethod::kMutualProximity:
        return Survival(d, q) * Survival(d, x);
      case NormalizerMethod::kLocalScaling:
        return std::exp(-d * d / (q.kth * x.kth));
      default:
        return -d / std::sqrt(q.mean * x.mean);
    }
  }

  // The best by raw score, by their new one.
  std::vector<std::pair<double, uint64_t>> Expected(const NormalizerSpec& spec,
                                                    const Numbers& query,
                                                    uint64_t self) const {
    std::vector<std::pair<double, uint64_t>> all;
    for (const auto& [id, item] : model_) {
      if (id != self) {
        all.emplace_back(test::ExactCosine(query, item), id);
      }
    }
    std::sort(all.rbegin(), all.rend());
    all.resize(std::min<size_t>(all.size(), kCandidates));
    for (auto& [score, id] : all) {
      score = Score(spec, query, self, id);
    }
    std::sort(all.rbegin(), all.rend());
    return all;
  }

  SearchQuery Search(NormalizerMethod method, const Numbers& query) {
    SearchQuery search = test::DenseQuery(query, 10, true);
    std::get<DenseSource>(search.sources[0]).normalizer =
        std::string(NameOf(method));
    search.explain = true;
    return search;
  }

  // By new vectors, and by stored points.
  void CheckAll(const std::string& when) {
    constexpr uint64_t kNobody = 1'000'000;
    for (const NormalizerMethod method : rescoring_) {
      const NormalizerSpec spec = *SpecOf(Rescoring(method));
      for (int i = 0; i < 6; ++i) {
        const uint64_t self = i % 2 == 0 ? kNobody : model_.begin()->first;
        const Numbers query = self == kNobody ? Vector() : model_.at(self);
        SearchQuery search = Search(method, query);
        if (self != kNobody) {
          std::get<DenseSource>(search.sources[0]).target = PointId(self);
        }
        ASSERT_OK_AND_ASSIGN(const SearchResult result,
                             collection_->Search(search, test::Unlimited()));
        const auto expected = Expected(spec, query, self);
        ASSERT_EQ(result.hits.size(), std::min<size_t>(10, expected.size()));
        for (size_t rank = 0; rank < result.hits.size(); ++rank) {
          const Hit& hit = result.hits[rank];
          const uint64_t id = std::get<uint64_t>(hit.point.id);
          const auto score = static_cast<double>(hit.score);
          const double own = Score(spec, query, self, id);
          const std::string where =
              absl::StrCat(when, " ", NameOf(method), " rank ", rank);
          ASSERT_NEAR(score, own, 1e-5 * std::max(1.0, std::abs(own))) << where;
          ASSERT_NEAR(own, expected[rank].first, 1e-5) << where;
          ASSERT_TRUE(hit.correction.has_value());
          ASSERT_NEAR(hit.correction->raw,
                      test::ExactCosine(query, model_.at(id)), 1e-5)
              << where;
          ASSERT_NEAR(hit.correction->raw - hit.correction->bias, hit.score,
                      1e-4)
              << where;
        }
      }
    }
  }

  void PutAll() {
    for (const NormalizerMethod method : rescoring_) {
      ASSERT_OK(Catalog().PutNormalizer(Rescoring(method), test::Unlimited()));
    }
  }
};

TEST_F(RescorerTest, EqualsTheModelThroughAllThatHappens) {
  PutBank("queries", false, 60);
  PutAll();
  Upsert(0, 120);
  CheckAll("growing");
  ASSERT_OK(collection_->SealAndWait(test::Unlimited()));
  Upsert(120, 60);
  CheckAll("sealed and growing");
  Delete({3, 5, 7, 121, 122});
  Upsert(10, 20);
  CheckAll("after deletes and overwrites");
  PutBank("queries", false, 40);
  CheckAll("after a change of the bank");
  collection_.reset();
  Reopen();
  collection_ = Find("docs");
  CheckAll("after a restart");
  ASSERT_OK(collection_->SealAndWait(test::Unlimited()));
  CheckAll("after a merge");
  EXPECT_OK(database_->Verify());
}

TEST_F(RescorerTest, ABankStandsInForTheNeighborsOfPoints) {
  within_bank_ = true;
  PutBank("queries", false, 60);
  PutAll();
  Upsert(0, 120);
  CheckAll("growing");
  ASSERT_OK(collection_->SealAndWait(test::Unlimited()));
  CheckAll("sealed");
}

// Fewer points than neighbours and candidates, down to one and none.
TEST_F(RescorerTest, FewPointsAreNoError) {
  PutBank("queries", false, 3);
  PutAll();
  for (const uint64_t points : {0U, 1U, 2U, 4U}) {
    if (points > 0) {
      Upsert(points - 1, 1);
    }
    for (const NormalizerMethod method : rescoring_) {
      ASSERT_OK_AND_ASSIGN(
          const SearchResult result,
          collection_->Search(Search(method, Vector()), test::Unlimited()));
      EXPECT_EQ(result.hits.size(), model_.size()) << NameOf(method);
      for (const Hit& hit : result.hits) {
        EXPECT_TRUE(std::isfinite(hit.score)) << NameOf(method);
      }
    }
  }
}

// What serves as the answer is what the sources of a fusion get, too.
TEST_F(RescorerTest, AFusionGetsTheSameScores) {
  PutBank("queries", false, 60);
  Upsert(0, 150);
  PutAll();
  for (const NormalizerMethod method : rescoring_) {
    const Numbers query = Vector();
    SearchQuery alone = Search(method, query);
    alone.limit = kCandidates;
    ASSERT_OK_AND_ASSIGN(const SearchResult expected,
                         collection_->Search(alone, test::Unlimited()));
    // The second source finds points that the first one did not.
    SearchQuery both = Search(method, query);
    both.sources.push_back(
        test::DenseQuery(Vector(), 10, true).sources.front());
    std::get<DenseSource>(both.sources[0]).share.candidates = 12;
    std::get<DenseSource>(both.sources[1]).normalizer = "none";
    both.fusion = {.method = FusionMethod::kLinear};
    std::get<DenseSource>(both.sources[0]).share.normaliser =
        FusionNormaliser::kNone;
    std::get<DenseSource>(both.sources[1]).share.normaliser =
        FusionNormaliser::kNone;
    both.limit = 12;
    ASSERT_OK_AND_ASSIGN(const SearchResult fused,
                         collection_->Search(both, test::Unlimited()));
    std::map<uint64_t, float> scores;
    for (const Hit& hit : expected.hits) {
      scores[std::get<uint64_t>(hit.point.id)] = hit.score;
    }
    ASSERT_EQ(fused.hits.size(), 12U);
    for (const Hit& hit : fused.hits) {
      const uint64_t id = std::get<uint64_t>(hit.point.id);
      const SourceExplanation& own = hit.explanation->sources[0];
      ASSERT_TRUE(own.score.has_value()) << NameOf(method);
      if (own.listed) {
        EXPECT_EQ(std::get<uint64_t>(expected.hits[own.rank - 1].point.id), id);
      }
      const auto known = scores.find(id);
      if (known != scores.end()) {
        EXPECT_NEAR(*own.score, static_cast<double>(known->second), 1e-5)
            << NameOf(method);
      }
    }
  }
}

TEST_F(RescorerTest, FiltersLeaveTheScoresAlone) {
  PutBank("queries", false, 60);
  Upsert(0, 150);
  PutAll();
  for (const NormalizerMethod method : rescoring_) {
    const Numbers query = Vector();
    const NormalizerSpec spec = *SpecOf(Rescoring(method));
    SearchQuery search = Search(method, query);
    FilterIds ids;
    ids.ids = {uint64_t{3}, uint64_t{60}, uint64_t{149}};
    search.filter = Filter{ids};
    ASSERT_OK_AND_ASSIGN(const SearchResult result,
                         collection_->Search(search, test::Unlimited()));
    ASSERT_EQ(result.hits.size(), 3U) << NameOf(method);
    for (const Hit& hit : result.hits) {
      EXPECT_NEAR(
          hit.score,
          Score(spec, query, 1'000'000, std::get<uint64_t>(hit.point.id)), 1e-4)
          << NameOf(method);
    }
  }
}

TEST_F(RescorerTest, WhatIsWrongIsNamed) {
  Upsert(0, 50);
  storage::NormalizerRecord record =
      Rescoring(NormalizerMethod::kGloballyCorrected);
  record.clear_query_bank();
  EXPECT_THAT(Catalog().PutNormalizer(record, test::Unlimited()),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("query_bank: globally_corrected needs")));
  record = Rescoring(NormalizerMethod::kNicdm);
  record.set_candidates(1001);
  EXPECT_THAT(Catalog().PutNormalizer(record, test::Unlimited()),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("candidates: 1001 is not between 1 and")));
  record.set_candidates(kCandidates);
  ASSERT_OK(Catalog().PutNormalizer(record, test::Unlimited()));
  SearchQuery search = Search(NormalizerMethod::kNicdm, Vector());
  search.limit = 20;
  search.offset = 11;
  EXPECT_THAT(collection_->Search(search, test::Unlimited()),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("limit: limit + offset is 31, and normalizer "
                                 "nicdm")));
  // Also where boosts or a fusion follow.
  search.fusion = FusionChoice();
  EXPECT_THAT(collection_->Search(search, test::Unlimited()),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("limit: limit + offset is 31")));
  search.fusion.reset();
  search.offset = 10;
  EXPECT_OK(collection_->Search(search, test::Unlimited()));
  const auto plane = Create("plane", test::OneFieldSchema(2, Metric::kL2));
  ASSERT_OK(
      (*plane->normalizers())
          ->PutBank({"asked", "", false, {{1, 0}, {0, 1}}}, test::Unlimited()));
  record = Rescoring(NormalizerMethod::kMarginRatio);
  record.set_query_bank("asked");
  EXPECT_THAT((*plane->normalizers())->PutNormalizer(record, test::Unlimited()),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("method: margin_ratio is for products")));
}

}  // namespace
}  // namespace sextant
