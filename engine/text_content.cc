// SPDX-License-Identifier: Apache-2.0
#include "engine/text_content.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/text_change.h"
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

absl::StatusOr<TextTokens> AnalyzeTexts(const Schema& schema,
                                        const PayloadTexts& texts,
                                        absl::string_view path) {
  TextTokens tokens(schema.text_index_count());
  for (size_t i = 0; i < tokens.size(); ++i) {
    const TextFieldSchema& field = schema.text_index(i);
    auto analyzed = AnalyzeField(field, texts[TextIndexIdAt(schema, i).field]);
    if (!analyzed.ok()) {
      return InvalidField(absl::StrCat(path, ".", field.name),
                          analyzed.status().message());
    }
    tokens[i] = *std::move(analyzed);
  }
  return tokens;
}

TokenList AnalyzeStoredField(const TextFieldSchema& field,
                             const std::vector<std::string>& texts,
                             uint64_t* misfits) {
  auto analyzed = AnalyzeField(field, texts);
  if (!analyzed.ok()) {
    ++*misfits;
    return {};
  }
  return *std::move(analyzed);
}

TextTokens AnalyzeStored(const Schema& schema, const PayloadTexts& texts,
                         uint64_t* misfits) {
  TextTokens tokens(schema.text_index_count());
  for (size_t i = 0; i < tokens.size(); ++i) {
    tokens[i] = AnalyzeStoredField(
        schema.text_index(i), texts[TextIndexIdAt(schema, i).field], misfits);
  }
  return tokens;
}

}  // namespace sextant
