// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace sextant {

// What graph searches read of a vector: its floats, or codes of fewer bits.
enum class Encoding : uint8_t {
  kAuto,   // the cheapest that keeps the recall, measured at each build
  kFloat,  // 32 bits a number
  kBf16,
  kInt8,
  kInt4,
  kBinary,  // 1 bit, of the rotated vector
};

// Where the float vectors lie that score the best of what codes found.
enum class Rerank : uint8_t {
  kMemory,  // in memory, if the segment is large: fastest
  kMapped,  // in the mapped file: memory holds the graph and the codes only
  kNone,    // hits keep the codes' scores; the floats stay on the disk
};

struct VectorStorage {
  Encoding encoding = Encoding::kAuto;
  Rerank rerank = Rerank::kMemory;
  friend bool operator==(const VectorStorage&, const VectorStorage&) = default;
};

// "auto", "float", "bf16", "int8", "int4", "binary"; "memory", "mapped",
// "none".
absl::string_view EncodingName(Encoding encoding);
absl::string_view RerankName(Rerank rerank);

}  // namespace sextant
