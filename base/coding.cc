// SPDX-License-Identifier: Apache-2.0
#include "base/coding.h"

#include <limits>

#include "base/check.h"

namespace sextant {

void AppendLengthPrefixed(std::string* output, absl::string_view text) {
  CHECK_LE(text.size(), std::numeric_limits<uint32_t>::max());
  AppendLittleEndian<uint32_t>(output, static_cast<uint32_t>(text.size()));
  output->append(text.data(), text.size());
}

bool ConsumeLengthPrefixed(absl::string_view* input, absl::string_view* text) {
  absl::string_view rest = *input;
  uint32_t size = 0;
  if (!ConsumeLittleEndian<uint32_t>(&rest, &size) || rest.size() < size) {
    return false;
  }
  *text = rest.substr(0, size);
  rest.remove_prefix(size);
  *input = rest;
  return true;
}

}  // namespace sextant
