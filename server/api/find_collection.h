// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "engine/collection.h"
#include "server/api/api_environment.h"

namespace sextant {

// The collection that a request names in its field `path`. kInvalidArgument:
// not a name; kNotFound; kUnavailable: the server is still starting.
absl::StatusOr<std::shared_ptr<Collection>> FindCollection(
    const ApiEnvironment& environment, const std::string& name,
    absl::string_view path = "collection");

}  // namespace sextant
