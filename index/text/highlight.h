// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "index/text/bound_text_query.h"

namespace sextant {

struct HighlightOptions {
  // Of the fragment; 0: the whole text. At most kFragmentBytesMax.
  size_t fragment_bytes = 160;
  // At most so many offsets, the first ones.
  size_t matches_max = 64;
};

inline constexpr size_t kFragmentBytesMax = 65'536;

// Bytes [begin, end) of the text.
struct TextRange {
  uint32_t begin = 0;
  uint32_t end = 0;
  friend bool operator==(const TextRange&, const TextRange&) = default;
};

struct Highlight {
  // The part of the text with the most distinct terms of the query, then the
  // most matches, then the earliest; cut between words. Empty when nothing
  // matches.
  TextRange fragment;
  // Matching tokens inside the fragment, ascending.
  std::vector<TextRange> matches;
};

// Where `text`, a value of the query's field number `field` (an index into
// fields()), matches the terms of the query that are not under a must_not. The
// words of a phrase count only where the phrase is. kInvalidArgument as
// Analyzer::Analyze.
absl::StatusOr<Highlight> HighlightText(const BoundTextQuery& query,
                                        size_t field, absl::string_view text,
                                        const HighlightOptions& options);

}  // namespace sextant
