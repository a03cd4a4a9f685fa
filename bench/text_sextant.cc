// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"

#include "base/check.h"
#include "bench/text_contestant.h"
#include "index/text/analyzer.h"
#include "index/text/text_index_builder.h"
#include "index/text/text_search.h"

namespace sextant {
namespace {

// One sealed segment. Texts go through the standard analyser, which is more
// than the tokenizers of the others do.
class SextantText final : public TextContestant {
 public:
  SextantText() {
    auto analyzer = Analyzer::Create({});
    CHECK(analyzer.ok()) << analyzer.status().message();
    analyzer_ = *std::move(analyzer);
  }

  std::string name() const override { return "sextant"; }

  void Build(const TextCorpus& corpus) override {
    TextIndexBuilder builder({});
    TokenList tokens;
    for (uint32_t row = 0; row < corpus.texts.size(); ++row) {
      CHECK(analyzer_->Analyze(corpus.texts[row], tokens).ok());
      CHECK(builder.Add(row, tokens).ok());
    }
    CHECK_EQ(builder.tokens(), corpus.tokens);
    const auto rows = static_cast<uint32_t>(corpus.texts.size());
    auto bytes = std::move(builder).Finish(rows);
    CHECK(bytes.ok()) << bytes.status().message();
    bytes_ = *std::move(bytes);
    auto index = TextIndex::Open(bytes_, rows);
    CHECK(index.ok()) << index.status().message();
    segment_ = TextSegment(
        SealedTextParts({std::make_shared<TextIndex>(*index)}), 1, RowSet());
  }
  uint64_t index_bytes() const override { return bytes_.size(); }

  std::vector<uint32_t> Search(const BenchTextQuery& query) override {
    TextQuery wanted;
    wanted.kind = query.form == TextQueryForm::kPhrase ? TextQueryKind::kPhrase
                                                       : TextQueryKind::kMatch;
    wanted.all_tokens = query.form == TextQueryForm::kAll;
    wanted.text = absl::StrJoin(query.words, " ");
    TextSearchField field;
    field.name = "body";
    field.analyzer = analyzer_.get();
    const RequestContext context;
    const std::span<const TextSegment> segments(&segment_, 1);
    const auto bound = BoundTextQuery::Bind(wanted, {&field, 1});
    CHECK(bound.ok()) << bound.status().message();
    const auto statistics =
        CollectTextStatistics(*bound, segments, {}, context);
    CHECK(statistics.ok());
    TopK top(10);
    CHECK(TextSearch(*bound, *statistics)
              .Search(segment_, segment_.dead(), {}, context, top)
              .ok());
    std::vector<uint32_t> rows;
    for (const ScoredRow& hit : top.TakeSorted()) {
      rows.push_back(hit.row);
    }
    return rows;
  }

 private:
  std::unique_ptr<Analyzer> analyzer_;
  std::string bytes_;
  TextSegment segment_;
};

}  // namespace

std::unique_ptr<TextContestant> MakeSextantText() {
  return std::make_unique<SextantText>();
}

}  // namespace sextant
