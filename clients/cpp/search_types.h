// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/optional.h"

#include "clients/cpp/hit_parts.h"
#include "clients/cpp/types.h"

// The values of searches by the C++ client.

namespace sextant::client {

struct TextRequestField {
  std::string name;
  float weight = 1;
};

// What text to look for.
struct TextRequest {
  // linux "file system"~2 +kernel -windows pref*: docs/reference/
  // text-queries.md is the grammar.
  std::string query;
  // Text fields; empty: all.
  std::vector<TextRequestField> fields;
};

// What sparse vector to look for.
struct SparseRequest {
  // Sparse field; may stay empty when the collection has exactly one.
  std::string field;
  // This one, or that of a stored point, which is left out of the answer.
  std::variant<SparseVector, PointId> target;
};

enum class FusionMethod { kReciprocalRank, kLinear };
enum class Normaliser { kNone, kMinMax, kZScore, kDbsf, kTheoreticalMinimum };

// How the scores by vector, by text and by sparse vector become one.
struct Fusion {
  FusionMethod method = FusionMethod::kReciprocalRank;
  double vector_weight = 1;
  double text_weight = 1;
  double sparse_weight = 1;
  // Of kLinear.
  Normaliser normaliser = Normaliser::kTheoreticalMinimum;
};

// Hits with this score or more, this one included; every point is compared,
// unless `ef` or `recall_target` asks for less.
struct MinScore {
  double score = 0;
};

// Ends the answer where scores fall: ScoreGap in the API.
struct ScoreGap {
  uint32_t candidates = 0;  // 2 to 1,000; 0: 100
  absl::optional<double> min_gap;
  absl::optional<double> min_ratio;
  bool empty_without_gap = false;
};

// Hits that a Cosine Adapter says are relevant: AdapterCutOff in the API.
struct AdapterCutOff {
  std::string name;
  absl::optional<double> threshold;  // in place of its own
};

// Which hits are good enough.
using CutOff = std::variant<MinScore, ScoreGap, AdapterCutOff>;

// Which parts of the texts of hits to show.
struct HighlightRequest {
  std::vector<std::string> fields;  // empty: all that `text` asks
  uint32_t fragment_bytes = 0;      // 0: 160
  uint32_t fragments = 0;           // of a field; 0: one
  bool whole_texts = false;
};

struct SearchRequest {
  // Vector field; may stay empty when the collection has exactly one.
  std::string field;
  // Near to this vector, or to the vector of a stored point (which is left
  // out of the answer). An empty vector: by `text` or `sparse` alone.
  std::variant<std::vector<float>, PointId> target;
  // By words; with a target: by both.
  absl::optional<TextRequest> text;
  // By a sparse vector; with another one: by all.
  absl::optional<SparseRequest> sparse;
  // Of all; unset: by reciprocal ranks.
  absl::optional<Fusion> fusion;
  // Points that each of them finds before the fusion; 0: the server's choice.
  uint32_t candidates = 0;
  // Points that the answer may hold, as text: section in ("graphics", "video")
  // and size < 1_000_000. Empty: all. docs/reference/filters.md is the grammar.
  std::string filter;
  // Where the answer ends before `limit`; unset: nowhere.
  absl::optional<CutOff> cut_off;
  // Of the best points an order in which neighbours are unlike each other, the
  // more so the nearer to 1; unset: the order of scores.
  absl::optional<double> diversity;
  uint32_t diversity_candidates = 0;  // see Diversity in the API
  // The best hits of each value of this payload field; empty: no groups.
  // `limit` and `offset` count groups then.
  std::string group_by;
  uint32_t hits_per_group = 0;        // 1 to 100; 0: one
  uint32_t group_candidates_max = 0;  // see Grouping in the API
  uint32_t limit = 10;
  uint32_t offset = 0;
  // Share of the exact best that the answer shall hold, above 0, at most 1; 0 =
  // the server's default. Not with `ef` or `exact`.
  double recall_target = 0;
  // Beam width instead, 1 to 10,000. More is better recall, slower.
  uint32_t ef = 0;
  // Compare with every point; recall is 1. Not with `ef`.
  bool exact = false;
  // Corrects scores for hubness: a normaliser of the field, "none", or empty:
  // the field's default.
  std::string normalizer;
  Projection projection;
  // Where the texts of the hits match; needs `text`.
  absl::optional<HighlightRequest> highlight;
  bool explain = false;
};

struct Hit {
  PointId id;
  // Bigger is better.
  float score = 0;
  std::string payload;
  std::map<std::string, std::vector<float>> vectors;
  std::map<std::string, SparseVector> sparse_vectors;
  // Of searches by text or by a sparse vector, when they ask for `explain`.
  std::vector<SourceScore> sources;
  // With SearchRequest::highlight: fields where something matches.
  std::vector<FieldHighlight> highlights;
};

struct StageTiming {
  std::string name;
  uint64_t candidates_in = 0;
  uint64_t candidates_out = 0;
  uint64_t distances = 0;
  absl::Duration time;
};

struct Explanation {
  std::string plan;
  std::vector<StageTiming> stages;
};

// Hits with one value in common.
struct HitGroup {
  FieldValue value;
  uint32_t hits = 0;
};

// What the cut-off of a search did: CutOffOutcome in the API.
struct CutOffOutcome {
  uint64_t candidates = 0;
  uint64_t kept = 0;
  absl::optional<double> least_score;
  absl::optional<float> best_score;
  bool nothing_relevant = false;
};

struct SearchResult {
  // Best first; group by group where these were asked for.
  std::vector<Hit> hits;
  // The groups that `hits` hold one after another.
  std::vector<HitGroup> groups;
  absl::optional<CutOffOutcome> cut_off;  // of a request that has one
  uint64_t applied_seq = 0;
  absl::Duration server_time;
  // Share of the exact best that an answer like this is expected to hold. 1:
  // exact. 0: not known.
  double expected_recall = 0;
  // Only when asked for.
  absl::optional<Explanation> explanation;
};

}  // namespace sextant::client
