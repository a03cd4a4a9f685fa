// SPDX-License-Identifier: Apache-2.0
//
// Texts come, change and go, in growing and sealed segments; after every step
// all statistics and scores are those of counting everything anew.

#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "index/text/growing_text.h"
#include "index/text/text_merger.h"
#include "index/text/text_oracle.h"
#include "index/text/text_search.h"
#include "index/text/text_segment.h"
#include "index/text/text_test_corpus.h"
#include "tests/support/test_seed.h"

namespace sextant {
namespace {

// A segment with the texts that its rows had; dead ones are absent.
struct ModelSegment {
  std::vector<std::optional<std::string>> texts;
  std::unique_ptr<GrowingText> growing;  // or sealed:
  TextParts sealed;
  RowSet dead;
  TextSegment view;

  TextParts Parts() const {
    return growing != nullptr ? growing->View() : sealed;
  }
};

class TextModel {
 public:
  explicit TextModel(uint64_t seed) : random_(seed) {
    auto analyzer = Analyzer::Create({});
    CHECK(analyzer.ok());
    analyzer_ = *std::move(analyzer);
    StartSegment();
  }

  void Step() {
    const uint32_t action = random_.Below(100);
    if (action < 70) {
      Put();
    } else if (action < 90) {
      Delete();
    } else if (action < 95) {
      Seal(segments_.size() - 1);
      StartSegment();
    } else {
      Merge();
    }
  }

  void Check() {
    std::vector<TextSegment> views;
    std::vector<std::optional<std::string>> all;
    std::vector<size_t> first;
    for (const ModelSegment& segment : segments_) {
      views.push_back(segment.view);
      first.push_back(all.size());
      all.insert(all.end(), segment.texts.begin(), segment.texts.end());
    }
    const TextOracle oracle(all);
    CheckStatistics(views, oracle);
    TextSearchField field;
    field.name = "body";
    field.analyzer = analyzer_.get();
    field.weight = 1.5F;
    auto bound = BoundTextQuery::Bind(random_.Query(), {{field}});
    ASSERT_TRUE(bound.ok()) << bound.status().message();
    ASSERT_TRUE(bound->ExpandPrefixes(views, context_).ok());
    const auto statistics = CollectTextStatistics(*bound, views, {}, context_);
    ASSERT_TRUE(statistics.ok());
    const TextSearch search(*bound, *statistics);
    for (size_t s = 0; s < views.size(); ++s) {
      CheckScores(search, *bound, oracle, views[s], segments_[s], first[s]);
    }
  }

 private:
  void StartSegment() {
    ModelSegment segment;
    segment.growing =
        std::make_unique<GrowingText>(std::vector<TextIndexOptions>(1));
    segment.view = TextSegment({}, 1, RowSet());
    segments_.push_back(std::move(segment));
  }

  void Put() {
    if (random_.Below(3) == 0) {
      Delete();  // an overwrite
    }
    ModelSegment& segment = segments_.back();
    // Many rows now and then, so that parts are frozen and merged.
    for (uint32_t i = random_.Below(20) == 0 ? 200 : 1; i > 0; --i) {
      const std::string text = random_.Text(random_.Below(8) == 0 ? 40 : 12);
      const TokenList tokens[1] = {TokensOf(text)};
      ASSERT_TRUE(segment.growing->Append(tokens).ok());
      segment.texts.emplace_back(text);
    }
    Publish(&segment, {});
  }

  void Delete() {
    ModelSegment& segment =
        segments_[random_.Below(static_cast<uint32_t>(segments_.size()))];
    if (segment.texts.empty()) {
      return;
    }
    std::vector<Ordinal> rows;
    for (uint32_t i = random_.Below(10) == 0 ? 100 : 1; i > 0; --i) {
      const Ordinal row =
          random_.Below(static_cast<uint32_t>(segment.texts.size()));
      if (segment.texts[row]) {
        segment.texts[row].reset();
        rows.push_back(row);
      }
    }
    Publish(&segment, rows);
  }

  static void Publish(ModelSegment* segment, const std::vector<Ordinal>& dead) {
    segment->dead =
        segment->dead.With(dead, static_cast<uint32_t>(segment->texts.size()));
    segment->view =
        segment->view.Advance(segment->Parts(), dead, segment->dead);
  }

