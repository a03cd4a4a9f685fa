// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "index/text/token_list.h"

namespace sextant {

enum class AnalyzerKind : uint8_t {
  // Words by Unicode's rules (UAX 29), dictionaries for Chinese, Japanese,
  // Thai, Lao, Khmer and Burmese; what holds neither letter nor digit is left
  // out.
  kStandard = 1,
  // The whole text is one token.
  kKeyword = 2,
  // All runs of min_gram to max_gram characters of each word.
  kNgram = 3,
  // The first min_gram to max_gram characters of each word, for search as one
  // types.
  kEdgeNgram = 4,
};

// How a text becomes tokens. Every kind normalises to NFKC and folds case.
// Then, in this order: stop words are left out (they keep their position, so
// phrases do not close over them), words are stemmed, accents folded.
struct AnalyzerSpec {
  AnalyzerKind kind = AnalyzerKind::kStandard;
  // Stemming (kStandard only): a Snowball name ("english", "porter") or the ISO
  // 639 code ("en", "eng"). Empty: none.
  std::string language;
  // kStandard only. Compared after case folding. "_english_" stands for
  // Lucene's 33 English words.
  std::vector<std::string> stop_words;
  // Marks over Latin and Greek letters go, and letters such as "ø" become their
  // plain relatives. Other scripts keep their marks: there they are no accents.
  bool fold_accents = true;
  // kNgram, kEdgeNgram: characters, 1 <= min_gram <= max_gram <= 32.
  uint32_t min_gram = 2;
  uint32_t max_gram = 3;

  friend bool operator==(const AnalyzerSpec&, const AnalyzerSpec&) = default;
};

// Longer words are split here, between characters. A value of a keyword field
// is cut at kKeywordBytesMax instead.
inline constexpr size_t kWordBytesMax = 255;
inline constexpr size_t kKeywordBytesMax = 1024;
// Of any term, after normalisation: what grows past it is cut.
inline constexpr size_t kTermBytesMax = 1024;
// Of one text.
inline constexpr size_t kTextBytesMax = size_t{1} << 26U;
// Of one text; n-grams multiply.
inline constexpr size_t kTokensMax = size_t{1} << 24U;
inline constexpr size_t kStopWordsMax = 10'000;

// InvalidField below `field` ("fields.body.analyzer"), e.g. for an unknown
// language, with those that exist.
absl::Status ValidateAnalyzer(const AnalyzerSpec& spec,
                              absl::string_view field);

// The Snowball algorithms of the library, ascending.
std::vector<std::string> StemmerLanguages();

// Turns texts into tokens. Immutable, thread-safe: what is not (ICU's break
// iterator, the stemmer) is kept in a pool and lent to one call each.
class Analyzer {
 public:
  // As ValidateAnalyzer; kInternal when ICU lacks its data.
  static absl::StatusOr<std::unique_ptr<Analyzer>> Create(
      const AnalyzerSpec& spec);
  ~Analyzer();

  // Replaces the contents of `tokens`. kInvalidArgument when `text` is not
  // UTF-8 (naming the byte) or too long; `tokens` is then unspecified.
  absl::Status Analyze(absl::string_view text, TokenList& tokens) const;

  // The same without stop words, stemming and n-grams, as the beginning of
  // a prefix query is treated: each word whole, case and accents folded.
  absl::Status AnalyzePrefix(absl::string_view text, TokenList& tokens) const;

  const AnalyzerSpec& spec() const;

 private:
  struct Rep;
  explicit Analyzer(std::unique_ptr<Rep> rep);
  absl::Status Run(absl::string_view text, bool whole, TokenList& tokens) const;
  std::unique_ptr<Rep> rep_;
};

}  // namespace sextant
