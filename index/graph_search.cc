// SPDX-License-Identifier: Apache-2.0
#include "index/graph_search.h"

#include <algorithm>
#include <array>

#include "base/status_macros.h"
#include "index/beam.h"
#include "index/visited_set.h"

namespace sextant {
namespace {

// Past this width moving entries costs more than a heap's branches.
constexpr uint32_t kSortedBeamMax = 512;
// Distances between two polls of the context.
constexpr uint64_t kPollDistances = 512;

// Per thread: a search allocates nothing once its thread is warm.
struct Scratch {
  VisitedSet visited;
  SortedBeam sorted_beam;
  HeapBeam heap_beam;
  std::array<uint32_t, GraphSizes::kMaxDegree> nodes;
  std::array<float, GraphSizes::kMaxDegree> distances;
};

Scratch& ThreadScratch() {
  static thread_local Scratch scratch;
  return scratch;
}

// One search. Distances are scores with the sign turned: smaller is nearer.
class Traversal {
 public:
  Traversal(const ScanRequest& request, const SearchedGraph& searched,
            Scratch& scratch)
      : request_(request),
        graph_(searched.graph),
        searched_(searched),
        scratch_(scratch),
        scorer_(request.shape.metric),
        stride_(PaddedStride(request.shape.dimension)),
        prefetch_floats_(
            std::min<size_t>(kPrefetchFloats, request.shape.dimension)) {}

  // Greedy walk down the upper levels to the node where level 0 begins.
  BeamNode Descend(SearchWork& work) {
    scratch_.nodes[0] = 0;
    Score(1, work);
    BeamNode nearest{scratch_.distances[0], 0};
    for (uint32_t level = graph_.levels(); level > 0; --level) {
      for (bool moved = true; moved;) {
        moved = false;
        ++work.hops;
        uint32_t count = 0;
        for (const uint32_t node : graph_.upper(level, nearest.node)) {
          if (node == kNoNode) {
            break;
          }
          scratch_.nodes[count++] = node;
        }
        Score(count, work);
        for (uint32_t i = 0; i < count; ++i) {
          if (scratch_.distances[i] < nearest.distance) {
            nearest = {scratch_.distances[i], scratch_.nodes[i]};
            moved = true;
          }
        }
      }
    }
    return nearest;
  }

  template <typename Beam>
  absl::Status Expand(Beam& beam, BeamNode entry, SearchWork& work) {
    VisitedSet& visited = scratch_.visited;
    visited.Start(graph_.nodes());
    visited.Insert(entry.node);
    beam.Insert(entry.distance, entry.node, IsLive(entry.node));
    uint64_t next_poll = 0;
    for (uint32_t node = 0; beam.Next(&node);) {
      ++work.hops;
      const uint32_t count = GatherUnvisited(node);
      Score(count, work);
      for (uint32_t i = 0; i < count; ++i) {
        if (scratch_.distances[i] < beam.bound()) {
          beam.Insert(scratch_.distances[i], scratch_.nodes[i],
                      IsLive(scratch_.nodes[i]));
        }
      }
      if (uint32_t next = 0; beam.Peek(&next)) {
        PrefetchLinks(next);
      }
      if (work.distances >= next_poll) {
        RETURN_IF_ERROR(request_.context.Check());
        next_poll = work.distances + kPollDistances;
      }
    }
    return absl::OkStatus();
  }

  template <typename Beam>
  void Offer(Beam& beam, TopK& top) const {
    beam.ForEachLive([this, &top](BeamNode node) {
      const float score = -node.distance;
      if (score < top.threshold()) {
        return false;  // So are all that follow.
      }
      OfferNode(node.node, score, top);
      return true;
    });
  }

 private:
  bool IsDead(uint32_t row) const {
    return request_.dead.Contains(searched_.ordinals[row]);
  }

  // Whether any row of the node lives.
  bool IsLive(uint32_t node) const {
    if (request_.dead.empty() || !IsDead(node)) {
      return true;
    }
    if (!graph_.has_duplicates()) {
      return false;
    }
    const FrozenGraph::RowRange rows = graph_.duplicates(node);
    for (uint32_t row = rows.first; row < rows.end; ++row) {
      if (!IsDead(row)) {
        return true;
      }
    }
    return false;
  }

  uint32_t GatherUnvisited(uint32_t node) {
    const auto links = graph_.level0(node);
    uint32_t count = 0;
    for (const uint32_t next : links) {
      if (next == kNoNode) {
        break;
      }
      if (scratch_.visited.Insert(next)) {
        if (count < kBatchRows) {
          PrefetchRow(next);
        }
        scratch_.nodes[count++] = next;
      }
    }
    return count;
  }

  void PrefetchRow(uint32_t node) const {
    const float* row = searched_.vectors + node * stride_;
    for (size_t i = 0; i < prefetch_floats_; i += kLineFloats) {
      __builtin_prefetch(row + i);
    }
  }

  void PrefetchLinks(uint32_t node) const {
    const uint32_t* links = graph_.level0(node).data();
    __builtin_prefetch(links);
    __builtin_prefetch(links + kLineFloats);
  }

  void Score(uint32_t count, SearchWork& work) {
    scorer_.rows(request_.query.data(), searched_.vectors, stride_,
                 request_.shape.dimension, {scratch_.nodes.data(), count},
                 scratch_.distances.data());
    for (uint32_t i = 0; i < count; ++i) {
      scratch_.distances[i] *= -scorer_.sign;
    }
    work.distances += count;
  }

  // All live rows of a node share its score; of a run of equal rows, which
  // ascend by ordinal, only the first k can be in the answer.
  void OfferNode(uint32_t node, float score, TopK& top) const {
    if (!IsDead(node)) {
      top.Offer(score, searched_.ordinals[node]);
    }
    if (!graph_.has_duplicates()) {
      return;
    }
    const FrozenGraph::RowRange rows = graph_.duplicates(node);
    size_t offered = 0;
    for (uint32_t row = rows.first; row < rows.end && offered < top.k();
         ++row) {
      if (!IsDead(row)) {
        top.Offer(score, searched_.ordinals[row]);
        ++offered;
      }
    }
  }

  const ScanRequest& request_;
  const FrozenGraph& graph_;
  const SearchedGraph& searched_;
  Scratch& scratch_;
  const Scorer scorer_;
  const size_t stride_;
  const size_t prefetch_floats_;
};

template <typename Beam>
absl::Status RunSearch(Traversal& traversal, Beam& beam, uint32_t width,
                       TopK& top, SearchWork& work) {
  beam.Start(width);
  const BeamNode entry = traversal.Descend(work);
  RETURN_IF_ERROR(traversal.Expand(beam, entry, work));
  traversal.Offer(beam, top);
  return absl::OkStatus();
}

}  // namespace

absl::Status SearchGraph(const ScanRequest& request,
                         const SearchedGraph& searched, uint32_t ef, TopK& top,
                         SearchWork& work) {
  RETURN_IF_ERROR(request.context.Check());
  Scratch& scratch = ThreadScratch();
  Traversal traversal(request, searched, scratch);
  const uint32_t nodes = searched.graph.nodes();
  const auto width = static_cast<uint32_t>(
      std::min<uint64_t>(nodes, std::max<uint64_t>({1, ef, top.k()})));
  if (width <= kSortedBeamMax) {
    return RunSearch(traversal, scratch.sorted_beam, width, top, work);
  }
  return RunSearch(traversal, scratch.heap_beam, width, top, work);
}

}  // namespace sextant
