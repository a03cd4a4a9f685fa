// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "base/context.h"
#include "index/text/analyzer.h"
#include "index/text/text_query.h"
#include "index/text/text_segment.h"

namespace sextant {

inline constexpr float kBm25K1Max = 1000;

// BM25's parameters of a field (Robertson & Zaragoza 2009, section 3.4).
struct Bm25Params {
  float k1 = 1.2F;  // 0 to 1000: how slowly repeats of a term saturate
  float b = 0.75F;  // 0 to 1: how much long texts pay for their length
  friend bool operator==(const Bm25Params&, const Bm25Params&) = default;
};

// A text field that a search asks.
struct TextSearchField {
  absl::string_view name;
  // Number of the field in the segments (TextPart::fields).
  size_t number = 0;
  const Analyzer* analyzer = nullptr;  // outlives the bound query
  float weight = 1;                    // finite, >= 0, <= kBoostMax
  Bm25Params bm25;
  bool has_positions = true;
};

// A scored leaf of a bound query, in one field.
struct TextLeaf {
  enum class Kind : uint8_t { kTerm, kPhrase, kPrefix };
  Kind kind = Kind::kTerm;
  size_t field = 0;       // index into BoundTextQuery::fields()
  float weight = 1;       // boosts times the field's weight
  uint32_t slop = 0;      // kPhrase
  bool is_scored = true;  // not under a must_not
  std::string prefix;     // kPrefix
  // kPrefix: the terms it stands for, ascending. They count as one term, whose
  // tf is the sum of theirs and whose df the rows that have any.
  std::vector<std::string> expansion;
  // kTerm: its number; kPhrase: those of its terms, in order.
  std::vector<uint32_t> terms;
  std::vector<uint32_t> positions;  // kPhrase: of each term, from 0
};

// A query after analysis: a tree of leaves, each in one field.
// Thread-compatible.
class BoundTextQuery {
 public:
  struct Term {
    size_t field = 0;  // index into fields()
    std::string text;
  };
  struct Node {
    // A leaf, or else a bool.
    static constexpr uint32_t kNoLeaf = ~uint32_t{0};
    uint32_t leaf = kNoLeaf;
    std::vector<Node> must;
    std::vector<Node> should;
    std::vector<Node> must_not;
    uint32_t minimum_should_match = 0;
  };

  // InvalidField below "text query" for what ValidateTextQuery refuses, an
  // unknown field, a text that cannot be analysed, too many terms, an empty
  // query, or a phrase in a field without positions.
  static absl::StatusOr<BoundTextQuery> Bind(
      const TextQuery& query, std::span<const TextSearchField> fields);

  // Looks up what prefixes stand for; nothing to do without them. InvalidField
  // when one stands for more than kPrefixTermsMax terms of a field.
  absl::Status ExpandPrefixes(std::span<const TextSegment> segments,
                              const RequestContext& context);

  std::span<const TextSearchField> fields() const { return fields_; }
  std::span<const Term> terms() const { return terms_; }  // distinct
  std::span<const TextLeaf> leaves() const { return leaves_; }
  const Node& root() const { return root_; }
  // Nothing was left to look for (stop words only): it matches no row.
  bool empty() const { return leaves_.empty(); }

 private:
  friend class TextQueryBinder;

  std::vector<TextSearchField> fields_;
  std::vector<Term> terms_;
  std::vector<TextLeaf> leaves_;
  Node root_;
};

}  // namespace sextant
