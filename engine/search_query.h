// SPDX-License-Identifier: Apache-2.0
//
// A search as the engine takes it. Mirrors sextant.v1's
// SearchRequest; sources are alternatives of a variant there as here.

#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/point.h"
#include "filters/filter.h"
#include "index/text/text_query.h"
#include "ranking/boost.h"
#include "ranking/fusion.h"
#include "ranking/relevance/score_gap.h"
#include "storage/records.h"

namespace sextant {

// How a source goes into a fusion with others.
struct SourceShare {
  // Best points that it finds for the fusion; 0: as DefaultCandidates().
  uint32_t candidates = 0;
  double weight = 1;
  // The rest is for linear fusions. Unset: kTheoreticalMinimum, where the least
  // score is known.
  std::optional<FusionNormaliser> normaliser;
  // Unset: that of the source, if it has one.
  std::optional<double> theoretical_minimum;
  // Points that only other sources found count by their true score.
  bool uses_true_scores = true;
};

// The nearest points by a dense vector field.
struct DenseSource {
  std::string field;  // empty: the collection's only one
  std::variant<std::vector<float>, PointId> target;
  // How hard to try; at most one of these and SearchQuery::recall_target.
  uint32_t ef = 0;     // beam width of graph searches
  bool exact = false;  // compare with every point
  SourceShare share = {};
  // Corrects scores for hubness: a normaliser of the field by name, "none", or
  // empty: the field's default, if it has one.
  std::string normalizer;
};

struct TextSourceField {
  std::string name;
  float weight = 1;  // 0 to kBoostMax
};

// Which points the statistics of a text search count: how rare a word is and
// how long texts are.
enum class TextCorpus : uint8_t {
  kCollection,
  kFiltered,  // what the query's filter lets through
};

// The points whose text fields match best, by BM25 (index/text/text_search.h).
struct TextSource {
  TextQuery query;
  // Fields that it asks, each once; empty: all text fields, weight 1.
  std::vector<TextSourceField> fields;
  TextCorpus corpus = TextCorpus::kCollection;
  SourceShare share;
};

// The points whose sparse vectors have the greatest inner product with one.
struct SparseSource {
  std::string field;  // empty: the collection's only one
  std::variant<std::vector<SparseEntry>, PointId> target;
  SourceShare share = {};
};

struct SourceGroup;
using Source = std::variant<DenseSource, TextSource, SparseSource, SourceGroup>;

// How the scores of several sources become one.
struct FusionChoice {
  FusionMethod method = FusionMethod::kReciprocalRank;
  double rank_constant = Fusion::kRankConstant;
};

// Several sources whose fusion is a source of another one.
struct SourceGroup {
  std::vector<Source> sources;
  FusionChoice fusion;
  // `candidates` of it stay in its list; 0: all that its sources found.
  SourceShare share;
};

// What the payload of a candidate adds to its score.
struct PayloadBoost {
  std::string field;  // a payload field
  Boost boost;
};

// Puts the best candidates in an order in which neighbours are unlike each
// other (diversity_stage.h).
struct Diversity {
  double strength = 0.5;    // 0 to 1; 0: the order of scores
  uint32_t candidates = 0;  // of the best points; 0: four times the answer
};

// The best hits of each value of a payload field (grouping_stage.h): `limit`
// and `offset` count groups.
struct Grouping {
  std::string field;
  uint32_t hits_per_group = 0;  // 0: one
  // The best points that are looked at, at most, while there are fewer groups
  // than asked for; 0: 1,000, or as many as the answer may hold.
  uint32_t candidates_max = 0;
};

// Where the texts of hits match (highlight_hits.h).
struct Highlighting {
  std::vector<std::string> fields;  // empty: all that text sources ask
  uint32_t fragment_bytes = 0;      // 0: 160
  uint32_t fragments = 0;           // of a field; 0: one
  bool whole_texts = false;         // as fragments, whatever their length
};

// Hits with this score or more; finite.
struct MinScore {
  double score = 0;
};

// Hits that a Cosine Adapter (adapter.h) of the searched field says are
// relevant to the query.
struct AdapterCutOff {
  std::string name;
  // In place of the adapter's own; above 0, below 1.
  std::optional<double> threshold;
};

// Which of the ranked points are good enough.
using CutOff = std::variant<MinScore, ScoreGap, AdapterCutOff>;

struct SearchQuery {
  std::vector<Source> sources;  // one; or several, which are fused
  // Unset: by reciprocal ranks when there are several sources.
  std::optional<FusionChoice> fusion;
  // In this order, after the fusion, to all points that a source found.
  std::vector<PayloadBoost> boosts;
  // Points that may be in the answer; none: all.
  std::optional<Filter> filter;
  // Hits that are not good enough are left out (cut_off_stage.h). With a least
  // score and without an effort and a recall target the search is exact.
  std::optional<CutOff> cut_off;
  // At most one of these two.
  std::optional<Diversity> diversity;
  std::optional<Grouping> grouping;
  std::optional<Highlighting> highlight;
  uint32_t limit = 0;
  uint32_t offset = 0;
  // Share of the exact best offset + limit that the answer shall hold, 0 to 1;
  // 1 = all, by comparing with every point; 0 = the engine's default.
  double recall_target = 0;
  Projection projection;
  // Payloads and vectors of an answer, in bytes; more is kResourceExhausted,
  // found out before much more than this was read.
  uint64_t fetch_bytes_max = uint64_t{1} << 30U;
  bool explain = false;
  // The answer carries its plan when explain is set or the search took at
  // least this long (for the slow-query log).
  double plan_after_seconds = std::numeric_limits<double>::infinity();
};

}  // namespace sextant
