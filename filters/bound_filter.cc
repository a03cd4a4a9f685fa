// SPDX-License-Identifier: Apache-2.0
#include "filters/bound_filter.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "base/coding.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "filters/bind_literal.h"
#include "filters/limits.h"

namespace sextant {
namespace {

constexpr size_t kShownNameBytesMax = 80;
constexpr size_t kShownFieldsMax = 20;

template <typename Node>
BoundFilter Bound(Node node) {
  return {std::move(node)};
}

template <typename Node>
bool Is(const BoundFilter& filter) {
  return std::holds_alternative<Node>(filter.node);
}

template <typename T>
void SortDistinct(std::vector<T>* values) {
  std::sort(values->begin(), values->end());
  values->erase(std::unique(values->begin(), values->end()), values->end());
}

// An and (or an or) of the parts. `Neutral` parts change nothing, one `Ruling`
// part decides.
template <typename Node, typename Neutral, typename Ruling>
BoundFilter Combine(std::vector<BoundFilter> parts) {
  Node result;
  for (BoundFilter& part : parts) {
    if (Is<Ruling>(part)) {
      return Bound(Ruling{});
    }
    if (auto* inner = std::get_if<Node>(&part.node)) {
      std::move(inner->parts.begin(), inner->parts.end(),
                std::back_inserter(result.parts));
    } else if (!Is<Neutral>(part)) {
      result.parts.push_back(std::move(part));
    }
  }
  if (result.parts.empty()) {
    return Bound(Neutral{});
  }
  if (result.parts.size() == 1) {
    return std::move(result.parts.front());
  }
  return Bound(std::move(result));
}

BoundFilter Negate(BoundFilter filter) {
  if (Is<BoundEverything>(filter)) {
    return Bound(BoundNothing{});
  }
  if (Is<BoundNothing>(filter)) {
    return Bound(BoundEverything{});
  }
  if (auto* inner = std::get_if<BoundNot>(&filter.node)) {
    // Not by assignment to what holds it.
    BoundFilter part = std::move(inner->part.front());
    return part;
  }
  BoundNot result;
  result.part.push_back(std::move(filter));
  return Bound(std::move(result));
}

BoundFilter KeysFilter(size_t field, std::vector<NumberKey> keys, bool all) {
  SortDistinct(&keys);
  if (keys.size() == 1) {
    return Bound(BoundKeyRange{field, keys.front(), keys.front()});
  }
  return Bound(BoundKeys{
      field, std::make_shared<const std::vector<NumberKey>>(std::move(keys)),
      all});
}

class Binder {
 public:
  explicit Binder(const FilterSchema& schema) : schema_(schema) {
    for (size_t i = 0; i < schema.fields.size(); ++i) {
      positions_.try_emplace(schema.fields[i].name, i);
    }
  }

  // `depth` ands, ors and nots are around it.
  absl::StatusOr<BoundFilter> Bind(const Filter& filter, size_t depth) {
    if (++nodes_ > limits::kFilterNodesMax) {
      return Wrong(filter, absl::StrCat("more than ", limits::kFilterNodesMax,
                                        " parts in a filter"));
    }
    return std::visit(
        [&](const auto& node) { return BindNode(filter, node, depth); },
        filter.node);
  }

 private:
  static absl::Status Wrong(const Filter& filter, absl::string_view problem) {
    return InvalidField(filter.path.empty() ? "filter" : filter.path, problem);
  }

  absl::StatusOr<std::vector<BoundFilter>> BindParts(
      const Filter& filter, const std::vector<Filter>& parts, size_t depth) {
    if (depth >= limits::kFilterDepthMax) {
      return Wrong(filter, absl::StrCat("nested deeper than ",
                                        limits::kFilterDepthMax, " levels"));
    }
    std::vector<BoundFilter> bound;
    for (const Filter& part : parts) {
      ASSIGN_OR_RETURN(BoundFilter one, Bind(part, depth + 1));
      bound.push_back(std::move(one));
    }
    return bound;
  }

