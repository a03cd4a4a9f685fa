// SPDX-License-Identifier: Apache-2.0
#include "index/vector_index.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/status_macros.h"
#include "index/code_scan.h"
#include "index/distance.h"
#include "index/graph_search.h"
#include "index/match_scan.h"
#include "index/scan.h"
#include "index/vector_index_rep.h"

namespace sextant {
namespace {

using SteadyClock = std::chrono::steady_clock;

double NanosecondsSince(SteadyClock::time_point start) {
  return std::chrono::duration<double, std::nano>(SteadyClock::now() - start)
      .count();
}

bool Aligned(absl::string_view bytes) {
  return reinterpret_cast<uintptr_t>(bytes.data()) % alignof(float) == 0;
}

using Part = ObservedCosts::Part;

// Runs a scan of so many rows and notes what it took, unless it ended early.
template <typename Run>
absl::Status Timed(Part part, uint64_t rows, ObservedCosts& costs, Run run) {
  const SteadyClock::time_point start = SteadyClock::now();
  RETURN_IF_ERROR(run());
  costs.Observe(part, rows, NanosecondsSince(start));
  return absl::OkStatus();
}

// For requests whose rows are named: their filter is not asked.
const RowSet& NoRows() {
  static const RowSet& rows = *new RowSet;
  return rows;
}

// All sections or none, so that the originals are needed as a whole or not.
absl::Status CopyToHugePages(Placement placement,
                             std::array<AlignedBytes, 4>& copies,
                             VectorIndexBytes& bytes) {
  const uint64_t total = bytes.vectors.size() + bytes.ordinals.size() +
                         bytes.graph.size() + bytes.codes.size();
  if (total < kCopiedBytesMin) {
    return absl::OkStatus();
  }
  try {
    size_t i = 0;
    for (absl::string_view* section :
         {&bytes.vectors, &bytes.ordinals, &bytes.graph, &bytes.codes}) {
      if (section != &bytes.vectors || placement == Placement::kHugePages) {
        copies[i] = AlignedBytes::Copy(*section);
        *section = copies[i];
      }
      ++i;
    }
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(
        absl::StrCat("vector index: no memory for ", total, " bytes"));
  }
  return absl::OkStatus();
}

}  // namespace

IndexMemory& IndexMemory::operator+=(const IndexMemory& other) {
  graph += other.graph;
  codes += other.codes;
  ordinals += other.ordinals;
  vectors_in_memory += other.vectors_in_memory;
  vectors_mapped += other.vectors_mapped;
  vectors_on_disk += other.vectors_on_disk;
  return *this;
}

absl::StatusOr<std::unique_ptr<VectorIndex>> VectorIndex::Open(
    VectorShape shape, uint32_t segment_ordinals, VectorIndexBytes bytes,
    Placement placement, Scoring scoring) {
  if (shape.dimension == 0) {
    return absl::InvalidArgumentError("vector index: dimension is 0");
  }
  if (!Aligned(bytes.vectors) || !Aligned(bytes.ordinals) ||
      !Aligned(bytes.codes)) {
    return absl::InvalidArgumentError(
        "vector index: bytes are not aligned to 4");
  }
  auto rep = std::make_unique<Rep>();
  rep->segment_ordinals = segment_ordinals;
  if (placement != Placement::kInPlace) {
    RETURN_IF_ERROR(CopyToHugePages(placement, rep->copies, bytes));
  }
  rep->memory.graph = bytes.graph.size();
  rep->memory.codes = bytes.codes.size();
  rep->memory.ordinals = bytes.ordinals.size();
  rep->shape = shape;
  rep->stride = PaddedStride(shape.dimension);
  const uint64_t rows = bytes.ordinals.size() / sizeof(Ordinal);
  if (bytes.ordinals.size() % sizeof(Ordinal) != 0 || rows > segment_ordinals ||
      bytes.vectors.size() != rows * rep->stride * sizeof(float)) {
    return absl::DataLossError(absl::StrCat(
        "vector index: ", bytes.vectors.size(), " bytes of vectors and ",
        bytes.ordinals.size(), " bytes of ordinals do not fit dimension ",
        shape.dimension, " and ", segment_ordinals, " points"));
  }
  rep->rows = static_cast<uint32_t>(rows);
  rep->vectors = reinterpret_cast<const float*>(bytes.vectors.data());
  rep->ordinals = reinterpret_cast<const Ordinal*>(bytes.ordinals.data());
  for (uint32_t row = 0; row < rep->rows; ++row) {
    if (rep->ordinals[row] >= segment_ordinals) {
      return absl::DataLossError(
          absl::StrCat("vector index: row ", row, " has ordinal ",
                       rep->ordinals[row], " of ", segment_ordinals));
    }
  }
  if (!bytes.graph.empty()) {
    ASSIGN_OR_RETURN_WITH(rep->graph, FrozenGraph::Open(bytes.graph, rep->rows),
                          "vector index");
    if (!bytes.codes.empty()) {
      ASSIGN_OR_RETURN_WITH(
          rep->codes,
          VectorCodes::Open(shape, rep->graph->nodes(), bytes.codes),
          "vector index");
    }
  }
  rep->scores_by_codes = scoring == Scoring::kCodes && rep->codes.has_value();
  (rep->copies[0].size() > 0 ? rep->memory.vectors_in_memory
   : rep->scores_by_codes    ? rep->memory.vectors_on_disk
                          : rep->memory.vectors_mapped) = bytes.vectors.size();
  if (!bytes.calibration.empty()) {
    ASSIGN_OR_RETURN_WITH(rep->recall_curve,
                          RecallCurve::Open(bytes.calibration), "vector index");
  }
  const size_t float_bytes = rep->stride * sizeof(float);
  rep->costs.emplace(rep->codes
                         ? bytes.codes.size() / std::max<uint64_t>(1, rows)
                         : float_bytes,
                     float_bytes);
  return std::unique_ptr<VectorIndex>(new VectorIndex(std::move(rep)));
}

uint64_t VectorIndex::owned_bytes() const {
  uint64_t bytes = 0;
  for (const AlignedBytes& copy : rep_->copies) {
    bytes += copy.size_bytes();
  }
  return bytes;
}

IndexMemory VectorIndex::memory() const {
  return rep_->memory;
}

VectorIndex::VectorIndex(std::unique_ptr<Rep> rep) : rep_(std::move(rep)) {}

VectorIndex::~VectorIndex() = default;

uint32_t VectorIndex::rows() const {
  return rep_->rows;
}

bool VectorIndex::has_graph() const {
  return rep_->graph.has_value();
}

Encoding VectorIndex::encoding() const {
  if (!has_codes()) {
    return Encoding::kFloat;
  }
  switch (rep_->codes->bits()) {
    case 1:
      return Encoding::kBinary;
    case 4:
      return Encoding::kInt4;
    case 8:
      return Encoding::kInt8;
    default:
      return Encoding::kBf16;
  }
}

float VectorIndex::recall_loss() const {
  return has_codes() ? rep_->codes->recall_loss() : 0;
}

bool VectorIndex::has_codes() const {
  return rep_->codes.has_value();
}

bool VectorIndex::scores_by_codes() const {
  return rep_->scores_by_codes;
}

const RecallCurve* VectorIndex::recall_curve() const {
  return rep_->recall_curve ? &*rep_->recall_curve : nullptr;
}

SearchCosts VectorIndex::costs() const {
  return rep_->costs->costs();
}

const VectorShape& VectorIndex::shape() const {
  return rep_->shape;
}

const float* VectorIndex::row_vector(uint32_t row) const {
  DCHECK_LT(row, rep_->rows);
  return rep_->vectors + row * rep_->stride;
}

std::span<const Ordinal> VectorIndex::ordinals() const {
  return {rep_->ordinals, rep_->rows};
}

Ordinal VectorIndex::row_ordinal(uint32_t row) const {
  DCHECK_LT(row, rep_->rows);
  return rep_->ordinals[row];
}

absl::Status VectorIndex::Scan(const VectorQuery& query,
                               const RowFilter& filter,
                               const RequestContext& context, TopK& top,
                               SearchWork& work) const {
  DCHECK_EQ(query.vector.size(), rep_->shape.dimension);
  const auto scan = [&] {
    return ScanBlock({rep_->shape, query.vector, filter, context, query.bias},
                     {rep_->vectors, rep_->ordinals, rep_->rows}, top, work);
  };
  return filter.is_all() ? Timed(Part::kScan, rep_->rows, *rep_->costs, scan)
                         : scan();
}

std::span<const uint32_t> VectorIndex::rows_by_ordinal() const {
  absl::call_once(rep_->rows_made, [this] {
    rep_->rows_by_ordinal.assign(rep_->segment_ordinals, kNoRow);
    for (uint32_t row = 0; row < rep_->rows; ++row) {
      rep_->rows_by_ordinal[rep_->ordinals[row]] = row;
    }
  });
  return rep_->rows_by_ordinal;
}

std::vector<uint32_t> VectorIndex::RowsOf(
    std::span<const Ordinal> wanted) const {
  const std::span<const uint32_t> rows_of = rows_by_ordinal();
  std::vector<uint32_t> found;
  found.reserve(wanted.size());
  for (const Ordinal ordinal : wanted) {
    if (const uint32_t row = rows_of[ordinal]; row != kNoRow) {
      found.push_back(row);
    }
  }
  return found;
}

absl::Status VectorIndex::ScanOrdinals(const VectorQuery& query,
                                       std::span<const Ordinal> ordinals,
                                       const RequestContext& context, TopK& top,
                                       SearchWork& work) const {
  DCHECK_EQ(query.vector.size(), rep_->shape.dimension);
  return Timed(Part::kRows, ordinals.size(), *rep_->costs, [&] {
    return ScanRows({rep_->shape, query.vector, NoRows(), context, query.bias},
                    {rep_->vectors, rep_->ordinals, rep_->rows},
                    RowsOf(ordinals), top, work);
  });
}

absl::Status VectorIndex::ScanOrdinalsByCodes(const VectorQuery& query,
                                              std::span<const Ordinal> ordinals,
                                              const RequestContext& context,
                                              TopK& top,
                                              SearchWork& work) const {
  if (!has_codes() || encoding() == Encoding::kBinary) {
    return ScanOrdinals(query, ordinals, context, top, work);
  }
  DCHECK_EQ(query.vector.size(), rep_->shape.dimension);
  return Timed(Part::kEstimates, ordinals.size(), *rep_->costs, [&] {
    return ScanRowsByCodes(
        {rep_->shape, query.vector, NoRows(), context, query.bias},
        rep_->Searched(), RowsOf(ordinals), top, work);
  });
}

absl::Status VectorIndex::ScanCodes(const VectorQuery& query,
                                    const RowFilter& filter,
                                    const RequestContext& context, TopK& top,
                                    SearchWork& work) const {
  DCHECK_EQ(query.vector.size(), rep_->shape.dimension);
  CHECK(encoding() == Encoding::kBinary) << "code scan without 1-bit codes";
  return sextant::ScanCodes(
      {rep_->shape, query.vector, filter, context, query.bias},
      {*rep_->graph, &*rep_->codes, rep_->vectors, rep_->ordinals}, top, work);
}

absl::Status VectorIndex::Search(const VectorQuery& query,
                                 const SearchEffort& effort,
                                 const RowFilter& filter,
                                 const RequestContext& context, TopK& top,
                                 SearchWork& work) const {
  DCHECK_EQ(query.vector.size(), rep_->shape.dimension);
  CHECK(rep_->graph.has_value()) << "search of an index without a graph";
  const ScanRequest request{rep_->shape, query.vector, filter, context,
                            query.bias};
  const uint64_t before = work.distances;
  const SteadyClock::time_point start = SteadyClock::now();
  RETURN_IF_ERROR(SearchGraph(request, rep_->Searched(), effort, top, work));
  rep_->costs->Observe(Part::kGraph, work.distances - before,
                       NanosecondsSince(start));
  return absl::OkStatus();
}

}  // namespace sextant
