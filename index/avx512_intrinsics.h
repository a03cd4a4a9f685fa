// SPDX-License-Identifier: Apache-2.0
//
// The processor's intrinsics, for the kernels of AVX-512.

#pragma once

#if defined(__x86_64__)

#if defined(__GNUC__) && !defined(__clang__)
// gcc 12's own header leaves lanes undefined on purpose and then warns.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#include <immintrin.h>

#endif  // defined(__x86_64__)
