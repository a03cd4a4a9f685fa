// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace sextant {

struct JsonSparseVector {
  std::vector<uint32_t> indices;
  std::vector<float> weights;  // as many
};

// One line of a .jsonl file.
struct JsonPoint {
  absl::optional<std::variant<uint64_t, std::string>> id;
  // By field name; the name is empty where the line has a plain "vector".
  std::vector<std::pair<std::string, std::vector<float>>> vectors;
  // By sparse field name.
  std::vector<std::pair<std::string, JsonSparseVector>> sparse_vectors;
  // A JSON object, or empty when the line has nothing else.
  std::string payload;
};

// Parses one line. The keys:
//   <id_field>   the id: an unsigned number or a string. Only the key "id" is
//                taken out of the payload.
//   vector       one vector, [0.1, 0.2, ...]
//   vectors      an object of vectors by field name
//   sparse_vectors  an object of sparse vectors by field name, each of them
//                {"indices": [3, 17], "weights": [0.5, 1.25]}
//   payload      an object: the whole payload, if no other key is left
//   any other    part of the payload
// So the lines that `sextant scroll --output json` prints can be read again.
// INVALID_ARGUMENT with the byte of the line for what is not JSON (broken UTF-8
// included), else with the key and what was expected.
absl::StatusOr<JsonPoint> ParseJsonPoint(absl::string_view line,
                                         absl::string_view id_field = "id");

// Parses a JSON array of numbers that fit a float and are finite.
absl::StatusOr<std::vector<float>> ParseJsonVector(absl::string_view text);

// Parses {"indices": [3, 17], "weights": [0.5, 1.25]}.
absl::StatusOr<JsonSparseVector> ParseJsonSparseVector(absl::string_view text);

// Parses one vector or an array of vectors.
absl::StatusOr<std::vector<std::vector<float>>> ParseJsonVectors(
    absl::string_view text);

}  // namespace sextant
