// SPDX-License-Identifier: Apache-2.0
// Searches under every additive normaliser against float64 by brute force,
// through writes, deletes, merges, changes of banks and restarts.
#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "engine/engine_fixture.h"
#include "engine/normalizer_catalog.h"
#include "tests/support/test_seed.h"

namespace sextant {
namespace {

using testing::HasSubstr;
using Numbers = std::vector<float>;

constexpr uint32_t kTestDimension = 16;

class NormalizerTest : public test::DatabaseFixture {
 protected:
  void SetUp() override {
    Open();
    collection_ = Create("docs", test::OneFieldSchema(kTestDimension));
  }

  Numbers Vector() {
    Numbers vector = test::SeededVector(random_(), kTestDimension);
    vector[0] += 1.5F;  // a direction in common makes hubs
    return vector;
  }
  std::vector<Numbers> Vectors(size_t count) {
    std::vector<Numbers> vectors;
    for (size_t i = 0; i < count; ++i) {
      vectors.push_back(Vector());
    }
    return vectors;
  }

  void Upsert(uint64_t first, uint64_t count) {
    std::vector<Point> points;
    for (uint64_t id = first; id < first + count; ++id) {
      model_[id] = Vector();
      points.push_back(test::MakePoint(id, model_[id]));
    }
    ASSERT_OK(collection_->Upsert(std::move(points), test::Unlimited()));
  }
  void Delete(const std::vector<uint64_t>& ids) {
    std::vector<PointId> wanted(ids.begin(), ids.end());
    for (const uint64_t id : ids) {
      model_.erase(id);
    }
    ASSERT_OK(collection_->Delete(wanted, test::Unlimited()));
  }

  NormalizerCatalog& Catalog() { return **collection_->normalizers(); }

  void PutBank(const std::string& name, bool gallery, size_t count) {
    BankUpload upload{name, "", gallery, Vectors(count)};
    banks_[name] = upload.vectors;
    ASSERT_OK(Catalog().PutBank(upload, test::Unlimited()));
  }
  storage::NormalizerRecord Record(NormalizerMethod method) {
    NormalizerSpec spec = DefaultSpec(method);
    spec.beta = 10;
    spec.tau = 0.1;
    storage::NormalizerRecord record;
    record.set_name(std::string(NameOf(method)));
    SetSpec(spec, &record);
    record.set_query_bank("queries");
    if (NeedsGalleryBank(method)) {
      record.set_gallery_bank("gallery");
    }
    return record;
  }

  static double Cosine(const Numbers& a, const Numbers& b) {
    double product = 0;
    double aa = 0;
    double bb = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      const auto x = static_cast<double>(a[i]);
      const auto y = static_cast<double>(b[i]);
      product += x * y;
      aa += x * x;
      bb += y * y;
    }
    return product / std::sqrt(aa * bb);
  }
  uint64_t Nearest(const Numbers& query) const {
    return std::max_element(model_.begin(), model_.end(),
                            [&](const auto& a, const auto& b) {
                              return Cosine(query, a.second) <
                                     Cosine(query, b.second);
                            })
        ->first;
  }
  // Whether the point is the nearest of some vector of the bank.
  bool Opens(const std::string& bank, uint64_t id) const {
    return std::any_of(banks_.at(bank).begin(), banks_.at(bank).end(),
                       [&](const Numbers& row) { return Nearest(row) == id; });
  }
  double LogSum(const std::string& bank, const Numbers& item,
                double beta) const {
    double sum = 0;
    for (const Numbers& row : banks_.at(bank)) {
      sum += std::exp(beta * Cosine(row, item));
    }
    return std::log(sum);
  }
  double TopMean(const Numbers& item, size_t k) const {
    std::vector<double> scores;
    for (const Numbers& row : banks_.at("queries")) {
      scores.push_back(Cosine(row, item));
    }
    std::sort(scores.rbegin(), scores.rend());
    scores.resize(std::min(k, scores.size()));
    double sum = 0;
    for (const double score : scores) {
      sum += score;
    }
    return sum / static_cast<double>(scores.size());
  }

  // s - b, up to a constant of the query.
  std::map<uint64_t, double> Corrected(const NormalizerSpec& spec,
                                       const Numbers& query) const {
    const bool dynamic = IsDynamic(spec.method);
    const uint64_t nearest = Nearest(query);
    const bool open = !dynamic || Opens("queries", nearest);
    const bool dual = NeedsGalleryBank(spec.method);
    const bool gallery_open = dual && (!dynamic || Opens("gallery", nearest));
    std::map<uint64_t, double> scores;
    for (const auto& [id, item] : model_) {
      double bias = 0;
      if (spec.method == NormalizerMethod::kCsls ||
          spec.method == NormalizerMethod::kMarginDistance) {
        bias = TopMean(item, spec.k) / 2;
      } else if (spec.method == NormalizerMethod::kNearestNeighbor) {
        bias = spec.alpha * TopMean(item, spec.k);
      } else {
        bias += open ? LogSum("queries", item, spec.beta) : 0;
        bias += gallery_open ? LogSum("gallery", item, spec.gallery_beta) : 0;
        bias /= spec.beta + (dual ? spec.gallery_beta : 0);
      }
      scores[id] = Cosine(query, item) - bias;
    }
    return scores;
  }

