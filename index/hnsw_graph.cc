// SPDX-License-Identifier: Apache-2.0
#include "index/hnsw_graph.h"

#include <algorithm>
#include <cmath>

#include "index/row_distances.h"
#include "index/visited_set.h"

namespace sextant {
namespace {

// Nodes expanded together, as in searches of the finished graph.
constexpr uint32_t kExpandAtOnce = 3;

// Uniform in (0, 1], from a counter (SplitMix64).
double UniformOf(uint64_t counter) {
  uint64_t x = (counter + 1) * 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  x ^= x >> 31;
  return (static_cast<double>(x >> 11) + 1.0) * 0x1.0p-53;
}

// Per thread: an insertion allocates nothing once its thread is warm.
struct Scratch {
  VisitedSet visited;
  SortedBeam beam;
  CodedQuery coded_query;
  std::vector<uint32_t> nodes;
  std::vector<float> distances;
  std::vector<std::vector<BeamNode>> found;  // by level
  std::vector<BeamNode> candidates;
  std::vector<uint32_t> chosen;
  std::vector<uint32_t> chosen_back;
};

Scratch& ThreadScratch() {
  static thread_local Scratch scratch;
  return scratch;
}

void SortByDistance(std::vector<BeamNode>& nodes) {
  std::ranges::sort(nodes, [](const BeamNode& a, const BeamNode& b) {
    return a.distance < b.distance ||
           (a.distance == b.distance && a.node < b.node);
  });
}

// One walk through lists that others may be changing.
template <typename Rows>
class Walk {
 public:
  Walk(const LinkLists& lists, const Rows& rows, Scratch& scratch)
      : lists_(lists), rows_(rows), scratch_(scratch) {}

  BeamNode Begin(uint32_t node) {
    scratch_.nodes.assign(1, node);
    Score();
    return {scratch_.distances[0], node};
  }

  // Greedy steps on one level.
  BeamNode Descend(BeamNode nearest, uint32_t level) {
    for (bool moved = true; moved;) {
      moved = false;
      scratch_.nodes.clear();
      lists_.ForEach(level, nearest.node,
                     [this](uint32_t to) { scratch_.nodes.push_back(to); });
      Score();
      for (size_t i = 0; i < scratch_.nodes.size(); ++i) {
        if (scratch_.distances[i] < nearest.distance) {
          nearest = {scratch_.distances[i], scratch_.nodes[i]};
          moved = true;
        }
      }
    }
    return nearest;
  }

  // Leaves the `width` nearest nodes of the level in the beam.
  void Search(BeamNode entry, uint32_t level, uint32_t width) {
    SortedBeam& beam = scratch_.beam;
    scratch_.visited.Start(lists_.nodes());
    beam.Start(width);
    scratch_.visited.Insert(entry.node);
    beam.Insert(entry.distance, entry.node, true);
    for (uint32_t node = 0; beam.Next(&node);) {
      scratch_.nodes.clear();
      uint32_t expanded = 0;
      do {
        Gather(level, node);
      } while (++expanded < kExpandAtOnce && beam.Next(&node));
      Score();
      for (size_t i = 0; i < scratch_.nodes.size(); ++i) {
        if (scratch_.distances[i] < beam.bound()) {
          lists_.PrefetchLevel0(scratch_.nodes[i]);
          beam.Insert(scratch_.distances[i], scratch_.nodes[i], true);
        }
      }
    }
  }

 private:
  void Gather(uint32_t level, uint32_t node) {
    lists_.ForEach(level, node, [this](uint32_t to) {
      if (scratch_.visited.Insert(to)) {
        rows_.Prefetch(to);
        scratch_.nodes.push_back(to);
      }
    });
  }

  void Score() {
    scratch_.distances.resize(scratch_.nodes.size());
    rows_.Distances(scratch_.nodes, scratch_.distances.data());
  }

