// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "base/check.h"
#include "index/parallel_nodes.h"
#include "index/vector_codes.h"
#include "index/vector_codes_layout.h"

namespace sextant {
namespace {

constexpr uint64_t kSeed = 20250117;
// Beyond this, sums of squares get near to the largest float.
constexpr float kNumberMax = 1e15F;
constexpr uint32_t kStep = 1024;  // rows that a thread encodes at a time

// `values` is not empty; its order changes.
float Quantile(std::vector<float>& values, double share) {
  const auto place =
      values.begin() + static_cast<std::ptrdiff_t>(
                           share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), place, values.end());
  return *place;
}

// Encodes one row after another. Owned by one thread.
class RowEncoder {
 public:
  // `mean` and `rotation` outlive this.
  RowEncoder(uint32_t dimension, uint32_t bits, const float* mean,
             const RandomRotation& rotation)
      : dimension_(dimension), bits_(bits), mean_(mean), rotation_(rotation) {}

  // Writes the row's codes to `place`, which is zeroed, and returns its tail;
  // codes of 16 bits have none.
  CodesLayout::RowTail Encode(const float* x, uint8_t* place) {
    moved_.resize(dimension_);
    float largest = 0;
    double squared = 0;
    for (uint32_t j = 0; j < dimension_; ++j) {
      moved_[j] = x[j] - mean_[j];
      largest = std::max(largest, std::abs(moved_[j]));
      squared += static_cast<double>(moved_[j]) * moved_[j];
    }
    CodesLayout::RowTail tail;
    tail.squared_norm = static_cast<float>(squared);
    switch (bits_) {
      case 1:
        tail.scale = EncodeBits(squared, place);
        break;
      case 4:
        tail.scale = EncodeNibbles(largest, squared, place);
        break;
      case 16:
        EncodeBf16(place);
        break;
      default:
        tail.scale = EncodeBytes(largest, place);
    }
    return tail;
  }

 private:
  // The nearest bf16 numbers, even ones of two.
  void EncodeBf16(uint8_t* place) const {
    for (size_t j = 0; j < moved_.size(); ++j) {
      const auto bits = std::bit_cast<uint32_t>(moved_[j]);
      const auto rounded =
          static_cast<uint16_t>((bits + 0x7FFFU + (bits >> 16U & 1U)) >> 16U);
      std::memcpy(place + j * sizeof(rounded), &rounded, sizeof(rounded));
    }
  }

  // These write the codes of moved_ and return the row's scale.
  float EncodeBits(double squared, uint8_t* place) {
    moved_.resize(RandomRotation::PaddedDimension(dimension_), 0);
    rotation_.Apply(moved_);
    double product = 0;
    for (size_t j = 0; j < moved_.size(); ++j) {
      const uint32_t bit = moved_[j] >= 0 ? 1 : 0;
      place[j / 8] = static_cast<uint8_t>(place[j / 8] | bit << j % 8);
      product += std::abs(moved_[j]);
    }
    return product > 0 ? static_cast<float>(squared / product) : 0;
  }

  float EncodeBytes(float largest, uint8_t* place) const {
    const float scale = largest > 0 ? largest / CodesLayout::kCodeMax : 1;
    for (uint32_t j = 0; j < dimension_; ++j) {
      const float code = std::clamp(moved_[j] / scale, -CodesLayout::kCodeMax,
                                    CodesLayout::kCodeMax);
      place[j] = static_cast<uint8_t>(static_cast<int>(std::nearbyint(code)) +
                                      CodesLayout::kZeroCode);
    }
    return scale;
  }

  float EncodeNibbles(float largest, double squared, uint8_t* place) const {
    const float step = BestStep(largest, squared);
    const size_t half = CodesLayout::NibbleHalf(dimension_);
    float product = 0;
    for (size_t j = 0; j < dimension_; ++j) {
      const float code = Nibble(moved_[j], 1 / step);
      product += moved_[j] * code;
      const auto bits = static_cast<uint32_t>(code + CodesLayout::kNibbleMax);
      uint8_t& byte = place[j < half ? j : j - half];
      byte = static_cast<uint8_t>(byte | (j < half ? bits : bits << 4U));
    }
    return product > 0 ? static_cast<float>(squared / product) : 0;
  }

