// SPDX-License-Identifier: Apache-2.0
//
// Cosine Adapters of a collection: stored, fitted, and what searches make of
// them.

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/errors.h"
#include "base/status_matchers.h"
#include "engine/adapter_catalog.h"
#include "engine/engine_fixture.h"
#include "engine/fit_adapter.h"
#include "engine/limits.h"
#include "engine/normalizer_catalog.h"

namespace sextant {
namespace {

using test::DenseQuery;
using test::IdsOf;
using test::MakePoint;
using test::OneFieldSchema;
using test::SeededVector;
using test::Unlimited;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr uint32_t kTestDimension = 16;
constexpr uint64_t kTopics = 60;
constexpr uint64_t kOfTopic = 6;

class AdapterTest : public test::DatabaseFixture {
 protected:
  void SetUp() override {
    Open();
    docs_ = Create("docs", OneFieldSchema(kTestDimension));
    std::vector<Point> points;
    for (uint64_t topic = 0; topic < kTopics; ++topic) {
      for (uint64_t i = 0; i < kOfTopic; ++i) {
        points.push_back(MakePoint(topic * kOfTopic + i,
                                   NearTopic(topic, topic * kOfTopic + i)));
      }
    }
    ASSERT_OK(docs_->Upsert(std::move(points), Unlimited()));
    ASSERT_OK(docs_->SealAndWait(Unlimited()));
  }

  // Even topics are tight, odd ones wide.
  static std::vector<float> NearTopic(uint64_t topic, uint64_t seed) {
    std::vector<float> vector = SeededVector(1000 + topic, kTestDimension);
    vector[0] = topic % 2 == 0 ? 3.0F : -3.0F;
    const std::vector<float> noise = SeededVector(5000 + seed, kTestDimension);
    for (size_t i = 0; i < kTestDimension; ++i) {
      vector[i] += (topic % 2 == 0 ? 0.2F : 0.9F) * noise[i];
    }
    return vector;
  }

  static AdapterFitRequest FitRequest(const std::string& name) {
    AdapterFitRequest request{.name = name};
    for (uint64_t q = 0; q < 4 * kTopics; ++q) {
      const uint64_t topic = q % kTopics;
      LabelledQuery& query = request.queries.emplace_back();
      query.vector = NearTopic(topic, 100'000 + q);
      for (uint64_t i = 0; i < kOfTopic; ++i) {
        query.relevant.emplace_back(topic * kOfTopic + i);
      }
    }
    request.training.hidden = 8;
    request.training.learning_rate = 0.003;
    request.training.weight_decay = 0.01;
    request.training.seed = 3;
    return request;
  }

  // Keeps cosines of `least` or more, for every query.
  static Adapter Constant(const std::string& name, double least) {
    Adapter adapter{.name = name, .family = AdapterFamily::kLinear};
    // softplus(40) is 40.
    adapter.mlp.layers = {{kTestDimension,
                           2,
                           std::vector<float>(2 * kTestDimension),
                           {40, static_cast<float>(-40 * least)}}};
    adapter.threshold = 0.5;
    return adapter;
  }

  AdapterCatalog& Catalog() {
    auto catalog = docs_->adapters();
    EXPECT_OK(catalog);
    return **catalog;
  }

  SearchResult Search(const SearchQuery& query) {
    auto result = docs_->Search(query, Unlimited());
    EXPECT_OK(result);
    return result.ok() ? *std::move(result) : SearchResult();
  }

  std::string RefusedField(const SearchQuery& query) {
    const auto result = docs_->Search(query, Unlimited());
    EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument)
        << result.status();
    return InvalidFieldPath(result.status());
  }

  absl::StatusOr<std::shared_ptr<const Adapter>> Fit(
      const AdapterFitRequest& request, const RequestContext& context) {
    return FitAdapter(
        docs_.get(), request, [](const AdapterFitProgress&) {}, context);
  }

