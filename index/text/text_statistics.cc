// SPDX-License-Identifier: Apache-2.0
#include <deque>

#include "base/check.h"
#include "base/status_macros.h"
#include "index/text/part_query.h"
#include "index/text/posting_cursor.h"
#include "index/text/text_search.h"

namespace sextant {
namespace {

constexpr uint32_t kRowsPerCheck = 4096;

// Counts over the rows of one segment that a filter allows.
class FilteredCounts {
 public:
  FilteredCounts(const TextSegment& segment, const RowFilter& filter,
                 const RequestContext& context)
      : segment_(segment), filter_(filter), context_(context) {}

  absl::Status AddTotals(size_t field, TextTotals* totals) const {
    for (const TextPart& part : segment_.parts()) {
      const TextLengths lengths = part.lengths(field);
      for (Ordinal row = 0; row < part.rows; ++row) {
        if (row % kRowsPerCheck == 0) {
          RETURN_IF_ERROR(context_.Check());
        }
        const uint32_t length = lengths[row];
        if (length > 0 && filter_.Allows(part.first_row + row)) {
          ++totals->rows;
          totals->tokens += length;
        }
      }
    }
    return absl::OkStatus();
  }

  absl::Status AddDf(const PostingList& postings, Ordinal first_row,
                     uint64_t* df) const {
    uint32_t steps = 0;
    for (PostingCursor cursor(postings); cursor.row() != kEndRow;
         cursor.Next()) {
      if (++steps % kRowsPerCheck == 0) {
        RETURN_IF_ERROR(context_.Check());
      }
      *df += filter_.Allows(first_row + cursor.row()) ? 1U : 0U;
    }
    return absl::OkStatus();
  }

  absl::Status AddTermDf(size_t field, absl::string_view term,
                         uint64_t* df) const {
    for (const TextPart& part : segment_.parts()) {
      std::deque<MemoryPostings> memory;
      RETURN_IF_ERROR(
          AddDf(FindPostings(part, field, term, &memory), part.first_row, df));
    }
    return absl::OkStatus();
  }

  absl::Status AddPrefixDf(size_t field, std::span<const std::string> terms,
                           uint64_t* df) const {
    for (const TextPart& part : segment_.parts()) {
      std::deque<MemoryPostings> memory;
      RETURN_IF_ERROR(
          AddDf(FindPrefix(part, field, terms, &memory), part.first_row, df));
    }
    return absl::OkStatus();
  }

 private:
  const TextSegment& segment_;
  const RowFilter& filter_;
  const RequestContext& context_;
};

}  // namespace

absl::StatusOr<TextStatistics> CollectTextStatistics(
    const BoundTextQuery& query, std::span<const TextSegment> segments,
    std::span<const RowFilter> filters, const RequestContext& context) {
  CHECK(filters.empty() || filters.size() == segments.size())
      << "one filter a segment";
  TextStatistics statistics;
  statistics.fields.resize(query.fields().size());
  statistics.df.resize(query.terms().size());
  statistics.prefix_df.resize(query.leaves().size());
  for (size_t s = 0; s < segments.size(); ++s) {
    const TextSegment& segment = segments[s];
    const RowFilter alive(segment.dead());
    const FilteredCounts counts(segment, filters.empty() ? alive : filters[s],
                                context);
    RETURN_IF_ERROR(context.Check());
    for (size_t i = 0; i < query.fields().size(); ++i) {
      const size_t field = query.fields()[i].number;
      if (filters.empty()) {
        statistics.fields[i].rows += segment.totals(field).rows;
        statistics.fields[i].tokens += segment.totals(field).tokens;
      } else {
        RETURN_IF_ERROR(counts.AddTotals(field, &statistics.fields[i]));
      }
    }
    for (size_t i = 0; i < query.terms().size(); ++i) {
      const BoundTextQuery::Term& term = query.terms()[i];
      const size_t field = query.fields()[term.field].number;
      if (filters.empty()) {
        statistics.df[i] += segment.DocumentFrequency(field, term.text);
      } else {
        RETURN_IF_ERROR(counts.AddTermDf(field, term.text, &statistics.df[i]));
      }
    }
    for (size_t i = 0; i < query.leaves().size(); ++i) {
      const TextLeaf& leaf = query.leaves()[i];
      if (leaf.kind == TextLeaf::Kind::kPrefix) {
        RETURN_IF_ERROR(counts.AddPrefixDf(query.fields()[leaf.field].number,
                                           leaf.expansion,
                                           &statistics.prefix_df[i]));
      }
    }
  }
  return statistics;
}

}  // namespace sextant
