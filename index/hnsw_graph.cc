// SPDX-License-Identifier: Apache-2.0
#include "index/hnsw_graph.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/status_macros.h"
#include "index/distance.h"
#include "index/frozen_graph.h"
#include "index/visited_set.h"

// HNSWlib 0.6.2 defines plain functions in its header (for its own processor
// detection, switched off here), and a program that also compiles HNSWlib
// elsewhere, with other flags, would get one copy of each template for both.
// Under a name of its own, this one stays apart.
#define NO_MANUAL_VECTORIZATION
#define hnswlib sextant_hnswlib
#include "hnswlib/hnswlib.h"
#undef hnswlib

namespace sextant {
namespace {

using HnswBase = sextant_hnswlib::HierarchicalNSW<float>;
using Candidates = std::priority_queue<std::pair<float, uint32_t>,
                                       std::vector<std::pair<float, uint32_t>>,
                                       HnswBase::CompareByFirst>;

// Finds the vectors of two HNSWlib elements. HNSWlib passes the places where it
// would hold their vectors; an element's number is its place over the size of
// an element.
struct ElementDistance {
  const char* elements = nullptr;
  uint64_t inverse_size = 0;  // 2^64 / element size, rounded up
  const float* vectors = nullptr;
  size_t stride = 0;
  size_t dimension = 0;
  decltype(DistanceKernels::inner_product) kernel = nullptr;
  float sign = 1;

  const float* Vector(const void* place) const {
    const auto offset =
        static_cast<uint64_t>(static_cast<const char*>(place) - elements);
    __extension__ using Wide = unsigned __int128;
    const auto node =
        static_cast<uint64_t>((Wide{offset} * inverse_size) >> 64);
    return vectors + node * stride;
  }

  static float Distance(const void* a, const void* b, const void* self) {
    const auto& d = *static_cast<const ElementDistance*>(self);
    return d.sign * d.kernel(d.Vector(a), d.Vector(b), d.dimension);
  }
};

class ElementSpace final : public sextant_hnswlib::SpaceInterface<float> {
 public:
  size_t get_data_size() override { return 0; }
  sextant_hnswlib::DISTFUNC<float> get_dist_func() override {
    return ElementDistance::Distance;
  }
  void* get_dist_func_param() override { return &distance; }

  ElementDistance distance;
};

// Uniform in (0, 1], from a counter (SplitMix64).
double UniformOf(uint64_t counter) {
  uint64_t x = (counter + 1) * 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  x ^= x >> 31;
  return (static_cast<double>(x >> 11) + 1.0) * 0x1.0p-53;
}

// HNSWlib throws, and so does memory.
template <typename Function>
absl::Status Guarded(Function function) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("graph: out of memory");
  } catch (const std::exception& error) {
    const absl::string_view what = error.what();
    if (absl::StartsWith(what, "Not enough memory")) {
      return absl::ResourceExhaustedError(absl::StrCat("graph: ", what));
    }
    return absl::InternalError(absl::StrCat("graph: ", what));
  }
}

// Holds one of HNSWlib's own locks.
template <typename Lockable>
class ScopedLock {
 public:
  explicit ScopedLock(Lockable& lock) : lock_(lock) { lock_.lock(); }
  ~ScopedLock() { Release(); }
  ScopedLock(const ScopedLock&) = delete;
  ScopedLock& operator=(const ScopedLock&) = delete;

  void Release() {
    if (held_) {
      lock_.unlock();
      held_ = false;
    }
  }

 private:
  Lockable& lock_;
  bool held_ = true;
};

struct Scratch {
  VisitedSet visited;
  SortedBeam beam;
  std::vector<uint32_t> nodes;
  std::vector<float> distances;
};

Scratch& ThreadScratch() {
  static thread_local Scratch scratch;
  return scratch;
}

}  // namespace