  absl::StatusOr<BoundFilter> BindNode(const Filter& filter,
                                       const FilterAnd& node, size_t depth) {
    ASSIGN_OR_RETURN(std::vector<BoundFilter> parts,
                     BindParts(filter, node.parts, depth));
    return Combine<BoundAnd, BoundEverything, BoundNothing>(std::move(parts));
  }

  absl::StatusOr<BoundFilter> BindNode(const Filter& filter,
                                       const FilterOr& node, size_t depth) {
    ASSIGN_OR_RETURN(std::vector<BoundFilter> parts,
                     BindParts(filter, node.parts, depth));
    return Combine<BoundOr, BoundNothing, BoundEverything>(std::move(parts));
  }

  absl::StatusOr<BoundFilter> BindNode(const Filter& filter,
                                       const FilterNot& node, size_t depth) {
    if (node.part.size() != 1) {
      return Wrong(
          filter, absl::StrCat("not takes one filter, got ", node.part.size()));
    }
    ASSIGN_OR_RETURN(std::vector<BoundFilter> parts,
                     BindParts(filter, node.part, depth));
    return Negate(std::move(parts.front()));
  }

  absl::StatusOr<BoundFilter> BindNode(const Filter& filter,
                                       const FilterIn& node, size_t) {
    ASSIGN_OR_RETURN(const size_t field, FindField(filter, node.field));
    values_ += node.values.size();
    if (values_ > limits::kFilterValuesMax) {
      return Wrong(filter, absl::StrCat("more than ", limits::kFilterValuesMax,
                                        " values in the lists of a filter"));
    }
    std::vector<NumberKey> keys;
    std::vector<std::string> terms;
    for (const FilterLiteral& literal : node.values) {
      auto value = BindValue(literal, schema_.fields[field].type);
      if (!value.ok()) {
        return OfField(filter, field, value.status());
      }
      if (const auto* key = std::get_if<NumberKey>(&*value)) {
        keys.push_back(*key);
      } else {
        terms.push_back(std::get<std::string>(*std::move(value)));
      }
    }
    if (node.values.empty()) {
      return node.all ? Bound(BoundEverything{}) : Bound(BoundNothing{});
    }
    if (!keys.empty()) {
      return KeysFilter(field, std::move(keys), node.all);
    }
    SortDistinct(&terms);
    return Bound(BoundTerms{
        field,
        std::make_shared<const std::vector<std::string>>(std::move(terms)),
        node.all});
  }

  absl::StatusOr<BoundFilter> BindNode(const Filter& filter,
                                       const FilterRange& node, size_t) {
    ASSIGN_OR_RETURN(const size_t field, FindField(filter, node.field));
    const FieldType type = schema_.fields[field].type;
    if (!node.low.has_value() && !node.high.has_value()) {
      return Bound(BoundExists{field});
    }
    std::optional<NumberKey> low = 0;
    std::optional<NumberKey> high = std::numeric_limits<NumberKey>::max();
    if (node.low.has_value()) {
      auto end = BindLowEnd(*node.low, type, node.low_open);
      if (!end.ok()) {
        return OfField(filter, field, end.status());
      }
      low = *end;
    }
    if (node.high.has_value()) {
      auto end = BindHighEnd(*node.high, type, node.high_open);
      if (!end.ok()) {
        return OfField(filter, field, end.status());
      }
      high = *end;
    }
    if (!low.has_value() || !high.has_value() || *low > *high) {
      return Bound(BoundNothing{});
    }
    return Bound(BoundKeyRange{field, *low, *high});
  }

  absl::StatusOr<BoundFilter> BindNode(const Filter& filter,
                                       const FilterPrefix& node, size_t) {
    ASSIGN_OR_RETURN(const size_t field, FindField(filter, node.field));
    const FieldType type = schema_.fields[field].type;
    if (type != FieldType::kKeyword) {
      return OfField(filter, field,
                     absl::InvalidArgumentError(
                         absl::StrCat("has type ", FieldTypeName(type),
                                      ": a prefix needs a keyword field")));
    }
    if (node.prefix.empty()) {
      return Bound(BoundExists{field});
    }
    return Bound(BoundPrefix{field, node.prefix});
  }

