// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "gtest/gtest.h"

#include "index/aligned_array.h"
#include "index/distance.h"

namespace sextant {
namespace {

constexpr uint64_t kTestSeed = 5;

struct BlockCase {
  size_t chunks = 0;
  size_t count = 0;  // of blocks
  size_t spare = 0;  // bytes between blocks
  int extreme = 0;   // of the query; 0: random numbers
};

class CodeBlocksTest : public testing::TestWithParam<BlockCase> {
 protected:
  void SetUp() override {
    const BlockCase& tested = GetParam();
    std::mt19937_64 random(kTestSeed);
    blocks_.chunks = tested.chunks;
    blocks_.count = tested.count;
    blocks_.step = tested.chunks * kChunkBytes + tested.spare;
    bytes_ = AlignedArray<uint8_t>(blocks_.count * blocks_.step);
    for (size_t i = 0; i < bytes_.size(); ++i) {
      bytes_.data()[i] =
          tested.extreme != 0 ? uint8_t{255} : static_cast<uint8_t>(random());
    }
    blocks_.bytes = bytes_.data();
    high_ = 4 * tested.chunks + 8;
    query_.resize(2 * high_);
    for (int8_t& number : query_) {
      number = static_cast<int8_t>(
          tested.extreme != 0 ? tested.extreme
                              : static_cast<int>(random() % 255) - 127);
    }
  }

  template <typename Product>
  std::vector<int32_t> Loop(Product product) const {
    std::vector<int32_t> sums;
    for (size_t block = 0; block < blocks_.count; ++block) {
      for (size_t row = 0; row < kBlockRows; ++row) {
        int32_t sum = 0;
        for (size_t j = 0; j < 4 * blocks_.chunks; ++j) {
          sum += product(blocks_.bytes[block * blocks_.step +
                                       j / 4 * kChunkBytes + 4 * row + j % 4],
                         j);
        }
        sums.push_back(sum);
      }
    }
    return sums;
  }

  CodeBlocks blocks_;
  AlignedArray<uint8_t> bytes_;
  std::vector<int8_t> query_;
  size_t high_ = 0;
};

TEST_P(CodeBlocksTest, EverySetGivesTheSumsOfALoop) {
  const std::vector<int32_t> bytes =
      Loop([this](int32_t code, size_t j) { return code * query_[j]; });
  const std::vector<int32_t> nibbles = Loop([this](int32_t codes, size_t j) {
    return (codes & 15) * query_[j] + (codes >> 4) * query_[high_ + j];
  });
  for (const DistanceKernels* set : SupportedKernels()) {
    std::vector<int32_t> out(bytes.size());
    set->code_dot_blocks(query_.data(), blocks_, out.data());
    EXPECT_EQ(out, bytes) << set->name << " seed " << kTestSeed;
    set->nibble_dot_blocks(query_.data(), high_, blocks_, out.data());
    EXPECT_EQ(out, nibbles) << set->name << " seed " << kTestSeed;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, CodeBlocksTest,
    testing::Values(BlockCase{1, 1, 0, 0}, BlockCase{2, 3, 64, 0},
                    BlockCase{13, 7, 128, 0}, BlockCase{25, 2, 128, 0},
                    BlockCase{128, 3, 128, 0}, BlockCase{16384, 1, 0, 0},
                    BlockCase{25, 2, 128, 127}, BlockCase{16384, 1, 0, -127}),
    [](const auto& tested) {
      return "Chunks" + std::to_string(tested.param.chunks) + "Blocks" +
             std::to_string(tested.param.count) +
             (tested.param.extreme == 0  ? "Random"
              : tested.param.extreme > 0 ? "Largest"
                                         : "Smallest");
    });

}  // namespace
}  // namespace sextant
