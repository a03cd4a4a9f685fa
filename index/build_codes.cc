// SPDX-License-Identifier: Apache-2.0
#include "index/build_codes.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <numeric>
#include <random>
#include <span>
#include <vector>

#include "base/status_macros.h"
#include "index/row_distances.h"
#include "index/top_k.h"
#include "index/vector_codes.h"

namespace sextant {
namespace {

constexpr uint64_t kSeed = 20250519;
constexpr uint32_t kQueries = 32;
// As many as a node may link to, with the default `m`.
constexpr uint32_t kNearest = 32;
// Half of the beam: the other half is for what the walk does not meet.
constexpr uint32_t kBeamPerRow = 2;
constexpr double kFoundMin = 0.99;

// Of one row: how many of its nearest by floats are among the nearest by codes.
class SampleRow {
 public:
  SampleRow(VectorShape shape, const float* vectors, uint32_t nodes,
            const RequestContext& context)
      : shape_(shape), vectors_(vectors), nodes_(nodes), context_(context) {}

  absl::StatusOr<uint32_t> CountFound(uint32_t row, uint32_t width,
                                      const VectorCodes& codes) const {
    const std::span<const float> query(
        vectors_ + row * PaddedStride(shape_.dimension), shape_.dimension);
    CodedQuery coded;
    if (!codes.EncodeQuery(query, coded)) {
      return 0;
    }
    ASSIGN_OR_RETURN(
        std::vector<uint32_t> by_floats,
        Nearest(FloatRows(shape_.metric, query, vectors_), kNearest));
    ASSIGN_OR_RETURN(std::vector<uint32_t> by_codes,
                     Nearest(CodeRows(codes, coded), width));
    std::ranges::sort(by_floats);
    std::ranges::sort(by_codes);
    std::vector<uint32_t> both;
    std::ranges::set_intersection(by_floats, by_codes,
                                  std::back_inserter(both));
    return static_cast<uint32_t>(both.size());
  }

 private:
  template <typename Rows>
  absl::StatusOr<std::vector<uint32_t>> Nearest(const Rows& rows,
                                                uint32_t count) const {
    constexpr uint32_t kStep = 256;
    std::array<uint32_t, kStep> step;
    std::array<float, kStep> distances;
    TopK top(count);
    for (uint32_t first = 0; first < nodes_; first += kStep) {
      RETURN_IF_ERROR(context_.Check());
      const uint32_t size = std::min(kStep, nodes_ - first);
      std::iota(step.begin(), step.begin() + size, first);
      rows.Distances({step.data(), size}, distances.data());
      for (uint32_t i = 0; i < size; ++i) {
        if (-distances[i] >= top.threshold()) {
          top.Offer(-distances[i], step[i]);
        }
      }
    }
    std::vector<uint32_t> nearest;
    for (const ScoredRow& row : top.TakeSorted()) {
      nearest.push_back(row.row);
    }
    return nearest;
  }

  const VectorShape shape_;
  const float* const vectors_;
  const uint32_t nodes_;
  const RequestContext& context_;
};

}  // namespace

absl::StatusOr<AlignedBytes> ChooseBuildCodes(VectorShape shape,
                                              const float* vectors,
                                              uint32_t nodes,
                                              uint32_t ef_construction,
                                              const BuildRun& run) {
  const SampleRow sample(shape, vectors, nodes, run.context);
  const uint32_t width = std::max(kNearest, ef_construction / kBeamPerRow);
  for (const uint32_t bits : {4U, 8U}) {
    AlignedBytes bytes = EncodeVectors(shape, vectors, nodes, bits, run.pool);
    if (bytes.size() == 0) {
      break;
    }
    ASSIGN_OR_RETURN(const VectorCodes codes,
                     VectorCodes::Open(shape, nodes, bytes));
    std::mt19937_64 random(kSeed);
    uint32_t found = 0;
    for (uint32_t i = 0; i < kQueries; ++i) {
      ASSIGN_OR_RETURN(
          const uint32_t found_here,
          sample.CountFound(static_cast<uint32_t>(random() % nodes), width,
                            codes));
      found += found_here;
    }
    if (found >= kFoundMin * kQueries * std::min(kNearest, nodes)) {
      return bytes;
    }
  }
  return AlignedBytes();
}

}  // namespace sextant
