// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "index/metric.h"
#include "index/text/text_index_builder.h"
#include "index/text/text_part.h"
#include "index/text/token_list.h"

namespace sextant {

// All text fields of the growing segment. The newest rows (up to kTailRows) are
// kept as short sorted lists of their terms; then they are frozen into a
// TextIndex for each field, and equal-sized ones are merged, so that a row is
// rewritten a few times in all and a search sees few parts.
//
// One writer appends. Any thread searches the parts that View() gave the
// writer at some time: a view is immutable and stays valid as long as it is
// held, also after this object is gone. Readers take no lock.
class GrowingText {
 public:
  // One option a field.
  explicit GrowingText(std::vector<TextIndexOptions> fields);
  ~GrowingText();

  // The tokens of the next row, one list a field; empty where the row lacks the
  // field. kResourceExhausted when an index cannot hold it; nothing is appended
  // then.
  absl::Status Append(std::span<const TokenList> tokens);

  uint32_t rows() const;        // writer only
  uint64_t size_bytes() const;  // memory allocated, writer only

  // The rows appended so far; writer only, cheap enough for each write.
  TextParts View() const;

  static constexpr uint32_t kTailRows = 128;

 private:
  struct Rep;
  std::unique_ptr<Rep> rep_;
};

// The same rows with an index where a part has a tail: what MergeTextIndexes
// takes. Options as those of the growing segment.
absl::StatusOr<TextParts> FreezeTextParts(
    TextParts parts, std::span<const TextIndexOptions> fields);

}  // namespace sextant
