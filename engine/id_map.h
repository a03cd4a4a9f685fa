// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

#include "engine/point.h"
#include "index/metric.h"

namespace sextant {

// Where a live point lies.
struct Location {
  uint32_t segment = 0;  // segment number
  Ordinal row = 0;
  friend bool operator==(const Location&, const Location&) = default;
};

// Encoded id -> location of every live point. One thread at a time.
class IdMap {
 public:
  explicit IdMap(IdKind kind) : kind_(kind) {}

  std::optional<Location> Find(absl::string_view id) const;
  // Has the memory fetched that Find() or Set() will look at: in a large map
  // that is most of their time.
  void Prefetch(absl::string_view id) const;
  // Inserts or replaces; returns what was there before.
  std::optional<Location> Set(absl::string_view id, Location location);
  // Returns what was removed.
  std::optional<Location> Remove(absl::string_view id);
  void Reserve(size_t count);
  size_t size() const { return numbers_.size() + strings_.size(); }
  uint64_t size_bytes() const;  // memory allocated, about

 private:
  IdKind kind_;
  // Numbers take a third of the memory that their encoded strings would.
  absl::flat_hash_map<uint64_t, Location> numbers_;
  absl::flat_hash_map<std::string, Location> strings_;
  uint64_t id_bytes_ = 0;  // of the strings
};

}  // namespace sextant
