// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <limits>

namespace sextant {

// How hard a graph search tries: more finds more of the nearest rows and takes
// longer. What it is worth on a segment is measured (recall_curve.h).
struct SearchEffort {
  // Beam width: how many of the best live nodes are kept while searching.
  uint32_t ef = 0;
  // How much farther than the k-th nearest found a node may be and still be
  // expanded, 0.1 = a tenth (StopRule in beam.h): easy queries end early, hard
  // ones get the whole beam. Infinity: the beam alone decides.
  float slack = std::numeric_limits<float>::infinity();

  // Rows with a lower score are of no use to the caller: once as many rows as
  // asked for are found, what is farther than this score and the slack behind
  // it is not expanded. Only with slack, and not with corrected scores.
  float least_score = -std::numeric_limits<float>::infinity();

  // A search that computed more distances than this gives up without an answer
  // (SearchWork::gave_up), for a caller who has another way.
  uint64_t distances_max = std::numeric_limits<uint64_t>::max();

  bool has_slack() const {
    return slack < std::numeric_limits<float>::infinity();
  }
};

}  // namespace sextant
