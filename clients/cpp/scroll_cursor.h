// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "clients/cpp/types.h"

namespace sextant::client {

struct ScrollOptions {
  // Points of a page, 0 = the server's default (100).
  uint32_t page_size = 0;
  Projection projection = {.payload = true, .vectors = {}};
  // Points to walk, as text; empty: all.
  std::string filter;
  // A payload field to order by, not a keyword one; empty: by ascending id.
  std::string order_by;
  bool descending = false;
};

// Walks points of a collection in the order asked for, page by page. Owned by
// who opened it, used by one thread; keeps the connection alive. After an error
// NextPage() may be called again and asks for the same page.
class ScrollCursor {
 public:
  virtual ~ScrollCursor() = default;

  // The next page; empty when all points were given.
  virtual absl::StatusOr<std::vector<Point>> NextPage() = 0;
};

}  // namespace sextant::client
