// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "index/distance.h"

// The kernel sets behind distance.h; only distance.cc and tests of the sets
// include this. Calling a set that the processor lacks is an illegal
// instruction.
namespace sextant {

const DistanceKernels& ScalarKernels();
#if defined(__x86_64__)
const DistanceKernels& Avx2Kernels();          // AVX2 and FMA
const DistanceKernels& Avx512Kernels();        // AVX-512 F
const DistanceKernels& Avx512VnniKernels();    // and BW and VNNI
const DistanceKernels& Avx512PopcntKernels();  // and VPOPCNTDQ
#endif

// Their products of codes, one file each.
void CodeDotRowsScalar(const int8_t* query, const uint8_t* base, size_t stride,
                       std::span<const uint32_t> rows, int32_t* out);
void NibbleDotRowsScalar(const int8_t* query, const uint8_t* base,
                         size_t stride, std::span<const uint32_t> rows,
                         int32_t* out);
void CodeDotRowsAvx2(const int8_t* query, const uint8_t* base, size_t stride,
                     std::span<const uint32_t> rows, int32_t* out);
void NibbleDotRowsAvx2(const int8_t* query, const uint8_t* base, size_t stride,
                       std::span<const uint32_t> rows, int32_t* out);
void CodeDotRowsAvx512(const int8_t* query, const uint8_t* base, size_t stride,
                       std::span<const uint32_t> rows, int32_t* out);
void NibbleDotRowsAvx512(const int8_t* query, const uint8_t* base,
                         size_t stride, std::span<const uint32_t> rows,
                         int32_t* out);

void BitDotRowsScalar(const int8_t* planes, const uint8_t* base, size_t stride,
                      std::span<const uint32_t> rows, int32_t* out);
void Bf16ProductRowsScalar(const float* query, const uint8_t* base,
                           size_t stride, std::span<const uint32_t> rows,
                           float* out);
void Bf16L2RowsScalar(const float* query, const uint8_t* base, size_t stride,
                      std::span<const uint32_t> rows, float* out);
void BitDotRowsAvx2(const int8_t* planes, const uint8_t* base, size_t stride,
                    std::span<const uint32_t> rows, int32_t* out);
void Bf16ProductRowsAvx2(const float* query, const uint8_t* base, size_t stride,
                         std::span<const uint32_t> rows, float* out);
void Bf16L2RowsAvx2(const float* query, const uint8_t* base, size_t stride,
                    std::span<const uint32_t> rows, float* out);
void BitDotRowsAvx512(const int8_t* planes, const uint8_t* base, size_t stride,
                      std::span<const uint32_t> rows, int32_t* out);
void Bf16ProductRowsAvx512(const float* query, const uint8_t* base,
                           size_t stride, std::span<const uint32_t> rows,
                           float* out);
void Bf16L2RowsAvx512(const float* query, const uint8_t* base, size_t stride,
                      std::span<const uint32_t> rows, float* out);

// And of codes in blocks.
void CodeDotBlocksScalar(const int8_t* query, const CodeBlocks& blocks,
                         int32_t* out);
void NibbleDotBlocksScalar(const int8_t* query, size_t high,
                           const CodeBlocks& blocks, int32_t* out);
void CodeDotBlocksAvx2(const int8_t* query, const CodeBlocks& blocks,
                       int32_t* out);
void NibbleDotBlocksAvx2(const int8_t* query, size_t high,
                         const CodeBlocks& blocks, int32_t* out);
void CodeDotBlocksAvx512(const int8_t* query, const CodeBlocks& blocks,
                         int32_t* out);
void NibbleDotBlocksAvx512(const int8_t* query, size_t high,
                           const CodeBlocks& blocks, int32_t* out);

}  // namespace sextant
