// SPDX-License-Identifier: Apache-2.0
#include "engine/schema.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/limits.h"

namespace sextant {
namespace {

absl::Status ValidateRange(absl::string_view field, uint32_t value,
                           uint32_t lowest, uint32_t highest) {
  if (value < lowest || value > highest) {
    return InvalidField(field, absl::StrCat("must be ", lowest, " to ", highest,
                                            ", got ", value));
  }
  return absl::OkStatus();
}

absl::Status ValidateField(const VectorFieldSchema& field,
                           const std::string& path) {
  RETURN_IF_ERROR(ValidateName(field.name, path + ".name"));
  RETURN_IF_ERROR(ValidateRange(path + ".dimension", field.dimension, 1,
                                limits::kDimensionMax));
  RETURN_IF_ERROR(ValidateRange(path + ".graph.m", field.graph.m,
                                limits::kGraphMMin, limits::kGraphMMax));
  RETURN_IF_ERROR(ValidateRange(
      path + ".graph.ef_construction", field.graph.ef_construction,
      limits::kEfConstructionMin, limits::kEfConstructionMax));
  const Encoding encoding = field.storage.encoding;
  if (field.storage.rerank == Rerank::kNone &&
      (encoding == Encoding::kAuto || encoding == Encoding::kFloat)) {
    return InvalidField(
        path + ".rerank",
        absl::StrCat("without floats the codes are all there is, so 'none' "
                     "needs the encoding bf16, int8, int4 or binary, got ",
                     EncodingName(encoding)));
  }
  return absl::OkStatus();
}

}  // namespace

std::optional<uint16_t> Schema::FindVectorField(absl::string_view name) const {
  for (size_t i = 0; i < vector_fields.size(); ++i) {
    if (vector_fields[i].name == name) {
      return static_cast<uint16_t>(i);
    }
  }
  return std::nullopt;
}

absl::Status ValidateName(absl::string_view name, absl::string_view field) {
  if (name.empty() || name.size() > limits::kNameBytesMax) {
    return InvalidField(field,
                        absl::StrCat("a name has 1 to ", limits::kNameBytesMax,
                                     " characters, got ", name.size()));
  }
  const bool allowed = std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' ||
           c == '-';
  });
  if (!allowed) {
    return InvalidField(field,
                        "a name is made of A-Z, a-z, 0-9, '_' and '-' only");
  }
  return absl::OkStatus();
}

absl::Status ValidateSchema(const Schema& schema) {
  const size_t count = schema.vector_fields.size();
  if (count == 0 || count > limits::kVectorFieldsMax) {
    return InvalidField(
        "vector_fields",
        absl::StrCat("a collection has 1 to ", limits::kVectorFieldsMax,
                     " vector fields, got ", count));
  }
  for (size_t i = 0; i < count; ++i) {
    const std::string path = absl::StrCat("vector_fields[", i, "]");
    RETURN_IF_ERROR(ValidateField(schema.vector_fields[i], path));
    if (*schema.FindVectorField(schema.vector_fields[i].name) != i) {
      return InvalidField(path + ".name", "used by an earlier field");
    }
  }
  return absl::OkStatus();
}

absl::string_view MetricName(Metric metric) {
  switch (metric) {
    case Metric::kCosine:
      return "cosine";
    case Metric::kInnerProduct:
      return "inner_product";
    case Metric::kL2:
      return "l2";
  }
  return "unknown";
}

}  // namespace sextant
