// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "base/check.h"
#include "index/vector_codes.h"
#include "index/vector_codes_layout.h"

namespace sextant {
namespace {

constexpr uint64_t kSeed = 20250117;
// Beyond this, sums of squares get near to the largest float.
constexpr float kNumberMax = 1e15F;

// `values` is not empty; its order changes.
float Quantile(std::vector<float>& values, double share) {
  const auto place =
      values.begin() + static_cast<std::ptrdiff_t>(
                           share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), place, values.end());
  return *place;
}

class VectorEncoder {
 public:
  VectorEncoder(VectorShape shape, const float* vectors, uint32_t nodes)
      : shape_(shape),
        vectors_(vectors),
        nodes_(nodes),
        stride_(PaddedStride(shape.dimension)) {}

  AlignedBytes Run() {
    if (nodes_ == 0 || !Survey()) {
      return {};
    }
    CodesHeader header;
    header.magic = CodesLayout::kMagic;
    header.version = CodesLayout::kVersion;
    header.dimension = shape_.dimension;
    header.nodes = nodes_;
    header.has_row_scales = HasRowScales() ? 1 : 0;
    header.stride = CodesLayout::Stride(header);
    header.scale = CommonScale();
    bytes_ = AlignedBytes(CodesLayout::RowsAt(shape_.dimension) +
                          uint64_t{nodes_} * header.stride);
    std::memcpy(bytes_.data() + CodesLayout::kHeaderBytes, mean_.data(),
                mean_.size() * sizeof(float));
    for (uint32_t node = 0; node < nodes_; ++node) {
      EncodeRow(header, node);
    }
    // The error is measured with the codes as they will be read.
    std::memcpy(bytes_.data(), &header, sizeof(header));
    header.error = MeasureError();
    std::memcpy(bytes_.data(), &header, sizeof(header));
    return std::move(bytes_);
  }

 private:
  const float* row(uint32_t node) const {
    return vectors_ + uint64_t{node} * stride_;
  }

  // Mean and range of norms; false if numbers are too large for codes.
  bool Survey() {
    std::vector<double> sums(shape_.dimension, 0);
    float largest = 0;
    for (uint32_t node = 0; node < nodes_; ++node) {
      const float* x = row(node);
      double squared = 0;
      for (uint32_t j = 0; j < shape_.dimension; ++j) {
        sums[j] += x[j];
        squared += static_cast<double>(x[j]) * x[j];
        largest = std::max(largest, std::abs(x[j]));
      }
      const double norm = std::sqrt(squared);
      least_norm_ = node == 0 ? norm : std::min(least_norm_, norm);
      most_norm_ = std::max(most_norm_, norm);
    }
    mean_.assign(stride_, 0);
    for (uint32_t j = 0; j < shape_.dimension; ++j) {
      mean_[j] = static_cast<float>(sums[j] / nodes_);
    }
    return largest <= kNumberMax;
  }

  // A common scale saves a cache line a row where dimension is a multiple of
  // 64, and loses nothing where all norms are equal.
  bool HasRowScales() const {
    CodesHeader with;
    with.dimension = shape_.dimension;
    CodesHeader without = with;
    with.has_row_scales = 1;
    return shape_.metric == Metric::kL2 || most_norm_ > 1.01 * least_norm_ ||
           CodesLayout::Stride(with) == CodesLayout::Stride(without);
  }

  // Clips the outermost 0.05 % of the numbers.
  float CommonScale() const {
    constexpr uint32_t kSampleRows = 4096;
    constexpr double kKept = 0.9995;
    std::vector<float> sizes;
    for (uint64_t i = 0; i < std::min(nodes_, kSampleRows); ++i) {
      const float* x = row(
          static_cast<uint32_t>(i * nodes_ / std::min(nodes_, kSampleRows)));
      for (uint32_t j = 0; j < shape_.dimension; ++j) {
        sizes.push_back(std::abs(x[j] - mean_[j]));
      }
    }
    const float kept = Quantile(sizes, kKept);
    return kept > 0 ? kept / CodesLayout::kCodeMax : 1;
  }

  void EncodeRow(const CodesHeader& header, uint32_t node) {
    char* place = bytes_.data() + CodesLayout::RowsAt(shape_.dimension) +
                  uint64_t{node} * header.stride;
    const float* x = row(node);
    float largest = 0;
    double squared = 0;
    for (uint32_t j = 0; j < shape_.dimension; ++j) {
      const float moved = x[j] - mean_[j];
      largest = std::max(largest, std::abs(moved));
      squared += static_cast<double>(moved) * moved;
    }
    CodesLayout::RowTail tail;
    tail.scale = largest > 0 ? largest / CodesLayout::kCodeMax : 1;
    tail.squared_norm = static_cast<float>(squared);
    const float scale = header.has_row_scales != 0 ? tail.scale : header.scale;
    for (uint32_t j = 0; j < shape_.dimension; ++j) {
      const float code =
          std::clamp((x[j] - mean_[j]) / scale, -CodesLayout::kCodeMax,
                     CodesLayout::kCodeMax);
      place[j] = static_cast<char>(static_cast<uint8_t>(
          static_cast<int>(std::nearbyint(code)) + CodesLayout::kZeroCode));
    }
    if (header.has_row_scales != 0) {
      std::memcpy(place + header.stride - sizeof(tail), &tail, sizeof(tail));
    }
  }

  // Of random pairs: rounding errs as much between near ones.
  float MeasureError() const {
    constexpr uint32_t kQueries = 64;
    constexpr uint32_t kRows = 64;
    constexpr double kCovered = 0.999;
    const auto codes = VectorCodes::Open(shape_, nodes_, bytes_);
    CHECK(codes.ok()) << " " << codes.status();
    std::mt19937_64 random(kSeed);
    CodedQuery coded;
    std::vector<float> errors;
    for (uint32_t i = 0; i < kQueries; ++i) {
      const float* query = row(static_cast<uint32_t>(random() % nodes_));
      if (!codes->EncodeQuery({query, shape_.dimension}, coded) ||
          coded.norm == 0) {
        continue;
      }
      for (uint32_t r = 0; r < kRows; ++r) {
        const auto node = static_cast<uint32_t>(random() % nodes_);
        float approximate = 0;
        codes->Distances(coded, {&node, 1}, &approximate);
        errors.push_back(std::abs(approximate - Distance(query, row(node))) /
                         coded.norm);
      }
    }
    return errors.empty() ? 0 : Quantile(errors, kCovered);
  }

  float Distance(const float* a, const float* b) const {
    return shape_.metric == Metric::kL2
               ? Kernels().squared_l2(a, b, shape_.dimension)
               : -Kernels().inner_product(a, b, shape_.dimension);
  }

  const VectorShape shape_;
  const float* const vectors_;
  const uint32_t nodes_;
  const size_t stride_;
  std::vector<float> mean_;  // padded with zeros
  double least_norm_ = 0;
  double most_norm_ = 0;
  AlignedBytes bytes_;
};

}  // namespace

AlignedBytes EncodeVectors(VectorShape shape, const float* vectors,
                           uint32_t nodes) {
  return VectorEncoder(shape, vectors, nodes).Run();
}

}  // namespace sextant
