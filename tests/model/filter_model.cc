// SPDX-License-Identifier: Apache-2.0
#include "tests/model/filter_model.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include <nlohmann/json.hpp>

namespace sextant::test {
namespace {

constexpr std::array<const char*, 6> kTags = {"", "a", "ab", "abc", "b", "é"};
constexpr int64_t kSecond = 1'000'000;

int64_t Pick(std::mt19937_64& random, int64_t below) {
  return static_cast<int64_t>(random() % static_cast<uint64_t>(below));
}

// Integers of a small range, so that many are equal, and the extremes.
int64_t RandomInteger(std::mt19937_64& random) {
  switch (Pick(random, 20)) {
    case 0:
      return INT64_MIN;
    case 1:
      return INT64_MAX;
    default:
      return Pick(random, 25) - 5;
  }
}

FilterLiteral RandomLiteral(std::mt19937_64& random, const std::string& field) {
  if (field == "n") {
    return RandomInteger(random);
  }
  if (field == "x.y") {
    return static_cast<double>(Pick(random, 16)) / 2 - 3;
  }
  if (field == "t") {
    return Pick(random, 10) * kSecond;
  }
  if (field == "b") {
    return Pick(random, 2) == 0;
  }
  return std::string(kTags[static_cast<size_t>(Pick(random, 6))]);
}

template <typename Make>
std::string RandomList(std::mt19937_64& random, Make make) {
  std::string text = "[";
  const int64_t count = Pick(random, 4);
  for (int64_t i = 0; i < count; ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ",", make());
  }
  return text + "]";
}

void Collect(const nlohmann::json& json, const std::vector<std::string>& keys,
             size_t next, std::vector<FilterLiteral>* values) {
  if (json.is_array()) {
    for (const nlohmann::json& element : json) {
      Collect(element, keys, next, values);
    }
  } else if (next < keys.size()) {
    if (json.is_object() && json.contains(keys[next])) {
      Collect(json[keys[next]], keys, next + 1, values);
    }
  } else if (json.is_boolean()) {
    values->emplace_back(json.get<bool>());
  } else if (json.is_number_float()) {
    values->emplace_back(json.get<double>());
  } else if (json.is_number()) {
    values->emplace_back(json.get<int64_t>());
  } else if (json.is_string()) {
    values->emplace_back(json.get<std::string>());
  }
}

bool IsInRange(const FilterRange& range, const FilterLiteral& value) {
  const bool above =
      !range.low.has_value() ||
      (range.low_open ? value > *range.low : value >= *range.low);
  const bool below =
      !range.high.has_value() ||
      (range.high_open ? value < *range.high : value <= *range.high);
  return above && below;
}

struct Matcher {
  const Point& point;

