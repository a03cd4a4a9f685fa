// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "engine/filtered_reads.h"
#include "engine/point.h"

namespace sextant {

// Page tokens say where the next page begins. They are opaque to clients: text
// that carries a checksum seeded by what it was made for, so a token of another
// collection, of another call, or a damaged one is refused. Not a secret: who
// forges one may start a page anywhere, which every client may.

// The identity that a scroll token is bound to. A collection that was dropped
// and created anew under the same name is another one.
struct ScrollTarget {
  absl::string_view collection;
  int64_t create_time_us = 0;
  IdKind id_kind = IdKind::kNumber;
  // Filter and order of the scroll, as bytes.
  absl::string_view query;
};

std::string MakeScrollToken(const ScrollTarget& target,
                            const PagePosition& last);
// Nothing for an empty token (the first page); InvalidField("page_token", ...)
// for one that was not made for `target`.
absl::StatusOr<std::optional<PagePosition>> ReadScrollToken(
    const ScrollTarget& target, absl::string_view token);

std::string MakeListToken(absl::string_view last_name);
// Empty for an empty token; else as above.
absl::StatusOr<std::string> ReadListToken(absl::string_view token);

}  // namespace sextant
