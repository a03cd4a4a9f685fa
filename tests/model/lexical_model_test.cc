// SPDX-License-Identifier: Apache-2.0
//
// Texts and sparse vectors through random writes, deletes, seals, merges and
// restarts. After every step the statistics of a text search and the scores of
// both kinds are those that are counted anew from the points that are there.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "engine/engine_fixture.h"
#include "filters/filter_text.h"
#include "index/text/text_oracle.h"
#include "index/text/text_query_parser.h"
#include "tests/support/test_seed.h"

namespace sextant::test {
namespace {

using testing::HasSubstr;
using Entries = std::vector<SparseEntry>;

constexpr int kSteps = 1'200;
constexpr uint64_t kIds = 300;

struct Document {
  std::optional<std::string> body;  // words between blanks
  Entries terms;
  uint64_t group = 0;
};

Schema LexicalSchema() {
  Schema schema = OneFieldSchema(4);
  schema.payload_fields = {{"group", FieldType::kInteger}};
  schema.text_fields = {
      {.name = "title", .analysis = {.kind = AnalyzerKind::kKeyword}},
      {.name = "body", .bm25 = {.k1 = 0.9F, .b = 0.4F}}};
  schema.sparse_fields = {{"other"}, {"terms"}};
  return schema;
}

// What a search is to find.
struct Scored {
  uint64_t id = 0;
  double score = 0;
};

class LexicalModelTest : public DatabaseFixture {
 protected:
  LexicalModelTest() : seed_(TestSeed()), random_(seed_) {
    // What a write means is under test here; that it is durable, elsewhere.
    options_.store.durability = Durability::kOs;
    options_.seal_rows = 64;
    options_.min_graph_rows = 48;
  }

  uint64_t Below(uint64_t n) { return random_() % n; }
  bool Dice(uint64_t n) { return Below(n) == 0; }

  // Few words, low numbers more often.
  std::string RandomWord() {
    const uint64_t number = Below(50);
    return absl::StrCat("w", number * number / 50);
  }
  std::string RandomWords(uint64_t most) {
    std::vector<std::string> words(Below(most + 1));
    for (std::string& word : words) {
      word = RandomWord();
    }
    return absl::StrJoin(words, " ");
  }
  Entries RandomEntries(uint64_t most) {
    std::map<uint32_t, float> entries;
    for (uint64_t i = Below(most + 1); i > 0; --i) {
      const uint64_t number = Below(50);
      // Sums of products of such weights are exact.
      const float weight = 0.25F * static_cast<float>(1 + Below(12));
      entries[static_cast<uint32_t>(number * number / 50)] =
          Dice(4) ? -weight : weight;
    }
    Entries sorted;
    for (const auto& [index, weight] : entries) {
      sorted.push_back({index, weight});
    }
    return sorted;
  }

