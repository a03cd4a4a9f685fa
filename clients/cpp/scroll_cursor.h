// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "absl/status/statusor.h"

#include "clients/cpp/types.h"

namespace sextant::client {

struct ScrollOptions {
  // Points of a page, 0 = the server's default (100).
  uint32_t page_size = 0;
  Projection projection = {.payload = true, .vectors = {}};
};

// Walks all points of a collection by ascending id, page by page. Owned by who
// opened it, used by one thread; keeps the connection alive. After an error
// NextPage() may be called again and asks for the same page.
class ScrollCursor {
 public:
  virtual ~ScrollCursor() = default;

  // The next page; empty when all points were given.
  virtual absl::StatusOr<std::vector<Point>> NextPage() = 0;
};

}  // namespace sextant::client
