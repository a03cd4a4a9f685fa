// SPDX-License-Identifier: Apache-2.0
//
// Text through writes, merges and restarts, against scores that are computed
// from all texts anew.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "base/errors.h"
#include "base/status_matchers.h"
#include "engine/engine_fixture.h"
#include "filters/filter_text.h"
#include "tests/support/test_seed.h"

namespace sextant {
namespace {

using test::SeededVector;
using test::Unlimited;
using testing::HasSubstr;

constexpr float kK1 = 0.9F;
constexpr float kB = 0.4F;

Schema TextSchema() {
  Schema schema = test::OneFieldSchema(4);
  schema.payload_fields = {{"group", FieldType::kInteger},
                           {"title", FieldType::kKeyword}};
  schema.text_fields = {
      {.name = "body", .bm25 = {kK1, kB}},
      {.name = "title", .bm25 = {kK1, kB}, .positions = false}};
  return schema;
}

struct Document {
  std::vector<std::string> body;   // words
  std::vector<std::string> title;  // words
  uint64_t group = 0;
};

// Few words, some of them rare.
std::vector<std::string> RandomWords(std::mt19937_64& random, size_t most) {
  std::vector<std::string> words;
  for (size_t i = random() % (most + 1); i > 0; --i) {
    const uint64_t number = random() % 60;
    words.push_back(absl::StrCat("w", number * number / 60));
  }
  return words;
}

class TextSearchTest : public test::DatabaseFixture {
 protected:
  void SetUp() override {
    Open();
    collection_ = Create("c", TextSchema());
    ASSERT_NE(collection_, nullptr);
  }

  void Write(std::mt19937_64& random, size_t count) {
    std::vector<Point> points;
    std::set<uint64_t> seen;
    for (size_t i = 0; i < count; ++i) {
      const uint64_t id = random() % 600;
      if (!seen.insert(id).second) {
        continue;
      }
      Document document{RandomWords(random, 30), RandomWords(random, 4),
                        random() % 4};
      // Two strings of a list are one text.
      const size_t half = document.body.size() / 2;
      const std::vector<std::string> first(
          document.body.begin(),
          document.body.begin() + static_cast<int64_t>(half));
      const std::vector<std::string> second(
          document.body.begin() + static_cast<int64_t>(half),
          document.body.end());
      points.push_back(test::MakePoint(
          id, SeededVector(random(), 4),
          absl::StrCat(R"({"body":[")", absl::StrJoin(first, " "), R"(",")",
                       absl::StrJoin(second, ", "), R"("],"title":")",
                       absl::StrJoin(document.title, " "), R"(","group":)",
                       document.group, "}")));
      documents_[id] = std::move(document);
    }
    ASSERT_OK(collection_->Upsert(std::move(points), Unlimited()));
  }

  void Delete(std::mt19937_64& random, size_t count) {
    std::vector<PointId> ids;
    for (size_t i = 0; i < count; ++i) {
      const uint64_t id = random() % 600;
      ids.emplace_back(id);
      documents_.erase(id);
    }
    ASSERT_OK(collection_->Delete(ids, Unlimited()));
  }

  // BM25 over the documents of `group` (4: all).
  std::map<uint64_t, double> Scores(const std::vector<std::string>& words,
                                    double title_weight, uint64_t group) const {
    std::map<uint64_t, double> scores;
    AddScores(words, &Document::body, 1, group, &scores);
    AddScores(words, &Document::title, title_weight, group, &scores);
    return scores;
  }

  void AddScores(const std::vector<std::string>& words,
                 std::vector<std::string> Document::*field, double weight,
                 uint64_t group, std::map<uint64_t, double>* scores) const {
    double rows = 0;
    double tokens = 0;
    std::map<std::string, double> df;
    for (const auto& [id, document] : documents_) {
      if (group < 4 && document.group != group) {
        continue;
      }
      const std::vector<std::string>& text = document.*field;
      rows += text.empty() ? 0 : 1;
      tokens += static_cast<double>(text.size());
      for (const std::string& word :
           std::set<std::string>(text.begin(), text.end())) {
        df[word] += 1;
      }
    }
    for (const auto& [id, document] : documents_) {
      const std::vector<std::string>& text = document.*field;
      for (const std::string& word : words) {
        const auto tf =
            static_cast<double>(std::count(text.begin(), text.end(), word));
        if (tf == 0) {
          continue;
        }
        const double idf =
            std::log(1 + (rows - df[word] + 0.5) / (df[word] + 0.5));
        const double norm =
            kK1 *
            (1 - kB + kB * static_cast<double>(text.size()) * rows / tokens);
        (*scores)[id] += weight * idf * tf / (tf + norm);
      }
    }
  }

  static SearchQuery Query(const std::vector<std::string>& words,
                           float title_weight) {
    TextSource source;
    source.query.text = absl::StrJoin(words, " ");
    source.fields = {{"body"}, {"title", title_weight}};
    SearchQuery query;
    query.sources = {source};
    query.limit = 1000;
    return query;
  }

  void ExpectScores(const SearchQuery& query,
                    const std::map<uint64_t, double>& expected) {
    const auto result = collection_->Search(query, Unlimited());
    ASSERT_OK(result);
    EXPECT_EQ(result->hits.size(), expected.size());
    float last = std::numeric_limits<float>::infinity();
    for (const Hit& hit : result->hits) {
      const uint64_t id = std::get<uint64_t>(hit.point.id);
      ASSERT_EQ(expected.count(id), 1U) << id;
      EXPECT_NEAR(static_cast<double>(hit.score), expected.at(id), 1e-5) << id;
      EXPECT_LE(hit.score, last);
      last = hit.score;
    }
  }

  void ExpectRight(std::mt19937_64& random) {
    std::vector<std::string> words;
    for (int i = 0; i < 3; ++i) {
      const std::string word = absl::StrCat("w", random() % 60);
      if (std::find(words.begin(), words.end(), word) == words.end()) {
        words.push_back(word);
      }
    }
    SearchQuery query = Query(words, 0.5F);
    ExpectScores(query, Scores(words, 0.5, 4));
    // With a filter the scores stay, unless it is the corpus.
    query.filter = *ParseFilter("group = 1");
    std::map<uint64_t, double> expected;
    for (const auto& [id, score] : Scores(words, 0.5, 4)) {
      if (documents_.at(id).group == 1) {
        expected[id] = score;
      }
    }
    ExpectScores(query, expected);
    std::get<TextSource>(query.sources[0]).corpus = TextCorpus::kFiltered;
    const std::map<uint64_t, double> filtered = Scores(words, 0.5, 1);
    for (auto& [id, score] : expected) {
      score = filtered.at(id);
    }
    ExpectScores(query, expected);
  }

  std::shared_ptr<Collection> collection_;
  std::map<uint64_t, Document> documents_;
};

