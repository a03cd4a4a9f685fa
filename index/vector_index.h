// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "base/context.h"
#include "index/encoding.h"
#include "index/metric.h"
#include "index/recall_curve.h"
#include "index/row_bias.h"
#include "index/row_filter.h"
#include "index/search_costs.h"
#include "index/search_effort.h"
#include "index/top_k.h"

namespace sextant {

// Beam width of a search that names none: recall@10 of at least 0.95 on
// glove-100d and 0.99 on small collections (docs/how-to/benchmark.md).
inline constexpr uint32_t kDefaultEf = 256;

// Work done by a search.
struct SearchWork {
  uint64_t distances = 0;  // distances computed
  uint64_t hops = 0;       // nodes expanded
  bool gave_up = false;    // see SearchEffort::distances_max
};

struct VectorShape {
  Metric metric = Metric::kCosine;
  uint32_t dimension = 0;
};

// The bytes of one vector field of a sealed segment, as
// BuildVectorIndex made them and a segment file stores them.
struct VectorIndexBytes {
  absl::string_view vectors;   // float32 rows, padded stride, graph order
  absl::string_view ordinals;  // u32 little-endian, row -> ordinal
  absl::string_view graph;     // frozen HNSW; empty = scan only
  absl::string_view codes;     // of the graph's nodes; empty = it reads floats
  absl::string_view calibration;  // a RecallCurve; empty = not measured
};

// Parts of an index that are smaller than this are not copied to huge pages:
// all of it fits into the TLB's reach anyway.
inline constexpr uint64_t kCopiedBytesMin = uint64_t{8} << 20;

// Where an open index keeps its vectors and graph.
enum class Placement {
  // In the bytes given to Open, which must outlive the index.
  kInPlace,
  // In a copy in huge pages, if they are large; searches run 1.2 to 1.4 times
  // as fast as in a mapped file (docs/adr/0004-frozen-graph.md). The bytes are
  // not needed after Open unless owned_bytes() is 0.
  kHugePages,
  // The same, but for the vectors: they stay in the bytes given to Open.
  kHugePagesButVectors,
};

// What scores the hits of graph searches that read codes.
enum class Scoring {
  kFloats,  // exact: what codes found is scored again with the floats
  kCodes,   // graph searches never read the floats; scores are approximations
};

// Bytes of the parts of an index.
struct IndexMemory {
  uint64_t graph = 0;
  uint64_t codes = 0;
  uint64_t ordinals = 0;
  uint64_t vectors_in_memory = 0;
  uint64_t vectors_mapped = 0;  // in the bytes given to Open
  // There too, and not read by graph searches.
  uint64_t vectors_on_disk = 0;

  IndexMemory& operator+=(const IndexMemory& other);
};

// One vector field of one sealed segment: exact scan and HNSW search over a
// mapped file or a copy of it.
//
// Immutable, thread-safe; scratch memory is per thread. Queries have
// `dimension` finite numbers and are normalised under kCosine (the caller's
// duty), and a bias if the score is to be corrected (row_bias.h): all ways to
// search then find the best by the corrected score. All poll `context` and
// return its error.
class VectorIndex {
 public:
  // Checks sizes, and that every link and ordinal is in range, so that no
  // search can leave the memory. kDataLoss otherwise. Each section starts at a
  // multiple of 4 bytes (kInvalidArgument otherwise); of 64 is fastest.
  // kResourceExhausted without memory for a copy.
  static absl::StatusOr<std::unique_ptr<VectorIndex>> Open(
      VectorShape shape, uint32_t segment_ordinals, VectorIndexBytes bytes,
      Placement placement = Placement::kInPlace,
      Scoring scoring = Scoring::kFloats);
  ~VectorIndex();

  uint32_t rows() const;
  bool has_graph() const;
  // What graph searches read; kFloat without a graph. Never kAuto.
  Encoding encoding() const;
  // Whether that is codes.
  bool has_codes() const;
  // Whether the scores of graph searches are those of the codes.
  bool scores_by_codes() const;
  // What search efforts are worth; null where that was not measured.
  const RecallCurve* recall_curve() const;
  // Share of the hits of a sample that searches by codes lost when the index
  // was built, against searches by floats; below 0 if they found more.
  float recall_loss() const;
  // What the parts of its searches take.
  SearchCosts costs() const;
  // Memory that a copy takes.
  uint64_t owned_bytes() const;
  // What each part takes, copied or not.
  IndexMemory memory() const;
  const VectorShape& shape() const;
  // The stored (under kCosine: normalised) vector of a row, and its ordinal.
  const float* row_vector(uint32_t row) const;
  Ordinal row_ordinal(uint32_t row) const;
  std::span<const Ordinal> ordinals() const;  // by row
  // The row of every ordinal of the segment; kNoRow where the point has none.
  // The first call makes it: four bytes a point.
  std::span<const uint32_t> rows_by_ordinal() const;
  static constexpr uint32_t kNoRow = 0xFFFFFFFF;

  // Offers every row that `filter` allows.
  absl::Status Scan(const VectorQuery& query, const RowFilter& filter,
                    const RequestContext& context, TopK& top,
                    SearchWork& work) const;

  // The same by 1-bit codes: rows are scored only if they may be among the
  // best, so one of those is missed with probability 0.0013 (code_scan.h).
  // Needs encoding() kBinary.
  absl::Status ScanCodes(const VectorQuery& query, const RowFilter& filter,
                         const RequestContext& context, TopK& top,
                         SearchWork& work) const;

  // Offers these points, as far as they have a row; `ordinals` are those of the
  // segment. Asks rows_by_ordinal().
  absl::Status ScanOrdinals(const VectorQuery& query,
                            std::span<const Ordinal> ordinals,
                            const RequestContext& context, TopK& top,
                            SearchWork& work) const;
  // The same by the codes that graph searches read: points are scored only if
  // they may be among the best, so one of those is missed with a probability of
  // about 0.001 (match_scan.h). Without codes, or with those of 1 bit, all are
  // scored.
  absl::Status ScanOrdinalsByCodes(const VectorQuery& query,
                                   std::span<const Ordinal> ordinals,
                                   const RequestContext& context, TopK& top,
                                   SearchWork& work) const;

  // HNSW search (arXiv 1603.09320, algorithms 2 and 5) with beam width
  // `effort.ef` (raised to top.k()): rows left out are walked through, never
  // offered, and do not use up the beam. Needs has_graph().
  absl::Status Search(const VectorQuery& query, const SearchEffort& effort,
                      const RowFilter& filter, const RequestContext& context,
                      TopK& top, SearchWork& work) const;

 private:
  // Rows of these ordinals, without those that have none.
  std::vector<uint32_t> RowsOf(std::span<const Ordinal> wanted) const;

  friend class GraphCloner;
  friend class RecallCalibration;
  struct Rep;
  explicit VectorIndex(std::unique_ptr<Rep> rep);
  std::unique_ptr<Rep> rep_;
};

}  // namespace sextant
