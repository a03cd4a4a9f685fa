// SPDX-License-Identifier: Apache-2.0
#include "engine/schema.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

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

template <typename Field>
std::optional<uint16_t> Find(const std::vector<Field>& fields,
                             absl::string_view name) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == name) {
      return static_cast<uint16_t>(i);
    }
  }
  return std::nullopt;
}

// "a.b" of "a.b.c".
bool IsInside(absl::string_view inner, absl::string_view outer) {
  return absl::StartsWith(inner, outer) && inner.size() > outer.size() &&
         inner[outer.size()] == '.';
}

absl::Status ValidatePayloadPath(const std::string& name,
                                 const std::string& path) {
  if (name.size() > limits::kPayloadFieldNameBytesMax) {
    return InvalidField(
        path + ".name",
        absl::StrCat("at most ", limits::kPayloadFieldNameBytesMax,
                     " characters, got ", name.size()));
  }
  // Each key down to the value is a name.
  for (const absl::string_view key : absl::StrSplit(name, '.')) {
    RETURN_IF_ERROR(ValidateName(key, path + ".name"));
  }
  return absl::OkStatus();
}

absl::Status ValidatePayloadField(const PayloadFieldSchema& field,
                                  const std::string& path) {
  RETURN_IF_ERROR(ValidatePayloadPath(field.name, path));
  if (field.window && (field.type == FieldType::kKeyword ||
                       field.type == FieldType::kBoolean)) {
    return InvalidField(path + ".window",
                        absl::StrCat("for integer, float and timestamp fields, "
                                     "got ",
                                     FieldTypeName(field.type)));
  }
  return absl::OkStatus();
}

// What `field` may not have in common with one that was declared before.
absl::Status CheckApart(const std::string& name, const std::string& earlier,
                        const std::string& path) {
  if (IsInside(name, earlier) || IsInside(earlier, name)) {
    return InvalidField(path + ".name",
                        absl::StrCat("what is at '", std::min(earlier, name),
                                     "' cannot be a value and an object"));
  }
  return absl::OkStatus();
}

