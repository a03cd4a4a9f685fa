// SPDX-License-Identifier: Apache-2.0
//
// The answer to a search. Mirrors sextant.v1's SearchResponse.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/point.h"
#include "index/columns/field_value.h"
#include "index/text/highlight.h"
#include "index/text/sparse_segment.h"
#include "index/text/text_search.h"
#include "storage/records.h"

namespace sextant {

// What one source gave to the score of a hit.
struct SourceExplanation {
  std::string source;           // its path in the request: "sources[1]"
  std::string kind;             // "dense embedding", "group"
  bool listed = false;          // the source found it itself
  std::optional<double> score;  // none: the point has none by this source
  uint32_t rank = 0;            // in the source's list, from 1; 0: not listed
  double normalised = 0;        // of linear fusions
  double weight = 0;
  double share = 0;                        // what was added to the fused score
  std::vector<TextScorePart> terms;        // of text
  std::vector<SparseProduct> products;     // of sparse vectors
  std::vector<SourceExplanation> sources;  // of a group
};

struct BoostExplanation {
  std::string field;
  std::optional<double> boost;  // none: the score stayed
  double score = 0;             // after it
};

struct HitExplanation {
  std::vector<SourceExplanation> sources;
  double fused = 0;  // before boosts
  std::vector<BoostExplanation> boosts;
};

// A part of a text that matches.
struct HighlightFragment {
  std::string text;
  uint32_t value = 0;              // which of the strings of the field
  uint32_t begin = 0;              // byte of it where the fragment begins
  std::vector<TextRange> matches;  // bytes of `text`
};

struct FieldHighlight {
  std::string field;
  std::vector<HighlightFragment> fragments;  // best first; not none
};

// How a score came about: score = raw - bias.
struct ScoreCorrection {
  float raw = 0;
  // b(x) less its mean over all points (ranking/hubness/bias_terms.h).
  float bias = 0;
};

struct Hit {
  float score = 0;
  std::optional<ScoreCorrection> correction;  // with explain, if there was one
  Point point;  // id; payload and vectors as projected
  // Of searches with several sources, with text or with boosts, when
  // SearchQuery::explain is set.
  std::optional<HitExplanation> explanation;
  std::vector<FieldHighlight> highlights;  // of fields that match
};

struct StageTiming {
  std::string name;
  uint64_t candidates_in = 0;
  uint64_t candidates_out = 0;
  uint64_t distances = 0;
  double seconds = 0;
};

// Hits that follow each other in SearchResult::hits.
struct HitGroup {
  FieldValue value;
  FieldType type = FieldType::kKeyword;
  uint32_t hits = 0;
};

// What the cut-off of a search did.
struct CutOffOutcome {
  uint64_t candidates = 0;  // the best points that it looked at
  uint64_t kept = 0;        // of these
  // Those with this score or more were good enough; unset: no gap was found.
  std::optional<double> least_score;
  std::optional<float> best_score;  // unset: there were no candidates
  bool nothing_relevant = false;    // there were, and none is good enough
  std::string why;                  // a line of the plan
};

struct SearchResult {
  // Score descending, then id ascending; by group where there are groups, each
  // of them so; as the stage has it under diversity.
  std::vector<Hit> hits;
  std::vector<HitGroup> groups;          // in the order of their best hits
  std::optional<CutOffOutcome> cut_off;  // of a query that has one
  Sequence applied_seq = 0;
  // Share of the exact best that the answer is expected to hold, by what was
  // measured after the builds. 1: exact. 0: not known.
  double expected_recall = 0;
  // A graph was walked for points of a filter.
  bool filtered_walk = false;
  double seconds = 0;
  std::string plan;                 // see SearchQuery::plan_after_seconds
  std::vector<StageTiming> stages;  // always filled
};

}  // namespace sextant
