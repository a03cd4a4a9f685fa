// SPDX-License-Identifier: Apache-2.0
#include "base/status_macros.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

namespace sextant {

absl::Status WithContext(const absl::Status& status,
                         absl::string_view context) {
  if (status.ok()) {
    return status;
  }
  absl::Status result(status.code(),
                      absl::StrCat(context, ": ", status.message()));
  status.ForEachPayload(
      [&result](absl::string_view url, const absl::Cord& payload) {
        result.SetPayload(url, payload);
      });
  return result;
}

}  // namespace sextant
