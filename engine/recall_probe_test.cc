// SPDX-License-Identifier: Apache-2.0
#include "engine/recall_probe.h"

#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "engine/database.h"
#include "engine/engine_fixture.h"
#include "engine/normalizer_catalog.h"
#include "filters/filter_text.h"
#include "tests/support/eventually.h"

namespace sextant {
namespace {

using test::DenseQuery;
using test::OneFieldSchema;
using test::SeededPoints;
using test::SeededVector;
using test::Unlimited;

SearchResult Approximate() {
  SearchResult result;
  result.expected_recall = 0.95;
  return result;
}

std::string FieldOf(const SearchQuery& query) {
  return std::get<DenseSource>(query.sources[0]).field;
}

TEST(RecallProbeTest, TakesOneOfSoMany) {
  RecallProbe probe(100);
  SearchQuery query = DenseQuery({1, 2}, 10);
  query.offset = 3;
  query.projection.payload = true;
  query.explain = true;
  query.recall_target = 0.9;
  size_t taken = 0;
  for (int i = 0; i < 1000; ++i) {
    probe.Offer(query, Approximate());
    if (const auto kept = probe.Take(); kept.has_value()) {
      ++taken;
      EXPECT_EQ(kept->limit, 13U);
      EXPECT_EQ(kept->offset, 0U);
      EXPECT_EQ(kept->recall_target, 0.9);
      EXPECT_FALSE(kept->projection.payload);
      EXPECT_FALSE(kept->explain);
    }
  }
  EXPECT_EQ(taken, 10U);
}

TEST(RecallProbeTest, LeavesExactSearchesAndTakesNoneWhenOff) {
  RecallProbe off(0);
  off.Offer(DenseQuery({1, 2}, 10), Approximate());
  EXPECT_FALSE(off.Take().has_value());
  RecallProbe all(1);
  SearchResult exact;
  exact.expected_recall = 1;
  all.Offer(DenseQuery({1, 2}, 10), exact);
  EXPECT_FALSE(all.Take().has_value());
}

TEST(RecallProbeTest, KeepsFewAndTheNewest) {
  RecallProbe probe(1);
  for (int i = 0; i < 1000; ++i) {
    for (const char* field : {"a", "b"}) {
      SearchQuery query = DenseQuery({static_cast<float>(i), 1}, 1);
      std::get<DenseSource>(query.sources[0]).field = field;
      probe.Offer(query, Approximate());
    }
  }
  std::vector<SearchQuery> kept;
  while (auto query = probe.Take()) {
    kept.push_back(*std::move(query));
  }
  ASSERT_EQ(kept.size(), 16U);
  EXPECT_NE(FieldOf(kept[0]), FieldOf(kept[1])) << "fields take turns";
  for (const SearchQuery& query : kept) {
    const auto& target = std::get<DenseSource>(query.sources[0]).target;
    EXPECT_GE(std::get<std::vector<float>>(target)[0], 992);
  }
  // Of vectors as large as can be, one.
  for (int i = 0; i < 10; ++i) {
    probe.Offer(DenseQuery(std::vector<float>(65536, 1), 1), Approximate());
  }
  EXPECT_TRUE(probe.Take().has_value());
  EXPECT_FALSE(probe.Take().has_value());
}

TEST(RecallProbeTest, RecentProbesWeighMore) {
  RecallProbe probe(1);
  for (int i = 0; i < 500; ++i) {
    probe.Record(10, 10);
  }
  for (int i = 0; i < 200; ++i) {
    probe.Record(10, 5);
  }
  const RecallStats stats = probe.stats();
  EXPECT_EQ(stats.probes, 700U);
  EXPECT_EQ(stats.hits, 7000U);
  EXPECT_EQ(stats.found, 6000U);
  EXPECT_NEAR(stats.recent_found / stats.recent_hits, 0.5, 0.02);
}

// What decides which points a search finds is kept, within bounds.
TEST(RecallProbeTest, FiltersAreKept) {
  RecallProbe probe(1);
  SearchQuery query = DenseQuery({1, 2}, 10);
  query.filter = *ParseFilter("size < 5");
  probe.Offer(query, Approximate());
  const std::optional<SearchQuery> kept = probe.Take();
  ASSERT_TRUE(kept.has_value() && kept->filter.has_value());
  EXPECT_EQ(ToString(*kept->filter), "size < 5");
  query.filter =
      *ParseFilter(absl::StrCat("section = \"", std::string(5000, 'x'), "\""));
  probe.Offer(query, Approximate());
  EXPECT_FALSE(probe.Take().has_value());
}

TEST(RecallProbeTest, TellsTheRecallOfFilteredWalksOnceThereAreSome) {
  RecallProbe probe(1);
  for (int i = 0; i < 50; ++i) {
    probe.Record(10, 10);
  }
  EXPECT_EQ(probe.filtered_recall(), 0);
  for (int i = 0; i < 30; ++i) {
    probe.Record(10, 8, /*filtered_walk=*/true);
  }
  EXPECT_NEAR(probe.filtered_recall(), 0.8, 1e-6);
}

class RecallProbeDatabaseTest : public test::DatabaseFixture {};

// Every search is sampled and repeated: the counters tell what the searches
// found, which with a beam of one is not all.
TEST_F(RecallProbeDatabaseTest, MeasuresWhatSearchesFind) {
  constexpr uint32_t kTestDimension = 16;
  options_.min_graph_rows = 32;
  options_.default_ef = 10;
  options_.recall_probe_every = 1;
  options_.recall_probe_cpu_percent = 100;
  Open();
  const auto docs = Create("docs", OneFieldSchema(kTestDimension, Metric::kL2));
  ASSERT_OK(docs->Upsert(SeededPoints(0, 1000, kTestDimension), Unlimited()));
  ASSERT_OK(docs->SealAndWait(Unlimited()));
  EXPECT_EQ(docs->Info().recall.probes, 0U);
  uint64_t searches = 0;
  const auto probed = [&] {
    const auto result = docs->Search(
        DenseQuery(SeededVector(5000 + searches++, kTestDimension), 10),
        Unlimited());
    EXPECT_OK(result);
    EXPECT_LT(result->expected_recall, 1);
    return docs->Info().recall.probes >= 3;
  };
  ASSERT_TRUE(Eventually(probed, absl::Seconds(60)));
  const RecallStats stats = docs->Info().recall;
  EXPECT_LE(stats.probes, searches);
  EXPECT_EQ(stats.hits, 10 * stats.probes);
  EXPECT_LE(stats.found, stats.hits);
  EXPECT_GE(stats.found, stats.hits / 4);
  // Of a normaliser that rescores, what it gets to rescore.
  ASSERT_OK_AND_ASSIGN(storage::NormalizerRecord scaled,
                       UsualNormalizer("nicdm"));
  scaled.set_name("scaled");
  scaled.set_is_default(true);
  scaled.set_candidates(10);  // of more it would scan
  ASSERT_OK((*docs->normalizers())->PutNormalizer(scaled, Unlimited()));
  const uint64_t enough = docs->Info().recall.probes + 3;
  ASSERT_TRUE(Eventually(
      [&] { return probed() && docs->Info().recall.probes >= enough; },
      absl::Seconds(60)));
  EXPECT_EQ(docs->Info().recall.hits, 10 * docs->Info().recall.probes);
}

}  // namespace
}  // namespace sextant
