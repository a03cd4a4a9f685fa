// SPDX-License-Identifier: Apache-2.0
#include "index/node_distances.h"

#include <algorithm>

namespace sextant {

NodeDistances::NodeDistances(VectorShape shape, const float* vectors,
                             const VectorCodes* codes)
    : vectors_(vectors),
      codes_(codes),
      dimension_(shape.dimension),
      stride_(PaddedStride(shape.dimension)),
      prefetch_floats_(std::min<size_t>(kPrefetchFloats, shape.dimension)),
      rows_kernel_(shape.metric == Metric::kL2 ? Kernels().squared_l2_rows
                                               : Kernels().inner_product_rows),
      sign_(shape.metric == Metric::kL2 ? 1.0F : -1.0F) {}

void NodeDistances::SetQuery(uint32_t node, Query& query) const {
  query.vector = vectors_ + node * stride_;
  query.is_coded = codes_ != nullptr &&
                   codes_->EncodeQuery({query.vector, dimension_}, query.coded);
}

void NodeDistances::Exact(const Query& query, std::span<const uint32_t> nodes,
                          float* out) const {
  rows_kernel_(query.vector, vectors_, stride_, dimension_, nodes, out);
  for (size_t i = 0; i < nodes.size(); ++i) {
    out[i] *= sign_;
  }
}

}  // namespace sextant
