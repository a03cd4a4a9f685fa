// SPDX-License-Identifier: Apache-2.0
#include "ranking/relevance/cosine_adapter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/errors.h"

namespace sextant {
namespace {

using FamilyName = std::pair<AdapterFamily, absl::string_view>;
constexpr std::array<FamilyName, 4> kFamilies = {
    FamilyName(AdapterFamily::kLinear, "linear"),
    FamilyName(AdapterFamily::kSquareRoot, "square_root"),
    FamilyName(AdapterFamily::kQuadratic, "quadratic"),
    FamilyName(AdapterFamily::kPower, "power")};

// Outputs beyond it are cut to it: sums and quotients stay finite.
constexpr double kOutputMax = 1e100;

}  // namespace

double Softplus(double x) {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}

double Sigmoid(double x) {
  return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
}

double LogitOf(double t) {
  return std::log(t) - std::log1p(-t);
}

absl::string_view NameOf(AdapterFamily family) {
  return kFamilies[static_cast<size_t>(family)].second;
}

absl::StatusOr<AdapterFamily> AdapterFamilyOf(absl::string_view name) {
  for (const FamilyName& family : kFamilies) {
    if (family.second == name) {
      return family.first;
    }
  }
  return InvalidField("family",
                      absl::StrCat("linear, square_root, quadratic or power, "
                                   "got '",
                                   ShownText(name, 64), "'"));
}

uint32_t ParameterCount(AdapterFamily family) {
  return family == AdapterFamily::kPower ? 3 : 2;
}

AdapterCurve AdapterCurve::Of(AdapterFamily family,
                              std::span<const double> outputs) {
  const auto output = [outputs](size_t i) {
    return std::clamp(outputs[i], -kOutputMax, kOutputMax);
  };
  return {family, Softplus(output(0)), output(1),
          family == AdapterFamily::kPower ? Softplus(output(2)) : 1};
}

double AdapterCurve::Logit(double cosine) const {
  const double c = std::clamp(cosine, 0.0, 1.0);
  double g = c;
  switch (family) {
    case AdapterFamily::kLinear:
      break;
    case AdapterFamily::kSquareRoot:
      g = std::sqrt(c);
      break;
    case AdapterFamily::kQuadratic:
      g = c * c;
      break;
    case AdapterFamily::kPower:
      // 0 also for the power 0, so that f does not jump where p becomes 0.
      g = c == 0 ? 0 : std::pow(c, p);
      break;
  }
  return a * g + b;
}

double AdapterCurve::Score(double cosine) const {
  return Sigmoid(Logit(cosine));
}

double AdapterCurve::LeastCosine(double threshold) const {
  const double needed = LogitOf(threshold) - b;
  if (needed <= 0) {
    return kAll;
  }
  const double g = needed / a;  // infinite where a is 0
  if (!(g <= 1)) {
    return kNone;
  }
  switch (family) {
    case AdapterFamily::kLinear:
      return g;
    case AdapterFamily::kSquareRoot:
      return g * g;
    case AdapterFamily::kQuadratic:
      return std::sqrt(g);
    case AdapterFamily::kPower:
      // With a power of 0, or nearly so, all cosines above 0 give 1.
      return std::max(std::numeric_limits<double>::min(),
                      p == 0 ? 0 : std::pow(g, 1 / p));
  }
  return kNone;
}

}  // namespace sextant
