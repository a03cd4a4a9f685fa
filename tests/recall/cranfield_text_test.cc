// SPDX-License-Identifier: Apache-2.0
// The 225 questions of Cranfield over its 1,400 abstracts: the best 100 are
// those of scoring every abstract by the formula, and the judges agree with
// them as much as they should. Skipped where the data is not.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include <gtest/gtest.h>

#include "base/check.h"
#include "index/text/text_index_builder.h"
#include "index/text/text_search.h"

namespace sextant {
namespace {

constexpr Bm25Params kParams = {.k1 = 0.9F, .b = 0.4F};

std::string DataFolder() {
  const char* given = std::getenv("SEXTANT_DATA");
  return absl::StrCat(given == nullptr ? "../shared/data" : given,
                      "/cranfield/");
}

struct Cranfield {
  std::vector<std::string> texts;
  std::vector<std::string> questions;
  std::map<size_t, std::set<size_t>> relevant;  // by question
};

// By the number in "id"; `text` of a line is made by `read`.
template <typename Read>
std::vector<std::string> ReadLines(const std::string& path, Read read) {
  std::vector<std::string> texts;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    texts.push_back(read(nlohmann::json::parse(line)));
  }
  return texts;
}

class CranfieldTextTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::ifstream(DataFolder() + "docs.jsonl")) {
      GTEST_SKIP() << "no " << DataFolder();
    }
    data_.texts = ReadLines(DataFolder() + "docs.jsonl", [](const auto& doc) {
      return doc.value("text", std::string());
    });
    data_.questions = ReadLines(
        DataFolder() + "queries.jsonl",
        [](const auto& query) { return query.value("text", std::string()); });
    ReadJudgements();
  }

  void ReadJudgements();

  void Build(const AnalyzerSpec& spec) {
    analyzer_ = *Analyzer::Create(spec);
    TextIndexBuilder builder({});
    documents_.clear();
    for (uint32_t row = 0; row < data_.texts.size(); ++row) {
      TokenList tokens;
      ASSERT_TRUE(analyzer_->Analyze(data_.texts[row], tokens).ok());
      ASSERT_TRUE(builder.Add(row, tokens).ok());
      std::map<std::string, double>& counts = documents_.emplace_back();
      for (size_t i = 0; i < tokens.size(); ++i) {
        ++counts[std::string(tokens.term(i))];
      }
    }
    const auto rows = static_cast<uint32_t>(data_.texts.size());
    bytes_ = *std::move(builder).Finish(rows);
    auto index = TextIndex::Open(bytes_, rows);
    ASSERT_TRUE(index.ok());
    segment_ = TextSegment(
        SealedTextParts({std::make_shared<TextIndex>(*index)}), 1, RowSet());
  }

  std::vector<ScoredRow> Search(const std::string& question,
                                size_t limit) const {
    TextSearchField field;
    field.name = "text";
    field.analyzer = analyzer_.get();
    field.bm25 = kParams;
    TextQuery query;
    query.text = question;
    const auto bound = BoundTextQuery::Bind(query, {&field, 1});
    CHECK(bound.ok()) << bound.status().message();
    const RequestContext context;
    const auto statistics =
        CollectTextStatistics(*bound, {&segment_, 1}, {}, context);
    CHECK(statistics.ok());
    TopK top(limit);
    CHECK(TextSearch(*bound, *statistics)
              .Search(segment_, segment_.dead(), {}, context, top)
              .ok());
    return top.TakeSorted();
  }

  std::vector<double> ExactScores(const std::string& question) const;
  double MeanNdcg() const;

  Cranfield data_;
  std::unique_ptr<Analyzer> analyzer_;
  std::string bytes_;
  TextSegment segment_;
  std::vector<std::map<std::string, double>> documents_;
};

void CranfieldTextTest::ReadJudgements() {
  std::ifstream file(DataFolder() + "qrels.tsv");
  for (std::string line; std::getline(file, line);) {
    std::istringstream cells(line);
    size_t question = 0;
    size_t document = 0;
    if (cells >> question >> document) {
      // Grade 0 is the best match of a question: all count.
      data_.relevant[question].insert(document);
    }
  }
}

// By row, from the formula.
std::vector<double> CranfieldTextTest::ExactScores(
    const std::string& question) const {
  TokenList tokens;
  CHECK(analyzer_->Analyze(question, tokens).ok());
  double n = 0;
  double length_sum = 0;
  std::vector<double> lengths;
  for (const auto& document : documents_) {
    double length = 0;
    for (const auto& [term, tf] : document) {
      length += tf;
    }
    lengths.push_back(length);
    n += length > 0 ? 1 : 0;
    length_sum += length;
  }
  std::vector<double> scores(documents_.size());
  for (size_t i = 0; i < tokens.size(); ++i) {
    const std::string term(tokens.term(i));
    const auto df = static_cast<double>(std::count_if(
        documents_.begin(), documents_.end(),
        [&](const auto& document) { return document.contains(term); }));
    const double idf = std::log(1 + (n - df + 0.5) / (df + 0.5));
    for (size_t row = 0; row < documents_.size(); ++row) {
      const auto tf = documents_[row].find(term);
      if (tf != documents_[row].end()) {
        const double norm =
            0.9 * (1 - 0.4 + 0.4 * lengths[row] / (length_sum / n));
        scores[row] += idf * tf->second / (tf->second + norm);
      }
    }
  }
  return scores;
}

// nDCG@10 with all judgements alike.
double CranfieldTextTest::MeanNdcg() const {
  double sum = 0;
  for (size_t q = 0; q < data_.questions.size(); ++q) {
    const auto judged = data_.relevant.find(q);
    if (judged == data_.relevant.end()) {
      continue;
    }
    double gain = 0;
    double ideal = 0;
    const auto hits = Search(data_.questions[q], 10);
    for (size_t i = 0; i < 10; ++i) {
      const double discount = 1 / std::log2(static_cast<double>(i) + 2);
      if (i < hits.size() && judged->second.contains(hits[i].row)) {
        gain += discount;
      }
      ideal += i < judged->second.size() ? discount : 0;
    }
    sum += gain / ideal;
  }
  return sum / static_cast<double>(data_.relevant.size());
}

TEST_F(CranfieldTextTest, TheBestHundredAreThoseOfTheFormula) {
  Build({});
  ASSERT_EQ(data_.questions.size(), 225);
  for (const std::string& question : data_.questions) {
    const std::vector<double> scores = ExactScores(question);
    const auto hits = Search(question, 100);
    std::vector<size_t> order(scores.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return scores[a] > scores[b]; });
    for (size_t i = 0; i < hits.size(); ++i) {
      // Neighbours may change places where their scores are all but equal.
      ASSERT_NEAR(hits[i].score, scores[hits[i].row], 1e-5) << question;
      ASSERT_NEAR(scores[hits[i].row], scores[order[i]], 1e-5) << question;
    }
    ASSERT_TRUE(hits.size() == 100 || scores[order[hits.size()]] == 0);
  }
}

TEST_F(CranfieldTextTest, JudgesAgree) {
  Build({});
  const double plain = MeanNdcg();
  Build({.language = "english"});
  const double stemmed = MeanNdcg();
  std::cout << "nDCG@10: " << plain << " plain, " << stemmed << " stemmed\n";
  EXPECT_GE(plain, 0.45);
  EXPECT_GE(stemmed, plain);
}

}  // namespace
}  // namespace sextant