  std::vector<FilterLiteral> Values(const std::string& field) const {
    return ModelValues(point.payload, field);
  }
  bool operator()(const FilterAnd& node) const {
    return std::ranges::all_of(node.parts, [this](const Filter& part) {
      return ModelMatches(part, point);
    });
  }
  bool operator()(const FilterOr& node) const {
    return std::ranges::any_of(node.parts, [this](const Filter& part) {
      return ModelMatches(part, point);
    });
  }
  bool operator()(const FilterNot& node) const {
    return !ModelMatches(node.part.front(), point);
  }
  bool operator()(const FilterIn& node) const {
    const std::vector<FilterLiteral> values = Values(node.field);
    const auto has = [&](const FilterLiteral& wanted) {
      return std::ranges::find(values, wanted) != values.end();
    };
    return node.all ? std::ranges::all_of(node.values, has)
                    : std::ranges::any_of(node.values, has);
  }
  bool operator()(const FilterRange& node) const {
    return std::ranges::any_of(
        Values(node.field),
        [&](const FilterLiteral& value) { return IsInRange(node, value); });
  }
  bool operator()(const FilterPrefix& node) const {
    return std::ranges::any_of(
        Values(node.field), [&](const FilterLiteral& value) {
          return absl::StartsWith(std::get<std::string>(value), node.prefix);
        });
  }
  bool operator()(const FilterExists& node) const {
    return !Values(node.field).empty();
  }
  bool operator()(const FilterIds& node) const {
    return std::ranges::find(node.ids, point.id) != node.ids.end();
  }
};

Filter RandomLeaf(std::mt19937_64& random, IdKind id_kind) {
  static constexpr std::array<const char*, 5> kFields = {"n", "x.y", "tags",
                                                         "b", "t"};
  const std::string field = kFields[static_cast<size_t>(Pick(random, 5))];
  const bool ranged = field != "tags" && field != "b";
  switch (Pick(random, 8)) {
    case 0:
      return {FilterExists{field}, ""};
    case 1:
      return {FilterPrefix{"tags", kTags[static_cast<size_t>(Pick(random, 6))]},
              ""};
    case 2: {
      FilterIds ids;
      for (int i = 0; i < 5; ++i) {
        const uint64_t number = random() % 600;
        if (id_kind == IdKind::kNumber) {
          ids.ids.emplace_back(number % 2 == 0 ? number : ~number);
        } else {
          ids.ids.emplace_back(absl::StrCat("id-", 10'000 + number));
        }
      }
      return {std::move(ids), ""};
    }
    case 3:
    case 4:
    case 5:
      if (ranged) {
        FilterRange range;
        range.field = field;
        const int64_t ends = Pick(random, 3);
        if (ends != 0) {
          range.low = RandomLiteral(random, field);
          range.low_open = Pick(random, 2) == 0;
        }
        if (ends != 1) {
          range.high = RandomLiteral(random, field);
          range.high_open = Pick(random, 2) == 0;
        }
        return {std::move(range), ""};
      }
      [[fallthrough]];
    default: {
      FilterIn in{.field = field, .values = {}, .all = Pick(random, 4) == 0};
      for (int64_t i = 0; i <= Pick(random, 3); ++i) {
        in.values.push_back(RandomLiteral(random, field));
      }
      return {std::move(in), ""};
    }
  }
}

}  // namespace

void AddPayloadFields(Schema* schema) {
  schema->payload_fields = {{"n", FieldType::kInteger, true},
                            {"x.y", FieldType::kFloat},
                            {"tags", FieldType::kKeyword},
                            {"b", FieldType::kBoolean},
                            {"t", FieldType::kTimestamp}};
}

std::string RandomPayload(std::mt19937_64& random) {
  std::string text = absl::StrCat("{\"free\":", random() % 1000);
  if (Pick(random, 4) != 0) {
    absl::StrAppend(&text, ",\"n\":", RandomInteger(random));
  }
  if (Pick(random, 3) != 0) {
    absl::StrAppend(&text, ",\"x\":{\"y\":",
                    RandomList(random,
                               [&] {
                                 // Always with a point: JSON tells 1 from 1.0.
                                 return absl::StrCat(
                                     Pick(random, 8) - 3,
                                     Pick(random, 2) == 0 ? ".0" : ".5");
                               }),
                    "}");
  }
  if (Pick(random, 3) != 0) {
    absl::StrAppend(&text, ",\"tags\":", RandomList(random, [&] {
      return absl::StrCat("\"", kTags[static_cast<size_t>(Pick(random, 6))],
                          "\"");
    }));
  }
  if (Pick(random, 2) != 0) {
    absl::StrAppend(&text,
                    ",\"b\":", Pick(random, 2) == 0 ? "[true,false]" : "true");
  }
  if (Pick(random, 2) != 0) {
    const int64_t second = Pick(random, 10);
    absl::StrAppend(&text, ",\"t\":");
    if (Pick(random, 2) == 0) {
      absl::StrAppend(&text, "\"1970-01-01T00:00:0", second, "Z\"");
    } else {
      absl::StrAppend(&text, second * kSecond);
    }
  }
  return text + "}";
}

Filter RandomFilter(std::mt19937_64& random, IdKind id_kind, uint32_t depth) {
  const int64_t kind = depth == 0 ? 9 : Pick(random, 10);
  if (kind > 5) {
    return RandomLeaf(random, id_kind);
  }
  std::vector<Filter> parts;
  for (int64_t i = 0; i <= Pick(random, 3); ++i) {
    parts.push_back(RandomFilter(random, id_kind, depth - 1));
  }
  if (kind < 2) {
    return {FilterAnd{std::move(parts)}, ""};
  }
  if (kind < 4) {
    return {FilterOr{std::move(parts)}, ""};
  }
  parts.resize(1);
  return {FilterNot{std::move(parts)}, ""};
}

std::vector<FilterLiteral> ModelValues(const std::string& payload,
                                       const std::string& field) {
  std::vector<FilterLiteral> values;
  if (payload.empty()) {
    return values;
  }
  Collect(nlohmann::json::parse(payload), absl::StrSplit(field, '.'), 0,
          &values);
  for (FilterLiteral& value : values) {
    if (const auto* text = std::get_if<std::string>(&value);
        text != nullptr && field == "t") {
      value = ((*text)[18] - '0') * kSecond;
    }
  }
  return values;
}

bool ModelMatches(const Filter& filter, const Point& point) {
  return std::visit(Matcher{point}, filter.node);
}

}  // namespace sextant::test
