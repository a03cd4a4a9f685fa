// SPDX-License-Identifier: Apache-2.0
#include "clients/formats/json_point.h"

#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

#include "base/status_macros.h"

namespace sextant {
namespace {

// Keeps the order of keys, so that a payload reads as it was written.
using Json = nlohmann::ordered_json;

// The server takes payloads to this depth; deeper input would also exhaust the
// stack of the library's recursive writer.
constexpr int kNestingMax = 64 + 2;

absl::Status CheckNesting(absl::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kNestingMax) {
        return absl::InvalidArgumentError(absl::StrCat(
            "nested deeper than ", kNestingMax, " at byte ", i + 1));
      }
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return absl::OkStatus();
}

// The library's message without its name and number.
std::string Reason(absl::string_view what) {
  const size_t end = what.find("] ");
  return std::string(end == absl::string_view::npos ? what
                                                    : what.substr(end + 2));
}

absl::StatusOr<Json> Parse(absl::string_view text) {
  RETURN_IF_ERROR(CheckNesting(text));
  try {
    return Json::parse(text.begin(), text.end());
  } catch (const Json::exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("not JSON: ", Reason(error.what())));
  }
}

absl::StatusOr<std::vector<float>> ToVector(const Json& json,
                                            absl::string_view key) {
  if (!json.is_array()) {
    return absl::InvalidArgumentError(absl::StrCat(
        key, ": expected an array of numbers, got ", json.type_name()));
  }
  std::vector<float> numbers;
  numbers.reserve(json.size());
  for (const Json& entry : json) {
    if (!entry.is_number()) {
      return absl::InvalidArgumentError(
          absl::StrCat(key, "[", numbers.size(), "]: expected a number, got ",
                       entry.type_name()));
    }
    const double number = entry.get<double>();
    if (std::fabs(number) > std::numeric_limits<float>::max()) {
      return absl::InvalidArgumentError(
          absl::StrCat(key, "[", numbers.size(), "]: ", entry.dump(),
                       " does not fit a 32-bit float"));
    }
    numbers.push_back(static_cast<float>(number));
  }
  return numbers;
}

absl::Status TakeId(const Json& json, absl::string_view key, JsonPoint* point) {
  if (json.is_number_unsigned()) {
    point->id = json.get<uint64_t>();
  } else if (json.is_string()) {
    point->id = json.get<std::string>();
  } else {
    return absl::InvalidArgumentError(absl::StrCat(
        key, ": expected an unsigned 64-bit number or a string, got ",
        json.is_number() ? json.dump() : json.type_name()));
  }
  return absl::OkStatus();
}

absl::Status TakeVectors(const Json& json, JsonPoint* point) {
  if (!json.is_object()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "vectors: expected an object of vectors by field name, got ",
        json.type_name()));
  }
  for (const auto& [name, entry] : json.items()) {
    ASSIGN_OR_RETURN(std::vector<float> numbers,
                     ToVector(entry, absl::StrCat("vectors[", name, "]")));
    point->vectors.emplace_back(name, std::move(numbers));
  }
  return absl::OkStatus();
}

absl::StatusOr<JsonSparseVector> ToSparseVector(const Json& json,
                                                const std::string& key) {
  if (!json.is_object() || json.size() != 2 || !json.contains("indices") ||
      !json.contains("weights")) {
    return absl::InvalidArgumentError(absl::StrCat(
        key, R"(: expected {"indices": [...], "weights": [...]})"));
  }
  JsonSparseVector vector;
  ASSIGN_OR_RETURN(vector.weights, ToVector(json["weights"], key + ".weights"));
  const Json& indices = json["indices"];
  if (!indices.is_array() || indices.size() != vector.weights.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(key,
                     ".indices: expected an array of as many numbers as "
                     "there are weights, ",
                     vector.weights.size()));
  }
  for (const Json& entry : indices) {
    constexpr uint64_t kMax = std::numeric_limits<uint32_t>::max();
    if (!entry.is_number_unsigned() || entry.get<uint64_t>() > kMax) {
      return absl::InvalidArgumentError(
          absl::StrCat(key, ".indices[", vector.indices.size(),
                       "]: expected an unsigned 32-bit number, got ",
                       entry.is_number() ? entry.dump() : entry.type_name()));
    }
    vector.indices.push_back(entry.get<uint32_t>());
  }
  return vector;
}

absl::Status TakeSparseVectors(const Json& json, JsonPoint* point) {
  if (!json.is_object()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "sparse_vectors: expected an object of sparse vectors by field name, "
        "got ",
        json.type_name()));
  }
  for (const auto& [name, entry] : json.items()) {
    ASSIGN_OR_RETURN(
        JsonSparseVector vector,
        ToSparseVector(entry, absl::StrCat("sparse_vectors[", name, "]")));
    point->sparse_vectors.emplace_back(name, std::move(vector));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<JsonPoint> ParseJsonPoint(absl::string_view line,
                                         absl::string_view id_field) {
  ASSIGN_OR_RETURN(const Json json, Parse(line));
  if (!json.is_object()) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected a JSON object, got ", json.type_name()));
  }
  JsonPoint point;
  Json payload = Json::object();
  for (const auto& [key, value] : json.items()) {
    if (key == id_field) {
      RETURN_IF_ERROR(TakeId(value, key, &point));
    }
    if (key == "vector") {
      ASSIGN_OR_RETURN(std::vector<float> numbers, ToVector(value, key));
      point.vectors.emplace_back("", std::move(numbers));
    } else if (key == "vectors") {
      RETURN_IF_ERROR(TakeVectors(value, &point));
    } else if (key == "sparse_vectors") {
      RETURN_IF_ERROR(TakeSparseVectors(value, &point));
    } else if (key != "id") {
      payload[key] = value;
    }
  }
  if (payload.size() == 1 && payload.contains("payload") &&
      payload["payload"].is_object()) {
    payload = Json(payload["payload"]);
  }
  if (!payload.empty()) {
    point.payload = payload.dump();
  }
  return point;
}

absl::StatusOr<std::vector<float>> ParseJsonVector(absl::string_view text) {
  ASSIGN_OR_RETURN(const Json json, Parse(text));
  return ToVector(json, "vector");
}

absl::StatusOr<JsonSparseVector> ParseJsonSparseVector(absl::string_view text) {
  ASSIGN_OR_RETURN(const Json json, Parse(text));
  return ToSparseVector(json, "vector");
}

absl::StatusOr<std::vector<std::vector<float>>> ParseJsonVectors(
    absl::string_view text) {
  ASSIGN_OR_RETURN(const Json json, Parse(text));
  std::vector<std::vector<float>> vectors;
  if (!json.is_array() || json.empty() || !json[0].is_array()) {
    ASSIGN_OR_RETURN(vectors.emplace_back(), ToVector(json, "vector"));
    return vectors;
  }
  for (const Json& entry : json) {
    ASSIGN_OR_RETURN(
        std::vector<float> vector,
        ToVector(entry, absl::StrCat("vectors[", vectors.size(), "]")));
    vectors.push_back(std::move(vector));
  }
  return vectors;
}

}  // namespace sextant
