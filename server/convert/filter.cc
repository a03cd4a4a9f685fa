// SPDX-License-Identifier: Apache-2.0
#include "server/convert/filter.h"

#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "filters/filter_text.h"
#include "filters/limits.h"
#include "server/convert/point.h"

namespace sextant {
namespace {

absl::StatusOr<FilterLiteral> ToLiteral(const v1::Value& message,
                                        absl::string_view path) {
  switch (message.kind_case()) {
    case v1::Value::kBoolean:
      return FilterLiteral(message.boolean());
    case v1::Value::kInteger:
      return FilterLiteral(int64_t{message.integer()});
    case v1::Value::kNumber:
      return FilterLiteral(message.number());
    case v1::Value::kText:
      return FilterLiteral(message.text());
    case v1::Value::KIND_NOT_SET:
      break;
  }
  return InvalidField(path,
                      "required: `boolean`, `integer`, `number` or `text`");
}

absl::StatusOr<std::vector<Filter>> ToParts(const v1::FilterList& message,
                                            absl::string_view path) {
  if (static_cast<size_t>(message.parts_size()) > limits::kFilterNodesMax) {
    return InvalidField(absl::StrCat(path, ".parts"),
                        absl::StrCat("at most ", limits::kFilterNodesMax,
                                     ", got ", message.parts_size()));
  }
  std::vector<Filter> parts;
  for (const v1::Filter& part : message.parts()) {
    ASSIGN_OR_RETURN(
        Filter filter,
        ToFilter(part, absl::StrCat(path, ".parts[", parts.size(), "]")));
    parts.push_back(std::move(filter));
  }
  return parts;
}

absl::StatusOr<FilterIn> ToFilterIn(const v1::FieldValues& message, bool all,
                                    absl::string_view path) {
  const std::string values_path = absl::StrCat(path, ".values");
  const auto count = static_cast<size_t>(message.values_size());
  if (count < 1 || count > limits::kFilterValuesMax) {
    return InvalidField(values_path,
                        absl::StrCat("1 to ", limits::kFilterValuesMax,
                                     " values, got ", count));
  }
  FilterIn filter{.field = message.field(), .values = {}, .all = all};
  filter.values.reserve(count);
  for (const v1::Value& value : message.values()) {
    auto literal = ToLiteral(value, "");
    if (!literal.ok()) {
      return ToLiteral(value, absl::StrCat(values_path, "[",
                                           filter.values.size(), "]"))
          .status();
    }
    filter.values.push_back(*std::move(literal));
  }
  return filter;
}

absl::StatusOr<FilterRange> ToFilterRange(const v1::FieldRange& message,
                                          absl::string_view path) {
  if (message.has_above() && message.has_from()) {
    return InvalidField(absl::StrCat(path, ".above"), "not with `from`");
  }
  if (message.has_below() && message.has_to()) {
    return InvalidField(absl::StrCat(path, ".below"), "not with `to`");
  }
  FilterRange range;
  range.field = message.field();
  range.low_open = message.has_above();
  range.high_open = message.has_below();
  if (message.has_above() || message.has_from()) {
    ASSIGN_OR_RETURN(
        range.low,
        message.has_above()
            ? ToLiteral(message.above(), absl::StrCat(path, ".above"))
            : ToLiteral(message.from(), absl::StrCat(path, ".from")));
  }
  if (message.has_below() || message.has_to()) {
    ASSIGN_OR_RETURN(
        range.high,
        message.has_below()
            ? ToLiteral(message.below(), absl::StrCat(path, ".below"))
            : ToLiteral(message.to(), absl::StrCat(path, ".to")));
  }
  if (!range.low.has_value() && !range.high.has_value()) {
    return InvalidField(path,
                        "required: an end, `above`, `from`, `below` or `to`");
  }
  return range;
}

absl::StatusOr<FilterIds> ToFilterIds(const v1::PointIds& message,
                                      absl::string_view path) {
  if (static_cast<size_t>(message.ids_size()) > limits::kFilterIdsMax) {
    return InvalidField(absl::StrCat(path, ".ids"),
                        absl::StrCat("at most ", limits::kFilterIdsMax,
                                     ", got ", message.ids_size()));
  }
  FilterIds filter;
  for (const v1::PointId& id : message.ids()) {
    ASSIGN_OR_RETURN(
        PointId point_id,
        ToPointId(id, absl::StrCat(path, ".ids[", filter.ids.size(), "]")));
    filter.ids.push_back(std::move(point_id));
  }
  return filter;
}

}  // namespace

absl::StatusOr<Filter> ToFilter(const v1::Filter& message,
                                absl::string_view path) {
  Filter filter;
  // What the path of a kind is called in the message.
  const auto below = [path](absl::string_view kind) {
    return absl::StrCat(path, ".", kind);
  };
  switch (message.kind_case()) {
    case v1::Filter::kAnd: {
      filter.path = below("and");
      ASSIGN_OR_RETURN(auto parts, ToParts(message.and_(), filter.path));
      filter.node = FilterAnd{std::move(parts)};
      return filter;
    }
    case v1::Filter::kOr: {
      filter.path = below("or");
      ASSIGN_OR_RETURN(auto parts, ToParts(message.or_(), filter.path));
      filter.node = FilterOr{std::move(parts)};
      return filter;
    }
    case v1::Filter::kNot: {
      filter.path = below("not");
      ASSIGN_OR_RETURN(Filter part, ToFilter(message.not_(), filter.path));
      FilterNot negation;
      negation.part.push_back(std::move(part));
      filter.node = std::move(negation);
      return filter;
    }
    case v1::Filter::kIn: {
      filter.path = below("in");
      ASSIGN_OR_RETURN(filter.node,
                       ToFilterIn(message.in(), false, filter.path));
      return filter;
    }
    case v1::Filter::kContainsAll: {
      filter.path = below("contains_all");
      ASSIGN_OR_RETURN(filter.node,
                       ToFilterIn(message.contains_all(), true, filter.path));
      return filter;
    }
    case v1::Filter::kRange: {
      filter.path = below("range");
      ASSIGN_OR_RETURN(filter.node,
                       ToFilterRange(message.range(), filter.path));
      return filter;
    }
    case v1::Filter::kPrefix:
      filter.path = below("prefix");
      filter.node =
          FilterPrefix{message.prefix().field(), message.prefix().prefix()};
      return filter;
    case v1::Filter::kExists:
      filter.path = below("exists");
      filter.node = FilterExists{message.exists().field()};
      return filter;
    case v1::Filter::kIds: {
      filter.path = below("ids");
      ASSIGN_OR_RETURN(filter.node, ToFilterIds(message.ids(), filter.path));
      return filter;
    }
    case v1::Filter::kText:
      return ParseFilter(message.text());
    case v1::Filter::KIND_NOT_SET:
      break;
  }
  return InvalidField(path,
                      "required: a kind that this server knows: `and`, `or`, "
                      "`not`, `in`, `contains_all`, `range`, `prefix`, "
                      "`exists`, `ids` or `text`");
}

void FromFieldValue(FieldType type, const FieldValue& value,
                    v1::Value* message) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    message->set_text(*text);
    return;
  }
  const NumberKey key = std::get<NumberKey>(value);
  switch (type) {
    case FieldType::kBoolean:
      message->set_boolean(key != 0);
      return;
    case FieldType::kFloat:
      message->set_number(FloatOfKey(key));
      return;
    default:
      message->set_integer(IntegerOfKey(key));
  }
}

}  // namespace sextant
