// SPDX-License-Identifier: Apache-2.0
//
// Cosine Adapter: Rossi et al., "Relevance Filtering for Embedding-based
// Retrieval", CIKM 2024, arXiv 2408.04887. Cosines of different queries are not
// comparable; a small network that sees the query alone says how its cosines
// become one calibrated score, for which one threshold holds for all queries.

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "ranking/relevance/mlp.h"

namespace sextant {

// How a cosine s becomes a score, with c = min(max(s, 0), 1):
//
//   linear z = a c + b       square root z = a sqrt(c) + b
//   quadratic z = a c^2 + b  power z = a c^p + b
//
//   f = sigmoid(z), a = softplus(o_1), b = o_2, p = softplus(o_3)
//
// where o are the outputs of the network. The families are the paper's; their
// exact parametrisation is ours. a and p are not negative, so f never falls
// where s grows: the order of points stays as it is.
enum class AdapterFamily : uint8_t {
  kLinear,
  kSquareRoot,
  kQuadratic,
  kPower,
};

// "linear", "square_root", "quadratic", "power".
absl::string_view NameOf(AdapterFamily family);
// InvalidField "family".
absl::StatusOr<AdapterFamily> AdapterFamilyOf(absl::string_view name);
// Outputs of the network: 2, or 3 with p.
uint32_t ParameterCount(AdapterFamily family);

// What the network says of one query.
struct AdapterCurve {
  AdapterFamily family = AdapterFamily::kPower;
  double a = 0;  // 0 or more
  double b = 0;
  double p = 1;  // 0 or more; of kPower

  // Of ParameterCount() outputs.
  static AdapterCurve Of(AdapterFamily family, std::span<const double> outputs);

  // Finite for every finite cosine.
  double Logit(double cosine) const;
  double Score(double cosine) const;  // f

  static constexpr double kAll = -std::numeric_limits<double>::infinity();
  static constexpr double kNone = std::numeric_limits<double>::infinity();

  // f^-1: the least cosine whose score is `threshold` (above 0, below 1) or
  // more; kAll when every cosine's is, kNone when none's is. Never NaN.
  double LeastCosine(double threshold) const;
};

// ln(1 + e^x), without overflow.
double Softplus(double x);
// 1 / (1 + e^-x).
double Sigmoid(double x);
// ln(t / (1 - t)), 0 < t < 1.
double LogitOf(double t);

}  // namespace sextant
