// SPDX-License-Identifier: Apache-2.0
#include "index/graph_search.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/status_macros.h"
#include "index/beam.h"
#include "index/heap_beam.h"
#include "index/row_distances.h"
#include "index/visited_set.h"

namespace sextant {
namespace {

// Past this width moving entries costs more than a heap's branches. The heap
// knows no stop rule; it searches on.
constexpr uint32_t kSortedBeamMax = 1024;
// Distances between two polls of the context.
constexpr uint64_t kPollDistances = 512;
// Nodes expanded together: more distances to compute at a time hide more of
// the memory's latency. Beyond three, the nodes chosen get worse.
constexpr uint32_t kExpandAtOnce = 3;
// Nodes scored with floats at a time.
constexpr uint32_t kRerankChunk = 8;
// Of one expansion.
constexpr size_t kNodesMax = size_t{kExpandAtOnce} * GraphSizes::kMaxDegree;

// Per thread: a search allocates nothing once its thread is warm.
struct Scratch {
  VisitedSet visited;
  SortedBeam sorted_beam;
  HeapBeam heap_beam;
  CodedQuery coded_query;
  std::array<uint32_t, kNodesMax> nodes;
  std::array<float, kNodesMax> distances;
};

Scratch& ThreadScratch() {
  static thread_local Scratch scratch;
  return scratch;
}

// How far a distance may be from those that score: none is, where the codes do.
template <typename Rows>
float ErrorOf(const SearchedGraph& searched, const Rows& rows) {
  return searched.scored_by_codes ? 0 : rows.error();
}

// One search.
template <typename Rows>
class Traversal {
 public:
  Traversal(const ScanRequest& request, const SearchedGraph& searched,
            const Rows& rows, Scratch& scratch)
      : request_(request),
        graph_(searched.graph),
        searched_(searched),
        rows_(rows),
        scratch_(scratch) {}

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
  absl::Status Expand(Beam& beam, BeamNode entry, uint64_t distances_max,
                      SearchWork& work) {
    VisitedSet& visited = scratch_.visited;
    visited.Start(graph_.nodes());
    visited.Insert(entry.node);
    if (searched_.hidden_node != kNoNode) {
      visited.Insert(searched_.hidden_node);
    }
    beam.Insert(entry.distance, entry.node, IsLive(entry.node));
    uint64_t next_poll = 0;
    const auto prefetch_links = [this](uint32_t node) { PrefetchLinks(node); };
    for (uint32_t node = 0; beam.Next(&node);) {
      uint32_t count = 0;
      uint32_t expanded = 0;
      do {
        ++work.hops;
        count = GatherUnvisited(node, count);
      } while (++expanded < kExpandAtOnce && beam.Next(&node));
      beam.Peek(kExpandAtOnce, prefetch_links);
      Score(count, work);
      for (uint32_t i = 0; i < count; ++i) {
        if (scratch_.distances[i] < beam.bound()) {
          PrefetchLinks(scratch_.nodes[i]);
          beam.Insert(scratch_.distances[i], scratch_.nodes[i],
                      IsLive(scratch_.nodes[i]));
        }
      }
      beam.Peek(kExpandAtOnce, prefetch_links);
      if (work.distances >= next_poll) {
        RETURN_IF_ERROR(request_.context.Check());
        next_poll = work.distances + kPollDistances;
        if (work.distances > distances_max) {
          work.gave_up = true;
          break;
        }
      }
    }
    return absl::OkStatus();
  }

  // Offers the beam's live nodes, nearest first, as far as one may still enter
  // the answer: `error` is how far a distance may be from the floats'.
  template <typename Beam>
  void Offer(Beam& beam, TopK& top, SearchWork& work) {
    const float error = ErrorOf(searched_, rows_);
    const FloatRows exact(request_.shape.metric, request_.query,
                          searched_.vectors);
    uint32_t count = 0;
    const auto score_chunk = [&] {
      exact.Distances({scratch_.nodes.data(), count},
                      scratch_.distances.data());
      request_.bias.Correct({scratch_.nodes.data(), count}, -1,
                            scratch_.distances.data());
      for (uint32_t i = 0; i < count; ++i) {
        OfferNode(scratch_.nodes[i], -scratch_.distances[i], top);
      }
      work.distances += count;
      count = 0;
    };
    beam.ForEachLive([&](BeamNode node) {
      if (-node.distance + error < top.threshold()) {
        return false;  // So are all that follow.
      }
      if (Rows::kExact || searched_.scored_by_codes) {
        OfferNode(node.node, -node.distance, top);
      } else {
        exact.Prefetch(node.node);
        scratch_.nodes[count++] = node.node;
        if (count == kRerankChunk) {
          score_chunk();
        }
      }
      return true;
    });
    score_chunk();
  }

 private:
  bool IsLeftOut(uint32_t row) const {
    return !request_.filter.Allows(row, searched_.ordinals);
  }

  // Whether any row of the node lives.
  bool IsLive(uint32_t node) const {
    if (request_.filter.is_all() || !IsLeftOut(node)) {
      return true;
    }
    if (!graph_.has_duplicates()) {
      return false;
    }
    const FrozenGraph::RowRange rows = graph_.duplicates(node);
    for (uint32_t row = rows.first; row < rows.end; ++row) {
      if (!IsLeftOut(row)) {
        return true;
      }
    }
    return false;
  }

