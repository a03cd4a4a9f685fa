// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>

#include "absl/strings/string_view.h"

namespace sextant {

namespace aligned_internal {
// Aligned to 64 bytes, or to huge pages when large: a graph search touches
// memory at random and misses the TLB at every step. Throws std::bad_alloc.
void* Allocate(size_t size_bytes);
void* AllocateZeroed(size_t size_bytes);
void Release(void* memory, size_t size_bytes);

struct Free {
  size_t size_bytes = 0;
  void operator()(void* memory) const { Release(memory, size_bytes); }
};
}  // namespace aligned_internal

// An array aligned to cache lines, zeroed at first unless it is said. Owned,
// fixed size.
template <typename T>
class AlignedArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  AlignedArray() = default;
  explicit AlignedArray(size_t size)
      : memory_(
            static_cast<T*>(aligned_internal::AllocateZeroed(size * sizeof(T))),
            {size * sizeof(T)}),
        size_(size) {}
  // What was moved from is empty.
  AlignedArray(AlignedArray&& other) noexcept
      : memory_(std::move(other.memory_)),
        size_(std::exchange(other.size_, 0)) {}
  AlignedArray& operator=(AlignedArray&& other) noexcept {
    memory_ = std::move(other.memory_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }

  // Not zeroed: for who writes all that is read.
  static AlignedArray Uninitialized(size_t size) {
    AlignedArray result;
    result.memory_ = {
        static_cast<T*>(aligned_internal::Allocate(size * sizeof(T))),
        {size * sizeof(T)}};
    result.size_ = size;
    return result;
  }

  static AlignedArray Copy(
      absl::string_view bytes) requires std::same_as<T, char> {
    AlignedArray result;
    if (bytes.empty()) {
      return result;
    }
    result.memory_ = {
        static_cast<char*>(aligned_internal::Allocate(bytes.size())),
        {bytes.size()}};
    result.size_ = bytes.size();
    std::memcpy(result.data(), bytes.data(), bytes.size());
    return result;
  }

  T* data() { return memory_.get(); }
  const T* data() const { return memory_.get(); }
  size_t size() const { return size_; }
  size_t size_bytes() const { return size_ * sizeof(T); }

  // NOLINTNEXTLINE(google-explicit-constructor): bytes are a view of bytes
  operator absl::string_view() const requires std::same_as<T, char> {
    return {data(), size()};
  }

 private:
  std::unique_ptr<T, aligned_internal::Free> memory_;
  size_t size_ = 0;
};

// Bytes of a section, aligned as they should be in a mapped file too.
using AlignedBytes = AlignedArray<char>;

}  // namespace sextant
