// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace sextant {

enum class TextQueryKind : uint8_t {
  // Any token of `text`, or all of them with `all_tokens`.
  kMatch = 1,
  // One word. Where the analyser makes several tokens of it ("wi-fi"), they
  // are a phrase.
  kTerm = 2,
  // The tokens of `text` one after another; with `slop` they may be moved
  // apart by that many positions in all.
  kPhrase = 3,
  // Any term that begins with `text` (normalised as in the field, not stemmed).
  // At most kPrefixTermsMax terms of a field may; else an error says so.
  kPrefix = 4,
  // Every one of `must`, at least `minimum_should_match` of `should`, none of
  // `must_not`.
  kBool = 5,
};

// What to look for in text fields. A tree of values; thread-compatible.
//
// The score of a row is the sum of the scores of the terms, phrases and
// prefixes that it matches, each times the boosts above it and the weight of
// its field: several fields count as a weighted sum (not BM25F), so that each
// keeps its own idf, k1, b and average length.
struct TextQuery {
  TextQueryKind kind = TextQueryKind::kMatch;
  // Name of a text field; empty: every field that the search was given.
  std::string field;
  std::string text;  // all but kBool
  bool all_tokens = false;
  uint32_t slop = 0;
  float boost = 1;  // finite, >= 0

  // kBool. Not must_not alone.
  std::vector<TextQuery> must;
  std::vector<TextQuery> should;
  std::vector<TextQuery> must_not;
  // 0: one of `should`, unless there is a `must`.
  uint32_t minimum_should_match = 0;

  friend bool operator==(const TextQuery&, const TextQuery&) = default;
};

inline constexpr size_t kTextQueryBytesMax = size_t{64} << 10U;
inline constexpr uint32_t kTextQueryDepthMax = 16;
// Terms, phrases and prefixes, after analysis, over all fields.
inline constexpr size_t kTextQueryTermsMax = 1024;
inline constexpr size_t kPhraseTermsMax = 64;
inline constexpr uint32_t kSlopMax = 64;
inline constexpr size_t kPrefixTermsMax = 1024;
inline constexpr float kBoostMax = 1e6F;

// Checks boosts, slops, depth and sizes; InvalidField below `field`
// ("query.must[1].boost"). Analysis (BoundTextQuery) checks the rest.
absl::Status ValidateTextQuery(const TextQuery& query, absl::string_view field);

// The query as text, for logs and explanations. ParseTextQuery makes the same
// tree of it if it made the query; kMatch becomes a group of its words.
std::string ToString(const TextQuery& query);

}  // namespace sextant