  // In steps, half-way between whole numbers.
  static float Nibble(float number, float inverse_step) {
    return std::clamp(std::floor(number * inverse_step) + 0.5F,
                      -CodesLayout::kNibbleMax, CodesLayout::kNibbleMax);
  }

  // The step whose codes have the best cosine with moved_. A row of normal
  // numbers is best clipped at about 2.7 times their deviation.
  float BestStep(float largest, double squared) const {
    constexpr float kClips[] = {1.9F, 2.3F, 2.7F, 3.1F, 3.6F};
    const float deviation = static_cast<float>(std::sqrt(squared / dimension_));
    const float widest = largest / CodesLayout::kNibbleMax;
    float best_step = widest > 0 && std::isnormal(widest) ? widest : 1;
    float best_cosine = CosineOfNibbles(best_step);
    for (const float clip : kClips) {
      const float step = clip * deviation / CodesLayout::kNibbleMax;
      if (!(step < widest) || !std::isnormal(step)) {
        continue;
      }
      const float cosine = CosineOfNibbles(step);
      if (cosine > best_cosine) {
        best_cosine = cosine;
        best_step = step;
      }
    }
    return best_step;
  }

  // Times the norm of moved_, which all steps share.
  float CosineOfNibbles(float step) const {
    const float inverse = 1 / step;
    float product = 0;
    float squared = 0;
    for (const float number : moved_) {
      const float code = Nibble(number, inverse);
      product += number * code;
      squared += code * code;
    }
    return product / std::sqrt(squared);
  }

  const uint32_t dimension_;
  const uint32_t bits_;
  const float* const mean_;
  const RandomRotation& rotation_;
  std::vector<float> moved_;  // the row at work, less the mean
};

class VectorEncoder {
 public:
  VectorEncoder(VectorShape shape, const float* vectors, uint32_t nodes,
                uint32_t bits)
      : shape_(shape),
        vectors_(vectors),
        stride_(PaddedStride(shape.dimension)),
        rotation_(shape.dimension) {
    header_.magic = CodesLayout::kMagic;
    header_.version = CodesLayout::kVersion;
    header_.metric = static_cast<uint32_t>(shape.metric);
    header_.dimension = shape.dimension;
    header_.nodes = nodes;
    header_.bits = bits;
    header_.stride = CodesLayout::Stride(header_);
  }

  AlignedBytes Run(ThreadPool* pool) {
    if (header_.nodes == 0 || !FindMean()) {
      return {};
    }
    bytes_ = AlignedBytes(CodesLayout::TotalBytes(header_));
    std::memcpy(bytes_.data() + CodesLayout::kHeaderBytes, mean_.data(),
                mean_.size() * sizeof(float));
    const uint32_t steps = (header_.nodes - 1) / kStep + 1;
    ForEachStep(pool, steps, [this](size_t step) {
      const auto first = static_cast<uint32_t>(step) * kStep;
      EncodeRows(first, std::min(kStep, header_.nodes - first));
    });
    // The error is measured with the codes as they will be read.
    std::memcpy(bytes_.data(), &header_, sizeof(header_));
    header_.error = MeasureError();
    std::memcpy(bytes_.data(), &header_, sizeof(header_));
    return std::move(bytes_);
  }

 private:
  const float* row(uint32_t node) const {
    return vectors_ + uint64_t{node} * stride_;
  }

  // False if numbers are too large for codes.
  bool FindMean() {
    std::vector<double> sums(shape_.dimension, 0);
    float largest = 0;
    for (uint32_t node = 0; node < header_.nodes; ++node) {
      const float* x = row(node);
      for (uint32_t j = 0; j < shape_.dimension; ++j) {
        sums[j] += x[j];
        largest = std::max(largest, std::abs(x[j]));
      }
    }
    mean_.assign(stride_, 0);
    for (uint32_t j = 0; j < shape_.dimension; ++j) {
      mean_[j] = static_cast<float>(sums[j] / header_.nodes);
    }
    return largest <= kNumberMax;
  }

