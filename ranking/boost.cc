// SPDX-License-Identifier: Apache-2.0
#include "ranking/boost.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"

namespace sextant {
namespace {

absl::Status Within(double value, double least, absl::string_view path,
                    absl::string_view name) {
  if (value >= least && value <= Boost::kMagnitudeMax) {
    return absl::OkStatus();
  }
  return InvalidField(
      absl::StrCat(path, ".", name),
      absl::StrCat("must be from ", least, " to ", Boost::kMagnitudeMax));
}

absl::Status Above0(double value, absl::string_view path,
                    absl::string_view name) {
  if (value > 0 && value <= Boost::kMagnitudeMax) {
    return absl::OkStatus();
  }
  return InvalidField(
      absl::StrCat(path, ".", name),
      absl::StrCat("must be above 0, at most ", Boost::kMagnitudeMax));
}

absl::Status Finite(double value, absl::string_view path,
                    absl::string_view name) {
  return Within(value, -Boost::kMagnitudeMax, path, name);
}

// What each kind of boost checks and computes.
struct Check {
  absl::string_view path;

  absl::Status operator()(const NumberBoost& number) const {
    if (number.shape != NumberBoost::Shape::kIdentity) {
      return Above0(number.factor, path, "factor");
    }
    if (number.factor == 0) {
      return InvalidField(absl::StrCat(path, ".factor"), "must not be 0");
    }
    return Finite(number.factor, path, "factor");
  }

  absl::Status operator()(const TableBoost& table) const {
    if (table.values.empty()) {
      return InvalidField(absl::StrCat(path, ".values"), "is empty");
    }
    for (const auto& [keyword, value] : table.values) {
      RETURN_IF_ERROR(Finite(
          value, path, absl::StrCat("values[", ShownText(keyword, 40), "]")));
    }
    return Finite(table.otherwise, path, "otherwise");
  }

  absl::Status operator()(const DecayBoost& decay) const {
    RETURN_IF_ERROR(Finite(decay.origin, path, "origin"));
    RETURN_IF_ERROR(Within(decay.offset, 0, path, "offset"));
    RETURN_IF_ERROR(Above0(decay.scale, path, "scale"));
    if (!(decay.decay > 0 && decay.decay < 1)) {
      return InvalidField(absl::StrCat(path, ".decay"),
                          "must be above 0 and below 1");
    }
    return absl::OkStatus();
  }
};

// Of one value; none when it is of the wrong type.
struct Value {
  const BoostValue& value;

  std::optional<double> operator()(const NumberBoost& number) const {
    const auto* given = std::get_if<double>(&value);
    if (given == nullptr) {
      return std::nullopt;
    }
    const double scaled = number.factor * *given;
    const double positive = std::max(0.0, scaled);
    switch (number.shape) {
      case NumberBoost::Shape::kIdentity:
        return scaled;
      case NumberBoost::Shape::kLog:
        return std::log1p(positive);
      case NumberBoost::Shape::kSqrt:
        return std::sqrt(positive);
      case NumberBoost::Shape::kSaturation:
        break;
    }
    return std::isinf(positive) ? 1 : positive / (positive + 1);
  }

  std::optional<double> operator()(const TableBoost& table) const {
    const auto* keyword = std::get_if<absl::string_view>(&value);
    if (keyword == nullptr) {
      return std::nullopt;
    }
    const auto found = table.values.find(*keyword);
    return found == table.values.end() ? table.otherwise : found->second;
  }

  std::optional<double> operator()(const DecayBoost& decay) const {
    const auto* given = std::get_if<double>(&value);
    if (given == nullptr) {
      return std::nullopt;
    }
    const double away =
        std::max(0.0, std::abs(*given - decay.origin) - decay.offset) /
        decay.scale;
    switch (decay.shape) {
      case DecayBoost::Shape::kExp:
        return std::exp(std::log(decay.decay) * away);
      case DecayBoost::Shape::kGauss:
        return std::exp(std::log(decay.decay) * away * away);
      case DecayBoost::Shape::kLinear:
        break;
    }
    return std::max(0.0, 1 - (1 - decay.decay) * away);
  }
};

double Bounded(double value) {
  constexpr double kMax = std::numeric_limits<double>::max();
  return std::isnan(value) ? 0 : std::clamp(value, -kMax, kMax);
}

}  // namespace

absl::Status ValidateBoost(const Boost& boost, absl::string_view path) {
  RETURN_IF_ERROR(Finite(boost.weight, path, "weight"));
  if (boost.missing.has_value()) {
    RETURN_IF_ERROR(Finite(*boost.missing, path, "missing"));
  }
  return std::visit(Check{path}, boost.function);
}

Boosted ApplyBoost(const Boost& boost, const std::vector<BoostValue>& values,
                   double score) {
  const bool least = boost.mode == Boost::Mode::kAdd && boost.weight < 0;
  std::optional<double> best;
  for (const BoostValue& value : values) {
    const std::optional<double> found =
        std::visit(Value{value}, boost.function);
    if (found.has_value() &&
        (!best.has_value() || (least ? *found < *best : *found > *best))) {
      best = found;
    }
  }
  if (!best.has_value()) {
    best = boost.missing;
  }
  if (!best.has_value()) {
    return {score, std::nullopt};
  }
  const double value = Bounded(*best);
  if (boost.mode == Boost::Mode::kAdd) {
    return {Bounded(score + boost.weight * value), value};
  }
  const double factor = std::max(value, Boost::kLeastFactor);
  return {Bounded(score < 0 ? score / factor : score * factor), value};
}

}  // namespace sextant