class HnswGraph::Graph {
 public:
  Graph(VectorShape shape, GraphParameters parameters, uint32_t nodes,
        const float* vectors)
      : nodes_(nodes),
        hnsw_(&space_, nodes, parameters.m, parameters.ef_construction, 0) {
    // No element is freed before it is added: all levels start as 0.
    hnsw_.cur_element_count = nodes;
    const bool is_l2 = shape.metric == Metric::kL2;
    rows_kernel_ =
        is_l2 ? Kernels().squared_l2_rows : Kernels().inner_product_rows;
    ElementDistance& distance = space_.distance;
    distance.elements = hnsw_.data_level0_memory_;
    distance.inverse_size = ~uint64_t{0} / hnsw_.size_data_per_element_ + 1;
    distance.vectors = vectors;
    distance.stride = PaddedStride(shape.dimension);
    distance.dimension = shape.dimension;
    distance.kernel = is_l2 ? Kernels().squared_l2 : Kernels().inner_product;
    distance.sign = is_l2 ? 1.0F : -1.0F;
  }

  absl::Status Add(uint32_t node, uint32_t level) {
    std::memset(hnsw_.get_linklist0(node), 0, hnsw_.size_data_per_element_);
    if (level > 0) {
      const size_t size = hnsw_.size_links_per_element_ * level;
      // HNSWlib frees it.
      char* links = static_cast<char*>(std::calloc(1, size));
      if (links == nullptr) {
        return absl::ResourceExhaustedError("graph: out of memory");
      }
      hnsw_.linkLists_[node] = links;
    }
    hnsw_.element_levels_[node] = static_cast<int>(level);
    return absl::OkStatus();
  }

  absl::Status Insert(uint32_t node) {
    const uint32_t level = RandomLevel(node);
    RETURN_IF_ERROR(Add(node, level));
    ScopedLock top_lock(hnsw_.global);
    const uint32_t entry = hnsw_.enterpoint_node_;
    const int top = hnsw_.maxlevel_;
    if (entry == kNoNode) {
      hnsw_.enterpoint_node_ = node;
      hnsw_.maxlevel_ = static_cast<int>(level);
      return absl::OkStatus();
    }
    if (static_cast<int>(level) <= top) {
      top_lock.Release();
    }
    // All searches first, then all links from the bottom up: whoever meets
    // this node on a level finds its links on the levels below in place.
    const auto top_level = static_cast<uint32_t>(top);
    const uint32_t linked_levels = std::min(level, top_level) + 1;
    const float* query = vector(node);
    BeamNode nearest = Descend(query, entry, top_level, linked_levels);
    std::vector<Candidates> found(linked_levels);
    for (uint32_t l = linked_levels; l-- > 0;) {
      SearchLevel(query, nearest, l, hnsw_.ef_construction_);
      bool first = true;
      ThreadScratch().beam.ForEachLive([&](BeamNode candidate) {
        if (std::exchange(first, false)) {
          nearest = candidate;
        }
        found[l].emplace(candidate.distance, candidate.node);
        return true;
      });
    }
    for (uint32_t l = 0; l < linked_levels; ++l) {
      hnsw_.mutuallyConnectNewElement(nullptr, node, found[l],
                                      static_cast<int>(l), false);
    }
    if (static_cast<int>(level) > top) {
      hnsw_.enterpoint_node_ = node;
      hnsw_.maxlevel_ = static_cast<int>(level);
    }
    return absl::OkStatus();
  }

  std::vector<uint32_t> Select(uint32_t node,
                               std::span<const uint32_t> candidates,
                               uint32_t count) const {
    Scratch& scratch = ThreadScratch();
    scratch.distances.resize(candidates.size());
    Distances(vector(node), candidates, scratch.distances.data());
    Candidates queue;
    for (size_t i = 0; i < candidates.size(); ++i) {
      queue.emplace(scratch.distances[i], candidates[i]);
    }
    // HNSWlib declares it non-const; it changes the queue only.
    const_cast<HnswBase&>(hnsw_).getNeighborsByHeuristic2(queue, count);
    std::vector<uint32_t> selected;
    for (; !queue.empty(); queue.pop()) {
      selected.push_back(queue.top().second);
    }
    std::ranges::reverse(selected);  // nearest first
    return selected;
  }

