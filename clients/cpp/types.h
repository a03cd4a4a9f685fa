// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "clients/cpp/collection_types.h"

// The values of the C++ client: plain structs, no generated code. What the
// numbers may be is told in proto/sextant/v1/*.proto; the server checks them.
namespace sextant::client {

// A collection takes one of the two kinds.
using PointId = std::variant<uint64_t, std::string>;

// "42" or "name".
std::string ToString(const PointId& id);

// Indices, each once, and their weights; every other index has weight 0.
struct SparseVector {
  std::vector<uint32_t> indices;
  std::vector<float> weights;  // as many
};

struct Point {
  PointId id;
  // By vector field name.
  std::map<std::string, std::vector<float>> vectors;
  // A JSON object as text, or empty.
  std::string payload;
  // By sparse field name.
  std::map<std::string, SparseVector> sparse_vectors = {};
};

// What of a point an answer carries besides its id.
struct Projection {
  bool payload = false;
  // Vector fields and sparse fields; "*" means all.
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

}  // namespace sextant::client
