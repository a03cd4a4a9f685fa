// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a text for every kind of analyser: refused, or tokens in order,
// within the text and the limits. The quick way for ASCII finds the words that
// ICU finds.

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

#include "base/check.h"
#include "base/utf8.h"
#include "index/text/analyzer.h"
#include "index/text/word_segmenter.h"

namespace sextant {
namespace {

std::vector<std::unique_ptr<Analyzer>> MakeAnalyzers() {
  std::vector<std::unique_ptr<Analyzer>> analyzers;
  const AnalyzerSpec specs[] = {
      {},
      {.language = "german", .stop_words = {"_english_"}},
      {.kind = AnalyzerKind::kKeyword},
      {.kind = AnalyzerKind::kNgram, .min_gram = 1, .max_gram = 4},
      {.kind = AnalyzerKind::kEdgeNgram, .min_gram = 2, .max_gram = 32}};
  for (const AnalyzerSpec& spec : specs) {
    auto analyzer = Analyzer::Create(spec);
    CHECK_OK(analyzer);
    analyzers.push_back(*std::move(analyzer));
  }
  return analyzers;
}

void Check(const Analyzer& analyzer, absl::string_view text) {
  TokenList tokens;
  if (!analyzer.Analyze(text, tokens).ok()) {
    CHECK(!IsValidUtf8(text));
    return;
  }
  for (size_t i = 0; i < tokens.size(); ++i) {
    const Token token = tokens[i];
    CHECK(!token.term.empty() && token.term.size() <= kTermBytesMax);
    CHECK(IsValidUtf8(token.term));
    CHECK(token.begin < token.end && token.end <= text.size());
    CHECK(i == 0 || tokens.position(i - 1) < token.position);
  }
  CHECK(analyzer.AnalyzePrefix(text, tokens).ok());
}

void CheckWords(WordSegmenter& segmenter, absl::string_view text) {
  std::vector<std::pair<uint32_t, uint32_t>> words[2];
  for (const bool icu_alone : {false, true}) {
    const auto status = segmenter.Visit(
        text,
        [&](uint32_t begin, uint32_t end) {
          words[icu_alone ? 1 : 0].emplace_back(begin, end);
          return true;
        },
        icu_alone);
    CHECK_OK(status);
  }
  CHECK(words[0] == words[1]);
}

}  // namespace
}  // namespace sextant

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto* const analyzers = new auto(sextant::MakeAnalyzers());
  static auto* const segmenter = sextant::WordSegmenter::Create()->release();
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto& analyzer : *analyzers) {
    sextant::Check(*analyzer, text);
  }
  if (sextant::IsValidUtf8(text)) {
    sextant::CheckWords(*segmenter, text);
  }
  return 0;
}
