// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "engine/payload.h"
#include "engine/schema.h"
#include "index/text/token_list.h"

namespace sextant {

// The tokens of a point, by Schema::text_index; empty without text fields.
using TextTokens = std::vector<TokenList>;

// Positions between two strings of one field, so that no phrase reaches from
// one into the next: more than any slop.
inline constexpr uint32_t kPositionGap = 100;

// Analyses the strings of a point. InvalidField with paths like
// "payload.description" (`path` is "payload") for what the analyser refuses.
// Needs open analysers.
absl::StatusOr<TextTokens> AnalyzeTexts(const Schema& schema,
                                        const PayloadTexts& texts,
                                        absl::string_view path);

// The same for what was stored: a field that is refused is absent and counts in
// `misfits`.
TextTokens AnalyzeStored(const Schema& schema, const PayloadTexts& texts,
                         uint64_t* misfits);
// Of one field.
TokenList AnalyzeStoredField(const TextFieldSchema& field,
                             const std::vector<std::string>& texts,
                             uint64_t* misfits);

}  // namespace sextant
