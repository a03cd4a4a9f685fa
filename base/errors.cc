// SPDX-License-Identifier: Apache-2.0
#include "base/errors.h"

#include "absl/strings/cord.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "base/utf8.h"

namespace sextant {
namespace {

constexpr absl::string_view kFieldPathUrl = "sextant/field-path";

}  // namespace

absl::Status InvalidField(absl::string_view field, absl::string_view problem) {
  absl::Status status =
      absl::InvalidArgumentError(absl::StrCat(field, ": ", problem));
  status.SetPayload(kFieldPathUrl, absl::Cord(field));
  return status;
}

std::string InvalidFieldPath(const absl::Status& status) {
  const auto path = status.GetPayload(kFieldPathUrl);
  return path.has_value() ? std::string(*path) : std::string();
}

absl::Status PrefixField(absl::string_view prefix, const absl::Status& status) {
  const std::string path = InvalidFieldPath(status);
  if (path.empty()) {
    return status;
  }
  absl::string_view problem = status.message();
  // Context may have been put before the path; then the message stays whole.
  absl::ConsumePrefix(&problem, absl::StrCat(path, ": "));
  return InvalidField(absl::StrCat(prefix, path), problem);
}

std::string ShownText(absl::string_view text, size_t bytes_max) {
  const absl::string_view shown = Utf8Prefix(text, bytes_max);
  return absl::StrCat(
      IsValidUtf8(shown) ? absl::Utf8SafeCEscape(shown) : absl::CEscape(shown),
      shown.size() < text.size() ? "..." : "");
}

}  // namespace sextant
