// SPDX-License-Identifier: Apache-2.0
//
// For tests: random filters of every shape over the fields of a SampleSegment.

#pragma once

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "filters/filter.h"
#include "filters/sample_segment.h"

namespace sextant {

class FilterGenerator {
 public:
  explicit FilterGenerator(std::mt19937_64* random) : random_(*random) {}

  // Ands and ors have none, two or three parts, as text can say it.
  Filter Next(int depth) {
    const uint64_t kind = depth == 0 ? 3 + Below(6) : Below(9);
    switch (kind) {
      case 0:
        return {FilterAnd{Parts(depth)}, ""};
      case 1:
        return {FilterOr{Parts(depth)}, ""};
      case 2: {
        FilterNot node;
        node.part.push_back(Next(depth - 1));
        return {std::move(node), ""};
      }
      case 3:
        return Range();
      case 4:
        return {FilterPrefix{Below(2) == 0 ? "section" : "tags",
                             absl::StrCat(Below(2) == 0 ? "s" : "t",
                                          Below(2) == 0 ? "1" : "")},
                ""};
      case 5:
        return {FilterExists{fields_[Below(fields_.size())].name}, ""};
      case 6:
        return Ids();
      default:
        return In();
    }
  }

 private:
  uint64_t Below(uint64_t end) { return random_() % end; }

  std::vector<Filter> Parts(int depth) {
    std::vector<Filter> parts;
    const uint64_t count = Below(8) == 0 ? 0 : 2 + Below(2);
    for (uint64_t i = 0; i < count; ++i) {
      parts.push_back(Next(depth - 1));
    }
    return parts;
  }

  FilterLiteral Literal(FieldType type) {
    const auto number =
        static_cast<int64_t>(Below(Below(2) == 0 ? 8 : 2200)) - 2;
    switch (type) {
      case FieldType::kInteger:
        return number;
      case FieldType::kFloat:
        return static_cast<double>(number % 70) / 4 - 8;
      case FieldType::kTimestamp:
        return number * 1000000;
      case FieldType::kBoolean:
        return Below(2) == 0;
      case FieldType::kKeyword:
        break;
    }
    return absl::StrCat(Below(2) == 0 ? "s" : "t",
                        Below(Below(2) == 0 ? 5 : 35));
  }

  Filter Range() {
    const FilterField field =
        fields_[std::vector<size_t>{0, 0, 1, 2, 6, 7}[Below(6)]];
    FilterRange node{.field = field.name};
    const uint64_t ends = Below(3);
    if (ends != 0) {
      node.low = Literal(field.type);
      node.low_open = Below(2) == 0;
    }
    if (ends != 1) {
      node.high = Literal(field.type);
      node.high_open = Below(2) == 0;
    }
    return {std::move(node), ""};
  }

  Filter In() {
    const FilterField field = fields_[Below(fields_.size())];
    FilterIn node{field.name, {}, Below(3) == 0};
    for (uint64_t i = Below(Below(8) == 0 ? 40 : 4); i > 0; --i) {
      node.values.push_back(Literal(field.type));
    }
    return {std::move(node), ""};
  }

  Filter Ids() {
    FilterIds node;
    for (uint64_t i = Below(6); i > 0; --i) {
      node.ids.emplace_back(Below(200) * (Below(3) == 0 ? 1 : 10));
    }
    return {std::move(node), ""};
  }

  std::mt19937_64& random_;
  std::vector<FilterField> fields_ = SampleFields();
};

}  // namespace sextant
