// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"

#include "base/context.h"
#include "index/row_bias.h"
#include "index/row_filter.h"
#include "index/top_k.h"
#include "index/vector_index.h"

namespace sextant {

// One vector field of the growing segment: append-only rows in chunks that
// double in size and never move (three rows cost kilobytes, not a full block).
//
// One writer appends; any number of readers scan rows below a count that was
// published to them after the rows were appended. Rows are numbered from 0; a
// point without this field has no row, so each row keeps its ordinal.
class GrowingVectors {
 public:
  // At most `max_rows` rows.
  GrowingVectors(VectorShape shape, uint32_t max_rows);
  ~GrowingVectors();

  // Copies the vector (normalised by the caller under kCosine). Ordinals
  // ascend.
  void Append(std::span<const float> vector, Ordinal ordinal);

  uint32_t dimension() const;
  // Rows appended so far; writer only.
  uint32_t rows() const;
  const float* row_vector(uint32_t row) const;
  // Rows [first, first + count) one after another, without padding.
  std::vector<float> CopyVectors(uint32_t first, uint32_t count) const;
  Ordinal row_ordinal(uint32_t row) const;
  uint64_t size_bytes() const;  // memory allocated

  // Offers rows [0, visible_rows) that `filter` allows; a bias has that many.
  absl::Status Scan(const VectorQuery& query, uint32_t visible_rows,
                    const RowFilter& filter, const RequestContext& context,
                    TopK& top, SearchWork& work) const;

 private:
  struct Rep;
  std::unique_ptr<Rep> rep_;
};

}  // namespace sextant
