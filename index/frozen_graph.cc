// SPDX-License-Identifier: Apache-2.0
#include "index/frozen_graph.h"

#include <algorithm>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/status_macros.h"
#include "index/beam.h"

namespace sextant {
namespace {

constexpr uint32_t kMagic = 0x47485853;  // "SXHG"
constexpr uint32_t kVersion = 1;

enum HeaderWord : uint32_t {
  kMagicWord = 0,
  kVersionWord = 1,
  kRowsWord = 2,
  kNodesWord = 3,
  kLevelsWord = 4,
  kLevel0IdsWord = 5,
  kUpperIdsWord = 6,
  kMWord = 7,
  kEfConstructionWord = 8,
  kDuplicateGroupsWord = 9,
  kNodesAtWord = 16,  // GraphSizes::kMaxLevels of them
  kHeaderWords = 32,
};

absl::Status Damaged(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("graph: ", what));
}

GraphSizes ReadSizes(const uint32_t* words) {
  GraphSizes sizes;
  sizes.rows = words[kRowsWord];
  sizes.nodes = words[kNodesWord];
  sizes.levels = words[kLevelsWord];
  sizes.level0_ids = words[kLevel0IdsWord];
  sizes.upper_ids = words[kUpperIdsWord];
  sizes.m = words[kMWord];
  sizes.ef_construction = words[kEfConstructionWord];
  sizes.duplicate_groups = words[kDuplicateGroupsWord];
  std::copy_n(words + kNodesAtWord, sizes.nodes_at.size(),
              sizes.nodes_at.begin());
  return sizes;
}

// After this the offsets cannot overflow.
absl::Status CheckSizes(const GraphSizes& sizes, uint32_t rows) {
  if (sizes.rows != rows) {
    return Damaged(absl::StrCat("expected ", rows, " rows, got ", sizes.rows));
  }
  if (sizes.nodes == 0 || sizes.nodes > rows ||
      sizes.nodes >= SortedBeam::kMaxNodes) {
    return Damaged(absl::StrCat("bad number of nodes ", sizes.nodes));
  }
  if (sizes.level0_ids == 0 || sizes.level0_ids > GraphSizes::kMaxDegree ||
      sizes.upper_ids == 0 || sizes.upper_ids > GraphSizes::kMaxDegree) {
    return Damaged("bad degree");
  }
  if (sizes.levels > GraphSizes::kMaxLevels) {
    return Damaged(absl::StrCat("bad number of levels ", sizes.levels));
  }
  uint32_t below = sizes.nodes;
  for (uint32_t level = 1; level <= sizes.levels; ++level) {
    const uint32_t nodes = sizes.nodes_at[level - 1];
    if (nodes == 0 || nodes > below) {
      return Damaged(
          absl::StrCat("bad number of nodes ", nodes, " on level ", level));
    }
    below = nodes;
  }
  if (sizes.duplicate_groups > sizes.nodes ||
      (sizes.duplicate_groups == 0) != (sizes.nodes == rows)) {
    return Damaged("bad number of duplicate groups");
  }
  return absl::OkStatus();
}

// Adding one maps kNoNode to 0 and a node to 1..nodes: one comparison, which
// the compiler turns into vector instructions.
bool LinksInRange(std::span<const uint32_t> links, uint32_t nodes) {
  uint32_t largest = 0;
  for (const uint32_t link : links) {
    largest = std::max(largest, link + 1);
  }
  return largest <= nodes;
}

absl::Status CheckDuplicates(const GraphSizes& sizes,
                             std::span<const uint32_t> nodes,
                             std::span<const uint32_t> rows) {
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i] >= sizes.nodes || (i > 0 && nodes[i] <= nodes[i - 1])) {
      return Damaged(absl::StrCat("duplicate group ", i, " is out of order"));
    }
    if (rows[i] >= rows[i + 1]) {
      return Damaged(absl::StrCat("duplicate group ", i, " is empty"));
    }
  }
  if (rows.front() != sizes.nodes || rows.back() != sizes.rows) {
    return Damaged("duplicate groups do not cover the rows");
  }
  return absl::OkStatus();
}

}  // namespace

uint64_t GraphSizes::Level0Offset() const {
  return kHeaderWords;
}

uint64_t GraphSizes::LevelOffset(uint32_t level) const {
  uint64_t offset = Level0Offset() + uint64_t{nodes} * level0_ids;
  for (uint32_t below = 1; below < level; ++below) {
    offset += uint64_t{nodes_at[below - 1]} * upper_ids;
  }
  return offset;
}

uint64_t GraphSizes::DuplicatesOffset() const {
  return LevelOffset(levels + 1);
}

uint64_t GraphSizes::TotalWords() const {
  return DuplicatesOffset() +
         (duplicate_groups == 0 ? 0 : uint64_t{duplicate_groups} * 2 + 1);
}

