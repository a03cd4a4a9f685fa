// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "index/distance.h"

// The kernel sets behind distance.h; only distance.cc and tests of the sets
// include this. Calling a set that the processor lacks is an illegal
// instruction.
namespace sextant {

const DistanceKernels& ScalarKernels();
#if defined(__x86_64__)
const DistanceKernels& Avx2Kernels();    // AVX2 and FMA
const DistanceKernels& Avx512Kernels();  // AVX-512 F
#endif

}  // namespace sextant
