// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "index/aligned_array.h"
#include "index/metric.h"
#include "index/random_rotation.h"
#include "index/vector_codes_layout.h"

namespace sextant {

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
  float step = 0;  // between the query's codes
};

// Makes coded queries for codes with this header, however their rows are laid
// out. Immutable, thread-safe.
class QueryEncoder {
 public:
  QueryEncoder() = default;
  // `mean` outlives this.
  QueryEncoder(const CodesHeader& header, const float* mean);

  // False for a query whose numbers are so large that its codes would mean
  // nothing.
  bool Encode(std::span<const float> query, CodedQuery& coded) const;

 private:
  // Of coded.moved; false if its largest number allows no codes.
  bool EncodeNumbers(CodedQuery& coded) const;
  // Each sets the codes, and returns their sum.
  int32_t SetBytes(float inverse_step, CodedQuery& coded) const;
  int32_t SetBitPlanes(float inverse_step, CodedQuery& coded) const;

  CodesHeader header_;
  Metric metric_ = Metric::kCosine;
  const float* mean_ = nullptr;
  std::optional<RandomRotation> rotation_;  // of 1-bit codes
};

}  // namespace sextant
