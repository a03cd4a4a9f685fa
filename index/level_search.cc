// SPDX-License-Identifier: Apache-2.0
#include "index/level_search.h"

#include <algorithm>

namespace sextant {
namespace {

// As in a search of the finished graph.
constexpr uint32_t kExpandAtOnce = 3;

}  // namespace

BeamNode LevelSearch::Descend(const Place& place,
                              const NodeDistances::Query& query,
                              uint32_t last) {
  const uint32_t entry = place.graph.entry();
  BeamNode nearest{0, entry};
  place.distances.Near(query, {&entry, 1}, &nearest.distance);
  for (uint32_t level = place.graph.level(entry); level > last; --level) {
    for (bool moved = true; moved;) {
      moved = false;
      const auto links = place.graph.links(level, nearest.node);
      node_distances_.resize(std::max(node_distances_.size(), links.size()));
      place.distances.Near(query, links, node_distances_.data());
      for (size_t i = 0; i < links.size(); ++i) {
        if (node_distances_[i] < nearest.distance) {
          nearest = {node_distances_[i], links[i]};
          moved = true;
        }
      }
    }
  }
  return nearest;
}

std::span<const BeamNode> LevelSearch::Search(const Place& place,
                                              const NodeDistances::Query& query,
                                              BeamNode entry, uint32_t level,
                                              uint32_t width) {
  const size_t gathered_max =
      size_t{kExpandAtOnce} * place.graph.capacity(level);
  nodes_.resize(std::max(nodes_.size(), gathered_max));
  node_distances_.resize(std::max(node_distances_.size(), gathered_max));
  visited_.Start(place.graph.nodes());
  beam_.Start(width);
  visited_.Insert(entry.node);
  beam_.Insert(entry.distance, entry.node, true);
  const auto prefetch_links = [&](uint32_t node) {
    place.graph.PrefetchLinks(level, node);
  };
  for (uint32_t node = 0; beam_.Next(&node);) {
    size_t count = 0;
    uint32_t expanded = 0;
    do {
      for (const uint32_t next : place.graph.links(level, node)) {
        if (visited_.Insert(next)) {
          place.distances.Prefetch(next);
          nodes_[count++] = next;
        }
      }
    } while (++expanded < kExpandAtOnce && beam_.Next(&node));
    beam_.Peek(kExpandAtOnce, prefetch_links);
    place.distances.Near(query, {nodes_.data(), count}, node_distances_.data());
    for (size_t i = 0; i < count; ++i) {
      if (node_distances_[i] < beam_.bound()) {
        beam_.Insert(node_distances_[i], nodes_[i], true);
      }
    }
    beam_.Peek(kExpandAtOnce, prefetch_links);
  }
  found_.clear();
  beam_.ForEachLive([this](BeamNode near) {
    found_.push_back(near);
    return true;
  });
  return found_;
}

}  // namespace sextant
