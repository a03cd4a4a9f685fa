// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>
#include <string>

#include "engine/collection.h"
#include "storage/format.pb.h"

namespace sextant {

// Stands in for a collection whose points are damaged on disk: listed, with
// its error, and droppable; every other call returns the error. The other
// collections are served meanwhile.
std::shared_ptr<Collection> MakeDamagedCollection(
    const storage::CollectionRecord& record, absl::Status damage);

}  // namespace sextant