  // Puts them behind the `count` nodes that scratch_.nodes holds; returns the
  // new count.
  uint32_t GatherUnvisited(uint32_t node, uint32_t count) {
    for (const uint32_t next : graph_.level0(node)) {
      if (next == kNoNode) {
        break;
      }
      if (scratch_.visited.Insert(next)) {
        rows_.Prefetch(next);
        scratch_.nodes[count++] = next;
      }
    }
    return count;
  }

  void PrefetchLinks(uint32_t node) const {
    const uint32_t* links = graph_.level0(node).data();
    __builtin_prefetch(links);
    __builtin_prefetch(links + kLineFloats);
  }

  void Score(uint32_t count, SearchWork& work) {
    rows_.Distances({scratch_.nodes.data(), count}, scratch_.distances.data());
    work.distances += count;
  }

  // All live rows of a node share its score; of a run of equal rows, which
  // ascend by ordinal, only the first k can be in the answer.
  void OfferNode(uint32_t node, float score, TopK& top) const {
    if (!IsLeftOut(node)) {
      top.Offer(score, searched_.ordinals[node]);
    }
    if (!graph_.has_duplicates()) {
      return;
    }
    const FrozenGraph::RowRange rows = graph_.duplicates(node);
    size_t offered = 0;
    for (uint32_t row = rows.first; row < rows.end && offered < top.k();
         ++row) {
      if (!IsLeftOut(row)) {
        top.Offer(score, searched_.ordinals[row]);
        ++offered;
      }
    }
  }

  const ScanRequest& request_;
  const FrozenGraph& graph_;
  const SearchedGraph& searched_;
  const Rows& rows_;
  Scratch& scratch_;
};

template <typename Rows, typename Beam>
absl::Status RunSearch(Traversal<Rows>& traversal, Beam& beam, TopK& top,
                       uint64_t distances_max, SearchWork& work) {
  const BeamNode entry = traversal.Descend(work);
  RETURN_IF_ERROR(traversal.Expand(beam, entry, distances_max, work));
  if (!work.gave_up) {
    traversal.Offer(beam, top, work);
  }
  return absl::OkStatus();
}

// Where the distances of a query begin: squared Euclidean ones at 0, negative
// products at that of the longest row in the query's direction.
float OriginOf(const ScanRequest& request, const SearchedGraph& searched) {
  if (request.shape.metric == Metric::kL2) {
    return 0;
  }
  const float* query = request.query.data();
  return searched.longest_row *
         std::sqrt(Kernels().inner_product(query, query, request.query.size()));
}

StopRule RuleOf(const ScanRequest& request, const SearchedGraph& searched,
                const SearchEffort& effort, float error, size_t k) {
  StopRule rule;
  if (!effort.has_slack()) {
    return rule;
  }
  // Squared, as the distances are or as if they were.
  rule.factor = (1 + effort.slack) * (1 + effort.slack);
  rule.origin = OriginOf(request, searched);
  rule.margin = error;
  rule.k = static_cast<uint32_t>(k);
  rule.bias = request.bias.by_row;
  rule.useful = -effort.least_score;
  return rule;
}

template <typename Rows>
absl::Status SearchRows(const ScanRequest& request,
                        const SearchedGraph& searched, const Rows& rows,
                        const SearchEffort& effort, TopK& top,
                        SearchWork& work) {
  Scratch& scratch = ThreadScratch();
  Traversal<Rows> traversal(request, searched, rows, scratch);
  const uint32_t nodes = searched.graph.nodes();
  const auto width = static_cast<uint32_t>(
      std::min<uint64_t>(nodes, std::max<uint64_t>({1, effort.ef, top.k()})));
  const StopRule rule =
      RuleOf(request, searched, effort, ErrorOf(searched, rows), top.k());
  // The rule keeps a beam narrow, whatever its greatest width.
  if (width <= kSortedBeamMax || (rule.is_set() && top.k() <= kSortedBeamMax)) {
    scratch.sorted_beam.Start(width, rule);
    return RunSearch(traversal, scratch.sorted_beam, top, effort.distances_max,
                     work);
  }
  scratch.heap_beam.Start(width);
  return RunSearch(traversal, scratch.heap_beam, top, effort.distances_max,
                   work);
}

// By corrected distances, if there is a bias.
template <typename Rows>
absl::Status SearchBiased(const ScanRequest& request,
                          const SearchedGraph& searched, const Rows& rows,
                          const SearchEffort& effort, TopK& top,
                          SearchWork& work) {
  if (request.bias.is_set()) {
    return SearchRows(request, searched, BiasedRows<Rows>(rows, request.bias),
                      effort, top, work);
  }
  return SearchRows(request, searched, rows, effort, top, work);
}

}  // namespace

absl::Status SearchGraph(const ScanRequest& request,
                         const SearchedGraph& searched,
                         const SearchEffort& effort, TopK& top,
                         SearchWork& work) {
  RETURN_IF_ERROR(request.context.Check());
  CodedQuery& coded = ThreadScratch().coded_query;
  if (searched.codes != nullptr &&
      searched.codes->EncodeQuery(request.query, coded)) {
    const CodeRows rows(*searched.codes, coded);
    return SearchBiased(request, searched, rows, effort, top, work);
  }
  return SearchBiased(
      request, searched,
      FloatRows(request.shape.metric, request.query, searched.vectors), effort,
      top, work);
}

}  // namespace sextant