absl::Status ValidatePayloadFields(
    const std::vector<PayloadFieldSchema>& fields) {
  if (fields.size() > limits::kPayloadFieldsMax) {
    return InvalidField("payload_fields",
                        absl::StrCat("at most ", limits::kPayloadFieldsMax,
                                     ", got ", fields.size()));
  }
  for (size_t i = 0; i < fields.size(); ++i) {
    const std::string path = absl::StrCat("payload_fields[", i, "]");
    RETURN_IF_ERROR(ValidatePayloadField(fields[i], path));
    for (size_t earlier = 0; earlier < i; ++earlier) {
      if (fields[earlier].name == fields[i].name) {
        return InvalidField(path + ".name", "used by an earlier field");
      }
      RETURN_IF_ERROR(CheckApart(fields[i].name, fields[earlier].name, path));
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateTextField(const Schema& schema,
                               const TextFieldSchema& field,
                               const std::string& path) {
  RETURN_IF_ERROR(ValidatePayloadPath(field.name, path));
  RETURN_IF_ERROR(ValidateAnalyzer(field.analysis, path + ".analyzer"));
  if (!(field.bm25.k1 >= 0 && field.bm25.k1 <= kBm25K1Max)) {
    return InvalidField(path + ".k1",
                        absl::StrCat("must be from 0 to ", kBm25K1Max, ", got ",
                                     field.bm25.k1));
  }
  if (!(field.bm25.b >= 0 && field.bm25.b <= 1)) {
    return InvalidField(
        path + ".b", absl::StrCat("must be from 0 to 1, got ", field.bm25.b));
  }
  for (const PayloadFieldSchema& other : schema.payload_fields) {
    RETURN_IF_ERROR(CheckApart(field.name, other.name, path));
    if (other.name == field.name && other.type != FieldType::kKeyword) {
      return InvalidField(
          path + ".name",
          absl::StrCat("the payload field of this name is of "
                       "type ",
                       FieldTypeName(other.type), ", not text"));
    }
  }
  return absl::OkStatus();
}

// Points name vectors of both kinds.
absl::Status ValidateSparseFields(const Schema& schema) {
  const std::vector<SparseFieldSchema>& fields = schema.sparse_fields;
  if (fields.size() > limits::kSparseFieldsMax) {
    return InvalidField("sparse_fields",
                        absl::StrCat("at most ", limits::kSparseFieldsMax,
                                     ", got ", fields.size()));
  }
  for (size_t i = 0; i < fields.size(); ++i) {
    const std::string path = absl::StrCat("sparse_fields[", i, "].name");
    RETURN_IF_ERROR(ValidateName(fields[i].name, path));
    if (*schema.FindSparseField(fields[i].name) != i ||
        schema.FindVectorField(fields[i].name).has_value()) {
      return InvalidField(path, "used by an earlier field");
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateTextFields(const Schema& schema) {
  const std::vector<TextFieldSchema>& fields = schema.text_fields;
  if (fields.size() > limits::kTextFieldsMax) {
    return InvalidField("text_fields",
                        absl::StrCat("at most ", limits::kTextFieldsMax,
                                     ", got ", fields.size()));
  }
  for (size_t i = 0; i < fields.size(); ++i) {
    const std::string path = absl::StrCat("text_fields[", i, "]");
    RETURN_IF_ERROR(ValidateTextField(schema, fields[i], path));
    for (size_t earlier = 0; earlier < i; ++earlier) {
      if (fields[earlier].name == fields[i].name) {
        return InvalidField(path + ".name", "used by an earlier field");
      }
      RETURN_IF_ERROR(CheckApart(fields[i].name, fields[earlier].name, path));
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::optional<uint16_t> Schema::FindVectorField(absl::string_view name) const {
  return Find(vector_fields, name);
}

absl::StatusOr<uint16_t> RequireVectorField(const Schema& schema,
                                            absl::string_view name,
                                            absl::string_view path) {
  if (name.empty() && schema.vector_fields.size() == 1) {
    return uint16_t{0};
  }
  const std::optional<uint16_t> field = schema.FindVectorField(name);
  if (!field.has_value()) {
    return InvalidField(
        path, absl::StrCat("no vector field '", ShownText(name, 64), "'"));
  }
  return *field;
}

std::optional<uint16_t> Schema::FindPayloadField(absl::string_view name) const {
  return Find(payload_fields, name);
}

std::optional<uint16_t> Schema::FindTextField(absl::string_view name) const {
  return Find(text_fields, name);
}

std::optional<uint16_t> Schema::FindSparseField(absl::string_view name) const {
  return Find(sparse_fields, name);
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
  if ((count == 0 && schema.sparse_fields.empty()) ||
      count > limits::kVectorFieldsMax) {
    return InvalidField(
        "vector_fields",
        absl::StrCat("a collection has 1 to ", limits::kVectorFieldsMax,
                     " vector fields, got ", count,
                     count == 0 ? "; none will do with a sparse field" : ""));
  }
  for (size_t i = 0; i < count; ++i) {
    const std::string path = absl::StrCat("vector_fields[", i, "]");
    RETURN_IF_ERROR(ValidateField(schema.vector_fields[i], path));
    if (*schema.FindVectorField(schema.vector_fields[i].name) != i) {
      return InvalidField(path + ".name", "used by an earlier field");
    }
  }
  RETURN_IF_ERROR(ValidateSparseFields(schema));
  RETURN_IF_ERROR(ValidatePayloadFields(schema.payload_fields));
  return ValidateTextFields(schema);
}

absl::Status OpenAnalyzers(Schema* schema) {
  const auto open = [](TextFieldSchema* field) -> absl::Status {
    ASSIGN_OR_RETURN_WITH(field->analyzer, Analyzer::Create(field->analysis),
                          field->name);
    return absl::OkStatus();
  };
  for (TextFieldSchema& field : schema->text_fields) {
    RETURN_IF_ERROR(open(&field));
  }
  return schema->text_change.has_value() ? open(&schema->text_change->next)
                                         : absl::OkStatus();
}

absl::StatusOr<Schema> WithPayloadField(const Schema& schema,
                                        const PayloadFieldSchema& field) {
  const std::string path = "field";
  RETURN_IF_ERROR(ValidatePayloadField(field, path));
  if (schema.FindPayloadField(field.name).has_value()) {
    return absl::AlreadyExistsError(
        absl::StrCat("payload field '", field.name, "' exists"));
  }
  if (schema.payload_fields.size() >= limits::kPayloadFieldsMax) {
    return InvalidField(
        path, absl::StrCat("a collection has at most ",
                           limits::kPayloadFieldsMax, " payload fields"));
  }
  for (const PayloadFieldSchema& earlier : schema.payload_fields) {
    RETURN_IF_ERROR(CheckApart(field.name, earlier.name, path));
  }
  for (const TextFieldSchema& text : schema.text_fields) {
    RETURN_IF_ERROR(CheckApart(field.name, text.name, path));
    if (field.name == text.name && field.type != FieldType::kKeyword) {
      return InvalidField(path + ".type",
                          "a text field of this name is there, so that only "
                          "keywords fit");
    }
  }
  Schema result = schema;
  result.payload_fields.push_back(field);
  return result;
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