TEST_F(TextSearchTest, ScoresAreThoseOfTheTextsThatAreThere) {
  std::mt19937_64 random(test::TestSeed());
  for (int step = 0; step < 24; ++step) {
    Write(random, 60);
    Delete(random, 10);
    if (step % 6 == 3) {
      ASSERT_OK(collection_->SealAndWait(Unlimited()));
    }
    if (step % 8 == 5) {
      collection_.reset();
      if (step % 16 == 5) {
        Reopen();
      } else {
        ReopenWithoutClose();
      }
      collection_ = Find("c");
    }
    ExpectRight(random);
    ExpectRight(random);
  }
  EXPECT_GT(collection_->Info().index.texts_bytes, 0U);
}

TEST_F(TextSearchTest, RebuiltFromThePoints) {
  std::mt19937_64 random(test::TestSeed());
  for (int i = 0; i < 6; ++i) {
    Write(random, 100);
  }
  ASSERT_OK(collection_->SealAndWait(Unlimited()));
  collection_.reset();
  Close();
  std::filesystem::remove_all(dir_.path() + "/segments");
  Open();
  collection_ = Find("c");
  EXPECT_EQ(collection_->Info().index.rebuilds, 1U);
  ExpectRight(random);
  ASSERT_OK(collection_->SealAndWait(Unlimited()));
  ExpectRight(random);
}

TEST_F(TextSearchTest, PhrasesStayInTheirString) {
  ASSERT_OK(collection_->Upsert(
      {test::MakePoint(uint64_t{1}, {1, 0, 0, 0},
                       R"({"body":["red apple","green pear"]})"),
       test::MakePoint(uint64_t{2}, {0, 1, 0, 0},
                       R"({"body":"a red apple green as a pear"})")},
      Unlimited()));
  const auto found = [&](const std::string& phrase, uint32_t slop) {
    TextSource source;
    source.query = {
        .kind = TextQueryKind::kPhrase, .text = phrase, .slop = slop};
    source.fields = {{"body"}};
    SearchQuery query;
    query.sources = {source};
    query.limit = 10;
    const auto result = collection_->Search(query, Unlimited());
    EXPECT_OK(result);
    std::set<uint64_t> ids;
    for (const Hit& hit : result->hits) {
      ids.insert(std::get<uint64_t>(hit.point.id));
    }
    return ids;
  };
  EXPECT_EQ(found("red apple", 0), (std::set<uint64_t>{1, 2}));
  EXPECT_EQ(found("apple green", 0), (std::set<uint64_t>{2}));
  EXPECT_EQ(found("apple green", 64), (std::set<uint64_t>{2}));
}

