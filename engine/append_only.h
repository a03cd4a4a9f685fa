// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/check.h"

namespace sextant {

// A list that only grows, in chunks that double in size and never move.
//
// One writer appends; any thread may read elements below a count that was
// published to it after they were appended.
template <typename T>
class AppendOnly {
 public:
  void Append(T value) {
    const Place place = PlaceOf(size_);
    CHECK_LT(place.chunk, chunks_.size());
    if (chunks_[place.chunk] == nullptr) {
      chunks_[place.chunk] = std::make_unique<T[]>(ChunkSize(place.chunk));
    }
    chunks_[place.chunk][place.offset] = std::move(value);
    ++size_;
  }

  const T& operator[](uint32_t index) const {
    const Place place = PlaceOf(index);
    return chunks_[place.chunk][place.offset];
  }

  // Writer only.
  uint32_t size() const { return size_; }

 private:
  static constexpr uint32_t kFirstChunk = 16;

  struct Place {
    uint32_t chunk;
    uint32_t offset;
  };
  static constexpr size_t ChunkSize(uint32_t chunk) {
    return size_t{kFirstChunk} << chunk;
  }
  // Chunk c starts at kFirstChunk * (2^c - 1).
  static Place PlaceOf(uint32_t index) {
    const uint32_t unit = index / kFirstChunk + 1;
    const auto chunk = static_cast<uint32_t>(std::bit_width(unit) - 1);
    return {chunk, index - kFirstChunk * (std::bit_floor(unit) - 1)};
  }

  std::array<std::unique_ptr<T[]>, 27> chunks_;
  uint32_t size_ = 0;
};

}  // namespace sextant
