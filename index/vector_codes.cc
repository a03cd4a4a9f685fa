// SPDX-License-Identifier: Apache-2.0
#include "index/vector_codes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <iterator>

#include "absl/strings/str_cat.h"

namespace sextant {

absl::StatusOr<VectorCodes> VectorCodes::Open(VectorShape shape, uint32_t nodes,
                                              absl::string_view bytes) {
  const auto damaged = [](absl::string_view what) {
    return absl::DataLossError(absl::StrCat("codes: ", what));
  };
  const size_t rows_at = CodesLayout::RowsAt(shape.dimension);
  if (bytes.size() < rows_at) {
    return damaged("shorter than their header");
  }
  VectorCodes codes;
  CodesHeader& header = codes.header_;
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.magic != CodesLayout::kMagic ||
      header.version != CodesLayout::kVersion) {
    return damaged(absl::StrCat("unknown form ", header.magic, " version ",
                                header.version));
  }
  if (header.metric != static_cast<uint32_t>(shape.metric) ||
      header.dimension != shape.dimension || header.nodes != nodes ||
      std::ranges::find(kCodeBits, header.bits) == std::end(kCodeBits) ||
      header.stride != CodesLayout::Stride(header) ||
      bytes.size() != CodesLayout::TotalBytes(header)) {
    return damaged(absl::StrCat(bytes.size(), " bytes do not fit dimension ",
                                shape.dimension, " and ", nodes, " nodes"));
  }
  codes.metric_ = shape.metric;
  codes.encoder_ = QueryEncoder(
      header,
      reinterpret_cast<const float*>(bytes.data() + CodesLayout::kHeaderBytes));
  codes.rows_ = reinterpret_cast<const uint8_t*>(bytes.data() + rows_at);
  codes.tails_ = bytes.data() + CodesLayout::TailsAt(header);
  codes.tail_step_ = CodesLayout::TailStep(header);
  codes.prefetch_bytes_ = std::min<size_t>(header.stride, kPrefetchCodes);
  // A tail that ends its row may lie past what is prefetched of the row.
  codes.has_tail_lines_ = !CodesLayout::HasTailsInRows(header) ||
                          codes.prefetch_bytes_ < header.stride;
  if (header.bits == 16) {
    codes.has_tail_lines_ = false;
  }
  return codes;
}

CodesLayout::RowTail VectorCodes::Tail(uint32_t node) const {
  CodesLayout::RowTail tail;
  std::memcpy(&tail, tails_ + node * tail_step_, sizeof(tail));
  return tail;
}

void VectorCodes::Distances(const CodedQuery& query,
                            std::span<const uint32_t> nodes, float* out) const {
  if (header_.bits == 16) {
    Bf16Distances(query, nodes, out);
    return;
  }
  const auto dot_rows = header_.bits == 1   ? Kernels().bit_dot_rows
                        : header_.bits == 4 ? Kernels().nibble_dot_rows
                                            : Kernels().code_dot_rows;
  const bool is_l2 = metric_ == Metric::kL2;
  constexpr size_t kStep = 64;
  std::array<int32_t, kStep> products;
  while (!nodes.empty()) {
    const auto step = nodes.first(std::min(kStep, nodes.size()));
    dot_rows(query.codes.data(), rows_, header_.stride, step, products.data());
    for (size_t i = 0; i < step.size(); ++i) {
      const CodesLayout::RowTail row = Tail(step[i]);
      const auto product =
          static_cast<float>(products[i] * query.factor - query.offset);
      out[i] = query.base + (is_l2 ? row.squared_norm : 0) +
               query.weight * row.scale * product;
    }
    nodes = nodes.subspan(step.size());
    out += step.size();
  }
}

void VectorCodes::Bf16Distances(const CodedQuery& query,
                                std::span<const uint32_t> nodes,
                                float* out) const {
  if (metric_ == Metric::kL2) {
    Kernels().bf16_l2_rows(query.moved.data(), rows_, header_.stride, nodes,
                           out);
    return;
  }
  Kernels().bf16_product_rows(query.moved.data(), rows_, header_.stride, nodes,
                              out);
  for (size_t i = 0; i < nodes.size(); ++i) {
    out[i] = query.base - out[i];
  }
}

void VectorCodes::Errors(const CodedQuery& query,
                         std::span<const uint32_t> nodes, float* out) const {
  constexpr float kDeviations = 3;
  const auto bits =
      static_cast<float>(RandomRotation::PaddedDimension(header_.dimension));
  const float by_code = query.norm * query.norm / (bits - 1);
  // The variance of a number that was rounded to a step is step^2 / 12.
  const float by_query = bits * query.step * query.step / 12;
  const float deviations =
      metric_ == Metric::kL2 ? 2 * kDeviations : kDeviations;
  for (size_t i = 0; i < nodes.size(); ++i) {
    const CodesLayout::RowTail row = Tail(nodes[i]);
    const float squared_scale = row.scale * row.scale;
    // What the row's signs miss of it.
    const float missed =
        std::max(0.0F, squared_scale * bits - row.squared_norm);
    out[i] =
        deviations * std::sqrt(missed * by_code + squared_scale * by_query);
  }
}

}  // namespace sextant
