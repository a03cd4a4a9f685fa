// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "clients/cpp/search_types.h"
#include "clients/cpp/types.h"

// The JSON that `--output json` prints, one object a line; its keys are
// documented in docs/reference/cli.md and do not change their meaning.
namespace sextant::cli {

// Builds one object; keys come out in the order they were added.
class JsonObject {
 public:
  JsonObject& AddText(absl::string_view key, absl::string_view value);
  JsonObject& AddNumber(absl::string_view key, uint64_t value);
  JsonObject& AddNumber(absl::string_view key, double value);
  JsonObject& AddBool(absl::string_view key, bool value);
  // `json` is JSON already.
  JsonObject& AddRaw(absl::string_view key, absl::string_view json);

  // "{...}" without a line end.
  std::string Text() const { return "{" + members_ + "}"; }

 private:
  std::string members_;
};

// With quotes; broken UTF-8 becomes U+FFFD.
std::string JsonString(absl::string_view text);
std::string JsonArray(const std::vector<std::string>& elements);
std::string JsonId(const client::PointId& id);

std::string PointJson(const client::Point& point);
std::string FieldValueJson(const client::FieldValue& value);
// The same, but text without quotes.
std::string FieldValueText(const client::FieldValue& value);
std::string FacetsJson(const client::FacetResult& result);
std::string CollectionJson(const client::CollectionInfo& info);
// {"query":...,"hits":[...],...}; `query` only when it is not empty (JSON).
std::string SearchJson(const client::SearchResult& result,
                       absl::string_view query);

// The value of a payload key as a cell of a table: text without quotes,
// anything else as JSON, nothing when it is missing.
std::vector<std::string> PayloadCells(absl::string_view payload,
                                      const std::vector<std::string>& fields);

}  // namespace sextant::cli
