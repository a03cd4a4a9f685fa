// SPDX-License-Identifier: Apache-2.0
#include "index/growing_graph.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "index/distance.h"
#include "index/frozen_graph.h"

namespace sextant {
namespace {

// Uniform in (0, 1], from a counter (SplitMix64).
double UniformOf(uint64_t counter) {
  uint64_t x = (counter + 1) * 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  x ^= x >> 31;
  return (static_cast<double>(x >> 11) + 1.0) * 0x1.0p-53;
}

uint8_t RandomLevel(uint32_t node, uint32_t m) {
  const double level = -std::log(UniformOf(node)) / std::log(m);
  return static_cast<uint8_t>(
      std::min(level, static_cast<double>(GraphSizes::kMaxLevels)));
}

}  // namespace

GrowingGraph::GrowingGraph(GraphParameters parameters, uint32_t nodes,
                           std::span<const uint32_t> cloned_levels)
    : nodes_(nodes),
      m_(parameters.m),
      capacity0_(3 * m_ - 1),
      capacity_(m_ + m_ / 2),
      // A list of 47 links and its count fill three cache lines.
      stride0_(static_cast<uint32_t>(PaddedStride(capacity0_ + 1))),
      levels_(nodes),
      upper_at_(nodes),
      level0_(uint64_t{nodes} * stride0_),
      entry_(kNoNode) {
  uint32_t lists = 0;
  for (uint32_t node = 0; node < nodes; ++node) {
    levels_[node] = node < cloned_levels.size()
                        ? static_cast<uint8_t>(cloned_levels[node])
                        : RandomLevel(node, m_);
    upper_at_[node] = lists;
    lists += levels_[node];
  }
  upper_ = AlignedArray<uint32_t>(uint64_t{lists} * (capacity_ + 1));
}

void GrowingGraph::SetLinks(uint32_t level, uint32_t node,
                            std::span<const uint32_t> links) {
  CHECK_LE(links.size(), capacity(level));
  uint32_t* list = List(level, node);
  *list = static_cast<uint32_t>(links.size());
  std::ranges::copy(links, list + 1);
}

bool GrowingGraph::AddLink(uint32_t level, uint32_t from, uint32_t to) {
  uint32_t* list = List(level, from);
  if (*list >= max_links(level)) {
    return false;
  }
  list[++*list] = to;
  return true;
}

}  // namespace sextant
