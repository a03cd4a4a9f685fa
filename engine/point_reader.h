// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/context.h"
#include "engine/point.h"
#include "engine/schema.h"
#include "storage/store.h"

namespace sextant {

// Reads points of one collection from the store, as projected.
//
// Holds pointers only; thread-safe; lives inside a request.
class PointReader {
 public:
  PointReader(const Store* store, CollectionNumber collection,
              const Schema* schema)
      : store_(store), collection_(collection), schema_(schema) {}

  // In the order of `ids` (encoded); nothing where there is no such point.
  // `view` null reads the newest state.
  absl::StatusOr<std::vector<std::optional<Point>>> Read(
      const StoreView* view, std::span<const absl::string_view> ids,
      const Projection& projection) const;

  // Points of one state that are all there.
  struct Wanted {
    const StoreView* view = nullptr;  // as for Read
    std::span<const absl::string_view> ids;
    const Projection& projection;
  };
  // Hands them to `take`, each with its place in `ids`, until that returns
  // false; reads little more than that. kInternal for one that is not there.
  absl::Status ReadEach(const Wanted& wanted, const RequestContext& context,
                        absl::FunctionRef<bool(size_t, Point)> take) const;

  // The vector of a field. kNotFound when the point does not exist or has no
  // such vector.
  absl::StatusOr<std::vector<float>> ReadVector(const StoreView* view,
                                                const PointId& id,
                                                uint16_t field) const;
  // The same of a sparse field.
  absl::StatusOr<std::vector<SparseEntry>> ReadSparse(const StoreView* view,
                                                      const PointId& id,
                                                      uint16_t field) const;

  // Keeps of `stored` what is projected.
  Point Project(absl::string_view id, StoredPoint stored,
                const Projection& projection) const;

 private:
  // kNotFound when it does not exist.
  absl::StatusOr<StoredPoint> ReadVectors(const StoreView* view,
                                          const PointId& id) const;

  const Store* const store_;
  const CollectionNumber collection_;
  const Schema* const schema_;
};

}  // namespace sextant
