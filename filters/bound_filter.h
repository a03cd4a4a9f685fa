// SPDX-License-Identifier: Apache-2.0
//
// A filter bound to the payload fields of a collection: names are positions,
// values are keys, and what can never or must always match is decided.

#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

#include "filters/filter.h"
#include "index/columns/field_value.h"

namespace sextant {

struct FilterField {
  std::string name;
  FieldType type = FieldType::kInteger;
};

// What a filter may speak of.
struct FilterSchema {
  std::span<const FilterField> fields;
  bool number_ids = true;  // else ids are strings
};

struct BoundFilter;

struct BoundEverything {};
struct BoundNothing {};
struct BoundAnd {  // two parts or more, none of them a BoundAnd
  std::vector<BoundFilter> parts;
};
struct BoundOr {  // two parts or more, none of them a BoundOr
  std::vector<BoundFilter> parts;
};
struct BoundNot {
  std::vector<BoundFilter> part;  // exactly one, not a BoundNot
};
// The field has a value with low <= key <= high; low <= high.
struct BoundKeyRange {
  size_t field = 0;
  NumberKey low = 0;
  NumberKey high = 0;
};
// The field has one of the keys, or all of them. Two or more, ascending.
struct BoundKeys {
  size_t field = 0;
  std::shared_ptr<const std::vector<NumberKey>> keys;
  bool all = false;
};
// The field has one of the terms, or all of them. One or more, ascending.
struct BoundTerms {
  size_t field = 0;
  std::shared_ptr<const std::vector<std::string>> terms;
  bool all = false;
};
struct BoundPrefix {
  size_t field = 0;
  std::string prefix;  // not empty
};
struct BoundExists {
  size_t field = 0;
};
// Encoded: numbers as eight bytes, big-endian; strings as they are. One or
// more, ascending.
struct BoundIds {
  std::shared_ptr<const std::vector<std::string>> ids;
};

// Copies share the lists. Immutable, thread-safe.
struct BoundFilter {
  std::variant<BoundEverything, BoundNothing, BoundAnd, BoundOr, BoundNot,
               BoundKeyRange, BoundKeys, BoundTerms, BoundPrefix, BoundExists,
               BoundIds>
      node;
};

// The fields that it asks for, ascending, each once.
std::vector<size_t> FieldsOf(const BoundFilter& filter);

// `field` in the results is the position in schema.fields. InvalidField with
// the path of the part that is wrong, when
//   a field is not declared, or a value does not fit its type;
//   a limit of filters/limits.h is passed.
//
// Literals, by the type of the field:
//   integer    integers; floats without a fraction; in ranges any finite float
//   float      integers and finite floats
//   timestamp  RFC 3339 text (finer than microseconds is cut off); integers
//   boolean    true, false; no ranges
//   keyword    text; no ranges
absl::StatusOr<BoundFilter> BindFilter(const Filter& filter,
                                       const FilterSchema& schema);

}  // namespace sextant
