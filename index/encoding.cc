// SPDX-License-Identifier: Apache-2.0
#include "index/encoding.h"

namespace sextant {

absl::string_view EncodingName(Encoding encoding) {
  switch (encoding) {
    case Encoding::kAuto:
      return "auto";
    case Encoding::kFloat:
      return "float";
    case Encoding::kBf16:
      return "bf16";
    case Encoding::kInt8:
      return "int8";
    case Encoding::kInt4:
      return "int4";
    case Encoding::kBinary:
      return "binary";
  }
  return "unknown";
}

absl::string_view RerankName(Rerank rerank) {
  switch (rerank) {
    case Rerank::kMemory:
      return "memory";
    case Rerank::kMapped:
      return "mapped";
    case Rerank::kNone:
      return "none";
  }
  return "unknown";
}

}  // namespace sextant
