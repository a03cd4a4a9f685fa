// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "index/beam.h"
#include "index/vector_index.h"
#include "index/vector_index_builder.h"

namespace sextant {

// A graph under construction: HNSWlib's storage, neighbour selection and
// linking, over vectors that stay where they are (HNSWlib would copy them) and
// with our kernels. The only place that knows HNSWlib.
//
// Owned by one build. Insert() may run in several threads at once; nothing
// else may run beside it. Functions that allocate return kResourceExhausted
// when memory is short.
class HnswGraph {
 public:
  // Room for `nodes` nodes whose vectors are rows of padded stride at
  // `vectors`, which outlive the graph.
  static absl::StatusOr<std::unique_ptr<HnswGraph>> Create(
      VectorShape shape, GraphParameters parameters, uint32_t nodes,
      const float* vectors);
  ~HnswGraph();

  // Inserts a node at a random level that depends on its number alone.
  absl::Status Insert(uint32_t node);

  // For a copy of another graph: adds a node without links, then its links.
  absl::Status Add(uint32_t node, uint32_t level);
  // At most max_links(level) of them.
  void SetLinks(uint32_t level, uint32_t node, std::span<const uint32_t> links);
  void SetEntry(uint32_t node);
  // The best links for `node` among `candidates` (distinct, without itself),
  // by HNSWlib's heuristic: at most `count`.
  std::vector<uint32_t> Select(uint32_t node,
                               std::span<const uint32_t> candidates,
                               uint32_t count) const;

  // False when the list is full.
  bool AddLink(uint32_t level, uint32_t from, uint32_t to);
  // Nodes near to `node` on level 0, nearest first, `node` left out.
  std::vector<BeamNode> FindNear(uint32_t node, uint32_t count) const;

  uint32_t nodes() const;
  uint32_t entry() const;
  uint32_t level(uint32_t node) const;
  uint32_t max_links(uint32_t level) const;
  std::span<const uint32_t> links(uint32_t level, uint32_t node) const;
  std::span<uint32_t> mutable_links(uint32_t level, uint32_t node);

 private:
  class Graph;
  explicit HnswGraph(std::unique_ptr<Graph> graph);
  std::unique_ptr<Graph> graph_;
};

}  // namespace sextant
