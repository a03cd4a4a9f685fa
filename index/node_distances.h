// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <span>

#include "index/distance.h"
#include "index/vector_codes.h"
#include "index/vector_index.h"

namespace sextant {

// Distances between the nodes of one graph under construction, smaller is
// nearer: squared L2, else the negative inner product. From the nodes' codes
// where there are any.
//
// A view of vectors and codes that it does not own. Immutable, thread-safe.
class NodeDistances {
 public:
  // `vectors` are rows of padded stride; `codes` may be null.
  NodeDistances(VectorShape shape, const float* vectors,
                const VectorCodes* codes);

  // A node as the other end of many distances. Reused.
  struct Query {
    const float* vector = nullptr;
    bool is_coded = false;
    CodedQuery coded;
  };
  void SetQuery(uint32_t node, Query& query) const;

  // By the codes, if there are any.
  void Near(const Query& query, std::span<const uint32_t> nodes,
            float* out) const {
    if (query.is_coded) {
      codes_->Distances(query.coded, nodes, out);
    } else {
      Exact(query, nodes, out);
    }
  }
  // By the floats.
  void Exact(const Query& query, std::span<const uint32_t> nodes,
             float* out) const;

  // What Near() reads of a node.
  void Prefetch(uint32_t node) const {
    if (codes_ != nullptr) {
      codes_->Prefetch(node);
    } else {
      PrefetchVector(node);
    }
  }
  void PrefetchVector(uint32_t node) const {
    const float* row = vectors_ + node * stride_;
    for (size_t i = 0; i < prefetch_floats_; i += kLineFloats) {
      __builtin_prefetch(row + i);
    }
  }

 private:
  const float* vectors_;
  const VectorCodes* codes_;
  size_t dimension_;
  size_t stride_;
  size_t prefetch_floats_;
  decltype(DistanceKernels::inner_product_rows) rows_kernel_;
  float sign_;
};

}  // namespace sextant