  std::vector<BeamNode> FindNear(uint32_t node, uint32_t count) const {
    const float* query = vector(node);
    const auto top = static_cast<uint32_t>(hnsw_.maxlevel_);
    const BeamNode nearest = Descend(query, hnsw_.enterpoint_node_, top, 1);
    SearchLevel(query, nearest, 0, count);
    std::vector<BeamNode> found;
    ThreadScratch().beam.ForEachLive([&found, node](BeamNode near) {
      if (near.node != node) {
        found.push_back(near);
      }
      return true;
    });
    return found;
  }

  HnswBase& hnsw() { return hnsw_; }
  uint32_t nodes() const { return nodes_; }

  // HNSWlib's list: a count, then the links.
  uint32_t* list(uint32_t level, uint32_t node) const {
    return hnsw_.get_linklist_at_level(node, static_cast<int>(level));
  }

 private:
  uint32_t RandomLevel(uint32_t node) const {
    const double level = -std::log(UniformOf(node)) * hnsw_.mult_;
    return std::min(static_cast<uint32_t>(level), GraphSizes::kMaxLevels);
  }

  const float* vector(uint32_t node) const {
    return space_.distance.vectors + node * space_.distance.stride;
  }

  void Distances(const float* query, std::span<const uint32_t> nodes,
                 float* out) const {
    rows_kernel_(query, space_.distance.vectors, space_.distance.stride,
                 space_.distance.dimension, nodes, out);
    for (size_t i = 0; i < nodes.size(); ++i) {
      out[i] *= space_.distance.sign;
    }
  }

  // Copies a list under its lock; another thread may be changing it.
  void CopyLinks(uint32_t level, uint32_t node,
                 std::vector<uint32_t>& out) const {
    const ScopedLock lock(hnsw_.link_list_locks_[node]);
    const uint32_t* links = list(level, node);
    out.assign(links + 1,
               links + 1 + hnsw_.getListCount(const_cast<uint32_t*>(links)));
  }

  // Greedy walk from `entry` on level `top` down to `last` inclusive.
  BeamNode Descend(const float* query, uint32_t entry, uint32_t top,
                   uint32_t last) const {
    Scratch& scratch = ThreadScratch();
    BeamNode nearest{0, entry};
    Distances(query, {&entry, 1}, &nearest.distance);
    for (uint32_t level = top; level >= last && level > 0; --level) {
      for (bool moved = true; moved;) {
        moved = false;
        CopyLinks(level, nearest.node, scratch.nodes);
        scratch.distances.resize(scratch.nodes.size());
        Distances(query, scratch.nodes, scratch.distances.data());
        for (size_t i = 0; i < scratch.nodes.size(); ++i) {
          if (scratch.distances[i] < nearest.distance) {
            nearest = {scratch.distances[i], scratch.nodes[i]};
            moved = true;
          }
        }
      }
    }
    return nearest;
  }

  // Leaves the `width` nearest nodes of the level in the thread's beam.
  void SearchLevel(const float* query, BeamNode entry, uint32_t level,
                   size_t width) const {
    Scratch& scratch = ThreadScratch();
    scratch.visited.Start(nodes_);
    scratch.beam.Start(static_cast<uint32_t>(width));
    scratch.visited.Insert(entry.node);
    scratch.beam.Insert(entry.distance, entry.node, true);
    for (uint32_t node = 0; scratch.beam.Next(&node);) {
      CopyLinks(level, node, scratch.nodes);
      size_t count = 0;
      for (const uint32_t next : scratch.nodes) {
        scratch.nodes[count] = next;
        count += scratch.visited.Insert(next) ? 1U : 0U;
      }
      scratch.nodes.resize(count);
      scratch.distances.resize(count);
      Distances(query, scratch.nodes, scratch.distances.data());
      for (size_t i = 0; i < count; ++i) {
        if (scratch.distances[i] < scratch.beam.bound()) {
          scratch.beam.Insert(scratch.distances[i], scratch.nodes[i], true);
        }
      }
    }
  }

