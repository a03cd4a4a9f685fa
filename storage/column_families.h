// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstdint>

#include "rocksdb/db.h"

namespace sextant {

// The column families of the store. The values are RocksDB's ids for them:
// families are only ever created in this order, which Store::Open checks.
enum class Family : uint32_t {
  kDefault = 0,      // format version, number for the next collection
  kCollections = 1,  // definition, state and checkpoint of each collection
  kPoints = 2,       // payload of each point
  kVectors = 3,      // vectors of each point
  kChanges = 4,      // what each write request touched
};

inline constexpr size_t kFamilyCount = 5;

inline constexpr std::array<const char*, kFamilyCount> kFamilyNames = {
    "default", "collections", "points", "vectors", "changes"};

// The families that hold nothing but records of collections, by prefix.
inline constexpr std::array<Family, 4> kCollectionFamilies = {
    Family::kCollections, Family::kPoints, Family::kVectors, Family::kChanges};

// A handle that carries only a family's id: enough to fill a WriteBatch, which
// stores ids, without an open database. Lives as long as the process.
rocksdb::ColumnFamilyHandle* BatchHandle(Family family);

}  // namespace sextant
