// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/base/thread_annotations.h"

#include "base/mutex.h"
#include "index/beam.h"
#include "index/link_choice.h"
#include "index/link_lists.h"
#include "index/vector_codes.h"
#include "index/vector_index.h"
#include "index/vector_index_builder.h"

namespace sextant {

// A graph under construction: HNSW (arXiv 1603.09320), inserted one node after
// another as HNSWlib does. Searches read codes where there are any; their beam
// is scored anew with the floats, which alone decide about links.
//
// Owned by one build. Insert() may run in several threads at once; nothing
// else may run beside it. Throws std::bad_alloc.
class HnswGraph {
 public:
  // The rows of `nodes` nodes: floats of padded stride, which outlive the
  // graph, as does `codes`; null: searches read the floats.
  struct Rows {
    uint32_t nodes = 0;
    const float* vectors = nullptr;
    const VectorCodes* codes = nullptr;
  };
  HnswGraph(VectorShape shape, GraphParameters parameters, const Rows& rows);

  // Inserts a node at a random level that depends on its number alone.
  void Insert(uint32_t node);

  // For a copy of another graph: adds a node without links, then its links.
  void Add(uint32_t node, uint32_t level) { lists_.Add(node, level); }
  // At most max_links(level) of them.
  void SetLinks(uint32_t level, uint32_t node,
                std::span<const uint32_t> links) {
    lists_.Set(level, node, links);
  }
  void SetEntry(uint32_t node);
  // The best links for `node` among `candidates` (distinct, without itself):
  // at most `count`, nearest first.
  std::vector<uint32_t> Select(uint32_t node,
                               std::span<const uint32_t> candidates,
                               uint32_t count) const;

  // False when the list is full.
  bool AddLink(uint32_t level, uint32_t from, uint32_t to) {
    return lists_.Append(level, from, to);
  }
  // Nodes near to `node` on level 0, nearest first, `node` left out.
  std::vector<BeamNode> FindNear(uint32_t node, uint32_t count) const;

  uint32_t nodes() const { return lists_.nodes(); }
  uint32_t entry() const;
  uint32_t level(uint32_t node) const { return lists_.level(node); }
  uint32_t max_links(uint32_t level) const { return lists_.max_links(level); }
  std::span<const uint32_t> links(uint32_t level, uint32_t node) const {
    return lists_.links(level, node);
  }
  std::span<uint32_t> mutable_links(uint32_t level, uint32_t node) {
    return lists_.links(level, node);
  }

 private:
  // Where searches begin.
  struct Top {
    uint32_t node = kNoNode;
    uint32_t level = 0;
  };

  uint32_t RandomLevel(uint32_t node) const;
  Top top() const;
  // Takes the place of the top if that is lower.
  void Raise(Top top);
  // Links a new node of `level` into the levels that the graph has.
  void Link(uint32_t node, uint32_t level, Top top);
  // For each of levels [0, levels), the nodes near to `node`, nearest first.
  void FindOnLevels(uint32_t node, Top top, uint32_t levels,
                    uint32_t width) const;
  // Replaces the distances by those of the floats.
  void ScoreExactly(uint32_t node, std::vector<BeamNode>& found) const;
  void ChooseAmong(uint32_t node, std::span<const uint32_t> others,
                   uint32_t count, std::vector<uint32_t>& chosen) const;
  void Connect(uint32_t node, uint32_t level,
               std::span<const BeamNode> candidates);
  void LinkBack(uint32_t level, uint32_t from, uint32_t to);

  std::span<const float> vector(uint32_t node) const;

  const VectorShape shape_;
  const uint32_t m_;
  const uint32_t ef_construction_;
  const double level_factor_;
  const Rows rows_;
  const LinkChoice choice_;
  LinkLists lists_;
  mutable Mutex top_mutex_;
  Top top_ ABSL_GUARDED_BY(top_mutex_);
  Mutex raise_mutex_;  // held by the one that is to be the new top
};

}  // namespace sextant
