// SPDX-License-Identifier: Apache-2.0
//
// What the payload of a candidate adds to its score: how new, how near, how
// popular, from which host.

#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace sextant {

// A number made of a number.
struct NumberBoost {
  enum class Shape : uint8_t {
    kIdentity,  // factor * v
    kLog,       // ln(1 + factor * v); what is below 0 counts as 0
    kSqrt,      // sqrt(factor * v); likewise
    // factor * v / (factor * v + 1), 0 to 1; likewise. 1 / factor is the value
    // that gets one half.
    kSaturation,
  };
  Shape shape = Shape::kIdentity;
  double factor = 1;  // finite, not 0; above 0 except under kIdentity
};

// A number for each keyword: the host boost of "Domain-specific Question
// Answering with Hybrid Search" (arXiv 2412.03736), for any keyword field.
struct TableBoost {
  absl::flat_hash_map<std::string, double> values;  // finite
  double otherwise = 0;  // of keywords that are not in it, finite
};

// 1 at `origin`, falling off on both sides. With x = max(0, |v - origin| -
// offset), so that the result is `decay` at x = scale:
//   kExp     exp(ln(decay) * x / scale)
//   kGauss   exp(ln(decay) * (x / scale)^2)
//   kLinear  max(0, 1 - (1 - decay) * x / scale)
// The same as Elasticsearch's decay functions.
struct DecayBoost {
  enum class Shape : uint8_t { kExp, kGauss, kLinear };
  Shape shape = Shape::kExp;
  double origin = 0;   // finite
  double offset = 0;   // finite, 0 or more
  double scale = 1;    // finite, above 0
  double decay = 0.5;  // above 0, below 1
};

struct Boost {
  enum class Mode : uint8_t {
    // score + weight * boost.
    kAdd,
    // score * boost, for boosts above 0; a score below 0 is divided by it, so
    // that a boost above 1 lifts every score. Boosts below 1e-6 count as that.
    kMultiply,
  };
  static constexpr double kLeastFactor = 1e-6;
  static constexpr double kMagnitudeMax = 1e15;

  std::variant<NumberBoost, TableBoost, DecayBoost> function;
  Mode mode = Mode::kAdd;
  double weight = 1;  // of kAdd, finite
  // The boost of candidates without a value; none: they keep their score.
  std::optional<double> missing;
};

// A value of a candidate, as the boosted field has it: numbers for NumberBoost
// and DecayBoost (a time in the unit that the boost uses), keywords for
// TableBoost.
using BoostValue = std::variant<double, absl::string_view>;

// InvalidField with paths in `path` ("boosts[0]" gives "boosts[0].scale") when
// a number is out of its range. Magnitudes are at most 1e15.
absl::Status ValidateBoost(const Boost& boost, absl::string_view path);

// What one boost makes of one candidate.
struct Boosted {
  double score = 0;
  // Of the candidate; none when it had no value and `missing` is not set.
  std::optional<double> boost;
};

// Pure; `boost` is valid. Of several values that one counts whose boost is the
// greatest, or under a negative weight the least. Values of the wrong type are
// as none. Finite for a finite score.
Boosted ApplyBoost(const Boost& boost, const std::vector<BoostValue>& values,
                   double score);

}  // namespace sextant
