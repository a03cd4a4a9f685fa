// SPDX-License-Identifier: Apache-2.0
#include "storage/records.h"

#include <array>
#include <cstddef>

#include "base/checksum.h"
#include "base/coding.h"

namespace sextant {
namespace {

// Calls `add` with the bytes that identify a point, piece by piece. Lengths go
// in before contents, so that no two points give the same bytes.
template <typename Add>
void AddPieces(const PointView& point, const Add& add) {
  const auto add_number = [&add](uint64_t number) {
    add(absl::string_view(reinterpret_cast<const char*>(&number),
                          sizeof(number)));
  };
  add_number(point.id.size());
  add(point.id);
  add_number(point.payload.size());
  add(point.payload);
  for (const FieldVector& vector : point.vectors) {
    add_number(vector.field);
    add_number(vector.values.size());
    add(absl::string_view(reinterpret_cast<const char*>(vector.values.data()),
                          vector.values.size_bytes()));
  }
  for (const FieldSparse& vector : point.sparse) {
    // Above every dense field.
    constexpr uint64_t kSparse = uint64_t{1} << 16U;
    add_number(kSparse + vector.field);
    add_number(vector.entries.size());
    add(absl::string_view(reinterpret_cast<const char*>(vector.entries.data()),
                          vector.entries.size_bytes()));
  }
}

Hash128 Checksum(const PointView& point) {
  // Most points are small: one call over their bytes side by side needs no
  // running state, which lives on the heap.
  constexpr size_t kSmall = 4096;
  std::array<char, kSmall> bytes;
  size_t size = 0;
  AddPieces(point, [&](absl::string_view piece) {
    if (size + piece.size() <= kSmall) {
      piece.copy(bytes.data() + size, piece.size());
    }
    size += piece.size();
  });
  if (size <= kSmall) {
    return Checksum128(absl::string_view(bytes.data(), size));
  }
  RunningChecksum checksum;
  AddPieces(point, [&](absl::string_view piece) { checksum.Update(piece); });
  return checksum.Digest128();
}

}  // namespace

ContentHash HashPoint(const PointView& point) {
  const Hash128 hash = Checksum(point);
  return ContentHash{.low = hash.low, .high = hash.high};
}

}  // namespace sextant
