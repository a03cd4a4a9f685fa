// SPDX-License-Identifier: Apache-2.0
#include "filters/row_filter.h"

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/match.h"

namespace sextant {
namespace {

// One of `wanted` (ascending), or all of them, are among the values.
template <typename T>
bool HasListed(const FieldValues& values, const std::vector<T>& wanted,
               bool all) {
  if (!all) {
    return std::any_of(
        values.begin(), values.end(), [&](const FieldValue& value) {
          const auto* typed = std::get_if<T>(&value);
          return typed != nullptr &&
                 std::binary_search(wanted.begin(), wanted.end(), *typed);
        });
  }
  return wanted.size() <= values.size() &&
         std::all_of(wanted.begin(), wanted.end(), [&](const T& one) {
           return std::find(values.begin(), values.end(), FieldValue(one)) !=
                  values.end();
         });
}

class RowMatcher {
 public:
  explicit RowMatcher(const RowFields& row) : row_(row) {}

  bool operator()(const BoundEverything&) const { return true; }
  bool operator()(const BoundNothing&) const { return false; }
  bool operator()(const BoundAnd& node) const {
    return std::all_of(
        node.parts.begin(), node.parts.end(),
        [&](const BoundFilter& part) { return RowMatches(part, row_); });
  }
  bool operator()(const BoundOr& node) const {
    return std::any_of(
        node.parts.begin(), node.parts.end(),
        [&](const BoundFilter& part) { return RowMatches(part, row_); });
  }
  bool operator()(const BoundNot& node) const {
    return !RowMatches(node.part.front(), row_);
  }
  bool operator()(const BoundKeyRange& node) const {
    const FieldValues& values = row_.values(node.field);
    return std::any_of(
        values.begin(), values.end(), [&](const FieldValue& value) {
          const auto* key = std::get_if<NumberKey>(&value);
          return key != nullptr && *key >= node.low && *key <= node.high;
        });
  }
  bool operator()(const BoundKeys& node) const {
    return HasListed(row_.values(node.field), *node.keys, node.all);
  }
  bool operator()(const BoundTerms& node) const {
    return HasListed(row_.values(node.field), *node.terms, node.all);
  }
  bool operator()(const BoundPrefix& node) const {
    const FieldValues& values = row_.values(node.field);
    return std::any_of(
        values.begin(), values.end(), [&](const FieldValue& value) {
          const auto* text = std::get_if<std::string>(&value);
          return text != nullptr && absl::StartsWith(*text, node.prefix);
        });
  }
  bool operator()(const BoundExists& node) const {
    return !row_.values(node.field).empty();
  }
  bool operator()(const BoundIds& node) const {
    return std::binary_search(node.ids->begin(), node.ids->end(), row_.id());
  }

 private:
  const RowFields& row_;
};

}  // namespace

bool RowMatches(const BoundFilter& filter, const RowFields& row) {
  return std::visit(RowMatcher(row), filter.node);
}

}  // namespace sextant
