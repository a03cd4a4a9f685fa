// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "index/beam.h"
#include "index/vector_index.h"

namespace sextant {

// Which of many near nodes a node links to: those that no nearer chosen one is
// nearer to than the node itself is, so that links point in all directions
// (arXiv 1603.09320, algorithm 4, nothing added back). By floats.
class LinkChoice {
 public:
  // Rows of padded stride at `vectors`, which outlive this.
  LinkChoice(VectorShape shape, const float* vectors);

  // Distances from `node` to the others, as graph searches have them; infinite
  // instead of "not a number", which huge numbers lead to.
  void Distances(uint32_t node, std::span<const uint32_t> others,
                 float* out) const;

  // At most `count` of the candidates, which are distinct and come nearest
  // first; all of them if they are fewer.
  void Choose(std::span<const BeamNode> candidates, uint32_t count,
              std::vector<uint32_t>& chosen) const;

 private:
  bool IsShadowed(BeamNode candidate, std::span<const uint32_t> chosen) const;

  VectorShape shape_;
  size_t stride_;
  const float* vectors_;
};

}  // namespace sextant
