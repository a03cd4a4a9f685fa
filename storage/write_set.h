// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/strings/string_view.h"

#include "storage/records.h"

namespace sextant {

// The records of one or more write requests to one collection, encoded as they
// will lie on disk, committed as one atomic batch by Store::Commit.
//
// Owned by one thread. Cannot fail: sizes were checked before.
class WriteSet {
 public:
  // `size_hint`: about how many bytes of records are to come.
  explicit WriteSet(CollectionNumber collection, size_t size_hint = 0);
  ~WriteSet();
  WriteSet(WriteSet&&) noexcept;
  WriteSet& operator=(WriteSet&&) noexcept;
  WriteSet(const WriteSet&) = delete;
  WriteSet& operator=(const WriteSet&) = delete;

  // Inserts or overwrites a point. `hash` is HashPoint(point).
  void Put(Sequence seq, const PointView& point, const ContentHash& hash);
  void Delete(absl::string_view id);

  // One row of the change log; call once for each request.
  void AppendChange(const Change& change);

  // The state after the last request of the set; call once, last.
  void SetState(const CollectionState& state);

  size_t size_bytes() const;

 private:
  friend class Store;
  struct Rep;
  std::unique_ptr<Rep> rep_;
};

}  // namespace sextant
