// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/optional.h"

#include "clients/cpp/collection_types.h"

// The values of the C++ client: plain structs, no generated code. What the
// numbers may be is told in proto/sextant/v1/*.proto; the server checks them.
namespace sextant::client {

// A collection takes one of the two kinds.
using PointId = std::variant<uint64_t, std::string>;

// "42" or "name".
std::string ToString(const PointId& id);

struct Point {
  PointId id;
  // By vector field name.
  std::map<std::string, std::vector<float>> vectors;
  // A JSON object as text, or empty.
  std::string payload;
};

// What of a point an answer carries besides its id.
struct Projection {
  bool payload = false;
  // Vector fields; "*" means all.
  std::vector<std::string> vectors;
};

struct UpsertResult {
  uint64_t applied_seq = 0;
  uint64_t inserted = 0;
  uint64_t updated = 0;
};

struct DeleteResult {
  uint64_t applied_seq = 0;
  uint64_t deleted = 0;
};

struct CountResult {
  uint64_t count = 0;
  uint64_t applied_seq = 0;
};

// The value of a payload field: a timestamp is an integer, microseconds since
// 1970.
using FieldValue = std::variant<bool, int64_t, double, std::string>;

struct FacetRequest {
  std::string field;   // a payload field
  std::string filter;  // points to look at, as text; empty: all
  uint32_t limit = 10;
};

struct Facet {
  FieldValue value;
  uint64_t points = 0;
};

struct FacetResult {
  // Most points first, then by value.
  std::vector<Facet> facets;
  uint64_t distinct = 0;  // values that there are
  uint64_t points = 0;    // that the filter lets through
  uint64_t absent = 0;    // of these, without the field
};

struct SearchRequest {
  // Vector field; may stay empty when the collection has exactly one.
  std::string field;
  // Near to this vector, or to the vector of a stored point (which is left
  // out of the answer).
  std::variant<std::vector<float>, PointId> target;
  // Points that the answer may hold, as text: section in ("graphics", "video")
  // and size < 1_000_000. Empty: all. docs/reference/filters.md is the grammar.
  std::string filter;
  // Hits with a lower score are left out; every point is compared then, unless
  // `ef` or `recall_target` asks for less.
  absl::optional<double> min_score;
  uint32_t limit = 10;
  uint32_t offset = 0;
  // Share of the exact best that the answer shall hold, above 0, at most 1; 0 =
  // the server's default. Not with `ef` or `exact`.
  double recall_target = 0;
  // Beam width instead, 1 to 10,000. More is better recall, slower.
  uint32_t ef = 0;
  // Compare with every point; recall is 1. Not with `ef`.
  bool exact = false;
  Projection projection;
  bool explain = false;
};

struct Hit {
  PointId id;
  // Bigger is better.
  float score = 0;
  std::string payload;
  std::map<std::string, std::vector<float>> vectors;
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

struct SearchResult {
  // Best first.
  std::vector<Hit> hits;
  uint64_t applied_seq = 0;
  absl::Duration server_time;
  // Share of the exact best that an answer like this is expected to hold. 1:
  // exact. 0: not known.
  double expected_recall = 0;
  // Only when asked for.
  absl::optional<Explanation> explanation;
};

}  // namespace sextant::client
