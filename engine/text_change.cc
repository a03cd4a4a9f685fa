// SPDX-License-Identifier: Apache-2.0
#include "engine/text_change.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/errors.h"
#include "base/status_macros.h"

namespace sextant {
namespace {

bool IndexesAlike(const TextFieldSchema& a, const TextFieldSchema& b) {
  return a.analysis == b.analysis && a.positions == b.positions;
}

}  // namespace

TextIndexId TextIndexIdAt(const Schema& schema, size_t i) {
  const size_t field =
      i < schema.text_fields.size() ? i : schema.text_change->field;
  return {static_cast<uint16_t>(field), schema.text_index(i).generation};
}

std::vector<TextIndexId> TextIndexIds(const Schema& schema) {
  std::vector<TextIndexId> ids;
  for (size_t i = 0; i < schema.text_index_count(); ++i) {
    ids.push_back(TextIndexIdAt(schema, i));
  }
  return ids;
}

std::vector<size_t> TextIndexNumbers(const Schema& next, const Schema& before) {
  const std::vector<TextIndexId> known = TextIndexIds(before);
  std::vector<size_t> numbers;
  for (const TextIndexId& id : TextIndexIds(next)) {
    const auto found = std::ranges::find(known, id);
    CHECK(found != known.end()) << "no postings of field " << id.field;
    numbers.push_back(static_cast<size_t>(found - known.begin()));
  }
  return numbers;
}

absl::StatusOr<std::optional<Schema>> WithTextUpdate(
    const Schema& schema, const TextFieldUpdate& update) {
  const std::optional<uint16_t> field = schema.FindTextField(update.field);
  if (!field.has_value()) {
    return InvalidField("field", "the collection has no such text field");
  }
  const TextFieldSchema& present = schema.text_fields[*field];
  const bool is_changing =
      schema.text_change.has_value() && schema.text_change->field == *field;
  const TextFieldSchema& last =
      is_changing ? schema.text_change->next : present;
  TextFieldSchema next = present;
  next.analysis = update.analysis.value_or(last.analysis);
  next.positions = update.positions.value_or(last.positions);
  RETURN_IF_ERROR(ValidateAnalyzer(next.analysis, "analyzer"));
  if (IndexesAlike(next, last)) {
    return std::nullopt;
  }
  Schema result = schema;
  if (schema.text_change.has_value()) {
    if (is_changing && IndexesAlike(next, present)) {
      result.text_change.reset();
      return result;
    }
    return absl::FailedPreconditionError(
        absl::StrCat("text field '", schema.text_change->next.name,
                     "' is being indexed anew; one change at a time"));
  }
  next.generation = ++result.text_generation;
  ASSIGN_OR_RETURN(next.analyzer, Analyzer::Create(next.analysis));
  result.text_change = TextChange{*field, std::move(next)};
  return result;
}

Schema WithTextChangeDone(const Schema& schema) {
  Schema result = schema;
  const TextChange& change = *schema.text_change;
  result.text_fields[change.field] = change.next;
  result.text_change.reset();
  return result;
}

}  // namespace sextant
