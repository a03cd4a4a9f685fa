// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "base/thread_pool.h"
#include "index/aligned_array.h"
#include "index/distance.h"
#include "index/query_encoder.h"
#include "index/vector_codes_layout.h"
#include "index/vector_index.h"

namespace sextant {

// Codes of the nodes of a graph, of 1, 4, 8 or 16 bits a number. A traversal
// reads these instead of the floats' 32; the best of what it finds is scored
// again with the floats.
//
// A row is moved by the mean of all rows, which changes neither L2 distances
// nor the order of inner products and makes the codes finer, and divided by a
// scale of its own. With 8 bits the scale is its largest number; with 4 bits,
// which clip the largest, the one whose codes point best along the row, and the
// length that clipping and rounding took is given back, as
// RaBitQ does (arXiv 2405.12497): <x, c> = |x|^2 makes products unbiased.
//
// With 1 bit the row is rotated (random_rotation.h) and the code is its signs:
// RaBitQ itself. Its products are unbiased over the rotations, and how far they
// may be off is known of each row (Errors()). The query's numbers are rounded
// to 4 bits there, to 8 bits otherwise.
//
// With 16 bits the numbers are bf16, the upper halves of floats, and the query
// stays in floats: what many small numbers beside few large ones need.
//
// vector_codes_layout.h has the bytes.

// A view of codes in memory that it does not own. Immutable, thread-safe.
class VectorCodes {
 public:
  // kDataLoss unless the sizes fit `shape` and `nodes`.
  static absl::StatusOr<VectorCodes> Open(VectorShape shape, uint32_t nodes,
                                          absl::string_view bytes);

  // False for a query whose numbers are so large that its codes would mean
  // nothing.
  bool EncodeQuery(std::span<const float> query, CodedQuery& coded) const {
    return encoder_.Encode(query, coded);
  }

  // Approximations of the floats' distances: squared L2, else the negative
  // inner product.
  void Distances(const CodedQuery& query, std::span<const uint32_t> nodes,
                 float* out) const;

  // 1-bit codes only: how far each distance may be from the floats'. Three
  // standard deviations of the estimate over the random rotations, so a
  // distance is nearer than that below with probability 0.9987, the share of
  // a normal distribution (arXiv 2405.12497, section 3.2, with eps0 = 3), the
  // rounding of the query included.
  void Errors(const CodedQuery& query, std::span<const uint32_t> nodes,
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
  float recall_loss() const { return header_.recall_loss; }

 private:
  CodesLayout::RowTail Tail(uint32_t node) const;
  void Bf16Distances(const CodedQuery& query, std::span<const uint32_t> nodes,
                     float* out) const;

  CodesHeader header_;
  Metric metric_ = Metric::kCosine;
  QueryEncoder encoder_;
  const uint8_t* rows_ = nullptr;
  const char* tails_ = nullptr;
  size_t tail_step_ = 0;
  size_t prefetch_bytes_ = 0;
  bool has_tail_lines_ = false;
};

// Codes of rows [0, nodes) of padded stride. Empty where codes would mean
// nothing: numbers so large that their squares are not finite. `pool` null
// encodes on the calling thread; the codes are the same.
AlignedBytes EncodeVectors(VectorShape shape, const float* vectors,
                           uint32_t nodes, uint32_t bits,
                           ThreadPool* pool = nullptr);

// The codes of the same rows in another order: row i is what row order[i] was.
AlignedBytes ReorderCodes(const AlignedBytes& codes,
                          std::span<const uint32_t> order);

// 0 for no codes.
uint32_t BitsOf(const AlignedBytes& codes);

// Writes what was measured into their header.
void SetRecallLoss(float loss, AlignedBytes& codes);

}  // namespace sextant