  void CheckAgainstModel(const std::string& when) {
    for (const NormalizerMethod method : methods_) {
      const NormalizerSpec spec = *SpecOf(Record(method));
      for (int i = 0; i < 6; ++i) {
        // Half of the queries lie beside a point, whose gate may be open.
        const Numbers query = Vector();
        SearchQuery search = test::DenseQuery(query, 10, true);
        std::get<DenseSource>(search.sources[0]).normalizer =
            std::string(NameOf(method));
        ASSERT_OK_AND_ASSIGN(const SearchResult result,
                             collection_->Search(search, test::Unlimited()));
        const std::map<uint64_t, double> exact = Corrected(spec, query);
        std::vector<double> best;
        for (const auto& [id, score] : exact) {
          best.push_back(score);
        }
        std::sort(best.rbegin(), best.rend());
        ASSERT_EQ(result.hits.size(), std::min<size_t>(10, best.size()));
        const double offset =
            static_cast<double>(result.hits[0].score) - best[0];
        for (size_t rank = 0; rank < result.hits.size(); ++rank) {
          const Hit& hit = result.hits[rank];
          const double own =
              exact.at(std::get<uint64_t>(hit.point.id)) + offset;
          ASSERT_NEAR(static_cast<double>(hit.score), own, 1e-5)
              << when << " " << NameOf(method) << " rank " << rank;
          ASSERT_NEAR(own, best[rank] + offset, 1e-5)
              << when << " " << NameOf(method) << " rank " << rank;
        }
      }
    }
  }

  std::mt19937_64 random_{test::TestSeed()};
  std::shared_ptr<Collection> collection_;
  std::map<uint64_t, Numbers> model_;
  std::map<std::string, std::vector<Numbers>> banks_;
  const std::vector<NormalizerMethod> methods_ = {
      NormalizerMethod::kInvertedSoftmax,
      NormalizerMethod::kDynamicInvertedSoftmax,
      NormalizerMethod::kCsls,
      NormalizerMethod::kNearestNeighbor,
      NormalizerMethod::kMarginDistance,
      NormalizerMethod::kDualInvertedSoftmax,
      NormalizerMethod::kDualDynamicInvertedSoftmax};
};

TEST_F(NormalizerTest, EqualsTheModelThroughAllThatHappens) {
  PutBank("queries", false, 60);
  PutBank("gallery", true, 40);
  for (const NormalizerMethod method : methods_) {
    ASSERT_OK(Catalog().PutNormalizer(Record(method), test::Unlimited()));
  }
  Upsert(0, 150);
  CheckAgainstModel("growing");
  Upsert(150, 250);
  ASSERT_OK(collection_->SealAndWait(test::Unlimited()));
  Upsert(400, 100);
  CheckAgainstModel("sealed and growing");
  // The nearest of the bank go, so that lists run out.
  std::vector<uint64_t> dead;
  for (int round = 0; round < 3; ++round) {
    for (const Numbers& row : banks_["queries"]) {
      const uint64_t nearest = Nearest(row);
      model_.erase(nearest);
      dead.push_back(nearest);
    }
  }
  std::vector<PointId> ids(dead.begin(), dead.end());
  ASSERT_OK(collection_->Delete(ids, test::Unlimited()));
  CheckAgainstModel("after deletes");
  Upsert(100, 80);
  CheckAgainstModel("after overwrites");
  PutBank("queries", false, 50);
  CheckAgainstModel("after a change of the bank");
  ASSERT_OK(collection_->SealAndWait(test::Unlimited()));
  CheckAgainstModel("after a merge");
  collection_.reset();
  Reopen();
  collection_ = Find("docs");
  for (const NormalizerStatus& status : Catalog().ListNormalizers()) {
    // Sealed segments are not computed anew.
    EXPECT_GE(status.segments_known + 1, status.segments);
    EXPECT_GE(status.segments_known, 1U);
  }
  CheckAgainstModel("after a restart");
  EXPECT_OK(database_->Verify());
}

TEST_F(NormalizerTest, SinkhornServesToo) {
  PutBank("queries", false, 60);
  PutBank("gallery", true, 40);
  Upsert(0, 300);
  ASSERT_OK(collection_->SealAndWait(test::Unlimited()));
  for (const NormalizerMethod method :
       {NormalizerMethod::kSinkhorn, NormalizerMethod::kDualSinkhorn}) {
    ASSERT_OK(Catalog().PutNormalizer(Record(method), test::Unlimited()));
    SearchQuery search = test::DenseQuery(Vector(), 20, true);
    std::get<DenseSource>(search.sources[0]).normalizer =
        std::string(NameOf(method));
    ASSERT_OK_AND_ASSIGN(const SearchResult before,
                         collection_->Search(search, test::Unlimited()));
    collection_.reset();
    Reopen();
    collection_ = Find("docs");
    ASSERT_OK_AND_ASSIGN(const SearchResult after,
                         collection_->Search(search, test::Unlimited()));
    EXPECT_EQ(test::IdsOf(before), test::IdsOf(after));
  }
}

TEST_F(NormalizerTest, DefaultsNamesAndExplanations) {
  PutBank("queries", false, 60);
  Upsert(0, 300);
  storage::NormalizerRecord record = Record(NormalizerMethod::kInvertedSoftmax);
  record.set_is_default(true);
  ASSERT_OK(Catalog().PutNormalizer(record, test::Unlimited()));
  SearchQuery search = test::DenseQuery(Vector(), 5, true);
  search.explain = true;
  ASSERT_OK_AND_ASSIGN(const SearchResult by_default,
                       collection_->Search(search, test::Unlimited()));
  EXPECT_THAT(by_default.plan,
              HasSubstr("normalizer inverted_softmax inverted_softmax(beta=10)"
                        " version"));
  for (const Hit& hit : by_default.hits) {
    ASSERT_TRUE(hit.correction.has_value());
    EXPECT_NEAR(hit.correction->raw - hit.correction->bias, hit.score, 1e-6);
    const Numbers& query =
        std::get<Numbers>(std::get<DenseSource>(search.sources[0]).target);
    EXPECT_NEAR(hit.correction->raw,
                Cosine(query, model_[std::get<uint64_t>(hit.point.id)]), 1e-5);
  }
  auto& source = std::get<DenseSource>(search.sources[0]);
  source.normalizer = "none";
  ASSERT_OK_AND_ASSIGN(const SearchResult raw,
                       collection_->Search(search, test::Unlimited()));
  EXPECT_FALSE(raw.hits[0].correction.has_value());
  source.normalizer = "unknown";
  EXPECT_THAT(collection_->Search(search, test::Unlimited()),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("sources[0].dense.normalizer")));
  // Pages are those of one ranking, and a radius is one of corrected scores.
  source.normalizer = "";
  search.limit = 2;
  search.offset = 3;
  ASSERT_OK_AND_ASSIGN(const SearchResult page,
                       collection_->Search(search, test::Unlimited()));
  EXPECT_EQ(page.hits[0].point.id, by_default.hits[3].point.id);
  search.offset = 0;
  search.limit = 5;
  search.cut_off = MinScore{static_cast<double>(by_default.hits[1].score)};
  ASSERT_OK_AND_ASSIGN(const SearchResult cut,
                       collection_->Search(search, test::Unlimited()));
  EXPECT_EQ(cut.hits.size(), 2U);
}

