// SPDX-License-Identifier: Apache-2.0
#include "index/text/text_search.h"

#include <algorithm>
#include <deque>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "base/status_macros.h"
#include "index/text/bm25.h"
#include "index/text/max_score.h"
#include "index/text/part_query.h"
#include "index/text/row_iterator.h"
#include "index/text/row_sink.h"

namespace sextant {
namespace {

struct RowToScore {
  Ordinal row;  // of a part
  TextScore* score;
};

// One list after the other: what each adds comes in the order of the query, as
// it does row by row, and a cursor goes once over its list. `rows` ascend.
void ScoreByLists(PartQuery& query, const std::vector<RowToScore>& rows) {
  for (ScoredPostings& postings : query.TakePostings()) {
    for (const RowToScore& wanted : rows) {
      const Ordinal row = postings.cursor().Advance(wanted.row);
      if (row == kEndRow) {
        break;
      }
      if (row == wanted.row) {
        wanted.score->matches = true;
        wanted.score->score += postings.Score();
      }
    }
  }
  const RowIteratorPtr excluded = query.MakeExcluded();
  for (const RowToScore& wanted : rows) {
    if (excluded != nullptr && excluded->Advance(wanted.row) == wanted.row) {
      *wanted.score = {};
    }
  }
}

void ScoreByRows(RowIterator& root, const std::vector<RowToScore>& rows) {
  for (const RowToScore& wanted : rows) {
    if (root.Advance(wanted.row) == wanted.row) {
      wanted.score->matches = true;
      root.AddScore(&wanted.score->score);
    }
  }
}

}  // namespace

struct TextSearch::Rep {
  const BoundTextQuery& query;
  const TextStatistics& statistics;
  std::vector<Bm25Scorer> scorers;  // by leaf
  std::vector<double> idf;          // by leaf

  Rep(const BoundTextQuery& bound, const TextStatistics& counted)
      : query(bound), statistics(counted) {}

