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
  codes.mean_ =
      reinterpret_cast<const float*>(bytes.data() + CodesLayout::kHeaderBytes);
  codes.rows_ = reinterpret_cast<const uint8_t*>(bytes.data() + rows_at);
  codes.tails_ = bytes.data() + CodesLayout::TailsAt(header);
  codes.tail_step_ = CodesLayout::TailStep(header);
  codes.prefetch_bytes_ = std::min<size_t>(header.stride, kPrefetchCodes);
  // A tail that ends its row may lie past what is prefetched of the row.
  codes.has_tail_lines_ = !CodesLayout::HasTailsInRows(header) ||
                          codes.prefetch_bytes_ < header.stride;
  if (header.bits == 1) {
    codes.rotation_.emplace(shape.dimension);
  } else if (header.bits == 16) {
    codes.has_tail_lines_ = false;
  }
  return codes;
}

bool VectorCodes::EncodeQuery(std::span<const float> query,
                              CodedQuery& coded) const {
  const bool is_l2 = metric_ == Metric::kL2;
  const size_t dimension = query.size();
  coded.moved.assign(query.begin(), query.end());
  double mean_product = 0;
  double squared_norm = 0;
  for (size_t j = 0; j < dimension; ++j) {
    if (is_l2) {
      coded.moved[j] -= mean_[j];
    }
    const double x = coded.moved[j];
    mean_product += x * static_cast<double>(mean_[j]);
    squared_norm += x * x;
  }
  coded.base = static_cast<float>(is_l2 ? squared_norm : -mean_product);
  coded.norm = static_cast<float>(std::sqrt(squared_norm));
  if (!std::isfinite(coded.base) || !std::isfinite(coded.norm)) {
    return false;
  }
  if (header_.bits == 16) {
    coded.moved.resize(header_.stride / sizeof(uint16_t), 0);
    return true;
  }
  if (rotation_.has_value()) {
    coded.moved.resize(RandomRotation::PaddedDimension(header_.dimension), 0);
    rotation_->Apply(coded.moved);
  }
  return EncodeNumbers(coded);
}

bool VectorCodes::EncodeNumbers(CodedQuery& coded) const {
  float largest = 0;
  for (const float x : coded.moved) {
    largest = std::max(largest, std::abs(x));
  }
  const bool is_bits = header_.bits == 1;
  coded.step =
      largest / (is_bits ? CodesLayout::kPlaneCodeMax : CodesLayout::kCodeMax);
  const float inverse = coded.step > 0 ? 1 / coded.step : 0;
  if (!std::isfinite(inverse)) {
    return false;
  }
  const size_t copies = is_bits ? kBitPlanes : header_.bits == 4 ? 2 : 1;
  if (coded.codes.size() < copies * header_.stride) {
    coded.codes = AlignedArray<int8_t>(copies * header_.stride);
  }
  std::fill_n(coded.codes.data(), copies * header_.stride, int8_t{0});
  const int32_t sum =
      is_bits ? SetBitPlanes(inverse, coded) : SetBytes(inverse, coded);
  coded.weight = metric_ == Metric::kL2 ? -2 * coded.step : -coded.step;
  coded.factor = header_.bits == 8 ? 1 : 2;
  if (is_bits) {
    // A bit b stands for 2 b - 1.
    coded.offset = sum;
  } else if (header_.bits == 4) {
    // Zero is half a code.
    coded.weight /= 2;
    coded.offset = static_cast<int32_t>(2 * CodesLayout::kNibbleMax) * sum;
  } else {
    coded.offset = CodesLayout::kZeroCode * sum;
  }
  return true;
}

int32_t VectorCodes::SetBytes(float inverse_step, CodedQuery& coded) const {
  const size_t half = header_.bits == 4
                          ? CodesLayout::NibbleHalf(header_.dimension)
                          : header_.dimension;
  int32_t sum = 0;
  for (size_t j = 0; j < header_.dimension; ++j) {
    const auto code = static_cast<int32_t>(std::nearbyint(
        std::clamp(coded.moved[j] * inverse_step, -CodesLayout::kCodeMax,
                   CodesLayout::kCodeMax)));
    coded.codes.data()[j < half ? j : header_.stride + j - half] =
        static_cast<int8_t>(code);
    sum += code;
  }
  return sum;
}

int32_t VectorCodes::SetBitPlanes(float inverse_step, CodedQuery& coded) const {
  auto* const planes = reinterpret_cast<uint8_t*>(coded.codes.data());
  int32_t sum = 0;
  for (size_t j = 0; j < coded.moved.size(); ++j) {
    const auto code = static_cast<int32_t>(std::nearbyint(
        std::clamp(coded.moved[j] * inverse_step, -CodesLayout::kPlaneCodeMax,
                   CodesLayout::kPlaneCodeMax)));
    sum += code;
    for (size_t p = 0; p < kBitPlanes; ++p) {
      const uint32_t bit = static_cast<uint32_t>(code) >> p & 1U;
      uint8_t& byte = planes[p * header_.stride + j / 8];
      byte = static_cast<uint8_t>(byte | bit << j % 8);
    }
  }
  return sum;
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