absl::StatusOr<FrozenGraph> FrozenGraph::Open(absl::string_view bytes,
                                              uint32_t rows) {
  if (reinterpret_cast<uintptr_t>(bytes.data()) % alignof(uint32_t) != 0) {
    return absl::InvalidArgumentError("graph: bytes are not aligned to 4");
  }
  if (bytes.size() < kHeaderWords * sizeof(uint32_t)) {
    return Damaged("shorter than its header");
  }
  const auto* words = reinterpret_cast<const uint32_t*>(bytes.data());
  if (words[kMagicWord] != kMagic || words[kVersionWord] != kVersion) {
    return Damaged(absl::StrCat("unknown form ", words[kMagicWord], " version ",
                                words[kVersionWord]));
  }
  FrozenGraph graph;
  graph.sizes_ = ReadSizes(words);
  const GraphSizes& sizes = graph.sizes_;
  RETURN_IF_ERROR(CheckSizes(sizes, rows));
  const uint64_t total_bytes = sizes.TotalWords() * sizeof(uint32_t);
  if (bytes.size() != total_bytes) {
    return Damaged(
        absl::StrCat("expected ", total_bytes, " bytes, got ", bytes.size()));
  }
  graph.level0_ = words + sizes.Level0Offset();
  if (!LinksInRange({graph.level0_, uint64_t{sizes.nodes} * sizes.level0_ids},
                    sizes.nodes)) {
    return Damaged("a link on level 0 is out of range");
  }
  for (uint32_t level = 1; level <= sizes.levels; ++level) {
    const uint32_t nodes = sizes.nodes_at[level - 1];
    const uint32_t* links = words + sizes.LevelOffset(level);
    if (!LinksInRange({links, uint64_t{nodes} * sizes.upper_ids}, nodes)) {
      return Damaged(
          absl::StrCat("a link on level ", level, " is out of range"));
    }
    graph.upper_[level - 1] = links;
  }
  if (graph.has_duplicates()) {
    const uint32_t* groups = words + sizes.DuplicatesOffset();
    graph.duplicate_nodes_ = {groups, sizes.duplicate_groups};
    graph.duplicate_rows_ = {groups + sizes.duplicate_groups,
                             uint64_t{sizes.duplicate_groups} + 1};
    RETURN_IF_ERROR(
        CheckDuplicates(sizes, graph.duplicate_nodes_, graph.duplicate_rows_));
  }
  return graph;
}

FrozenGraph::RowRange FrozenGraph::duplicates(uint32_t node) const {
  const auto found = std::ranges::lower_bound(duplicate_nodes_, node);
  if (found == duplicate_nodes_.end() || *found != node) {
    return {};
  }
  const auto group = static_cast<size_t>(found - duplicate_nodes_.begin());
  return {duplicate_rows_[group], duplicate_rows_[group + 1]};
}

uint32_t FrozenGraph::node_of(uint32_t row) const {
  if (row < sizes_.nodes) {
    return row;
  }
  const auto next = std::ranges::upper_bound(duplicate_rows_, row);
  return duplicate_nodes_[static_cast<size_t>(next - duplicate_rows_.begin() -
                                              1)];
}

FrozenGraphWriter::FrozenGraphWriter(const GraphSizes& sizes)
    : sizes_(sizes), bytes_(sizes.TotalWords() * sizeof(uint32_t)) {
  CHECK_LE(sizes.levels, GraphSizes::kMaxLevels);
  uint32_t* header = words();
  std::fill_n(header + kHeaderWords, sizes.TotalWords() - kHeaderWords,
              kNoNode);
  header[kMagicWord] = kMagic;
  header[kVersionWord] = kVersion;
  header[kRowsWord] = sizes.rows;
  header[kNodesWord] = sizes.nodes;
  header[kLevelsWord] = sizes.levels;
  header[kLevel0IdsWord] = sizes.level0_ids;
  header[kUpperIdsWord] = sizes.upper_ids;
  header[kMWord] = sizes.m;
  header[kEfConstructionWord] = sizes.ef_construction;
  header[kDuplicateGroupsWord] = sizes.duplicate_groups;
  std::ranges::copy(sizes.nodes_at, header + kNodesAtWord);
}

std::span<uint32_t> FrozenGraphWriter::links(uint32_t level, uint32_t node) {
  if (level == 0) {
    return {
        words() + sizes_.Level0Offset() + uint64_t{node} * sizes_.level0_ids,
        sizes_.level0_ids};
  }
  return {
      words() + sizes_.LevelOffset(level) + uint64_t{node} * sizes_.upper_ids,
      sizes_.upper_ids};
}

void FrozenGraphWriter::SetDuplicates(std::span<const uint32_t> nodes,
                                      std::span<const uint32_t> rows) {
  CHECK_EQ(nodes.size(), sizes_.duplicate_groups);
  if (nodes.empty()) {
    return;
  }
  CHECK_EQ(rows.size(), nodes.size() + 1);
  uint32_t* place = words() + sizes_.DuplicatesOffset();
  std::ranges::copy(nodes, place);
  std::ranges::copy(rows, place + nodes.size());
}

uint32_t* FrozenGraphWriter::words() {
  return reinterpret_cast<uint32_t*>(bytes_.data());
}

}  // namespace sextant
