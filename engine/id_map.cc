// SPDX-License-Identifier: Apache-2.0
#include "engine/id_map.h"

#include <utility>

#include "base/check.h"
#include "base/coding.h"

namespace sextant {
namespace {

uint64_t Number(absl::string_view id) {
  CHECK_EQ(id.size(), sizeof(uint64_t));
  return LoadBigEndian<uint64_t>(id.data());
}

template <typename Map, typename Key>
std::optional<Location> FindIn(const Map& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? std::nullopt : std::optional(found->second);
}

template <typename Map, typename Key>
std::optional<Location> SetIn(Map* map, const Key& key, Location location) {
  const auto [place, inserted] = map->try_emplace(key, location);
  if (inserted) {
    return std::nullopt;
  }
  return std::exchange(place->second, location);
}

template <typename Map, typename Key>
std::optional<Location> RemoveFrom(Map* map, const Key& key) {
  const auto found = map->find(key);
  if (found == map->end()) {
    return std::nullopt;
  }
  const Location location = found->second;
  map->erase(found);
  return location;
}

}  // namespace

std::optional<Location> IdMap::Find(absl::string_view id) const {
  return kind_ == IdKind::kNumber ? FindIn(numbers_, Number(id))
                                  : FindIn(strings_, id);
}

void IdMap::Prefetch(absl::string_view id) const {
  if (kind_ == IdKind::kNumber) {
    numbers_.prefetch(Number(id));
  } else {
    strings_.prefetch(id);
  }
}

std::optional<Location> IdMap::Set(absl::string_view id, Location location) {
  if (kind_ == IdKind::kNumber) {
    return SetIn(&numbers_, Number(id), location);
  }
  const std::optional<Location> before = SetIn(&strings_, id, location);
  id_bytes_ += before.has_value() ? 0 : id.size();
  return before;
}

std::optional<Location> IdMap::Remove(absl::string_view id) {
  if (kind_ == IdKind::kNumber) {
    return RemoveFrom(&numbers_, Number(id));
  }
  const std::optional<Location> removed = RemoveFrom(&strings_, id);
  id_bytes_ -= removed.has_value() ? id.size() : 0;
  return removed;
}

uint64_t IdMap::size_bytes() const {
  // A slot has a control byte beside it.
  return numbers_.capacity() * (sizeof(*numbers_.begin()) + 1) +
         strings_.capacity() * (sizeof(*strings_.begin()) + 1) + id_bytes_;
}

void IdMap::Reserve(size_t count) {
  if (kind_ == IdKind::kNumber) {
    numbers_.reserve(count);
  } else {
    strings_.reserve(count);
  }
}

}  // namespace sextant
