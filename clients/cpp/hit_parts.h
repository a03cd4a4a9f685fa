// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/optional.h"

// What a hit tells of itself besides id, score and content.

namespace sextant::client {

// A word of a text query and what it gave to a hit.
struct TermScore {
  std::string field;
  std::string term;
  uint32_t tf = 0;
  uint64_t df = 0;
  double idf = 0;
  uint32_t length = 0;
  double average_length = 0;
  float score = 0;
};

// An index of a sparse query and what it gave to a hit.
struct SparseProduct {
  uint32_t index = 0;
  float query_weight = 0;
  float weight = 0;
  float score = 0;
};

// What one source gave to the score of a hit.
struct SourceScore {
  std::string source;   // its path in the request: "sources[1]"
  std::string kind;     // "dense embedding", "text description"
  bool listed = false;  // found by this source itself
  absl::optional<double> score;
  uint32_t rank = 0;  // 0: not listed
  double normalised = 0;
  double weight = 0;
  double share = 0;
  std::vector<TermScore> terms;
  std::vector<SparseProduct> products;
};

// Bytes [begin, end) of a fragment's text.
struct HighlightMatch {
  uint32_t begin = 0;
  uint32_t end = 0;
};

// A part of a text of a hit.
struct HighlightFragment {
  std::string text;
  uint32_t value = 0;  // which string of the field
  uint32_t begin = 0;  // byte of it where the fragment begins
  std::vector<HighlightMatch> matches;
};

struct FieldHighlight {
  std::string field;
  std::vector<HighlightFragment> fragments;  // best first
};

}  // namespace sextant::client
