// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/value_names.h"

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "clients/cli/exit_code.h"
#include "clients/cli/text.h"

namespace sextant::cli {
namespace {

template <typename Value>
using Name = std::pair<Value, const char*>;

constexpr std::array kEncodings = {
    Name<client::Encoding>{client::Encoding::kAuto, "auto"},
    Name<client::Encoding>{client::Encoding::kFloat, "float"},
    Name<client::Encoding>{client::Encoding::kBf16, "bf16"},
    Name<client::Encoding>{client::Encoding::kInt8, "int8"},
    Name<client::Encoding>{client::Encoding::kInt4, "int4"},
    Name<client::Encoding>{client::Encoding::kBinary, "binary"},
};

constexpr std::array kReranks = {
    Name<client::Rerank>{client::Rerank::kMemory, "memory"},
    Name<client::Rerank>{client::Rerank::kMapped, "mapped"},
    Name<client::Rerank>{client::Rerank::kNone, "none"},
};

constexpr std::array kFieldTypes = {
    Name<client::FieldType>{client::FieldType::kInteger, "integer"},
    Name<client::FieldType>{client::FieldType::kFloat, "float"},
    Name<client::FieldType>{client::FieldType::kTimestamp, "timestamp"},
    Name<client::FieldType>{client::FieldType::kBoolean, "boolean"},
    Name<client::FieldType>{client::FieldType::kKeyword, "keyword"},
};

template <typename Names>
auto Parse(const Names& names, absl::string_view option, absl::string_view text)
    -> absl::StatusOr<typename Names::value_type::first_type> {
  for (const auto& [value, name] : names) {
    if (text == name) {
      return value;
    }
  }
  return UsageError(
      absl::StrCat(option, ": expected one of ",
                   absl::StrJoin(names, ", ",
                                 [](std::string* out, const auto& name) {
                                   absl::StrAppend(out, name.second);
                                 }),
                   ", got '", text, "'"));
}

template <typename Names, typename Value>
std::string NameOf(const Names& names, Value wanted) {
  for (const auto& [value, name] : names) {
    if (value == wanted) {
      return name;
    }
  }
  return "";
}

}  // namespace

absl::StatusOr<client::Encoding> ParseEncoding(absl::string_view name) {
  return Parse(kEncodings, "--encoding", name);
}

std::string EncodingName(client::Encoding encoding) {
  return NameOf(kEncodings, encoding);
}

absl::StatusOr<client::Rerank> ParseRerank(absl::string_view name) {
  return Parse(kReranks, "--rerank", name);
}

std::string RerankName(client::Rerank rerank) {
  return NameOf(kReranks, rerank);
}

absl::StatusOr<client::FieldType> ParseFieldType(absl::string_view option,
                                                 absl::string_view name) {
  return Parse(kFieldTypes, option, name);
}

std::string FieldTypeName(client::FieldType type) {
  return NameOf(kFieldTypes, type);
}

client::Analyzer ParseAnalyzer(absl::string_view name) {
  for (const client::AnalyzerKind kind :
       {client::AnalyzerKind::kStandard, client::AnalyzerKind::kKeyword,
        client::AnalyzerKind::kNgram, client::AnalyzerKind::kEdgeNgram}) {
    if (name == AnalyzerName(kind)) {
      return {.kind = kind};
    }
  }
  return {.language = std::string(name)};
}

std::string TextFieldText(const client::TextField& field) {
  return absl::StrCat("text, ", AnalyzerName(field.analyzer),
                      field.language.empty() ? "" : " ", field.language);
}

std::string BecomingText(const client::TextFieldChange& change) {
  return absl::StrCat("becoming ", TextFieldText(change.next), ": ",
                      WithCommas(change.points_done), " of ",
                      WithCommas(change.points_total), " points");
}

std::string AnalyzerName(client::AnalyzerKind kind) {
  switch (kind) {
    case client::AnalyzerKind::kStandard:
      return "standard";
    case client::AnalyzerKind::kKeyword:
      return "keyword";
    case client::AnalyzerKind::kNgram:
      return "ngram";
    case client::AnalyzerKind::kEdgeNgram:
      return "edge-ngram";
  }
  return "";
}

}  // namespace sextant::cli
