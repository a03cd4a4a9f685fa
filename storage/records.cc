// SPDX-License-Identifier: Apache-2.0
#include "storage/records.h"

#include <string>

#include "base/checksum.h"
#include "base/coding.h"

namespace sextant {
namespace {

// Lengths go in before contents, so that no two points give the same bytes.
void Frame(RunningChecksum* checksum, uint64_t number) {
  checksum->Update(absl::string_view(reinterpret_cast<const char*>(&number),
                                     sizeof(number)));
}

}  // namespace

ContentHash HashPoint(const PointView& point) {
  RunningChecksum checksum;
  Frame(&checksum, point.id.size());
  checksum.Update(point.id);
  Frame(&checksum, point.payload.size());
  checksum.Update(point.payload);
  for (const FieldVector& vector : point.vectors) {
    Frame(&checksum, vector.field);
    Frame(&checksum, vector.values.size());
    checksum.Update(
        absl::string_view(reinterpret_cast<const char*>(vector.values.data()),
                          vector.values.size_bytes()));
  }
  const Hash128 hash = checksum.Digest128();
  return ContentHash{.low = hash.low, .high = hash.high};
}

}  // namespace sextant
