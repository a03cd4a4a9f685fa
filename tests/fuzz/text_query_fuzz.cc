// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a text query: refused with a reason, or a tree that is valid,
// prints and parses to the same tree, and binds or is refused.

#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"

#include "base/check.h"
#include "base/errors.h"
#include "index/text/bound_text_query.h"
#include "index/text/text_query_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto* const analyzer =
      sextant::Analyzer::Create({.language = "english"})->release();
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto query = sextant::ParseTextQuery(text);
  if (!query.ok()) {
    CHECK(!sextant::InvalidFieldPath(query.status()).empty());
    (void)sextant::TextQueryErrorCaret(text, query.status().message());
    return 0;
  }
  CHECK_OK(sextant::ValidateTextQuery(*query, "query"));
  const std::string printed = sextant::ToString(*query);
  // Escapes make it longer, so it may pass the limit.
  if (const auto again = sextant::ParseTextQuery(printed); again.ok()) {
    CHECK(*again == *query) << printed;
  } else {
    CHECK_GT(printed.size(), size);
  }
  sextant::TextSearchField field;
  field.name = "t";
  field.analyzer = analyzer;
  (void)sextant::BoundTextQuery::Bind(*query, {&field, 1});
  return 0;
}
