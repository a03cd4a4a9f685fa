// SPDX-License-Identifier: Apache-2.0
#include "index/query_encoder.h"

#include <algorithm>
#include <cmath>

namespace sextant {

QueryEncoder::QueryEncoder(const CodesHeader& header, const float* mean)
    : header_(header),
      metric_(static_cast<Metric>(header.metric)),
      mean_(mean) {
  if (header.bits == 1) {
    rotation_.emplace(header.dimension);
  }
}

bool QueryEncoder::Encode(std::span<const float> query,
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

bool QueryEncoder::EncodeNumbers(CodedQuery& coded) const {
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

int32_t QueryEncoder::SetBytes(float inverse_step, CodedQuery& coded) const {
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

int32_t QueryEncoder::SetBitPlanes(float inverse_step,
                                   CodedQuery& coded) const {
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

}  // namespace sextant
