// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace sextant {

// kInvalidArgument with the message "<field>: <problem>". `field` is the path
// in the request ("points[3].id"); it also travels as a payload of the status,
// so that the server can fill a google.rpc.BadRequest.
absl::Status InvalidField(absl::string_view field, absl::string_view problem);

// The field path of an InvalidField status, empty for any other.
std::string InvalidFieldPath(const absl::Status& status);

// The same error with `prefix` put before its field path ("searches[2]." +
// "limit"); any other status is returned unchanged.
absl::Status PrefixField(absl::string_view prefix, const absl::Status& status);

// A client's text as it may appear in a message: printable, valid UTF-8, at
// most `bytes_max` of its bytes (then "..."), cut between characters.
std::string ShownText(absl::string_view text, size_t bytes_max);

}  // namespace sextant
