// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "clients/cpp/types.h"

namespace sextant::cli {

// "auto", "float", "bf16", "int8", "int4" or "binary"; UsageError for anything
// else.
absl::StatusOr<client::Encoding> ParseEncoding(absl::string_view name);
std::string EncodingName(client::Encoding encoding);

// "memory", "mapped" or "none".
absl::StatusOr<client::Rerank> ParseRerank(absl::string_view name);
std::string RerankName(client::Rerank rerank);

// "integer", "float", "timestamp", "boolean" or "keyword". `option` is what the
// error names.
absl::StatusOr<client::FieldType> ParseFieldType(absl::string_view option,
                                                 absl::string_view name);
std::string FieldTypeName(client::FieldType type);
// "standard", "keyword", "ngram", "edge-ngram"; anything else is a language.
client::Analyzer ParseAnalyzer(absl::string_view name);
std::string AnalyzerName(client::AnalyzerKind kind);
// "text, standard english".
std::string TextFieldText(const client::TextField& field);
// "becoming text, standard english: 1,000 of 4,000 points".
std::string BecomingText(const client::TextFieldChange& change);

}  // namespace sextant::cli
