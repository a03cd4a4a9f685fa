// SPDX-License-Identifier: Apache-2.0
#include "index/vector_codes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

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
  if (header.dimension != shape.dimension || header.nodes != nodes ||
      header.stride != CodesLayout::Stride(header) ||
      bytes.size() != rows_at + uint64_t{nodes} * header.stride ||
      (shape.metric == Metric::kL2 && header.has_row_scales == 0)) {
    return damaged(absl::StrCat(bytes.size(), " bytes do not fit dimension ",
                                shape.dimension, " and ", nodes, " nodes"));
  }
  codes.metric_ = shape.metric;
  codes.mean_ =
      reinterpret_cast<const float*>(bytes.data() + CodesLayout::kHeaderBytes);
  codes.rows_ = reinterpret_cast<const uint8_t*>(bytes.data() + rows_at);
  codes.prefetch_bytes_ = std::min<size_t>(header.stride, kPrefetchCodes);
  return codes;
}

bool VectorCodes::EncodeQuery(std::span<const float> query,
                              CodedQuery& coded) const {
  const bool is_l2 = metric_ == Metric::kL2;
  const size_t dimension = query.size();
  coded.moved.assign(query.begin(), query.end());
  double mean_product = 0;
  double squared_norm = 0;
  float largest = 0;
  for (size_t j = 0; j < dimension; ++j) {
    if (is_l2) {
      coded.moved[j] -= mean_[j];
    }
    const double x = coded.moved[j];
    mean_product += x * static_cast<double>(mean_[j]);
    squared_norm += x * x;
    largest = std::max(largest, std::abs(coded.moved[j]));
  }
  const float scale = largest / CodesLayout::kCodeMax;
  coded.base = static_cast<float>(is_l2 ? squared_norm : -mean_product);
  coded.norm = static_cast<float>(std::sqrt(squared_norm));
  coded.weight = is_l2 ? -2 * scale : -scale;
  if (!std::isfinite(coded.base) || !std::isfinite(coded.norm)) {
    return false;
  }
  if (coded.codes.size() < header_.stride) {
    coded.codes = AlignedArray<int8_t>(header_.stride);
  }
  const float inverse = scale > 0 ? 1 / scale : 0;
  if (!std::isfinite(inverse)) {
    return false;
  }
  int32_t sum = 0;
  for (size_t j = 0; j < dimension; ++j) {
    const auto code = static_cast<int32_t>(std::nearbyint(
        std::clamp(coded.moved[j] * inverse, -CodesLayout::kCodeMax,
                   CodesLayout::kCodeMax)));
    coded.codes.data()[j] = static_cast<int8_t>(code);
    sum += code;
  }
  std::fill(coded.codes.data() + dimension, coded.codes.data() + header_.stride,
            int8_t{0});
  coded.offset = CodesLayout::kZeroCode * sum;
  return true;
}

void VectorCodes::Distances(const CodedQuery& query,
                            std::span<const uint32_t> nodes, float* out) const {
  constexpr size_t kStep = 64;
  std::array<int32_t, kStep> products;
  while (!nodes.empty()) {
    const auto step = nodes.first(std::min(kStep, nodes.size()));
    Kernels().code_dot_rows(query.codes.data(), rows_, header_.stride,
                            header_.stride, step, products.data());
    if (header_.has_row_scales != 0) {
      for (size_t i = 0; i < step.size(); ++i) {
        CodesLayout::RowTail row;
        std::memcpy(
            &row,
            rows_ + (uint64_t{step[i]} + 1) * header_.stride - sizeof(row),
            sizeof(row));
        const float bias = metric_ == Metric::kL2 ? row.squared_norm : 0;
        out[i] = query.base + bias +
                 query.weight * row.scale *
                     static_cast<float>(products[i] - query.offset);
      }
    } else {
      const float weight = query.weight * header_.scale;
      for (size_t i = 0; i < step.size(); ++i) {
        out[i] = query.base +
                 weight * static_cast<float>(products[i] - query.offset);
      }
    }
    nodes = nodes.subspan(step.size());
    out += step.size();
  }
}

}  // namespace sextant