  const uint32_t nodes_;
  ElementSpace space_;
  mutable HnswBase hnsw_;
  decltype(DistanceKernels::inner_product_rows) rows_kernel_ = nullptr;
};

absl::StatusOr<std::unique_ptr<HnswGraph>> HnswGraph::Create(
    VectorShape shape, GraphParameters parameters, uint32_t nodes,
    const float* vectors) {
  std::unique_ptr<Graph> graph;
  const absl::Status status = Guarded([&]() {
    graph = std::make_unique<Graph>(shape, parameters, nodes, vectors);
    return absl::OkStatus();
  });
  if (!status.ok()) {
    return status;
  }
  return std::unique_ptr<HnswGraph>(new HnswGraph(std::move(graph)));
}

HnswGraph::HnswGraph(std::unique_ptr<Graph> graph) : graph_(std::move(graph)) {}

HnswGraph::~HnswGraph() = default;

absl::Status HnswGraph::Insert(uint32_t node) {
  return Guarded([&]() { return graph_->Insert(node); });
}

absl::Status HnswGraph::Add(uint32_t node, uint32_t level) {
  return graph_->Add(node, level);
}

void HnswGraph::SetLinks(uint32_t level, uint32_t node,
                         std::span<const uint32_t> links) {
  CHECK_LE(links.size(), max_links(level));
  uint32_t* list = graph_->list(level, node);
  graph_->hnsw().setListCount(list, static_cast<unsigned short>(links.size()));
  std::ranges::copy(links, list + 1);
}

void HnswGraph::SetEntry(uint32_t node) {
  graph_->hnsw().enterpoint_node_ = node;
  graph_->hnsw().maxlevel_ = static_cast<int>(level(node));
}

std::vector<uint32_t> HnswGraph::Select(uint32_t node,
                                        std::span<const uint32_t> candidates,
                                        uint32_t count) const {
  return graph_->Select(node, candidates, count);
}

bool HnswGraph::AddLink(uint32_t level, uint32_t from, uint32_t to) {
  uint32_t* list = graph_->list(level, from);
  const unsigned short count = graph_->hnsw().getListCount(list);
  if (count >= max_links(level)) {
    return false;
  }
  list[1 + count] = to;
  graph_->hnsw().setListCount(list, static_cast<unsigned short>(count + 1));
  return true;
}

std::vector<BeamNode> HnswGraph::FindNear(uint32_t node, uint32_t count) const {
  return graph_->FindNear(node, count);
}

uint32_t HnswGraph::nodes() const {
  return graph_->nodes();
}

uint32_t HnswGraph::entry() const {
  return graph_->hnsw().enterpoint_node_;
}

uint32_t HnswGraph::level(uint32_t node) const {
  return static_cast<uint32_t>(graph_->hnsw().element_levels_[node]);
}

uint32_t HnswGraph::max_links(uint32_t level) const {
  return static_cast<uint32_t>(level == 0 ? graph_->hnsw().maxM0_
                                          : graph_->hnsw().maxM_);
}

std::span<uint32_t> HnswGraph::mutable_links(uint32_t level, uint32_t node) {
  uint32_t* list = graph_->list(level, node);
  return {list + 1, graph_->hnsw().getListCount(list)};
}

std::span<const uint32_t> HnswGraph::links(uint32_t level,
                                           uint32_t node) const {
  uint32_t* list = graph_->list(level, node);
  return {list + 1, graph_->hnsw().getListCount(list)};
}

}  // namespace sextant
