// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "index/distance.h"
#include "index/row_bias.h"
#include "index/scan.h"
#include "index/vector_codes.h"

namespace sextant {

// What a walk over a graph reads of its nodes: distances from one query, by
// floats or by codes. Smaller is nearer: squared L2, else the negative inner
// product; error() is how far one may well be from that of the floats. Views
// for the time of one walk.

class FloatRows {
 public:
  // Whether the distances are those that score.
  static constexpr bool kExact = true;

  // Rows of padded stride at `vectors`.
  FloatRows(Metric metric, std::span<const float> query, const float* vectors)
      : query_(query.data()),
        vectors_(vectors),
        dimension_(query.size()),
        stride_(PaddedStride(dimension_)),
        prefetch_floats_(std::min<size_t>(kPrefetchFloats, dimension_)),
        scorer_(metric) {}

  void Distances(std::span<const uint32_t> nodes, float* out) const {
    scorer_.rows(query_, vectors_, stride_, dimension_, nodes, out);
    for (size_t i = 0; i < nodes.size(); ++i) {
      out[i] *= -scorer_.sign;
    }
  }
  void Prefetch(uint32_t node) const {
    const float* row = vectors_ + node * stride_;
    for (size_t i = 0; i < prefetch_floats_; i += kLineFloats) {
      __builtin_prefetch(row + i);
    }
  }
  static float error() { return 0; }

 private:
  const float* query_;
  const float* vectors_;
  size_t dimension_;
  size_t stride_;
  size_t prefetch_floats_;
  Scorer scorer_;
};

class CodeRows {
 public:
  static constexpr bool kExact = false;

  CodeRows(const VectorCodes& codes, const CodedQuery& query)
      : codes_(codes), query_(query) {}

  void Distances(std::span<const uint32_t> nodes, float* out) const {
    codes_.Distances(query_, nodes, out);
  }
  void Prefetch(uint32_t node) const { codes_.Prefetch(node); }
  float error() const { return codes_.error(query_); }

 private:
  const VectorCodes& codes_;
  const CodedQuery& query_;
};

// The same with a bias: the walk goes by corrected distances.
template <typename Rows>
class BiasedRows {
 public:
  static constexpr bool kExact = Rows::kExact;

  BiasedRows(const Rows& rows, const RowBias& bias)
      : rows_(rows), bias_(bias) {}

  void Distances(std::span<const uint32_t> nodes, float* out) const {
    rows_.Distances(nodes, out);
    bias_.Correct(nodes, -1, out);
  }
  void Prefetch(uint32_t node) const {
    rows_.Prefetch(node);
    __builtin_prefetch(bias_.by_row + node);
  }
  float error() const { return rows_.error(); }

 private:
  const Rows rows_;
  const RowBias bias_;
};

}  // namespace sextant
