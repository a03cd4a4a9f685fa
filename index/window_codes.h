// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <span>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "index/aligned_array.h"
#include "index/distance.h"
#include "index/query_encoder.h"
#include "index/vector_index.h"

namespace sextant {

// Codes of vectors in the order of a payload field, so that a window of its
// values is one run of memory. 4 or 8 bits a number; the codes themselves are
// those of vector_codes.h.
//
// Rows lie in blocks of kBlockRows (distance.h): `chunks` chunks of codes, then
// the scales of the rows, then their squared norms, as floats.
//
// A view of bytes that it does not own. Immutable, thread-safe.
class WindowCodes {
 public:
  // kDataLoss unless the sizes fit `shape` and `ranks` rows.
  static absl::StatusOr<WindowCodes> Open(VectorShape shape, uint32_t ranks,
                                          absl::string_view bytes);

  // As VectorCodes::EncodeQuery.
  bool EncodeQuery(std::span<const float> query, CodedQuery& coded) const {
    return encoder_.Encode(query, coded);
  }
  // Approximations of the floats' distances, squared L2 or the negative inner
  // product, of the rows of blocks [first, first + count): kBlockRows floats
  // each. Past the last rank, and where there is no vector, they mean nothing.
  void Distances(const CodedQuery& query, uint32_t first, uint32_t count,
                 float* out) const;
  // How far 99.9 % of the distances are from the floats' at most.
  float error(const CodedQuery& query) const {
    return header_.error * query.norm;
  }

 private:
  CodesHeader header_;
  bool is_l2_ = false;
  QueryEncoder encoder_;
  CodeBlocks blocks_;
};

// The bytes of WindowCodes. `codes` are those of all rows of an index, of 4 or
// 8 bits, as EncodeVectors makes them; `rows` has the row of every rank, or
// VectorIndex::kNoRow where there is no vector.
AlignedBytes BuildWindowCodes(const AlignedBytes& codes,
                              std::span<const uint32_t> rows);

}  // namespace sextant
