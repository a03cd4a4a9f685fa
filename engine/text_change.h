// SPDX-License-Identifier: Apache-2.0
//
// Text fields that are analysed another way from some moment on. The new
// postings are made beside the old ones, which answer until all are there.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "engine/schema.h"
#include "index/text/analyzer.h"

namespace sextant {

// What is to be different about a text field.
struct TextFieldUpdate {
  std::string field;
  // Not set: as it is, or as it is going to be.
  std::optional<AnalyzerSpec> analysis;
  std::optional<bool> positions;
};

// One text index: the texts of a field, analysed in one way.
struct TextIndexId {
  uint16_t field = 0;  // position
  uint32_t generation = 0;

  friend bool operator==(const TextIndexId&, const TextIndexId&) = default;
};

// Of Schema::text_index.
TextIndexId TextIndexIdAt(const Schema& schema, size_t i);
std::vector<TextIndexId> TextIndexIds(const Schema& schema);

// The schema in which the change has begun; or without the one that goes on,
// where a field is to be as it still is. Nothing when it is so already, or
// going to be. InvalidField with paths "field" and "analyzer";
// kFailedPrecondition while another change goes on.
absl::StatusOr<std::optional<Schema>> WithTextUpdate(
    const Schema& schema, const TextFieldUpdate& update);

// Where each text index of `next` is among those of `before`, which has them
// all.
std::vector<size_t> TextIndexNumbers(const Schema& next, const Schema& before);

// The schema after the change.
Schema WithTextChangeDone(const Schema& schema);

}  // namespace sextant