  void Upsert() {
    std::vector<Point> points(1 + Below(Dice(4) ? 60 : 6));
    for (Point& point : points) {
      const uint64_t id = Below(kIds);
      Document document;
      if (!Dice(6)) {
        document.body = RandomWords(24);
      }
      document.terms = RandomEntries(12);
      document.group = Below(3);
      point = MakePoint(
          id, SeededVector(random_(), 4),
          absl::StrCat(R"({"group":)", document.group, R"(,"title":["t)",
                       Below(9), R"(","u"])",
                       document.body
                           ? absl::StrCat(R"(,"body":")", *document.body, "\"")
                           : "",
                       "}"));
      if (!document.terms.empty()) {
        point.sparse = {{"terms", document.terms}};
      }
      if (Dice(3)) {
        point.sparse.push_back({"other", RandomEntries(3)});
      }
      documents_[id] = std::move(document);
    }
    ASSERT_OK(collection_->Upsert(std::move(points), Unlimited()));
  }

  void Delete() {
    std::vector<PointId> ids(1 + Below(Dice(4) ? 60 : 5));
    for (PointId& id : ids) {
      const uint64_t number = Below(kIds);
      id = number;
      documents_.erase(number);
    }
    ASSERT_OK(collection_->Delete(ids, Unlimited()));
  }

  void DeleteGroup() {
    const uint64_t group = Below(3);
    ASSERT_OK(collection_->DeleteMatching(
        *ParseFilter(absl::StrCat("group = ", group)), Unlimited()));
    std::erase_if(documents_, [group](const auto& entry) {
      return entry.second.group == group;
    });
  }

  // Stop words that no text has: all texts are indexed anew, and every score is
  // as it was.
  void ChangeText() {
    const TextFieldUpdate update = {
        .field = "body",
        .analysis =
            AnalyzerSpec{.stop_words = {absl::StrCat("stop", Below(3))}}};
    const absl::Status updated =
        collection_->UpdateTextField(update, Unlimited());
    // Unless the change before goes on.
    EXPECT_TRUE(updated.ok() || absl::IsFailedPrecondition(updated))
        << updated.ToString();
    text_changes_ += updated.ok() ? 1U : 0U;
  }

  void Restart() {
    collection_.reset();
    if (Dice(2)) {
      Reopen();
    } else {
      ReopenWithoutClose();
    }
    collection_ = Find("c");
    ASSERT_NE(collection_, nullptr);
    EXPECT_EQ(collection_->Info().index.rebuilds, 0U) << events_.Text();
  }

  void Step() {
    const uint64_t dice = Below(100);
    if (dice < 56) {
      Upsert();
    } else if (dice < 60) {
      ChangeText();
    } else if (dice < 88) {
      Delete();
    } else if (dice < 89) {
      DeleteGroup();
    } else if (dice < 97) {
      ASSERT_OK(collection_->SealAndWait(Unlimited()));
    } else {
      Restart();
    }
  }

  // Words, phrases, prefixes; some of them required or excluded.
  std::string RandomQuery() {
    std::vector<std::string> parts;
    for (uint64_t i = 1 + Below(4); i > 0; --i) {
      switch (Below(6)) {
        case 0:
          parts.push_back(absl::StrCat("\"", RandomWord(), " ", RandomWord(),
                                       "\"", Dice(2) ? "~2" : ""));
          break;
        case 1:
          parts.push_back(absl::StrCat("w", Below(4), "*"));
          break;
        default:
          parts.push_back(RandomWord());
      }
      if (Dice(5)) {
        parts.back().insert(0, "+");
      } else if (parts.size() > 1 && Dice(6)) {
        parts.back().insert(0, "-");
      }
    }
    return absl::StrJoin(parts, " ");
  }

  static TextSource TextOf(const TextQuery& query) {
    TextSource source;
    source.query = query;
    source.fields = {{"body"}};
    return source;
  }

  // What the oracle says of all documents; those left out are dead to it.
  struct Counted {
    std::vector<uint64_t> ids;
    std::vector<std::optional<std::string>> texts;
  };
  Counted Count(std::optional<uint64_t> group) const {
    Counted counted;
    for (const auto& [id, document] : documents_) {
      if (!group.has_value() || document.group == *group) {
        counted.ids.push_back(id);
        counted.texts.push_back(document.body);
      }
    }
    return counted;
  }

  absl::StatusOr<BoundTextQuery> Bind(const TextQuery& query) const {
    const std::shared_ptr<const Schema> schema = collection_->schema();
    const TextFieldSchema& field = schema->text_fields[1];
    const TextSearchField searched = {.name = "body",
                                      .number = 1,
                                      .analyzer = field.analyzer.get(),
                                      .bm25 = field.bm25};
    return BoundTextQuery::Bind(query, {&searched, 1});
  }

  // By id; of documents that match.
  static std::map<uint64_t, double> TextScores(const TextOracle& oracle,
                                               const BoundTextQuery& query,
                                               const Counted& counted) {
    std::map<uint64_t, double> scores;
    for (size_t row = 0; row < counted.ids.size(); ++row) {
      if (const auto score = oracle.Score(query, row)) {
        scores[counted.ids[row]] = *score;
      }
    }
    return scores;
  }

  std::map<uint64_t, double> SparseScores(const Entries& query) const {
    std::map<uint64_t, double> scores;
    for (const auto& [id, document] : documents_) {
      for (const SparseEntry& a : query) {
        for (const SparseEntry& b : document.terms) {
          if (a.index == b.index) {
            scores[id] += static_cast<double>(a.weight * b.weight);
          }
        }
      }
    }
    return scores;
  }

  static void ExpectScores(const SearchResult& result,
                           const std::map<uint64_t, double>& expected) {
    ASSERT_EQ(result.hits.size(), expected.size());
    const Hit* before = nullptr;
    for (const Hit& hit : result.hits) {
      const uint64_t id = std::get<uint64_t>(hit.point.id);
      ASSERT_EQ(expected.count(id), 1U) << id;
      const double score = expected.at(id);
      EXPECT_NEAR(static_cast<double>(hit.score), score,
                  1e-5 * (1 + std::abs(score)))
          << id;
      ASSERT_TRUE(before == nullptr || before->score > hit.score ||
                  (before->score == hit.score &&
                   std::get<uint64_t>(before->point.id) < id));
      before = &hit;
    }
  }

  // N, df, lengths and their mean, as the explanation of each hit has them.
  static void ExpectStatistics(const SearchResult& result,
                               const TextOracle& oracle,
                               const std::map<uint64_t, Document>& documents) {
    EXPECT_THAT(result.plan,
                HasSubstr(absl::StrCat("body: ", oracle.n(), " points")));
    for (const Hit& hit : result.hits) {
      ASSERT_TRUE(hit.explanation.has_value());
      const std::vector<std::string> words = absl::StrSplit(
          *documents.at(std::get<uint64_t>(hit.point.id)).body, ' ');
      for (const TextScorePart& part : hit.explanation->sources.at(0).terms) {
        EXPECT_EQ(part.length, words.size());
        EXPECT_DOUBLE_EQ(part.average_length, oracle.tokens() / oracle.n());
        const bool is_word =
            part.term.find_first_of(" *\"~") == std::string::npos;
        if (is_word) {
          EXPECT_EQ(part.tf, static_cast<uint32_t>(std::count(
                                 words.begin(), words.end(), part.term)));
          EXPECT_EQ(static_cast<double>(part.df), oracle.df(part.term));
          ++words_checked_;
        }
      }
    }
  }

  void CheckText() {
    const std::string text = RandomQuery();
    SCOPED_TRACE(text);
    const auto parsed = ParseTextQuery(text);
    ASSERT_OK(parsed);
    const auto bound = Bind(*parsed);
    ASSERT_OK(bound);
    const Counted all = Count(std::nullopt);
    const TextOracle oracle(all.texts);
    SearchQuery query;
    query.sources = {TextOf(*parsed)};
    query.limit = 1000;
    query.explain = true;
    const auto result = collection_->Search(query, Unlimited());
    ASSERT_OK(result);
    const std::map<uint64_t, double> scores = TextScores(oracle, *bound, all);
    ExpectScores(*result, scores);
    ExpectStatistics(*result, oracle, documents_);
    // Of a filter as it would be by itself.
    const uint64_t group = Below(3);
    query.filter = *ParseFilter(absl::StrCat("group = ", group));
    std::get<TextSource>(query.sources[0]).corpus = TextCorpus::kFiltered;
    const Counted some = Count(group);
    const TextOracle filtered(some.texts);
    const auto narrowed = collection_->Search(query, Unlimited());
    ASSERT_OK(narrowed);
    ExpectScores(*narrowed, TextScores(filtered, *bound, some));
    ExpectStatistics(*narrowed, filtered, documents_);
  }

  // Sparse alone, and fused with words.
  void CheckSparse() {
    const Entries entries = RandomEntries(6);
    SearchQuery query;
    query.sources = {SparseSource{"terms", entries}};
    query.limit = 1000;
    const auto result = collection_->Search(query, Unlimited());
    ASSERT_OK(result);
    const std::map<uint64_t, double> by_sparse = SparseScores(entries);
    ExpectScores(*result, by_sparse);
    const auto parsed = ParseTextQuery(RandomWord());
    ASSERT_OK(parsed);
    const auto bound = Bind(*parsed);
    ASSERT_OK(bound);
    query.sources.emplace_back(TextOf(*parsed));
    query.fusion = FusionChoice{FusionMethod::kLinear};
    for (Source& source : query.sources) {
      std::visit([](auto& s) { s.share.normaliser = FusionNormaliser::kNone; },
                 source);
    }
    std::get<TextSource>(query.sources[1]).share.weight = 3;
    const Counted all = Count(std::nullopt);
    std::map<uint64_t, double> fused = by_sparse;
    for (const auto& [id, score] :
         TextScores(TextOracle(all.texts), *bound, all)) {
      fused[id] += 3 * score;
    }
    const auto both = collection_->Search(query, Unlimited());
    ASSERT_OK(both);
    ExpectScores(*both, fused);
  }

  const uint64_t seed_;
  std::mt19937_64 random_;
  std::shared_ptr<Collection> collection_;
  std::map<uint64_t, Document> documents_;
  static inline uint64_t words_checked_ = 0;
  uint64_t text_changes_ = 0;
};

TEST_F(LexicalModelTest, StatisticsAndScoresAreThoseCountedAnew) {
  Open();
  collection_ = Create("c", LexicalSchema());
  ASSERT_NE(collection_, nullptr);
  size_t segments_most = 0;
  for (int step = 0; step < kSteps; ++step) {
    SCOPED_TRACE(absl::StrCat("SEXTANT_SEED=", seed_, ", step ", step));
    Step();
    CheckText();
    CheckSparse();
    if (HasFailure()) {
      return;
    }
    segments_most = std::max<size_t>(segments_most,
                                     collection_->Info().index.sealed_segments);
  }
  EXPECT_OK(database_->Verify());
  EXPECT_GT(segments_most, 1U);
  std::cout << kSteps << " steps, " << words_checked_
            << " words of hits compared, up to " << segments_most
            << " sealed segments, " << text_changes_
            << " changes of a text field\n";
  EXPECT_GT(words_checked_, 0U);
  EXPECT_GT(text_changes_, 10U);
}

}  // namespace
}  // namespace sextant::test
