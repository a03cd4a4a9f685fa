// SPDX-License-Identifier: Apache-2.0
#include "engine/payload_boost.h"

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "index/columns/field_column.h"
#include "index/columns/field_value.h"

namespace sextant {
namespace {

FieldValues ValuesOf(const SearchTarget& target, size_t field,
                     const Candidate& point) {
  const SegmentView& segment = *target.snapshot->segments[point.segment];
  if (segment.growing != nullptr) {
    return segment.growing->values(field, point.row);
  }
  const FieldColumn* const column = segment.sealed->column(field);
  return column == nullptr ? FieldValues() : column->ValuesOf(point.row);
}

double NumberOf(FieldType type, NumberKey key) {
  constexpr double kMicroseconds = 1e6;
  switch (type) {
    case FieldType::kFloat:
      return FloatOfKey(key);
    case FieldType::kInteger:
      return static_cast<double>(IntegerOfKey(key));
    case FieldType::kTimestamp:
      return static_cast<double>(IntegerOfKey(key)) / kMicroseconds;
    case FieldType::kBoolean:
    case FieldType::kKeyword:
      break;
  }
  return static_cast<double>(key);
}

}  // namespace

Boosted BoostPoint(const SearchTarget& target, const PayloadBoost& boost,
                   const Candidate& point, double score) {
  std::vector<BoostValue> values;
  FieldValues found;
  const std::optional<uint16_t> field =
      target.schema->FindPayloadField(boost.field);
  if (field.has_value()) {
    found = ValuesOf(target, *field, point);
    const FieldType type = target.schema->payload_fields[*field].type;
    for (const FieldValue& value : found) {
      if (const auto* text = std::get_if<std::string>(&value)) {
        values.emplace_back(absl::string_view(*text));
      } else {
        values.emplace_back(NumberOf(type, std::get<NumberKey>(value)));
      }
    }
  }
  return ApplyBoost(boost.boost, values, score);
}

}  // namespace sextant
