// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/status.h"

#include "clients/cpp/types.h"

namespace sextant::client {

// What a stream has brought to disk so far.
struct UpsertProgress {
  uint64_t messages = 0;
  uint64_t points = 0;
  uint64_t inserted = 0;
  uint64_t updated = 0;
  uint64_t applied_seq = 0;
};

// A long import: each Send() is one atomic write with its own acknowledgement,
// and several are on their way at once. When the connection breaks or the
// server is busy, the stream is opened again and what was not acknowledged is
// sent again (an upsert may be repeated without harm; points that were written
// but not acknowledged then count as updated).
//
// Owned by who opened it, used by one thread; keeps the connection alive. After
// an error the stream is closed, and every later call returns that error.
//
//   ASSIGN_OR_RETURN(auto stream, client->OpenUpsertStream("docs"));
//   while (...) RETURN_IF_ERROR(stream->Send(points));
//   RETURN_IF_ERROR(stream->Finish());
class UpsertStream {
 public:
  virtual ~UpsertStream() = default;

  // Sends one message of 1 to 10,000 points. Returns once at most `window`
  // messages wait for their acknowledgement.
  virtual absl::Status Send(std::span<const Point> points) = 0;

  // Waits for all acknowledgements and closes the stream.
  virtual absl::Status Finish() = 0;

  // Messages that were acknowledged are on disk, in the order of Send().
  virtual const UpsertProgress& acknowledged() const = 0;
};

}  // namespace sextant::client
