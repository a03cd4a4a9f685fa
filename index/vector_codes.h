// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "index/aligned_array.h"
#include "index/distance.h"
#include "index/vector_codes_layout.h"
#include "index/vector_index.h"

namespace sextant {

// 8-bit codes of the nodes of a graph. A traversal reads these, a quarter of
// the floats' bytes; the best of what it finds is scored again with the floats.
//
// A number x of dimension j is the byte round((x - mean_j) / scale) + 128. The
// scale is the row's own where there is room for it or norms differ, else one
// for all rows, with the outermost 0.05 % of the numbers clipped. Moving all
// rows by the mean changes neither L2 distances nor the order of inner
// products, and it makes the codes finer.
//
// vector_codes_layout.h has the bytes.

// A query as the codes' kernels want it. One per thread, reused.
struct CodedQuery {
  AlignedArray<int8_t> codes;
  std::vector<float> moved;  // less the mean, under kL2
  // distance = base + bias of the row + weight * scale * (product - offset)
  float base = 0;
  float weight = 0;
  int32_t offset = 0;  // what the 128 in every code adds to a product
  float norm = 0;
};

// A view of codes in memory that it does not own. Immutable, thread-safe.
class VectorCodes {
 public:
  // kDataLoss unless the sizes fit `shape` and `nodes`.
  static absl::StatusOr<VectorCodes> Open(VectorShape shape, uint32_t nodes,
                                          absl::string_view bytes);

  // False for a query whose numbers are so large that its codes would mean
  // nothing.
  bool EncodeQuery(std::span<const float> query, CodedQuery& coded) const;

  // Approximations of the floats' distances: squared L2, else the negative
  // inner product.
  void Distances(const CodedQuery& query, std::span<const uint32_t> nodes,
                 float* out) const;

  // How far a distance may well be from the floats'.
  float error(const CodedQuery& query) const {
    return header_.error * query.norm;
  }

  void Prefetch(uint32_t node) const {
    const uint8_t* row = rows_ + uint64_t{node} * header_.stride;
    for (size_t i = 0; i < prefetch_bytes_; i += kLineBytes) {
      __builtin_prefetch(row + i);
    }
  }

 private:
  CodesHeader header_;
  Metric metric_ = Metric::kCosine;
  const float* mean_ = nullptr;
  const uint8_t* rows_ = nullptr;
  size_t prefetch_bytes_ = 0;
};

// Codes of rows [0, nodes) of padded stride. Empty where codes would mean
// nothing: numbers so large that their squares are not finite.
AlignedBytes EncodeVectors(VectorShape shape, const float* vectors,
                           uint32_t nodes);

}  // namespace sextant
