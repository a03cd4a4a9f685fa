// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "index/metric.h"
#include "index/text/text_index.h"

namespace sextant {

class TextTail;  // the newest rows of a growing segment; text_tail.h

// Consecutive ordinals of a segment with all its text fields: a sealed segment
// is one part, a growing one has several. Rows count from 0 inside a part.
//
// Immutable, thread-safe; shares what it refers to.
struct TextPart {
  Ordinal first_row = 0;
  uint32_t rows = 0;
  // By number of the field; empty where `tail` has the rows. The owner keeps
  // the bytes of a sealed one mapped; a growing one's belong to it.
  std::vector<std::shared_ptr<const TextIndex>> fields;
  std::shared_ptr<const TextTail> tail;

  TextLengths lengths(size_t field) const;
  // The same rows with some of the fields, in this order.
  TextPart Select(std::span<const size_t> numbers) const;
};

// Ascending and without gaps, from row 0.
using TextParts = std::vector<TextPart>;

// The parts of a sealed segment.
TextParts SealedTextParts(std::vector<std::shared_ptr<const TextIndex>> fields);

}  // namespace sextant
