// SPDX-License-Identifier: Apache-2.0
#include "filters/filter_window.h"

#include <algorithm>
#include <span>
#include <utility>
#include <variant>

namespace sextant {
namespace {

std::span<const BoundFilter> PartsOf(const BoundFilter& filter) {
  if (const auto* node = std::get_if<BoundAnd>(&filter.node)) {
    return node->parts;
  }
  return {&filter, 1};
}

}  // namespace

std::vector<size_t> WindowFields(const BoundFilter& filter) {
  std::vector<size_t> fields;
  for (const BoundFilter& part : PartsOf(filter)) {
    const auto* range = std::get_if<BoundKeyRange>(&part.node);
    if (range != nullptr &&
        std::find(fields.begin(), fields.end(), range->field) == fields.end()) {
      fields.push_back(range->field);
    }
  }
  return fields;
}

std::optional<FilterWindow> SplitWindow(const BoundFilter& filter, size_t field,
                                        bool single_valued) {
  std::optional<BoundKeyRange> window;
  std::vector<BoundFilter> others;
  for (const BoundFilter& part : PartsOf(filter)) {
    const auto* range = std::get_if<BoundKeyRange>(&part.node);
    const bool is_window = range != nullptr && range->field == field;
    if (is_window && !window.has_value()) {
      window = *range;
    } else if (is_window && single_valued) {
      window->low = std::max(window->low, range->low);
      window->high = std::min(window->high, range->high);
    } else {
      others.push_back(part);
    }
  }
  if (!window.has_value()) {
    return std::nullopt;
  }
  if (window->low > window->high) {
    return FilterWindow{*window, {BoundNothing{}}};
  }
  if (others.empty()) {
    return FilterWindow{*window, {BoundEverything{}}};
  }
  if (others.size() == 1) {
    return FilterWindow{*window, std::move(others.front())};
  }
  return FilterWindow{*window, {BoundAnd{std::move(others)}}};
}

}  // namespace sextant
