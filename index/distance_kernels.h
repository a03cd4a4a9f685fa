// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "index/distance.h"

// The kernel sets behind distance.h; only distance.cc and tests of the sets
// include this. Calling a set that the processor lacks is an illegal
// instruction.
namespace sextant {

const DistanceKernels& ScalarKernels();
#if defined(__x86_64__)
const DistanceKernels& Avx2Kernels();        // AVX2 and FMA
const DistanceKernels& Avx512Kernels();      // AVX-512 F
const DistanceKernels& Avx512VnniKernels();  // and BW and VNNI
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

}  // namespace sextant
