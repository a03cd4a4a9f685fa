// SPDX-License-Identifier: Apache-2.0
#include "index/aligned_array.h"

#include <sys/mman.h>

#include <cstring>
#include <new>

namespace sextant {
namespace {

constexpr size_t kHugePageBytes = size_t{2} << 20;
constexpr size_t kLineBytes = 64;

// Advice about the huge pages within: a kernel without them says no and nothing
// changes.
void Advise(void* memory, size_t size_bytes, int advice) {
  const auto begin = reinterpret_cast<uintptr_t>(memory);
  const uintptr_t first =
      (begin + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes;
  const uintptr_t last = (begin + size_bytes) / kHugePageBytes * kHugePageBytes;
  if (first < last) {
    static_cast<void>(madvise(static_cast<char*>(memory) + (first - begin),
                              last - first, advice));
  }
}

}  // namespace

namespace aligned_internal {

namespace {

std::align_val_t AlignmentOf(size_t size_bytes) {
  return std::align_val_t{size_bytes >= kHugePageBytes ? kHugePageBytes
                                                       : kLineBytes};
}

}  // namespace

void* Allocate(size_t size_bytes) {
  void* memory = ::operator new(size_bytes, AlignmentOf(size_bytes));
  Advise(memory, size_bytes, MADV_HUGEPAGE);
  return memory;
}

void* AllocateZeroed(size_t size_bytes) {
  void* memory = Allocate(size_bytes);
  std::memset(memory, 0, size_bytes);
  return memory;
}

void Release(void* memory, size_t size_bytes) {
  // The heap may keep this range. As huge pages, a single small block that
  // comes to lie in one would hold 2 MiB, and the kernel would fill up again
  // what the heap gave back of it.
  Advise(memory, size_bytes, MADV_NOHUGEPAGE);
  Advise(memory, size_bytes, MADV_DONTNEED);
  ::operator delete(memory, AlignmentOf(size_bytes));
}

}  // namespace aligned_internal
}  // namespace sextant
