// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"

namespace sextant {

// Says why `bytes`, which protobuf refused to parse as a message of this type,
// are wrong: InvalidField with the path of the first text field that is not
// UTF-8 ("points[3].id.str"), else a plain kInvalidArgument for bytes that are
// no protobuf message. protobuf itself only says "no".
absl::Status DescribeParseFailure(const google::protobuf::Descriptor& type,
                                  absl::string_view bytes);

}  // namespace sextant
