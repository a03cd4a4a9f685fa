// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "index/metric.h"
#include "index/text/token_list.h"

namespace sextant {

struct TextIndexOptions {
  // Without, phrases are refused and the file is about half as large.
  bool positions = true;
};

// Of one row; counts up to here are exact as float32.
inline constexpr size_t kRowTokensMax = size_t{1} << 24U;

// kResourceExhausted when there are more.
absl::Status CheckRowTokens(const TokenList& tokens);

// Makes the bytes of a TextIndex from the tokens of rows. Holds the postings
// compressed, 3 to 4 bytes a token, beside each distinct term once.
//
// Owned by one thread.
class TextIndexBuilder {
 public:
  explicit TextIndexBuilder(TextIndexOptions options);
  ~TextIndexBuilder();

  // Rows in ascending order, each at most once. A row that is not added, or has
  // no tokens, lacks the field. kResourceExhausted past kRowTokensMax, 2^32 - 1
  // tokens in all or 4 GiB of terms.
  absl::Status Add(Ordinal row, const TokenList& tokens);

  uint64_t tokens() const;

  // Ends the builder; `rows` is the number of rows of the segment.
  absl::StatusOr<std::string> Finish(uint32_t rows) &&;

 private:
  struct Rep;
  std::unique_ptr<Rep> rep_;
};

}  // namespace sextant
