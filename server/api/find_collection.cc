// SPDX-License-Identifier: Apache-2.0
#include "server/api/find_collection.h"

#include "base/status_macros.h"
#include "engine/database.h"
#include "engine/limits.h"

namespace sextant {

absl::StatusOr<std::shared_ptr<Collection>> FindCollection(
    const ApiEnvironment& environment, const std::string& name,
    absl::string_view path) {
  ASSIGN_OR_RETURN(Database* const database, environment.state->database());
  RETURN_IF_ERROR(ValidateName(name, path));
  return database->Find(name);
}

}  // namespace sextant
