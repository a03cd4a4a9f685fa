// SPDX-License-Identifier: Apache-2.0
#include "tests/model/engine_model.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "base/check.h"
#include "index/distance.h"

namespace sextant::test {
namespace {

// The score as defined, in double precision.
double TrueScore(Metric metric, const std::vector<float>& a,
                 const std::vector<float>& b) {
  double product = 0;
  double square_a = 0;
  double square_b = 0;
  double distance = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double x = a[i];
    const double y = b[i];
    product += x * y;
    square_a += x * x;
    square_b += y * y;
    distance += (x - y) * (x - y);
  }
  switch (metric) {
    case Metric::kCosine:
      return product / std::sqrt(square_a * square_b);
    case Metric::kInnerProduct:
      return product;
    case Metric::kL2:
      return -distance;
  }
  return 0;
}

// The same as the engine computes it.
float EngineScore(Metric metric, std::vector<float> query,
                  std::vector<float> point) {
  if (metric == Metric::kCosine) {
    CHECK(Normalize(query) && Normalize(point));
  }
  return metric == Metric::kL2
             ? -Kernels().squared_l2(query.data(), point.data(), query.size())
             : Kernels().inner_product(query.data(), point.data(),
                                       query.size());
}

}  // namespace

const std::vector<float>* VectorOf(const Point& point,
                                   const std::string& field) {
  for (const NamedVector& vector : point.vectors) {
    if (vector.field == field) {
      return &vector.values;
    }
  }
  return nullptr;
}

CollectionModel::Counts CollectionModel::Upsert(
    const std::vector<Point>& points) {
  std::set<std::string> known;
  std::set<std::string> given;
  for (const Point& point : points) {
    const std::string id = EncodeId(point.id);
    if (given.insert(id).second && points_.count(id) == 1) {
      known.insert(id);
    }
    points_[id] = point;
  }
  return {given.size() - known.size(), known.size()};
}

uint64_t CollectionModel::Delete(const std::vector<PointId>& ids) {
  uint64_t deleted = 0;
  for (const PointId& id : ids) {
    deleted += points_.erase(EncodeId(id));
  }
  return deleted;
}

std::vector<ModelHit> CollectionModel::Rank(
    uint16_t field, const std::vector<float>& query) const {
  const VectorFieldSchema& definition = schema_.vector_fields[field];
  struct Ranked {
    float score;
    const std::string* encoded;
    const Point* point;
  };
  std::vector<Ranked> ranked;
  for (const auto& [encoded, point] : points_) {
    if (const auto* vector = VectorOf(point, definition.name)) {
      const float score = EngineScore(definition.metric, query, *vector);
      const double expected = TrueScore(definition.metric, query, *vector);
      CHECK(std::abs(static_cast<double>(score) - expected) <=
            1e-4 * (1 + std::abs(expected)))
          << score << " for " << expected;
      ranked.push_back({score, &encoded, &point});
    }
  }
  std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {
    return a.score != b.score ? a.score > b.score : *a.encoded < *b.encoded;
  });
  std::vector<ModelHit> hits;
  hits.reserve(ranked.size());
  for (const Ranked& entry : ranked) {
    hits.push_back({entry.score, entry.point->id});
  }
  return hits;
}

ContentHash CollectionModel::Hash() const {
  ContentHash hash;
  for (const auto& [encoded, point] : points_) {
    std::vector<FieldVector> fields;
    for (size_t i = 0; i < schema_.vector_fields.size(); ++i) {
      if (const auto* vector = VectorOf(point, schema_.vector_fields[i].name)) {
        fields.push_back({static_cast<uint16_t>(i), *vector});
      }
    }
    hash.Add(HashPoint({encoded, point.payload, fields}));
  }
  return hash;
}

}  // namespace sextant::test
