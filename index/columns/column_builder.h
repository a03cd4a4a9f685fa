// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/node_hash_map.h"
#include "absl/status/statusor.h"

#include "index/columns/field_value.h"
#include "index/metric.h"

namespace sextant {

// Makes the bytes of a FieldColumn from the values of each row. Holds all
// values in memory, 16 bytes a number, 8 a keyword beside each distinct text.
class ColumnBuilder {
 public:
  ColumnBuilder(FieldType type, uint32_t rows) : type_(type), rows_(rows) {}

  // Rows in any order, each at most once (its values in any order; equal ones
  // count once). Every value is of the kind of the type; row < rows. Rows that
  // are never added lack the field.
  void Add(Ordinal row, const FieldValues& values);

  // Ends the builder. kResourceExhausted when there are 2^32 - 1 values or
  // more.
  absl::StatusOr<std::string> Finish() &&;

 private:
  absl::StatusOr<std::string> KeywordBytes() &&;

  FieldType type_;
  uint32_t rows_;
  std::vector<std::pair<NumberKey, Ordinal>> numbers_;
  absl::node_hash_map<std::string, uint32_t> term_numbers_;  // by first use
  std::vector<std::pair<uint32_t, Ordinal>> terms_;
};

}  // namespace sextant
