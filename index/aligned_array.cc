// SPDX-License-Identifier: Apache-2.0
#include "index/aligned_array.h"

#include <sys/mman.h>

#include <cstring>
#include <new>

namespace sextant {
namespace {

constexpr size_t kHugePageBytes = size_t{2} << 20;
constexpr size_t kLineBytes = 64;

}  // namespace

void AdviseHugePages(const void* data, size_t size_bytes) {
  const auto begin = reinterpret_cast<uintptr_t>(data);
  const uintptr_t first =
      (begin + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes;
  const uintptr_t last = (begin + size_bytes) / kHugePageBytes * kHugePageBytes;
  if (first < last) {
    // Advice: a kernel without huge pages says no and nothing changes.
    // Nor does it write.
    auto* start =
        const_cast<char*>(static_cast<const char*>(data)) + (first - begin);
    (void)madvise(start, last - first, MADV_HUGEPAGE);
  }
}

namespace aligned_internal {

namespace {

std::align_val_t AlignmentOf(size_t size_bytes) {
  return std::align_val_t{size_bytes >= kHugePageBytes ? kHugePageBytes
                                                       : kLineBytes};
}

}  // namespace

void* Allocate(size_t size_bytes) {
  void* memory = ::operator new(size_bytes, AlignmentOf(size_bytes));
  AdviseHugePages(memory, size_bytes);
  return memory;
}

void* AllocateZeroed(size_t size_bytes) {
  void* memory = Allocate(size_bytes);
  std::memset(memory, 0, size_bytes);
  return memory;
}

void Release(void* memory, size_t size_bytes) {
  ::operator delete(memory, AlignmentOf(size_bytes));
}

}  // namespace aligned_internal
}  // namespace sextant
