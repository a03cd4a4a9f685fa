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
  if (header.metric != static_cast<uint32_t>(shape.metric) ||
      header.dimension != shape.dimension || header.nodes != nodes ||
      (header.bits != 4 && header.bits != 8) ||
      header.stride != CodesLayout::Stride(header) ||
      bytes.size() != CodesLayout::TotalBytes(header)) {
    return damaged(absl::StrCat(bytes.size(), " bytes do not fit dimension ",
                                shape.dimension, " and ", nodes, " nodes"));
  }
  codes.metric_ = shape.metric;
  codes.mean_ =
      reinterpret_cast<const float*>(bytes.data() + CodesLayout::kHeaderBytes);
  codes.rows_ = reinterpret_cast<const uint8_t*>(bytes.data() + rows_at);
  codes.tails_ = bytes.data() + CodesLayout::TailsAt(header);
  codes.tail_step_ = CodesLayout::TailStep(header);
  codes.prefetch_bytes_ = std::min<size_t>(header.stride, kPrefetchCodes);
  // A tail that ends its row may lie past what is prefetched of the row.
  codes.has_tail_lines_ = !CodesLayout::HasTailsInRows(header) ||
                          codes.prefetch_bytes_ < header.stride;
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
  const float inverse = scale > 0 ? 1 / scale : 0;
  if (!std::isfinite(inverse)) {
    return false;
  }
  EncodeNumbers(inverse, coded);
  return true;
}

void VectorCodes::EncodeNumbers(float inverse_scale, CodedQuery& coded) const {
  const bool is_nibbles = header_.bits == 4;
  const size_t size = header_.stride * (is_nibbles ? 2 : 1);
  if (coded.codes.size() < size) {
    coded.codes = AlignedArray<int8_t>(size);
  }
  int8_t* const codes = coded.codes.data();
  std::fill_n(codes, size, int8_t{0});
  const size_t half = CodesLayout::NibbleHalf(header_.dimension);
  int32_t sum = 0;
  for (size_t j = 0; j < header_.dimension; ++j) {
    const auto code = static_cast<int32_t>(std::nearbyint(
        std::clamp(coded.moved[j] * inverse_scale, -CodesLayout::kCodeMax,
                   CodesLayout::kCodeMax)));
    const bool is_high = is_nibbles && j >= half;
    codes[is_high ? header_.stride + j - half : j] = static_cast<int8_t>(code);
    sum += code;
  }
  if (is_nibbles) {
    // Zero is half a code.
    coded.factor = 2;
    coded.weight /= 2;
    coded.offset = static_cast<int32_t>(2 * CodesLayout::kNibbleMax) * sum;
  } else {
    coded.factor = 1;
    coded.offset = CodesLayout::kZeroCode * sum;
  }
}

void VectorCodes::Distances(const CodedQuery& query,
                            std::span<const uint32_t> nodes, float* out) const {
  const auto dot_rows =
      header_.bits == 4 ? Kernels().nibble_dot_rows : Kernels().code_dot_rows;
  const bool is_l2 = metric_ == Metric::kL2;
  constexpr size_t kStep = 64;
  std::array<int32_t, kStep> products;
  while (!nodes.empty()) {
    const auto step = nodes.first(std::min(kStep, nodes.size()));
    dot_rows(query.codes.data(), rows_, header_.stride, step, products.data());
    for (size_t i = 0; i < step.size(); ++i) {
      CodesLayout::RowTail row;
      std::memcpy(&row, tails_ + step[i] * tail_step_, sizeof(row));
      const auto product =
          static_cast<float>(products[i] * query.factor - query.offset);
      out[i] = query.base + (is_l2 ? row.squared_norm : 0) +
               query.weight * row.scale * product;
    }
    nodes = nodes.subspan(step.size());
    out += step.size();
  }
}

}  // namespace sextant