  // Live rows of segments [first, end) in one sealed segment, in another order.
  ModelSegment Merged(size_t first, size_t end) {
    std::vector<std::vector<Ordinal>> new_rows;
    std::vector<TextMergeSource> sources;
    std::vector<std::pair<size_t, Ordinal>> live;
    for (size_t s = first; s < end; ++s) {
      for (Ordinal row = 0; row < segments_[s].texts.size(); ++row) {
        if (segments_[s].texts[row]) {
          live.emplace_back(s, row);
        }
      }
    }
    for (size_t i = live.size(); i > 1; --i) {
      std::swap(live[i - 1], live[random_.Below(static_cast<uint32_t>(i))]);
    }
    std::map<std::pair<size_t, Ordinal>, Ordinal> placed;
    ModelSegment result;
    for (const auto& at : live) {
      placed[at] = static_cast<Ordinal>(result.texts.size());
      result.texts.push_back(segments_[at.first].texts[at.second]);
    }
    for (size_t s = first; s < end; ++s) {
      for (const TextPart& part : FrozenParts(segments_[s])) {
        std::vector<Ordinal>& rows = new_rows.emplace_back();
        for (Ordinal row = 0; row < part.rows; ++row) {
          const auto found = placed.find({s, part.first_row + row});
          rows.push_back(found == placed.end() ? kDroppedRow : found->second);
        }
        kept_.push_back(part.fields[0]);
        sources.push_back({part.fields[0].get(), {}});
      }
    }
    for (size_t i = 0; i < sources.size(); ++i) {
      sources[i].new_rows = new_rows[i];
    }
    const auto rows = static_cast<uint32_t>(result.texts.size());
    auto bytes = MergeTextIndexes(sources, rows, context_);
    CHECK(bytes.ok()) << bytes.status().message();
    result.sealed = SealedTextParts({OwnTextIndex(*bytes, rows)});
    result.view = TextSegment(result.sealed, 1, RowSet());
    kept_.clear();
    return result;
  }

  static TextParts FrozenParts(const ModelSegment& segment) {
    const TextIndexOptions options[1];
    auto parts = FreezeTextParts(segment.Parts(), options);
    CHECK(parts.ok());
    return *std::move(parts);
  }

  void Seal(size_t segment) {
    ModelSegment sealed = Merged(segment, segment + 1);
    segments_[segment] = std::move(sealed);
  }

  void Merge() {
    if (segments_.size() < 4) {
      return;
    }
    ModelSegment merged = Merged(0, 3);
    segments_.erase(segments_.begin() + 1, segments_.begin() + 3);
    segments_[0] = std::move(merged);
  }

  void CheckStatistics(const std::vector<TextSegment>& views,
                       const TextOracle& oracle) {
    TextTotals totals;
    for (const TextSegment& view : views) {
      totals.rows += view.totals(0).rows;
      totals.tokens += view.totals(0).tokens;
      const TextSegment anew(view.parts(), 1, view.dead());
      ASSERT_EQ(anew.totals(0), view.totals(0));
    }
    ASSERT_EQ(static_cast<double>(totals.rows), oracle.n());
    ASSERT_EQ(static_cast<double>(totals.tokens), oracle.tokens());
    for (int i = 0; i < 5; ++i) {
      const std::string word = random_.Word();
      uint64_t df = 0;
      for (const TextSegment& view : views) {
        df += view.DocumentFrequency(0, word);
      }
      ASSERT_EQ(static_cast<double>(df), oracle.df(word)) << word;
    }
  }

  void CheckScores(const TextSearch& search, const BoundTextQuery& query,
                   const TextOracle& oracle, const TextSegment& view,
                   const ModelSegment& segment, size_t first) {
    std::vector<Ordinal> rows(segment.texts.size());
    std::iota(rows.begin(), rows.end(), 0);
    const auto scores = search.Score(view, rows, context_);
    ASSERT_TRUE(scores.ok());
    const RowFilter alive(view.dead());
    TopK expected(10);
    for (const Ordinal row : rows) {
      if (!segment.texts[row]) {
        continue;
      }
      const auto wanted = oracle.Score(query, first + row);
      ASSERT_EQ((*scores)[row].matches, wanted.has_value())
          << *segment.texts[row];
      if (wanted) {
        ASSERT_NEAR((*scores)[row].score, *wanted, 1e-5 * (1 + *wanted));
        expected.Offer((*scores)[row].score, row);
      }
    }
    const auto best = expected.TakeSorted();
    for (const bool prune : {false, true}) {
      TopK found(10);
      ASSERT_TRUE(
          search.Search(view, alive, {.prune = prune}, context_, found).ok());
      const auto rows_found = found.TakeSorted();
      ASSERT_EQ(rows_found.size(), best.size()) << prune;
      for (size_t i = 0; i < best.size(); ++i) {
        ASSERT_EQ(rows_found[i].row, best[i].row) << prune;
        ASSERT_EQ(rows_found[i].score, best[i].score) << prune;
      }
    }
    if (!best.empty()) {
      CheckExplanation(search, view, best.front());
    }
  }

  void CheckExplanation(const TextSearch& search, const TextSegment& view,
                        const ScoredRow& hit) {
    const auto parts = search.Explain(view, hit.row, context_);
    ASSERT_TRUE(parts.ok());
    float sum = 0;
    for (const TextScorePart& part : *parts) {
      sum += part.score;
      ASSERT_GT(part.tf, 0);
      ASSERT_EQ(part.length, view.length(0, hit.row));
    }
    ASSERT_EQ(sum, hit.score);
  }

  RandomTexts random_;
  RequestContext context_;
  std::unique_ptr<Analyzer> analyzer_;
  std::vector<ModelSegment> segments_;
  std::vector<std::shared_ptr<const TextIndex>> kept_;
};

TEST(TextModelTest, StatisticsAndScoresAreThoseOfCountingAnew) {
  TextModel model(test::TestSeed());
  for (int step = 0; step < 120; ++step) {
    model.Step();
    model.Check();
    if (testing::Test::HasFatalFailure()) {
      FAIL() << "at step " << step;
    }
  }
}

}  // namespace
}  // namespace sextant
