// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>

namespace sextant {

// How hard a graph search tries: more finds more of the nearest rows and takes
// longer. What it is worth on a segment is measured (recall_curve.h).
struct SearchEffort {
  // Beam width: how many of the best live nodes are kept while searching.
  uint32_t ef = 0;
};

}  // namespace sextant
