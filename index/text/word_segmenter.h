// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sextant {

// Finds the words of well-formed UTF-8 as ICU's word iterator does (UAX 29,
// with dictionaries for scripts without spaces): what holds a letter, a digit
// or an ideograph. "@" always divides words, so that tokens do not depend on
// the release of ICU.
//
// Owned by one thread at a time.
class WordSegmenter {
 public:
  static absl::StatusOr<std::unique_ptr<WordSegmenter>> Create();
  ~WordSegmenter();

  // Calls visit(begin, end), in bytes, until it returns false. Texts of ASCII
  // between spaces go a short way of their own, with the same result; that one
  // is the way of `icu_alone`.
  absl::Status Visit(
      absl::string_view text,
      absl::FunctionRef<bool(uint32_t begin, uint32_t end)> visit,
      bool icu_alone = false);

 private:
  struct Rep;
  explicit WordSegmenter(std::unique_ptr<Rep> rep);
  std::unique_ptr<Rep> rep_;
};

}  // namespace sextant
