// SPDX-License-Identifier: Apache-2.0
//
// Every limit on a filter.

#pragma once

#include <cstddef>

namespace sextant::limits {

inline constexpr size_t kFilterTextBytesMax = 65536;
inline constexpr size_t kFilterDepthMax = 32;  // of and, or, not
inline constexpr size_t kFilterNodesMax = 1000;
// In all lists of a filter together, ids apart.
inline constexpr size_t kFilterValuesMax = 65536;
inline constexpr size_t kFilterIdsMax = 10000;  // in all id sets together

}  // namespace sextant::limits