TEST_F(TextSearchTest, FusesWithVectors) {
  std::mt19937_64 random(test::TestSeed());
  for (int i = 0; i < 5; ++i) {
    Write(random, 100);
  }
  const std::vector<std::string> words = {"w1", "w30"};
  SearchQuery query = Query(words, 1);
  DenseSource dense{.target = SeededVector(3, 4), .exact = true};
  dense.share.weight = 0.5;
  query.sources.emplace_back(dense);
  query.fusion = FusionChoice{FusionMethod::kLinear};
  for (Source& source : query.sources) {
    std::visit([](auto& s) { s.share.normaliser = FusionNormaliser::kNone; },
               source);
  }
  query.limit = 50;
  query.explain = true;
  const std::map<uint64_t, double> by_text = Scores(words, 1, 4);
  const auto result = collection_->Search(query, Unlimited());
  ASSERT_OK(result);
  ASSERT_EQ(result->hits.size(), 50U);
  for (const Hit& hit : result->hits) {
    const uint64_t id = std::get<uint64_t>(hit.point.id);
    ASSERT_TRUE(hit.explanation.has_value());
    const SourceExplanation& text = hit.explanation->sources[0];
    const SourceExplanation& vector = hit.explanation->sources[1];
    const auto expected = by_text.find(id);
    EXPECT_NEAR(*text.score, expected == by_text.end() ? 0 : expected->second,
                1e-5);
    double sum = 0;
    for (const TextScorePart& term : text.terms) {
      sum += static_cast<double>(term.score);
    }
    EXPECT_NEAR(sum, *text.score, 1e-5);
    EXPECT_NEAR(static_cast<double>(hit.score),
                *text.score + 0.5 * *vector.score, 1e-5);
  }
  // A text has a least score, so that nothing need be said of it.
  query.fusion = FusionChoice{FusionMethod::kLinear};
  for (Source& source : query.sources) {
    std::visit([](auto& s) { s.share.normaliser.reset(); }, source);
  }
  EXPECT_OK(collection_->Search(query, Unlimited()));
}

TEST_F(TextSearchTest, NamesWhatIsWrong) {
  const auto path = [&](const std::string& payload) {
    return InvalidFieldPath(
        collection_
            ->Upsert({test::MakePoint(uint64_t{1}, {1, 0, 0, 0}, payload)},
                     Unlimited())
            .status());
  };
  EXPECT_EQ(path(R"({"body":7})"), "points[0].payload.body");
  EXPECT_EQ(path(R"({"body":["a",{"b":"c"}]})"), "points[0].payload.body");
  EXPECT_EQ(path(R"({"body":[["a"]]})"), "points[0].payload.body");
  EXPECT_EQ(path(R"({"body":null,"title":[]})"), "");
  const auto error = [&](const std::function<void(TextSource*)>& change) {
    SearchQuery query = Query({"w1"}, 1);
    change(&std::get<TextSource>(query.sources[0]));
    return std::string(
        collection_->Search(query, Unlimited()).status().message());
  };
  EXPECT_EQ(error([](TextSource*) {}), "");
  EXPECT_THAT(error([](TextSource* s) { s->fields[1].name = "x"; }),
              HasSubstr("sources[0].text.fields[1].name"));
  EXPECT_THAT(error([](TextSource* s) { s->fields[1].name = "body"; }),
              HasSubstr("named twice"));
  EXPECT_THAT(error([](TextSource* s) { s->fields[0].weight = -1; }),
              HasSubstr("sources[0].text.fields[0].weight"));
  EXPECT_THAT(error([](TextSource* s) { s->query.text.clear(); }),
              HasSubstr("sources[0].text."));
  EXPECT_THAT(error([](TextSource* s) { s->query.text = "a\xff"; }),
              HasSubstr("sources[0].text."));
  std::string many;
  for (int i = 0; i < 2000; ++i) {
    absl::StrAppend(&many, "t", i, " ");
  }
  EXPECT_THAT(error([&](TextSource* s) { s->query.text = many; }),
              HasSubstr("sources[0].text."));
  Schema schema = TextSchema();
  schema.text_fields[0].analysis.language = "klingon";
  EXPECT_EQ(InvalidFieldPath(ValidateSchema(schema)),
            "text_fields[0].analyzer.language");
  schema = TextSchema();
  schema.text_fields[0].name = "group";
  EXPECT_EQ(InvalidFieldPath(ValidateSchema(schema)), "text_fields[0].name");
  schema.text_fields[0].name = "title.sub";
  EXPECT_EQ(InvalidFieldPath(ValidateSchema(schema)), "text_fields[0].name");
  schema.text_fields[0].name = "title";
  EXPECT_EQ(InvalidFieldPath(ValidateSchema(schema)), "text_fields[1].name");
  schema = TextSchema();
  schema.text_fields[1].bm25.k1 = std::nanf("");
  EXPECT_EQ(InvalidFieldPath(ValidateSchema(schema)), "text_fields[1].k1");
}

}  // namespace
}  // namespace sextant
