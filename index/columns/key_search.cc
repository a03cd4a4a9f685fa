// SPDX-License-Identifier: Apache-2.0
#include "index/columns/key_search.h"

#include <algorithm>

#include "base/coding.h"

namespace sextant {
namespace {

constexpr uint32_t kFanOut = 16;

uint64_t LoadDistance(const char* packed, uint32_t width, uint32_t position) {
  const char* place = packed + size_t{position} * width;
  switch (width) {
    case 1:
      return LoadLittleEndian<uint8_t>(place);
    case 2:
      return LoadLittleEndian<uint16_t>(place);
    case 4:
      return LoadLittleEndian<uint32_t>(place);
    default:
      return LoadLittleEndian<uint64_t>(place);
  }
}

// Number of values < value in values[first .. first + kFanOut), without a
// branch that depends on them.
uint32_t CountBelow(const std::vector<uint64_t>& values, size_t first,
                    uint64_t value) {
  const size_t last = std::min<size_t>(first + kFanOut, values.size());
  uint32_t below = 0;
  for (size_t i = first; i < last; ++i) {
    below += static_cast<uint32_t>(values[i] < value);
  }
  return below;
}

// Each level has the first value of every kFanOut of the level below.
std::vector<uint64_t> Sample(const std::vector<uint64_t>& level) {
  std::vector<uint64_t> sampled;
  sampled.reserve(level.size() / kFanOut + 1);
  for (size_t i = 0; i < level.size(); i += kFanOut) {
    sampled.push_back(level[i]);
  }
  return sampled;
}

}  // namespace

KeySearch::KeySearch(absl::string_view packed, uint32_t size, uint32_t width,
                     NumberKey base)
    : size_(size), width_(width), base_(base), packed_(packed.data()) {
  std::vector<uint64_t> level;
  level.reserve(size / kFanOut + 1);
  for (uint64_t i = 0; i < size; i += kFanOut) {
    level.push_back(LoadDistance(packed_, width_, static_cast<uint32_t>(i)));
  }
  levels_.push_back(std::move(level));
  while (levels_.back().size() > kFanOut) {
    levels_.push_back(Sample(levels_.back()));
  }
}

NumberKey KeySearch::KeyAt(uint32_t position) const {
  return base_ + LoadDistance(packed_, width_, position);
}

uint32_t KeySearch::LowerBound(NumberKey key) const {
  if (size_ == 0 || key <= base_) {
    return 0;
  }
  const uint64_t distance = key - base_;
  // In each level, the answer lies behind the last value that is smaller: the
  // first value of all is, being 0.
  size_t node = 0;
  for (size_t level = levels_.size(); level-- > 0;) {
    const size_t first = node * kFanOut;
    node = first + CountBelow(levels_[level], first, distance) - 1;
  }
  const auto first = static_cast<uint32_t>(node * kFanOut);
  const auto last = static_cast<uint32_t>(
      std::min<uint64_t>(uint64_t{first} + kFanOut, size_));
  uint32_t below = 0;
  for (uint32_t i = first; i < last; ++i) {
    below += static_cast<uint32_t>(LoadDistance(packed_, width_, i) < distance);
  }
  return first + below;
}

size_t KeySearch::memory_bytes() const {
  size_t bytes = 0;
  for (const std::vector<uint64_t>& level : levels_) {
    bytes += level.capacity() * sizeof(uint64_t);
  }
  return bytes;
}

}  // namespace sextant
