// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sextant {

// Unicode's NFKC_Casefold, and accents. Immutable, thread-safe: ICU's
// normalisers are.
class TermFolding {
 public:
  // kInternal when ICU lacks its data.
  static absl::StatusOr<TermFolding> Create();

  // Replaces `folded` by the text with case folded and compatibility forms made
  // plain. `text` is well-formed UTF-8 and not inside `folded`.
  absl::Status FoldCase(absl::string_view text, std::string* folded) const;
  // Takes the accents off a term that FoldCase has folded.
  absl::Status FoldAccents(std::string* term) const;

 private:
  struct Forms;
  const Forms* forms_ = nullptr;  // of the process
};

bool IsAsciiText(absl::string_view text);
// What FoldCase makes of text that is ASCII.
void FoldAsciiCase(absl::string_view text, std::string* folded);

}  // namespace sextant