TEST_F(NormalizerTest, BadInputIsNamed) {
  PutBank("queries", false, 10);
  const auto& context = test::Unlimited();
  const auto refused = [](absl::string_view text) {
    return StatusIs(absl::StatusCode::kInvalidArgument,
                    HasSubstr(std::string(text)));
  };
  EXPECT_THAT(Catalog().PutBank({"a b", "", false, Vectors(1)}, context),
              refused("name"));
  EXPECT_THAT(Catalog().PutBank({"a", "x", false, Vectors(1)}, context),
              refused("field"));
  EXPECT_THAT(Catalog().PutBank({"a", "", false, {}}, context),
              refused("vectors"));
  EXPECT_THAT(Catalog().PutBank({"a", "", false, {{1, 2}}}, context),
              refused("vectors[0]"));
  EXPECT_THAT(Catalog().PutBank(
                  {"a",
                   "",
                   false,
                   {Numbers(kTestDimension, 1), Numbers(kTestDimension, NAN)}},
                  context),
              refused("vectors[1]"));
  EXPECT_THAT(Catalog().PutBank({"a", "", false, {Numbers(kTestDimension, 0)}},
                                context),
              refused("vectors[0]"));
  EXPECT_THAT(Catalog().SampleBank("s", "", 5, 1, context),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(Catalog().SampleBank("s", "", 0, 1, context), refused("count"));

  storage::NormalizerRecord record = Record(NormalizerMethod::kInvertedSoftmax);
  record.set_query_bank("missing");
  EXPECT_THAT(Catalog().PutNormalizer(record, context), refused("query_bank"));
  record = Record(NormalizerMethod::kInvertedSoftmax);
  record.set_beta(-1);
  EXPECT_THAT(Catalog().PutNormalizer(record, context), refused("beta"));
  record.set_name("none");
  EXPECT_THAT(Catalog().PutNormalizer(record, context), refused("name"));
  EXPECT_THAT(
      Catalog().PutNormalizer(Record(NormalizerMethod::kNicdm), context),
      refused("method"));
  ASSERT_OK(Catalog().PutNormalizer(Record(NormalizerMethod::kInvertedSoftmax),
                                    context));
  EXPECT_THAT(Catalog().DeleteBank("queries"),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_OK(Catalog().DeleteNormalizer("inverted_softmax"));
  EXPECT_OK(Catalog().DeleteBank("queries"));
  EXPECT_THAT(Catalog().DeleteBank("queries"),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Catalog().DeleteNormalizer("inverted_softmax"),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Catalog().ListBanks(), testing::IsEmpty());
}

}  // namespace
}  // namespace sextant
