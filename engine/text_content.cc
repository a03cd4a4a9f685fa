// SPDX-License-Identifier: Apache-2.0
#include "engine/text_content.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "index/text/text_query.h"

namespace sextant {
namespace {

static_assert(kPositionGap > kSlopMax);

absl::StatusOr<TokenList> AnalyzeField(const TextFieldSchema& field,
                                       const std::vector<std::string>& texts) {
  TokenList tokens;
  if (texts.size() == 1) {
    RETURN_IF_ERROR(field.analyzer->Analyze(texts.front(), tokens));
    return tokens;
  }
  TokenList one;
  uint32_t first_position = 0;
  uint32_t first_byte = 0;
  for (const std::string& text : texts) {
    RETURN_IF_ERROR(field.analyzer->Analyze(text, one));
    uint32_t last_position = first_position;
    for (size_t i = 0; i < one.size(); ++i) {
      Token token = one[i];
      token.position += first_position;
      token.begin += first_byte;
      token.end += first_byte;
      last_position = token.position;
      tokens.Add(token);
    }
    first_position = last_position + kPositionGap;
    first_byte += static_cast<uint32_t>(text.size());
  }
  return tokens;
}

}  // namespace

absl::StatusOr<TextTokens> AnalyzeTexts(
    const std::vector<TextFieldSchema>& fields, const PayloadTexts& texts,
    absl::string_view path) {
  TextTokens tokens(fields.size());
  for (size_t i = 0; i < fields.size(); ++i) {
    auto analyzed = AnalyzeField(fields[i], texts[i]);
    if (!analyzed.ok()) {
      return InvalidField(absl::StrCat(path, ".", fields[i].name),
                          analyzed.status().message());
    }
    tokens[i] = *std::move(analyzed);
  }
  return tokens;
}

TextTokens AnalyzeStored(const std::vector<TextFieldSchema>& fields,
                         const PayloadTexts& texts, uint64_t* misfits) {
  TextTokens tokens(fields.size());
  for (size_t i = 0; i < fields.size(); ++i) {
    auto analyzed = AnalyzeField(fields[i], texts[i]);
    if (analyzed.ok()) {
      tokens[i] = *std::move(analyzed);
    } else {
      ++*misfits;
    }
  }
  return tokens;
}

}  // namespace sextant
