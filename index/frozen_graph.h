// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "index/aligned_array.h"

namespace sextant {

// A frozen HNSW graph over the distinct vectors of an index. Rows with equal
// vectors are one node: thousands of equal points would otherwise link to
// nothing but each other.
//
// Node n is row n. The nodes of upper levels come first, highest level first,
// so "node n is on level l" is n < nodes_at[l], and node 0 is the entry. Rows
// [nodes, rows) repeat the vector of a node, in runs.
//
// Layout, little-endian u32 words:
//   header      32 words (HeaderWord)
//   level 0     nodes * level0_ids neighbours, ended by kNoNode if not full;
//               level0_ids is a multiple of 16: rows start on cache lines
//   level 1...  nodes_at[l] * upper_ids neighbours each
//   duplicates  groups nodes, ascending, then groups + 1 first rows
struct GraphSizes {
  static constexpr uint32_t kMaxLevels = 16;  // above level 0
  static constexpr uint32_t kMaxDegree = 4096;

  uint32_t rows = 0;
  uint32_t nodes = 0;
  uint32_t levels = 0;  // above level 0
  uint32_t level0_ids = 0;
  uint32_t upper_ids = 0;
  uint32_t m = 0;  // how it was built
  uint32_t ef_construction = 0;
  uint32_t duplicate_groups = 0;
  // Nodes on levels 1, 2, ...; descending.
  std::array<uint32_t, kMaxLevels> nodes_at = {};

  uint64_t Level0Offset() const;               // in words, as all offsets
  uint64_t LevelOffset(uint32_t level) const;  // level >= 1
  uint64_t DuplicatesOffset() const;
  uint64_t TotalWords() const;
};

inline constexpr uint32_t kNoNode = 0xFFFFFFFF;

// A view of a graph in memory that it does not own. Immutable, thread-safe.
class FrozenGraph {
 public:
  // kDataLoss unless every link and every row is in range.
  static absl::StatusOr<FrozenGraph> Open(absl::string_view bytes,
                                          uint32_t rows);

  const GraphSizes& sizes() const { return sizes_; }
  uint32_t nodes() const { return sizes_.nodes; }
  uint32_t levels() const { return sizes_.levels; }

  // Neighbours, ended by kNoNode or the end of the span.
  std::span<const uint32_t> level0(uint32_t node) const {
    return {level0_ + uint64_t{node} * sizes_.level0_ids, sizes_.level0_ids};
  }
  std::span<const uint32_t> upper(uint32_t level, uint32_t node) const {
    return {upper_[level - 1] + uint64_t{node} * sizes_.upper_ids,
            sizes_.upper_ids};
  }
  std::span<const uint32_t> links(uint32_t level, uint32_t node) const {
    return level == 0 ? level0(node) : upper(level, node);
  }

  bool has_duplicates() const { return sizes_.duplicate_groups != 0; }
  // Rows that repeat the vector of `node`: [first, end). The row `node` itself
  // is not among them.
  struct RowRange {
    uint32_t first = 0;
    uint32_t end = 0;
  };
  RowRange duplicates(uint32_t node) const;
  // The node of any row.
  uint32_t node_of(uint32_t row) const;

 private:
  GraphSizes sizes_;
  const uint32_t* level0_ = nullptr;
  std::array<const uint32_t*, GraphSizes::kMaxLevels> upper_ = {};
  std::span<const uint32_t> duplicate_nodes_;
  std::span<const uint32_t> duplicate_rows_;  // first rows, and the end
};

// Fills the bytes of a frozen graph. `sizes` must be consistent; all links
// start as kNoNode.
class FrozenGraphWriter {
 public:
  explicit FrozenGraphWriter(const GraphSizes& sizes);

  std::span<uint32_t> links(uint32_t level, uint32_t node);
  // `rows` has one entry more than `nodes`.
  void SetDuplicates(std::span<const uint32_t> nodes,
                     std::span<const uint32_t> rows);
  AlignedBytes Take() { return std::move(bytes_); }

 private:
  uint32_t* words();

  GraphSizes sizes_;
  AlignedBytes bytes_;
};

}  // namespace sextant