  void EncodeRows(uint32_t first, uint32_t count) {
    RowEncoder encoder(shape_.dimension, header_.bits, mean_.data(), rotation_);
    for (uint32_t node = first; node < first + count; ++node) {
      const CodesLayout::RowTail tail = encoder.Encode(
          row(node), reinterpret_cast<uint8_t*>(
                         bytes_.data() + CodesLayout::RowsAt(shape_.dimension) +
                         uint64_t{node} * header_.stride));
      if (CodesLayout::TailBytes(header_) > 0) {
        std::memcpy(bytes_.data() + CodesLayout::TailsAt(header_) +
                        uint64_t{node} * CodesLayout::TailStep(header_),
                    &tail, sizeof(tail));
      }
    }
  }

  // Of random pairs: rounding errs as much between near ones.
  float MeasureError() const {
    constexpr uint32_t kQueries = 64;
    constexpr uint32_t kRows = 64;
    constexpr double kCovered = 0.999;
    const auto codes = VectorCodes::Open(shape_, header_.nodes, bytes_);
    CHECK(codes.ok()) << " " << codes.status();
    std::mt19937_64 random(kSeed);
    CodedQuery coded;
    std::vector<float> errors;
    for (uint32_t i = 0; i < kQueries; ++i) {
      const float* query = row(static_cast<uint32_t>(random() % header_.nodes));
      if (!codes->EncodeQuery({query, shape_.dimension}, coded) ||
          coded.norm == 0) {
        continue;
      }
      for (uint32_t r = 0; r < kRows; ++r) {
        const auto node = static_cast<uint32_t>(random() % header_.nodes);
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
  const size_t stride_;
  const RandomRotation rotation_;  // for 1-bit codes
  CodesHeader header_;
  std::vector<float> mean_;  // padded with zeros
  AlignedBytes bytes_;
};

CodesHeader HeaderOf(const AlignedBytes& codes) {
  CodesHeader header;
  CHECK_GE(codes.size(), sizeof(header));
  std::memcpy(&header, codes.data(), sizeof(header));
  return header;
}

}  // namespace

AlignedBytes EncodeVectors(VectorShape shape, const float* vectors,
                           uint32_t nodes, uint32_t bits, ThreadPool* pool) {
  return VectorEncoder(shape, vectors, nodes, bits).Run(pool);
}

AlignedBytes ReorderCodes(const AlignedBytes& codes,
                          std::span<const uint32_t> order) {
  const CodesHeader header = HeaderOf(codes);
  CHECK_EQ(order.size(), header.nodes);
  AlignedBytes result(codes.size());
  const auto copy_rows = [&](size_t at, size_t step, size_t bytes) {
    for (size_t node = 0; node < order.size(); ++node) {
      std::memcpy(result.data() + at + node * step,
                  codes.data() + at + order[node] * step, bytes);
    }
  };
  const size_t rows_at = CodesLayout::RowsAt(header.dimension);
  std::memcpy(result.data(), codes.data(), rows_at);
  copy_rows(rows_at, header.stride, header.stride);
  if (!CodesLayout::HasTailsInRows(header)) {
    copy_rows(CodesLayout::TailsAt(header), CodesLayout::TailStep(header),
              sizeof(CodesLayout::RowTail));
  }
  return result;
}

uint32_t BitsOf(const AlignedBytes& codes) {
  return codes.size() == 0 ? 0 : HeaderOf(codes).bits;
}

void SetRecallLoss(float loss, AlignedBytes& codes) {
  CodesHeader header = HeaderOf(codes);
  header.recall_loss = loss;
  std::memcpy(codes.data(), &header, sizeof(header));
}

}  // namespace sextant
