// SPDX-License-Identifier: Apache-2.0
// Searches under every additive normaliser against float64 by brute force,
// through writes, deletes, merges, changes of banks and restarts.
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "engine/exact_cosine.h"
#include "engine/normalizer_catalog.h"
#include "engine/normalizer_fixture.h"

namespace sextant {
namespace {

using testing::HasSubstr;
using Numbers = std::vector<float>;

class NormalizerTest : public test::NormalizerFixture {};

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

// Sinkhorn's algorithm shares mass among all points, wherever they are.
TEST_F(NormalizerTest, SinkhornIsFittedToGrowingSegmentsToo) {
  PutBank("queries", false, 60);
  Upsert(0, 200);
  const storage::NormalizerRecord record = Record(NormalizerMethod::kSinkhorn);
  SearchQuery search = test::DenseQuery(Vector(), 200, true);
  std::get<DenseSource>(search.sources[0]).normalizer = record.name();
  const auto scores = [&] {
    EXPECT_OK(Catalog().PutNormalizer(record, test::Unlimited()));
    std::map<uint64_t, double> by_id;
    const auto found = collection_->Search(search, test::Unlimited());
    EXPECT_OK(found.status());
    for (const Hit& hit : found.ok() ? found->hits : std::vector<Hit>()) {
      by_id[std::get<uint64_t>(hit.point.id)] = hit.score;
    }
    return by_id;
  };
  const std::map<uint64_t, double> growing = scores();
  ASSERT_OK(collection_->SealAndWait(test::Unlimited()));
  const std::map<uint64_t, double> sealed = scores();
  ASSERT_EQ(growing.size(), 200U);
  for (const auto& [id, score] : sealed) {
    EXPECT_NEAR(growing.at(id), score, 1e-5);
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
    EXPECT_NEAR(
        hit.correction->raw,
        test::ExactCosine(query, model_[std::get<uint64_t>(hit.point.id)]),
        1e-5);
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
  EXPECT_THAT(
      Catalog().PutBank(
          {"a", "", false, {Numbers(kDimension, 1), Numbers(kDimension, NAN)}},
          context),
      refused("vectors[1]"));
  EXPECT_THAT(
      Catalog().PutBank({"a", "", false, {Numbers(kDimension, 0)}}, context),
      refused("vectors[0]"));
  EXPECT_THAT(Catalog().SampleBank({"s", "", 5, 1}, context),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(Catalog().SampleBank({"s", "", 0, 1}, context), refused("count"));

  storage::NormalizerRecord record = Record(NormalizerMethod::kInvertedSoftmax);
  record.set_query_bank("missing");
  EXPECT_THAT(Catalog().PutNormalizer(record, context), refused("query_bank"));
  record = Record(NormalizerMethod::kInvertedSoftmax);
  record.set_beta(-1);
  EXPECT_THAT(Catalog().PutNormalizer(record, context), refused("beta"));
  record.set_name("none");
  EXPECT_THAT(Catalog().PutNormalizer(record, context), refused("name"));
  record = Record(NormalizerMethod::kInvertedSoftmax);
  record.set_method("softmax");
  EXPECT_THAT(Catalog().PutNormalizer(record, context), refused("method"));
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
