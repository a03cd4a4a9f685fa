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

inline constexpr size_t kFragmentBytesDefault = 160;

struct HighlightOptions {
  // Of a fragment; 0: the whole text, which is one. At most kFragmentBytesMax.
  size_t fragment_bytes = kFragmentBytesDefault;
  // At most so many of them.
  size_t fragments_max = 1;
  // At most so many offsets of a fragment, the first ones.
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
  // A part of the text, cut between words.
  TextRange fragment;
  // Distinct terms of the query in it.
  size_t terms = 0;
  // Matching tokens inside the fragment, ascending.
  std::vector<TextRange> matches;
};

// Where `text`, a value of the query's field number `field` (an index into
// fields()), matches the terms of the query that are not under a must_not. The
// words of a phrase count only where the phrase is. The fragments lie apart and
// come best first: that with the most distinct terms, then the most matches,
// then the earliest; none when nothing matches. kInvalidArgument as
// Analyzer::Analyze.
absl::StatusOr<std::vector<Highlight>> HighlightText(
    const BoundTextQuery& query, size_t field, absl::string_view text,
    const HighlightOptions& options);

}  // namespace sextant
