// SPDX-License-Identifier: Apache-2.0
#include "base/free_memory.h"

#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <memory>
#include <vector>

#include "gtest/gtest.h"

#include "tests/support/sanitized.h"

namespace sextant {
namespace {

uint64_t ResidentBytes() {
  uint64_t total_pages = 0;
  uint64_t resident_pages = 0;
  std::ifstream("/proc/self/statm") >> total_pages >> resident_pages;
  return resident_pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

TEST(FreeMemoryTest, PagesBelowABlockInUseGoBack) {
#ifndef __GLIBC__
  GTEST_SKIP() << "not glibc";
#endif
  if (kSanitized) {
    GTEST_SKIP() << "a sanitizer's allocator";
  }
  constexpr size_t kBlocks = 1000;
  constexpr size_t kBlockBytes = 64 << 10;
  const auto block = [] {
    auto bytes = std::make_unique<char[]>(kBlockBytes);
    std::memset(bytes.get(), 1, kBlockBytes);
    return bytes;
  };
  std::vector<std::unique_ptr<char[]>> blocks;
  for (size_t i = 0; i < kBlocks; ++i) {
    blocks.push_back(block());
  }
  const auto last = block();
  const uint64_t full = ResidentBytes();
  blocks.clear();
  ReleaseFreeMemory();
  EXPECT_LT(ResidentBytes(), full - kBlocks * kBlockBytes / 2);
  EXPECT_EQ(last[0], 1);
}

}  // namespace
}  // namespace sextant
