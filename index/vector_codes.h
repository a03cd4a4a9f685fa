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

// Codes of the nodes of a graph, of 4 or 8 bits a number. A traversal reads
// these, an eighth or a quarter of the floats' bytes; the best of what it finds
// is scored again with the floats.
//
// A row is moved by the mean of all rows, which changes neither L2 distances
// nor the order of inner products and makes the codes finer, and divided by a
// scale of its own. With 8 bits the scale is its largest number; with 4 bits,
// which clip the largest, the one whose codes point best along the row, and the
// length that clipping and rounding took is given back, as
// RaBitQ does (arXiv 2405.12497): <x, c> = |x|^2 makes products unbiased.
//
// vector_codes_layout.h has the bytes.

// A query as the codes' kernels want it. One per thread, reused.
struct CodedQuery {
  AlignedArray<int8_t> codes;
  std::vector<float> moved;  // less the mean, under kL2
  // distance = base + bias of the row +
  //            weight * scale of the row * (product * factor - offset)
  float base = 0;
  float weight = 0;
  int32_t factor = 1;
  int32_t offset = 0;  // what the zero code adds to a product
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
    if (has_tail_lines_) {
      __builtin_prefetch(tails_ + uint64_t{node} * tail_step_);
    }
  }
  uint32_t bits() const { return header_.bits; }
  uint32_t nodes() const { return header_.nodes; }

 private:
  // All codes of a query, as far as the rows' codes go.
  void EncodeNumbers(float inverse_scale, CodedQuery& coded) const;

  CodesHeader header_;
  Metric metric_ = Metric::kCosine;
  const float* mean_ = nullptr;
  const uint8_t* rows_ = nullptr;
  const char* tails_ = nullptr;
  size_t tail_step_ = 0;
  size_t prefetch_bytes_ = 0;
  bool has_tail_lines_ = false;
};

// How many bits a number may have, coarsest first.
inline constexpr uint32_t kCodeBits[] = {4, 8};

// Codes of rows [0, nodes) of padded stride. Empty where codes would mean
// nothing: numbers so large that their squares are not finite.
AlignedBytes EncodeVectors(VectorShape shape, const float* vectors,
                           uint32_t nodes, uint32_t bits);

}  // namespace sextant