  double IdfOf(const TextLeaf& leaf, size_t number) const;
  bool ExplainNode(const BoundTextQuery::Node& node, PartQuery& part,
                   Ordinal row, std::vector<TextScorePart>* parts) const;
  bool ExplainLeaf(uint32_t number, PartQuery& part, Ordinal row,
                   std::vector<TextScorePart>* parts) const;
};

double TextSearch::Rep::IdfOf(const TextLeaf& leaf, size_t number) const {
  const uint64_t rows = statistics.fields[leaf.field].rows;
  if (leaf.kind == TextLeaf::Kind::kPrefix) {
    return Bm25Idf(rows, statistics.prefix_df[number]);
  }
  double sum = 0;
  for (const uint32_t term : leaf.terms) {
    sum += Bm25Idf(rows, statistics.df[term]);
  }
  return sum;
}

TextSearch::TextSearch(const BoundTextQuery& query,
                       const TextStatistics& statistics)
    : rep_(std::make_unique<Rep>(query, statistics)) {
  for (size_t i = 0; i < query.leaves().size(); ++i) {
    const TextLeaf& leaf = query.leaves()[i];
    const Bm25Params& params = query.fields()[leaf.field].bm25;
    const double idf = rep_->IdfOf(leaf, i);
    rep_->idf.push_back(idf);
    rep_->scorers.emplace_back(
        static_cast<float>(static_cast<double>(leaf.weight) * idf), params.k1,
        params.b, statistics.fields[leaf.field].average_length());
  }
}

TextSearch::~TextSearch() = default;

absl::Status TextSearch::Search(const TextSegment& segment,
                                const RowFilter& filter,
                                const TextSearchOptions& options,
                                const RequestContext& context,
                                TopK& top) const {
  if (rep_->query.empty() || top.k() == 0) {
    return absl::OkStatus();
  }
  for (const TextPart& part : segment.parts()) {
    RETURN_IF_ERROR(context.Check());
    PartQuery query(rep_->query, rep_->scorers, part);
    RowSink sink(filter, part.first_row, options.prune, top);
    if (query.IsPlainDisjunction()) {
      const RowIteratorPtr excluded = query.MakeExcluded();
      RETURN_IF_ERROR(SearchMaxScore(query.TakePostings(), part.rows,
                                     excluded.get(), context, sink));
    } else {
      RETURN_IF_ERROR(SearchRows(*query.MakeRoot(), context, sink));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<TextScore>> TextSearch::Score(
    const TextSegment& segment, std::span<const Ordinal> rows,
    const RequestContext& context) const {
  std::vector<TextScore> scores(rows.size());
  if (rep_->query.empty()) {
    return scores;
  }
  std::vector<size_t> order(rows.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return rows[a] < rows[b]; });
  size_t next = 0;
  for (const TextPart& part : segment.parts()) {
    RETURN_IF_ERROR(context.Check());
    const Ordinal end = part.first_row + part.rows;
    if (next == order.size() || rows[order[next]] >= end) {
      continue;
    }
    std::vector<RowToScore> of_part;
    for (; next < order.size() && rows[order[next]] < end; ++next) {
      of_part.push_back(
          {rows[order[next]] - part.first_row, &scores[order[next]]});
    }
    PartQuery query(rep_->query, rep_->scorers, part);
    if (query.IsPlainDisjunction()) {
      ScoreByLists(query, of_part);
    } else {
      ScoreByRows(*query.MakeRoot(), of_part);
    }
  }
  return scores;
}

absl::StatusOr<std::vector<TextScorePart>> TextSearch::Explain(
    const TextSegment& segment, Ordinal row,
    const RequestContext& context) const {
  RETURN_IF_ERROR(context.Check());
  std::vector<TextScorePart> parts;
  for (const TextPart& part : segment.parts()) {
    if (row >= part.first_row && row - part.first_row < part.rows) {
      PartQuery query(rep_->query, rep_->scorers, part);
      if (!rep_->query.empty()) {
        rep_->ExplainNode(rep_->query.root(), query, row - part.first_row,
                          &parts);
      }
    }
  }
  return parts;
}

// Appends what the parts of a node add; nothing when it does not match.
bool TextSearch::Rep::ExplainNode(const BoundTextQuery::Node& node,
                                  PartQuery& part, Ordinal row,
                                  std::vector<TextScorePart>* parts) const {
  if (node.leaf != BoundTextQuery::Node::kNoLeaf) {
    return ExplainLeaf(node.leaf, part, row, parts);
  }
  const size_t before = parts->size();
  bool matches = true;
  for (const BoundTextQuery::Node& must : node.must) {
    matches = ExplainNode(must, part, row, parts) && matches;
  }
  uint32_t found = 0;
  for (const BoundTextQuery::Node& should : node.should) {
    found += ExplainNode(should, part, row, parts) ? 1U : 0U;
  }
  matches = matches && found >= node.minimum_should_match;
  std::vector<TextScorePart> excluded;
  for (const BoundTextQuery::Node& must_not : node.must_not) {
    matches = matches && !ExplainNode(must_not, part, row, &excluded);
  }
  if (!matches) {
    parts->resize(before);
  }
  return matches;
}

bool TextSearch::Rep::ExplainLeaf(uint32_t number, PartQuery& part, Ordinal row,
                                  std::vector<TextScorePart>* parts) const {
  const PartQuery::LeafMatch match = part.MatchLeaf(number, row);
  if (match.tf == 0) {
    return false;
  }
  const TextLeaf& leaf = query.leaves()[number];
  TextScorePart explained;
  explained.field = std::string(query.fields()[leaf.field].name);
  explained.tf = match.tf;
  explained.length = match.length;
  explained.score = match.score;
  explained.idf = idf[number];
  explained.weight = leaf.weight;
  explained.average_length = statistics.fields[leaf.field].average_length();
  switch (leaf.kind) {
    case TextLeaf::Kind::kTerm:
      explained.term = query.terms()[leaf.terms.front()].text;
      explained.df = statistics.df[leaf.terms.front()];
      break;
    case TextLeaf::Kind::kPrefix:
      explained.term = absl::StrCat(leaf.prefix, "*");
      explained.df = statistics.prefix_df[number];
      break;
    case TextLeaf::Kind::kPhrase:
      explained.term =
          absl::StrCat("\"",
                       absl::StrJoin(leaf.terms, " ",
                                     [&](std::string* out, uint32_t term) {
                                       out->append(query.terms()[term].text);
                                     }),
                       "\"");
      break;
  }
  parts->push_back(std::move(explained));
  return true;
}

}  // namespace sextant
