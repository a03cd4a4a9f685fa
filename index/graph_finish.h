// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <vector>

#include "index/hnsw_graph.h"

namespace sextant {

// The last steps of a build, on one thread.

// Links every node into what level 0 reaches from the entry. Returns how many
// links that took. Linking prunes, so a few nodes in ten thousand end up
// without a way in; a search could never return them.
uint32_t LinkUnreachable(HnswGraph& graph);

// Old number of each new node: upper levels first (as FrozenGraph wants), then
// breadth-first from the entry, so that nodes that are met together lie
// together.
std::vector<uint32_t> OrderForLocality(const HnswGraph& graph);

}  // namespace sextant
