// SPDX-License-Identifier: Apache-2.0
#include "engine/text_query_string.h"

#include "base/errors.h"
#include "index/text/text_query_parser.h"

namespace sextant {

absl::StatusOr<TextQuery> TextQueryFromString(absl::string_view text,
                                              absl::string_view field) {
  if (text.empty()) {
    return InvalidField(field, "is empty");
  }
  absl::StatusOr<TextQuery> query = ParseTextQuery(text);
  if (!query.ok()) {
    return InvalidField(field, query.status().message());
  }
  return query;
}

}  // namespace sextant
