// SPDX-License-Identifier: Apache-2.0
//
// Searching text, in three steps:
//
//   BoundTextQuery   the query, analysed for the fields it asks
//   TextStatistics   how frequent its terms are among all segments
//   TextSearch       both, ready to search one segment after the other
//
//   ASSIGN_OR_RETURN(auto bound, BoundTextQuery::Bind(query, fields));
//   RETURN_IF_ERROR(bound.ExpandPrefixes(segments, context));
//   ASSIGN_OR_RETURN(auto statistics,
//                    CollectTextStatistics(bound, segments, {}, context));
//   const TextSearch search(bound, statistics);
//   for (...) RETURN_IF_ERROR(search.Search(segment, filter, {}, context,
//   top));

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/context.h"
#include "index/row_filter.h"
#include "index/text/bound_text_query.h"
#include "index/text/text_segment.h"
#include "index/top_k.h"

namespace sextant {

// What idf and average length count: N, tokens, and df by term.
struct TextStatistics {
  std::vector<TextTotals> fields;   // by field of the search
  std::vector<uint64_t> df;         // by term of the query
  std::vector<uint64_t> prefix_df;  // by leaf; 0 for other leaves
};

// Over all live rows of `segments`; or, with `filters` (one a segment), over
// the rows that these allow, which reads every posting of the query's terms.
absl::StatusOr<TextStatistics> CollectTextStatistics(
    const BoundTextQuery& query, std::span<const TextSegment> segments,
    std::span<const RowFilter> filters, const RequestContext& context);

struct TextSearchOptions {
  // Off: every match is scored. The results are the same; for tests.
  bool prune = true;
};

// One term, phrase or prefix of a hit's score.
struct TextScorePart {
  std::string field;
  std::string term;
  uint32_t tf = 0;      // of the term in the row
  uint64_t df = 0;      // live rows with the term; 0 for a phrase
  double idf = 0;       // of a phrase: the sum over its terms
  uint32_t length = 0;  // tokens of the field in the row
  double average_length = 0;
  float weight = 0;  // boost times the field's weight
  float score = 0;   // what it adds
};

struct TextScore {
  bool matches = false;
  float score = 0;  // 0 when it does not match
};

// A query with its statistics. BM25 as Lucene has it:
//
//   idf   = ln(1 + (N - df + 0.5) / (df + 0.5))
//   score = sum of weight * idf * tf / (tf + k1 (1 - b + b length / average))
//
// (Robertson & Zaragoza 2009, without the constant factor k1 + 1.) Length and
// average are exact. Contributions are float32 and summed in the order of the
// query, in every plan: a row has one score.
//
// Refers to the query and the statistics, which outlive it. Immutable,
// thread-safe.
class TextSearch {
 public:
  TextSearch(const BoundTextQuery& query, const TextStatistics& statistics);
  ~TextSearch();

  // Offers the rows of `segment` that match and that `filter` allows, with
  // their scores; rows that cannot enter `top` are left out unseen.
  absl::Status Search(const TextSegment& segment, const RowFilter& filter,
                      const TextSearchOptions& options,
                      const RequestContext& context, TopK& top) const;

  // The score of each of `rows`, whatever lists they come from.
  // Distinct, in any order, each < segment.rows(). Dead rows have scores too.
  absl::StatusOr<std::vector<TextScore>> Score(
      const TextSegment& segment, std::span<const Ordinal> rows,
      const RequestContext& context) const;

  // What the score of a row is made of, in the order of the query; empty when
  // the row does not match.
  absl::StatusOr<std::vector<TextScorePart>> Explain(
      const TextSegment& segment, Ordinal row,
      const RequestContext& context) const;

 private:
  struct Rep;
  std::unique_ptr<Rep> rep_;
};

}  // namespace sextant