  std::shared_ptr<Collection> docs_;
};

TEST_F(AdapterTest, AConstantAdapterIsAThreshold) {
  ASSERT_OK(Catalog().Put(Constant("half", 0.5)));
  SearchQuery query = DenseQuery(NearTopic(1, 1), 300);
  query.explain = true;
  query.cut_off = AdapterCutOff{.name = "half"};
  const SearchResult cut = Search(query);
  query.cut_off = MinScore{0.5};
  EXPECT_EQ(IdsOf(cut), IdsOf(Search(query)));
  ASSERT_TRUE(cut.cut_off.has_value());
  EXPECT_NEAR(cut.cut_off->least_score.value_or(0), 0.5, 1e-6);
  EXPECT_THAT(cut.plan, HasSubstr("adapter half version 1, linear a=40 b=-20"));

  // Its own threshold may be replaced in a search: z = 40 c - 20 >= 8.
  query.cut_off =
      AdapterCutOff{.name = "half", .threshold = 1 / (1 + std::exp(-8.0))};
  const SearchResult higher = Search(query);
  EXPECT_NEAR(higher.cut_off->least_score.value_or(0), 0.7, 1e-6);
}

TEST_F(AdapterTest, MaySayAllOrNothing) {
  ASSERT_OK(Catalog().Put(Constant("none", 2)));
  ASSERT_OK(Catalog().Put(Constant("all", -2)));
  SearchQuery query = DenseQuery(NearTopic(1, 1), 20);
  query.cut_off = AdapterCutOff{.name = "none"};
  const SearchResult none = Search(query);
  EXPECT_TRUE(none.hits.empty());
  EXPECT_TRUE(none.cut_off->nothing_relevant);
  EXPECT_FALSE(none.cut_off->least_score.has_value());
  query.cut_off = AdapterCutOff{.name = "all"};
  EXPECT_THAT(Search(query).hits, SizeIs(20));
}

TEST_F(AdapterTest, AFitFindsWhatBelongsToAQuery) {
  ASSERT_OK_AND_ASSIGN(const std::shared_ptr<const Adapter> adapter,
                       Fit(FitRequest("fitted"), Unlimited()));
  ASSERT_TRUE(adapter->fit.has_value());
  const AdapterFit& fit = *adapter->fit;
  EXPECT_EQ(fit.queries + fit.held_out_queries, 4 * kTopics);
  EXPECT_EQ(fit.held_out_queries, 72U);
  EXPECT_EQ(fit.held_out_relevant, 72 * kOfTopic);
  EXPECT_EQ(fit.labels_missing, 0U);
  EXPECT_GE(fit.recall, 0.95);
  EXPECT_GT(fit.average_precision, fit.cosine_average_precision);
  EXPECT_GT(fit.precision, fit.cosine_precision);

  // Queries that it never saw.
  uint64_t right = 0;
  uint64_t kept = 0;
  for (uint64_t topic = 0; topic < kTopics; ++topic) {
    SearchQuery query = DenseQuery(NearTopic(topic, 777'000 + topic), 100);
    query.cut_off = AdapterCutOff{.name = "fitted"};
    for (const PointId& id : IdsOf(Search(query))) {
      right += std::get<uint64_t>(id) / kOfTopic == topic ? 1U : 0U;
      ++kept;
    }
  }
  EXPECT_GE(static_cast<double>(right), 0.9 * kTopics * kOfTopic);
  EXPECT_GE(static_cast<double>(right),
            0.8 * fit.precision * static_cast<double>(kept));
}

TEST_F(AdapterTest, AFitByPrecisionHasThePrecisionOrSaysSo) {
  AdapterFitRequest request = FitRequest("precise");
  request.by_precision = true;
  request.target = 0.98;
  ASSERT_OK_AND_ASSIGN(const std::shared_ptr<const Adapter> adapter,
                       Fit(request, Unlimited()));
  EXPECT_GE(adapter->fit->precision, 0.98);

  // The nearest of each is labelled as wrong.
  for (LabelledQuery& query : request.queries) {
    query.not_relevant = std::move(query.relevant);
    query.relevant = {
        PointId(uint64_t{(std::get<uint64_t>(query.not_relevant[0]) + 180) %
                         (kTopics * kOfTopic)})};
  }
  EXPECT_THAT(Fit(request, Unlimited()).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("no threshold has a precision of 0.98")));
}

TEST_F(AdapterTest, LabelsOfMissingPointsAreCounted) {
  AdapterFitRequest request = FitRequest("gone");
  request.queries[0].relevant.emplace_back(uint64_t{999'999});
  request.queries[1].not_relevant.emplace_back(uint64_t{999'998});
  ASSERT_OK_AND_ASSIGN(const std::shared_ptr<const Adapter> adapter,
                       Fit(request, Unlimited()));
  EXPECT_EQ(adapter->fit->labels_missing, 2U);
}

TEST_F(AdapterTest, SurvivesARestartAndIsDeleted) {
  ASSERT_OK(Catalog().Put(Constant("half", 0.5)));
  ASSERT_OK(Fit(FitRequest("fitted"), Unlimited()));
  SearchQuery query = DenseQuery(NearTopic(2, 1), 100);
  query.cut_off = AdapterCutOff{.name = "fitted"};
  const std::vector<PointId> before = IdsOf(Search(query));
  const AdapterFit fit = *Catalog().List()[0]->fit;
  docs_.reset();
  Reopen();
  docs_ = Find("docs");
  EXPECT_EQ(IdsOf(Search(query)), before);
  ASSERT_THAT(Catalog().List(), SizeIs(2));
  EXPECT_EQ(Catalog().List()[0]->fit->precision, fit.precision);
  EXPECT_EQ(Catalog().List()[0]->fit->epochs, fit.epochs);
  ASSERT_THAT(Catalog().List()[0]->fit->families, SizeIs(1));
  EXPECT_EQ(Catalog().List()[0]->fit->families[0].loss, fit.families[0].loss);
  // Versions go on where they were.
  ASSERT_OK_AND_ASSIGN(const auto again, Catalog().Put(Constant("half", 0.4)));
  EXPECT_EQ(again->version, 3U);
  ASSERT_OK(Catalog().Delete("fitted"));
  EXPECT_EQ(Catalog().Delete("fitted").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(RefusedField(query), "cut_off.adapter.name");
}

TEST_F(AdapterTest, TheSameSeedFitsTheSame) {
  ASSERT_OK_AND_ASSIGN(const auto a, Fit(FitRequest("a"), Unlimited()));
  ASSERT_OK_AND_ASSIGN(const auto b, Fit(FitRequest("b"), Unlimited()));
  EXPECT_EQ(a->threshold, b->threshold);
  EXPECT_EQ(a->mlp.layers[0].weights, b->mlp.layers[0].weights);
}

TEST_F(AdapterTest, TheBestFamilyIsKeptAndAllAreTold) {
  AdapterFitRequest request = FitRequest("auto");
  request.families = {AdapterFamily::kLinear, AdapterFamily::kSquareRoot,
                      AdapterFamily::kQuadratic, AdapterFamily::kPower};
  request.training.epochs = 40;
  std::map<AdapterFamily, uint64_t> epochs;
  uint64_t searched = 0;
  ASSERT_OK_AND_ASSIGN(const std::shared_ptr<const Adapter> adapter,
                       FitAdapter(
                           docs_.get(), request,
                           [&](const AdapterFitProgress& at) {
                             EXPECT_LE(at.done, at.total);
                             if (!at.family.has_value()) {
                               EXPECT_TRUE(epochs.empty());
                               searched = at.done;
                               return;
                             }
                             EXPECT_GT(at.loss, 0);
                             EXPECT_EQ(at.total, 40U);
                             EXPECT_EQ(at.done, ++epochs[*at.family]);
                           },
                           Unlimited()));
  EXPECT_EQ(searched, request.queries.size());
  EXPECT_THAT(epochs, SizeIs(4));
  const AdapterFit& fit = *adapter->fit;
  ASSERT_THAT(fit.families, SizeIs(4));
  for (const FamilyFit& one : fit.families) {
    EXPECT_LE(one.average_precision, fit.average_precision);
    EXPECT_GE(one.recall, 0.95);
    EXPECT_LE(one.epochs, epochs[one.family]);
    // Alone it comes to the same.
    request.families = {one.family};
    ASSERT_OK_AND_ASSIGN(const std::shared_ptr<const Adapter> alone,
                         Fit(request, Unlimited()));
    EXPECT_EQ(alone->threshold, one.threshold);
    EXPECT_EQ(alone->fit->average_precision, one.average_precision);
    if (one.family == adapter->family) {
      EXPECT_EQ(fit.average_precision, one.average_precision);
      EXPECT_EQ(fit.precision, one.precision);
    }
  }
}

TEST(BestFamily, HasTheGreatestAveragePrecisionAndAThreshold) {
  std::vector<FamilyFit> fits(4);
  EXPECT_FALSE(BestFamily(fits).has_value());
  EXPECT_FALSE(BestFamily({}).has_value());
  fits[0] = {.threshold = 0.5, .average_precision = 0.3};
  fits[1] = {.threshold = 0.5, .average_precision = 0.4};
  fits[2] = {.threshold = 0, .average_precision = 0.9};
  fits[3] = {.threshold = 0.5, .average_precision = 0.4};
  EXPECT_EQ(BestFamily(fits), 1U);
}

TEST_F(AdapterTest, ADropAndACancellationEndAFit) {
  const AdapterFitRequest request = FitRequest("a");
  const auto train_until = [&](uint64_t epoch, const auto& act,
                               const RequestContext& context) {
    uint64_t last = 0;
    const absl::Status status = FitAdapter(
                                    docs_.get(), request,
                                    [&](const AdapterFitProgress& at) {
                                      last =
                                          at.family.has_value() ? at.done : 0;
                                      if (last == epoch) {
                                        act();
                                      }
                                    },
                                    context)
                                    .status();
    EXPECT_EQ(last, epoch);
    return status;
  };
  RequestContext context;
  EXPECT_EQ(train_until(
                2, [&] { context.Cancel(); }, context)
                .code(),
            absl::StatusCode::kCancelled);
  EXPECT_TRUE(Catalog().List().empty());
  EXPECT_EQ(train_until(
                3, [&] { EXPECT_OK(database_->Drop("docs")); }, Unlimited())
                .code(),
            absl::StatusCode::kNotFound);
}

TEST_F(AdapterTest, IsForTheCosinesOfOneSource) {
  ASSERT_OK(Catalog().Put(Constant("half", 0.5)));
  SearchQuery query = DenseQuery(NearTopic(1, 1), 10);
  query.cut_off = AdapterCutOff{.name = "half", .threshold = 1.0};
  EXPECT_EQ(RefusedField(query), "cut_off.adapter.threshold");
  query.cut_off = AdapterCutOff{.name = "other"};
  EXPECT_EQ(RefusedField(query), "cut_off.adapter.name");
  query.cut_off = AdapterCutOff{.name = "half"};
  query.sources.push_back(query.sources[0]);
  EXPECT_EQ(RefusedField(query), "cut_off.adapter");
  query.sources.pop_back();

  // Corrected scores are no cosines.
  ASSERT_OK_AND_ASSIGN(NormalizerCatalog* const normalizers,
                       docs_->normalizers());
  ASSERT_OK(normalizers->SampleBank({"bank", "", 50, 1}, Unlimited()));
  ASSERT_OK_AND_ASSIGN(storage::NormalizerRecord record,
                       UsualNormalizer("inverted_softmax"));
  record.set_name("is");
  record.set_query_bank("bank");
  record.set_is_default(true);
  ASSERT_OK(normalizers->PutNormalizer(record, Unlimited()));
  EXPECT_EQ(RefusedField(query), "cut_off.adapter");
  std::get<DenseSource>(query.sources[0]).normalizer = "none";
  EXPECT_FALSE(Search(query).hits.empty());
}

TEST_F(AdapterTest, BadAdaptersAreNamed) {
  const auto path = [this](const Adapter& adapter) {
    return InvalidFieldPath(Catalog().Put(adapter).status());
  };
  EXPECT_EQ(path(Constant("a b", 0.5)), "name");
  Adapter adapter = Constant("a", 0.5);
  adapter.field = "other";
  EXPECT_EQ(path(adapter), "field");
  adapter = Constant("a", 0.5);
  adapter.threshold = 1;
  EXPECT_EQ(path(adapter), "threshold");
  adapter.threshold = std::nan("");
  EXPECT_EQ(path(adapter), "threshold");
  adapter = Constant("a", 0.5);
  adapter.family = AdapterFamily::kPower;
  EXPECT_EQ(path(adapter), "layers[0].outputs");
  docs_ = Create("l2", OneFieldSchema(kTestDimension, Metric::kL2));
  EXPECT_EQ(path(Constant("a", 0.5)), "field");
  EXPECT_EQ(InvalidFieldPath(Fit(FitRequest("a"), Unlimited()).status()),
            "field");
  docs_ = Create("many", OneFieldSchema(kTestDimension));
  for (size_t i = 0; i < limits::kAdaptersMax; ++i) {
    ASSERT_OK(Catalog().Put(Constant(absl::StrCat("a", i), 0.5)));
  }
  EXPECT_EQ(Catalog().Put(Constant("more", 0.5)).status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST_F(AdapterTest, BadFitsAreNamed) {
  const auto path = [this](const AdapterFitRequest& request) {
    return InvalidFieldPath(Fit(request, Unlimited()).status());
  };
  AdapterFitRequest request = FitRequest("a");
  request.queries.resize(1);
  EXPECT_EQ(path(request), "queries");
  request = FitRequest("a");
  request.queries[5].vector.pop_back();
  EXPECT_EQ(path(request), "queries[5].vector");
  request = FitRequest("a");
  request.queries[5].vector.assign(kTestDimension, 0.0F);
  EXPECT_EQ(path(request), "queries[5].vector");
  request = FitRequest("a");
  request.queries[2].not_relevant.push_back(request.queries[2].relevant[1]);
  EXPECT_EQ(path(request), "queries[2].relevant[1]");
  request = FitRequest("a");
  request.queries[2].relevant[1] = PointId("text");
  EXPECT_EQ(path(request), "queries[2].relevant[1]");
  request = FitRequest("a");
  request.negatives = limits::kFitNegativesMax + 1;
  EXPECT_EQ(path(request), "negatives");
  request = FitRequest("a");
  request.target = 0;
  EXPECT_EQ(path(request), "recall");
  request = FitRequest("a");
  request.held_out = 1;
  EXPECT_EQ(path(request), "held_out");
  request = FitRequest("a");
  request.training.hidden = 257;
  EXPECT_EQ(path(request), "hidden");
  request = FitRequest("a");
  for (LabelledQuery& query : request.queries) {
    query.relevant.clear();
  }
  EXPECT_THAT(Fit(request, Unlimited()).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("both kinds are needed")));
  RequestContext context;
  context.Cancel();
  EXPECT_EQ(Fit(FitRequest("a"), context).status().code(),
            absl::StatusCode::kCancelled);
  EXPECT_TRUE(Catalog().List().empty());
}

}  // namespace
}  // namespace sextant
