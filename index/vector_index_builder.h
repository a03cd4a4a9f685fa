// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

#include "base/context.h"
#include "base/thread_pool.h"
#include "index/aligned_array.h"
#include "index/encoding.h"
#include "index/vector_index.h"

namespace sextant {

// HNSW build parameters (arXiv 1603.09320).
struct GraphParameters {
  uint32_t m = 16;                 // links a node in upper layers; bottom 2 m
  uint32_t ef_construction = 200;  // beam width while building
};

// What the new index is made of.
struct VectorIndexInput {
  VectorShape shape;
  GraphParameters graph;
  Encoding encoding = Encoding::kAuto;
  // What the searches will do whose recall is measured.
  Scoring scoring = Scoring::kFloats;
  // Fewer rows than this get no graph (they are scanned).
  uint32_t min_graph_rows = 2048;

  // All rows of the new index: vector (normalised under kCosine, `dimension`
  // numbers) and ordinal in the new segment, ascending.
  struct Row {
    const float* vector = nullptr;
    Ordinal ordinal = 0;
  };
  std::vector<Row> rows;

  // Optional: an index whose graph is cloned instead of being built anew. Its
  // row r continues as the row with ordinal base_to_ordinal[r], or is dropped
  // (kDropped): the neighbours of a dropped row are linked to each other first
  // so that no region is cut off.
  static constexpr Ordinal kDropped = 0xFFFFFFFF;
  const VectorIndex* base = nullptr;
  std::vector<Ordinal> base_to_ordinal;
};

// Owned bytes; view() fits VectorIndex::Open.
struct BuiltVectorIndex {
  AlignedBytes vectors;
  AlignedBytes ordinals;
  AlignedBytes graph;
  AlignedBytes codes;
  AlignedBytes calibration;
  VectorIndexBytes view() const {
    return {vectors, ordinals, graph, codes, calibration};
  }
};

// Progress that other threads may read while a build runs.
struct BuildProgress {
  std::atomic<uint64_t> rows_done{0};
  std::atomic<uint64_t> rows_total{0};
};

// Builds the graph, freezes it, and measures what recall searches
// of it reach. Every live row is reachable from the entry point. `pool` null
// builds on the calling thread; with one thread the result depends on the input
// alone.
//
// kCancelled / kDeadlineExceeded by `context`; kResourceExhausted without
// memory.
absl::StatusOr<BuiltVectorIndex> BuildVectorIndex(const VectorIndexInput& input,
                                                  ThreadPool* pool,
                                                  const RequestContext& context,
                                                  BuildProgress* progress);

}  // namespace sextant
