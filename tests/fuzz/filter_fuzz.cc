// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as the text of a filter: refused with a place, or a tree that
// prints and parses to the same text, and binds or is refused.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "base/check.h"
#include "base/errors.h"
#include "filters/bound_filter.h"
#include "filters/filter_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto* const fields = new std::vector<sextant::FilterField>{
      {"a", sextant::FieldType::kInteger},
      {"b", sextant::FieldType::kFloat},
      {"c", sextant::FieldType::kTimestamp},
      {"d", sextant::FieldType::kBoolean},
      {"e", sextant::FieldType::kKeyword}};
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto filter = sextant::ParseFilter(text);
  if (!filter.ok()) {
    CHECK(!sextant::InvalidFieldPath(filter.status()).empty());
    (void)sextant::FilterErrorCaret(text, filter.status().message());
    return 0;
  }
  const std::string printed = sextant::ToString(*filter);
  // Escapes make it longer, so it may pass the limit on text.
  if (const auto again = sextant::ParseFilter(printed); again.ok()) {
    CHECK_EQ(sextant::ToString(*again), printed);
  } else {
    CHECK_GT(printed.size(), size);
  }
  (void)sextant::BindFilter(*filter, {*fields, true});
  return 0;
}
