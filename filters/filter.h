// SPDX-License-Identifier: Apache-2.0
//
// A filter as a client wrote it, in the protocol or as text: fields by name,
// values as they were typed. What it means for a collection's fields comes out
// of binding it.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace sextant {

// Timestamps are strings here (RFC 3339) or integers (microseconds).
using FilterLiteral = std::variant<bool, int64_t, double, std::string>;

struct Filter;

struct FilterAnd {  // of nothing: every point
  std::vector<Filter> parts;
};
struct FilterOr {  // of nothing: no point
  std::vector<Filter> parts;
};
struct FilterNot {
  std::vector<Filter> part;  // exactly one
};
// The field has one of the values (or, with `all`, every one of them). A field
// with several values has each of them. Equality is the case of one value.
struct FilterIn {
  std::string field;
  std::vector<FilterLiteral> values;
  bool all = false;
};
// The field has a value between the ends that are set.
struct FilterRange {
  std::string field;
  std::optional<FilterLiteral> low;
  std::optional<FilterLiteral> high;
  bool low_open = false;  // the end itself is left out
  bool high_open = false;
};
struct FilterPrefix {  // keyword fields
  std::string field;
  std::string prefix;
};
struct FilterExists {  // the field has a value
  std::string field;
};
struct FilterIds {
  std::vector<std::variant<uint64_t, std::string>> ids;
};

struct Filter {
  std::variant<FilterAnd, FilterOr, FilterNot, FilterIn, FilterRange,
               FilterPrefix, FilterExists, FilterIds>
      node;
  // Where it was written, for messages: "filter.and.parts[2]", "filter text,
  // column 12".
  std::string path;
};

}  // namespace sextant
