// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/point.h"
#include "engine/schema.h"
#include "engine/search_query.h"
#include "storage/records.h"

namespace sextant::test {

struct ModelHit {
  float score = 0;
  PointId id;
};

// A collection as obvious as can be: a map, and comparing with every point.
class CollectionModel {
 public:
  explicit CollectionModel(Schema schema) : schema_(std::move(schema)) {}

  const Schema& schema() const { return schema_; }
  // By encoded id.
  const std::map<std::string, Point>& points() const { return points_; }

  // Of equal ids the last one wins. The numbers of new and of known ids.
  struct Counts {
    uint64_t inserted = 0;
    uint64_t updated = 0;
  };
  Counts Upsert(const std::vector<Point>& points);
  uint64_t Delete(const std::vector<PointId>& ids);

  // Every point that has the field: best score first, then by id. Scores are
  // the engine's floats, checked against sums in double precision.
  std::vector<ModelHit> Rank(uint16_t field,
                             const std::vector<float>& query) const;

  ContentHash Hash() const;

 private:
  Schema schema_;
  std::map<std::string, Point> points_;
};

// The vector of a field, null when the point lacks it.
const std::vector<float>* VectorOf(const Point& point,
                                   const std::string& field);

}  // namespace sextant::test
