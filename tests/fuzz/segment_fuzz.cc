// SPDX-License-Identifier: Apache-2.0
//
// The parts of a segment file with any bytes in them.

#include <algorithm>
#include <cstdint>

#include "absl/strings/string_view.h"

#include "base/check.h"
#include "storage/segment_format.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto identity = sextant::DecodeSegmentHeader(bytes);
      identity.ok()) {
    const auto again =
        sextant::DecodeSegmentHeader(sextant::EncodeSegmentHeader(*identity));
    CHECK(again.ok() && *again == *identity);
  }
  constexpr uint64_t kContentsOffset = 1U << 20U;
  if (const auto contents =
          sextant::DecodeSegmentContents(bytes, kContentsOffset);
      contents.ok()) {
    for (const auto& section : contents->sections) {
      CHECK(section.offset <= kContentsOffset &&
            section.size <= kContentsOffset - section.offset);
    }
    CHECK(sextant::EncodeSegmentContents(*contents) == bytes);
  }
  const absl::string_view tail =
      bytes.substr(size - std::min(size, sextant::kSegmentFooterSize));
  if (const auto footer = sextant::DecodeSegmentFooter(tail, size);
      footer.ok()) {
    CHECK(footer->contents_offset <= size &&
          footer->contents_size <= size - footer->contents_offset);
  }
  return 0;
}