  const LinkLists& lists_;
  const Rows& rows_;
  Scratch& scratch_;
};

}  // namespace

HnswGraph::HnswGraph(VectorShape shape, GraphParameters parameters,
                     const Rows& rows)
    : shape_(shape),
      m_(parameters.m),
      ef_construction_(std::max(parameters.ef_construction, parameters.m)),
      level_factor_(1 / std::log(parameters.m)),
      rows_(rows),
      choice_(shape, rows.vectors),
      lists_(rows.nodes, parameters.m) {}

void HnswGraph::Insert(uint32_t node) {
  const uint32_t level = RandomLevel(node);
  lists_.Add(node, level);
  const Top now = top();
  if (now.node != kNoNode && level <= now.level) {
    Link(node, level, now);
    return;
  }
  // One after another: the next one finds this one.
  const MutexLock lock(&raise_mutex_);
  const Top then = top();
  if (then.node != kNoNode) {
    Link(node, level, then);
  }
  Raise({node, level});
}

void HnswGraph::SetEntry(uint32_t node) {
  const MutexLock lock(&top_mutex_);
  top_ = {node, level(node)};
}

uint32_t HnswGraph::entry() const {
  return top().node;
}

HnswGraph::Top HnswGraph::top() const {
  const MutexLock lock(&top_mutex_);
  return top_;
}

void HnswGraph::Raise(Top top) {
  const MutexLock lock(&top_mutex_);
  if (top_.node == kNoNode || top_.level < top.level) {
    top_ = top;
  }
}

uint32_t HnswGraph::RandomLevel(uint32_t node) const {
  const double level = -std::log(UniformOf(node)) * level_factor_;
  return std::min(static_cast<uint32_t>(level), GraphSizes::kMaxLevels);
}

std::span<const float> HnswGraph::vector(uint32_t node) const {
  return {rows_.vectors + node * PaddedStride(shape_.dimension),
          shape_.dimension};
}

// All searches first, then all links from the bottom up: whoever meets the node
// on a level finds its links on the levels below in place.
void HnswGraph::Link(uint32_t node, uint32_t level, Top top) {
  const uint32_t levels = std::min(level, top.level) + 1;
  FindOnLevels(node, top, levels, ef_construction_);
  for (uint32_t l = 0; l < levels; ++l) {
    Connect(node, l, ThreadScratch().found[l]);
  }
}

void HnswGraph::FindOnLevels(uint32_t node, Top top, uint32_t levels,
                             uint32_t width) const {
  Scratch& scratch = ThreadScratch();
  if (scratch.found.size() < levels) {
    scratch.found.resize(levels);
  }
  const auto find = [&](const auto& rows, bool is_exact) {
    Walk walk(lists_, rows, scratch);
    BeamNode nearest = walk.Begin(top.node);
    for (uint32_t level = top.level; level > 0 || levels > 0; --level) {
      if (level >= levels) {
        nearest = walk.Descend(nearest, level);
        continue;
      }
      walk.Search(nearest, level, width);
      std::vector<BeamNode>& found = scratch.found[level];
      found.clear();
      scratch.beam.ForEachLive([&](BeamNode near) {
        found.push_back(near);
        return true;
      });
      nearest = found.front();
      if (!is_exact) {
        ScoreExactly(node, found);
      }
      if (level == 0) {
        break;
      }
    }
  };
  if (rows_.codes != nullptr &&
      rows_.codes->EncodeQuery(vector(node), scratch.coded_query)) {
    find(CodeRows(*rows_.codes, scratch.coded_query), false);
  } else {
    find(FloatRows(shape_.metric, vector(node), rows_.vectors), true);
  }
}

void HnswGraph::ScoreExactly(uint32_t node,
                             std::vector<BeamNode>& found) const {
  Scratch& scratch = ThreadScratch();
  scratch.nodes.clear();
  for (const BeamNode& near : found) {
    scratch.nodes.push_back(near.node);
  }
  scratch.distances.resize(found.size());
  choice_.Distances(node, scratch.nodes, scratch.distances.data());
  for (size_t i = 0; i < found.size(); ++i) {
    found[i].distance = scratch.distances[i];
  }
  SortByDistance(found);
}

void HnswGraph::Connect(uint32_t node, uint32_t level,
                        std::span<const BeamNode> candidates) {
  std::vector<uint32_t>& chosen = ThreadScratch().chosen;
  choice_.Choose(candidates, m_, chosen);
  {
    const MutexLock lock(&lists_.mutex(node));
    lists_.Set(level, node, chosen);
  }
  for (const uint32_t to : chosen) {
    LinkBack(level, to, node);
  }
}

// Into a full list only as one of the best links of all.
void HnswGraph::LinkBack(uint32_t level, uint32_t from, uint32_t to) {
  const MutexLock lock(&lists_.mutex(from));
  if (lists_.Append(level, from, to)) {
    return;
  }
  Scratch& scratch = ThreadScratch();
  const std::span<const uint32_t> links = lists_.links(level, from);
  scratch.nodes.assign(links.begin(), links.end());
  scratch.nodes.push_back(to);
  ChooseAmong(from, scratch.nodes, lists_.max_links(level),
              scratch.chosen_back);
  lists_.Set(level, from, scratch.chosen_back);
}

void HnswGraph::ChooseAmong(uint32_t node, std::span<const uint32_t> others,
                            uint32_t count,
                            std::vector<uint32_t>& chosen) const {
  Scratch& scratch = ThreadScratch();
  scratch.distances.resize(others.size());
  choice_.Distances(node, others, scratch.distances.data());
  scratch.candidates.clear();
  for (size_t i = 0; i < others.size(); ++i) {
    scratch.candidates.push_back({scratch.distances[i], others[i]});
  }
  SortByDistance(scratch.candidates);
  choice_.Choose(scratch.candidates, count, chosen);
}

std::vector<uint32_t> HnswGraph::Select(uint32_t node,
                                        std::span<const uint32_t> candidates,
                                        uint32_t count) const {
  std::vector<uint32_t> chosen;
  ChooseAmong(node, candidates, count, chosen);
  return chosen;
}

std::vector<BeamNode> HnswGraph::FindNear(uint32_t node, uint32_t count) const {
  FindOnLevels(node, top(), 1, count);
  std::vector<BeamNode> found = ThreadScratch().found[0];
  std::erase_if(found, [node](BeamNode near) { return near.node == node; });
  return found;
}

}  // namespace sextant
