// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "ranking/hubness/bank_statistics.h"
#include "ranking/hubness/row_kernels.h"

namespace sextant {

// The nearest rows of many that come in ascending order, as many as there are
// places: nearest first, equal ones by lower row. A view of the places.
class NearestRows {
 public:
  explicit NearestRows(std::span<Neighbor> places) : places_(places) {}

  // The same after `rows` rows were offered to another over these places.
  NearestRows(std::span<Neighbor> places, size_t rows)
      : places_(places), size_(std::min(places.size(), rows)) {}

  void Add(const float* values, size_t first_row, size_t count) {
    if (size_ == places_.size() &&
        ChosenRowKernels().max(values, count) <= places_.back().similarity) {
      return;
    }
    for (size_t i = 0; i < count; ++i) {
      Offer(values[i], static_cast<uint32_t>(first_row + i));
    }
  }

  void Offer(float similarity, uint32_t row) {
    if (size_ == places_.size()) {
      // An equal one that came before has the lower row.
      if (!(similarity > places_.back().similarity)) {
        return;
      }
    } else {
      ++size_;
    }
    size_t place = size_ - 1;
    for (; place > 0 && similarity > places_[place - 1].similarity; --place) {
      places_[place] = places_[place - 1];
    }
    places_[place] = {similarity, row};
  }

 private:
  std::span<Neighbor> places_;
  size_t size_ = 0;
};

}  // namespace sextant
