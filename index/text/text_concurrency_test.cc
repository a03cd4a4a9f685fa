// SPDX-License-Identifier: Apache-2.0
//
// One writer appends texts and deletes some; readers search what was published.

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include <gtest/gtest.h>

#include "base/check.h"
#include "base/published.h"
#include "base/thread.h"
#include "index/text/growing_text.h"
#include "index/text/text_search.h"
#include "index/text/text_test_corpus.h"

namespace sextant {
namespace {

// Row i is "all" and one of seven words.
std::string TextOfRow(uint32_t row) {
  return absl::StrCat("all w", row % 7);
}

void SearchOnce(const Analyzer& analyzer, const TextSegment& segment) {
  TextSearchField field;
  field.name = "body";
  field.analyzer = &analyzer;
  TextQuery query;
  query.kind = TextQueryKind::kPhrase;
  query.text = "all w3";
  const RequestContext context;
  const auto bound = BoundTextQuery::Bind(query, {&field, 1});
  CHECK(bound.ok());
  const auto statistics =
      CollectTextStatistics(*bound, {&segment, 1}, {}, context);
  CHECK(statistics.ok());
  // Every live row has "all".
  CHECK_EQ(statistics->df[0], statistics->fields[0].rows);
  TopK top(10);
  CHECK(TextSearch(*bound, *statistics)
            .Search(segment, segment.dead(), {}, context, top)
            .ok());
  for (const ScoredRow& hit : top.TakeSorted()) {
    CHECK_EQ(hit.row % 7, 3);
    CHECK(!segment.dead().Contains(hit.row));
  }
}

TEST(TextConcurrencyTest, ReadersSeeWholeStates) {
  constexpr uint32_t kTestRows = 2500;
  const auto analyzer = Analyzer::Create({});
  ASSERT_TRUE(analyzer.ok());
  Published<TextSegment> published(
      std::make_shared<TextSegment>(TextParts(), 1, RowSet()));
  std::atomic<bool> done{false};
  std::vector<std::unique_ptr<Thread>> readers;
  for (int i = 0; i < 3; ++i) {
    readers.push_back(std::make_unique<Thread>("reader", [&] {
      do {
        SearchOnce(**analyzer, *published.Load());
      } while (!done);
    }));
  }
  GrowingText growing(std::vector<TextIndexOptions>(1));
  for (uint32_t row = 0; row < kTestRows; ++row) {
    const TokenList tokens[1] = {TokensOf(TextOfRow(row))};
    ASSERT_TRUE(growing.Append(tokens).ok());
    const auto before = published.Load();
    std::vector<Ordinal> dead;
    if (row % 3 == 2) {
      dead.push_back(row / 2);
      if (before->dead().Contains(row / 2)) {
        dead.clear();
      }
    }
    published.Store(std::make_shared<TextSegment>(before->Advance(
        growing.View(), dead, before->dead().With(dead, row + 1))));
  }
  done = true;
  readers.clear();
  SearchOnce(**analyzer, *published.Load());
}

}  // namespace
}  // namespace sextant