  absl::StatusOr<BoundFilter> BindNode(const Filter& filter,
                                       const FilterExists& node, size_t) {
    ASSIGN_OR_RETURN(const size_t field, FindField(filter, node.field));
    return Bound(BoundExists{field});
  }

  absl::StatusOr<BoundFilter> BindNode(const Filter& filter,
                                       const FilterIds& node, size_t) {
    ids_ += node.ids.size();
    if (ids_ > limits::kFilterIdsMax) {
      return Wrong(filter, absl::StrCat("more than ", limits::kFilterIdsMax,
                                        " ids in a filter"));
    }
    std::vector<std::string> ids;
    for (const auto& id : node.ids) {
      const auto* number = std::get_if<uint64_t>(&id);
      if ((number != nullptr) != schema_.number_ids) {
        return Wrong(filter, schema_.number_ids
                                 ? "ids of this collection are numbers, got a "
                                   "text"
                                 : "ids of this collection are texts, got a "
                                   "number");
      }
      if (number != nullptr) {
        AppendBigEndian(&ids.emplace_back(), *number);
      } else {
        ids.push_back(std::get<std::string>(id));
      }
    }
    if (ids.empty()) {
      return Bound(BoundNothing{});
    }
    SortDistinct(&ids);
    return Bound(BoundIds{
        std::make_shared<const std::vector<std::string>>(std::move(ids))});
  }

  absl::StatusOr<size_t> FindField(const Filter& filter,
                                   absl::string_view name) const {
    if (const auto found = positions_.find(name); found != positions_.end()) {
      return found->second;
    }
    std::string declared;
    for (size_t i = 0; i < schema_.fields.size(); ++i) {
      if (i == kShownFieldsMax) {
        absl::StrAppend(&declared, ", ... (", schema_.fields.size(),
                        " fields)");
        break;
      }
      absl::StrAppend(&declared, i == 0 ? "" : ", ", schema_.fields[i].name,
                      " (", FieldTypeName(schema_.fields[i].type), ")");
    }
    return Wrong(
        filter,
        absl::StrCat(
            "unknown field '", ShownText(name, kShownNameBytesMax), "'; ",
            declared.empty() ? "the collection declares no payload fields"
                             : absl::StrCat("the collection has ", declared)));
  }

  absl::Status OfField(const Filter& filter, size_t field,
                       const absl::Status& status) const {
    return Wrong(filter, absl::StrCat("field '", schema_.fields[field].name,
                                      "' ", status.message()));
  }

  const FilterSchema& schema_;
  absl::flat_hash_map<absl::string_view, size_t> positions_;
  size_t nodes_ = 0;
  size_t values_ = 0;
  size_t ids_ = 0;
};

void CollectFields(const BoundFilter& filter, std::vector<size_t>* fields) {
  std::visit(
      [fields](const auto& node) {
        if constexpr (requires { node.field; }) {
          fields->push_back(node.field);
        } else if constexpr (requires { node.parts; }) {
          for (const BoundFilter& part : node.parts) {
            CollectFields(part, fields);
          }
        } else if constexpr (requires { node.part; }) {
          for (const BoundFilter& part : node.part) {
            CollectFields(part, fields);
          }
        }
      },
      filter.node);
}

}  // namespace

std::vector<size_t> FieldsOf(const BoundFilter& filter) {
  std::vector<size_t> fields;
  CollectFields(filter, &fields);
  SortDistinct(&fields);
  return fields;
}

absl::StatusOr<BoundFilter> BindFilter(const Filter& filter,
                                       const FilterSchema& schema) {
  return Binder(schema).Bind(filter, 0);
}

}  // namespace sextant
