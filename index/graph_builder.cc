// SPDX-License-Identifier: Apache-2.0
#include "index/graph_builder.h"

#include <algorithm>
#include <new>

#include "base/status_macros.h"
#include "index/frozen_graph.h"
#include "index/level_search.h"
#include "index/neighbour_selection.h"

namespace sextant {
namespace {

// A batch is this share of the nodes before it, so that few nodes miss a
// neighbour that comes with them.
constexpr uint32_t kBatchShare = 50;
// Nodes whose new links are held back at a time while refining.
constexpr uint32_t kRefineBatches = 16;
constexpr uint32_t kRefineBatchMin = 256;

struct Scratch {
  NodeDistances::Query query;
  LevelSearch search;
  NeighbourSelector selector;
  std::vector<BeamNode> candidates;
  std::vector<uint32_t> nodes;
  std::vector<float> distances;
};

Scratch& ThreadScratch() {
  static thread_local Scratch scratch;
  return scratch;
}

bool Contains(std::span<const uint32_t> nodes, uint32_t node) {
  return std::ranges::find(nodes, node) != nodes.end();
}

// Puts `nodes` into scratch.candidates, nearest first; scratch.distances are
// theirs.
void SortCandidates(std::span<const uint32_t> nodes, Scratch& scratch) {
  scratch.candidates.resize(nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i) {
    scratch.candidates[i] = {scratch.distances[i], nodes[i]};
  }
  std::ranges::stable_sort(scratch.candidates, {}, &BeamNode::distance);
}

// What a search found is sorted by the floats.
void SortFound(const NodeDistances& distances, Scratch& scratch) {
  scratch.distances.resize(scratch.nodes.size());
  distances.Exact(scratch.query, scratch.nodes, scratch.distances.data());
  SortCandidates(scratch.nodes, scratch);
}

absl::Status ForEach(const BuildRun& run, uint32_t begin, uint32_t end,
                     absl::FunctionRef<void(uint32_t)> fn) {
  return ForEachNode(run, begin, end, [&fn](uint32_t node) -> absl::Status {
    try {
      fn(node);
    } catch (const std::bad_alloc&) {
      return absl::ResourceExhaustedError("graph: out of memory");
    }
    return absl::OkStatus();
  });
}

}  // namespace

GraphBuilder::GraphBuilder(const BuildRun& run, GraphParameters parameters,
                           const NodeDistances& distances, GrowingGraph& graph)
    : run_(run),
      quiet_run_{run.pool, run.context, nullptr},
      m_(parameters.m),
      // Together a little less than one search of the full width.
      insert_width_(std::max(m_, parameters.ef_construction * 2 / 5)),
      refine_width_(std::max(m_, parameters.ef_construction / 2)),
      distances_(distances),
      graph_(graph),
      first_offer_(graph.nodes(), kNoNode) {}

absl::Status GraphBuilder::Insert(uint32_t begin) {
  if (begin == 0 && graph_.nodes() > 0) {
    graph_.SetEntry(0);
    begin = 1;
    if (run_.progress != nullptr) {
      run_.progress->rows_done.fetch_add(1, std::memory_order_relaxed);
    }
  }
  for (uint32_t end = 0; begin < graph_.nodes(); begin = end) {
    end = begin + std::clamp(begin / kBatchShare, 1U, graph_.nodes() - begin);
    RETURN_IF_ERROR(
        ForEach(run_, begin, end, [this](uint32_t node) { FindLinks(node); }));
    const uint32_t top = graph_.level(graph_.entry());
    for (uint32_t level = 0; level <= top; ++level) {
      for (uint32_t node = begin; node < end; ++node) {
        if (level <= graph_.level(node)) {
          OfferLinks(level, node);
        }
      }
      RETURN_IF_ERROR(LinkBack(level));
    }
    for (uint32_t node = begin; node < end; ++node) {
      if (graph_.level(node) > graph_.level(graph_.entry())) {
        graph_.SetEntry(node);
      }
    }
  }
  return absl::OkStatus();
}

// Writes the node's own lists only, which no other list leads to yet.
void GraphBuilder::FindLinks(uint32_t node) {
  Scratch& scratch = ThreadScratch();
  const LevelSearch::Place place{graph_, distances_};
  distances_.SetQuery(node, scratch.query);
  const uint32_t top =
      std::min(graph_.level(node), graph_.level(graph_.entry()));
  BeamNode nearest = scratch.search.Descend(place, scratch.query, top);
  for (uint32_t level = top + 1; level-- > 0;) {
    const auto found = scratch.search.Search(place, scratch.query, nearest,
                                             level, insert_width_);
    nearest = found.front();
    scratch.nodes.clear();
    for (const BeamNode& near : found) {
      scratch.nodes.push_back(near.node);
    }
    SortFound(distances_, scratch);
    graph_.SetLinks(
        level, node,
        scratch.selector.Select(distances_, scratch.candidates, m_));
  }
}

void GraphBuilder::OfferLinks(uint32_t level, uint32_t from) {
  for (const uint32_t to : graph_.links(level, from)) {
    if (first_offer_[to] == kNoNode) {
      offered_.push_back(to);
    }
    offers_.push_back({from, first_offer_[to]});
    first_offer_[to] = static_cast<uint32_t>(offers_.size() - 1);
  }
}

absl::Status GraphBuilder::LinkBack(uint32_t level) {
  RETURN_IF_ERROR(
      ForEach(quiet_run_, 0, static_cast<uint32_t>(offered_.size()),
              [this, level](uint32_t i) { TakeUp(level, offered_[i]); }));
  offered_.clear();
  offers_.clear();
  return absl::OkStatus();
}

void GraphBuilder::TakeUp(uint32_t level, uint32_t node) {
  std::vector<uint32_t>& nodes = ThreadScratch().nodes;
  const auto links = graph_.links(level, node);
  nodes.assign(links.begin(), links.end());
  for (uint32_t i = first_offer_[node]; i != kNoNode; i = offers_[i].next) {
    if (!Contains(links, offers_[i].from)) {
      nodes.push_back(offers_[i].from);
    }
  }
  first_offer_[node] = kNoNode;
  if (nodes.size() <= graph_.capacity(level)) {
    graph_.SetLinks(level, node, nodes);
  } else {
    SetBest(level, node, nodes);
  }
}

void GraphBuilder::SetBest(uint32_t level, uint32_t node,
                           std::span<const uint32_t> candidates) {
  Scratch& scratch = ThreadScratch();
  distances_.SetQuery(node, scratch.query);
  scratch.distances.resize(candidates.size());
  distances_.Near(scratch.query, candidates, scratch.distances.data());
  SortCandidates(candidates, scratch);
  graph_.SetLinks(level, node,
                  scratch.selector.Select(distances_, scratch.candidates,
                                          graph_.max_links(level)));
}

absl::Status GraphBuilder::Refine(uint32_t begin) {
  const uint32_t width = graph_.max_links(0);
  const uint32_t batch =
      std::max(kRefineBatchMin, (graph_.nodes() - begin) / kRefineBatches + 1);
  std::vector<uint32_t> links(uint64_t{batch} * width);
  std::vector<uint32_t> counts(batch);
  for (uint32_t end = 0; begin < graph_.nodes(); begin = end) {
    end = begin + std::min(batch, graph_.nodes() - begin);
    RETURN_IF_ERROR(ForEach(run_, begin, end, [&](uint32_t node) {
      const auto better = FindBetterLinks(node);
      counts[node - begin] = static_cast<uint32_t>(better.size());
      std::ranges::copy(better, links.begin() + uint64_t{node - begin} * width);
    }));
    for (uint32_t node = begin; node < end; ++node) {
      const uint32_t i = node - begin;
      graph_.SetLinks(0, node,
                      std::span<const uint32_t>(links).subspan(
                          uint64_t{i} * width, counts[i]));
      OfferLinks(0, node);
    }
    RETURN_IF_ERROR(LinkBack(0));
  }
  return absl::OkStatus();
}

std::span<const uint32_t> GraphBuilder::FindBetterLinks(uint32_t node) {
  Scratch& scratch = ThreadScratch();
  const auto links = graph_.links(0, node);
  scratch.nodes.assign(links.begin(), links.end());
  distances_.SetQuery(node, scratch.query);
  BeamNode self{0, node};
  distances_.Near(scratch.query, {&node, 1}, &self.distance);
  const auto found = scratch.search.Search({graph_, distances_}, scratch.query,
                                           self, 0, refine_width_);
  for (const BeamNode& near : found) {
    if (near.node != node && !Contains(links, near.node)) {
      scratch.nodes.push_back(near.node);
    }
  }
  SortFound(distances_, scratch);
  const auto selected = scratch.selector.Select(distances_, scratch.candidates,
                                                graph_.max_links(0));
  // Old links lead far, from cluster to cluster: the farthest stay, as long as
  // there are few.
  scratch.nodes.assign(selected.begin(), selected.end());
  for (auto far = scratch.candidates.rbegin();
       far != scratch.candidates.rend() && scratch.nodes.size() < m_ / 2;
       ++far) {
    if (Contains(links, far->node) && !Contains(selected, far->node)) {
      scratch.nodes.push_back(far->node);
    }
  }
  return scratch.nodes;
}

absl::Status GraphBuilder::Prune() {
  return ForEach(quiet_run_, 0, graph_.nodes(), [this](uint32_t node) {
    for (uint32_t level = 0; level <= graph_.level(node); ++level) {
      const auto links = graph_.links(level, node);
      if (links.size() > graph_.max_links(level)) {
        ThreadScratch().nodes.assign(links.begin(), links.end());
        SetBest(level, node, ThreadScratch().nodes);
      }
    }
  });
}

}  // namespace sextant
