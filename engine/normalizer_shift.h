// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>

#include "ranking/hubness/query_shift.h"

namespace sextant {

// How a normaliser's query bank and the newest sampled queries compare.
struct NormalizerShift {
  std::string normalizer;
  QueryShift shift;
};

}  // namespace sextant
