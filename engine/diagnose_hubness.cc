// SPDX-License-Identifier: Apache-2.0
#include "engine/diagnose_hubness.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <random>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/find_bank.h"
#include "engine/limits.h"
#include "engine/live_vectors.h"
#include "engine/nearest_points.h"
#include "engine/normalizer.h"

namespace sextant {
namespace {

// `most` of the numbers below `count`, ascending; all if there are fewer.
std::vector<uint32_t> SampleOf(size_t count, size_t most, uint64_t seed) {
  std::vector<uint32_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0U);
  if (count <= most) {
    return numbers;
  }
  std::mt19937_64 random(seed);
  for (size_t i = 0; i < most; ++i) {
    std::swap(numbers[i], numbers[i + random() % (count - i)]);
  }
  numbers.resize(most);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

absl::StatusOr<uint32_t> OrUsual(uint32_t value, uint32_t usual, uint32_t most,
                                 absl::string_view path) {
  if (value > most) {
    return InvalidField(path, absl::StrCat("0 to ", most, ", got ", value));
  }
  return value == 0 ? usual : value;
}

// A query that was checked, with what it is about.
struct Sizes {
  uint32_t k = 0;
  uint32_t queries = 0;
  uint32_t hubs = 0;
};

absl::StatusOr<Sizes> SizesOf(const DiagnoseQuery& query) {
  Sizes sizes;
  ASSIGN_OR_RETURN(sizes.k, OrUsual(query.k, limits::kDiagnoseNeighborsDefault,
                                    limits::kDiagnoseNeighborsMax, "k"));
  ASSIGN_OR_RETURN(sizes.queries,
                   OrUsual(query.queries_max, limits::kDiagnoseQueriesDefault,
                           limits::kDiagnoseQueriesMax, "queries_max"));
  ASSIGN_OR_RETURN(sizes.hubs,
                   OrUsual(query.hubs_max, limits::kDiagnoseHubsDefault,
                           limits::kDiagnoseHubsMax, "hubs_max"));
  return sizes;
}

// One diagnosis.
class Diagnosis {
 public:
  Diagnosis(const PinnedCollection& pinned, const LiveVectors& points,
            uint16_t field, const RequestContext& context)
      : pinned_(pinned), points_(points), field_(field), context_(context) {}

  void UseBank(std::shared_ptr<const Bank> bank, size_t most, uint64_t seed) {
    sample_ = SampleOf(bank->record.rows(), most, seed);
    bank_ = std::move(bank);
  }
  void UsePoints(size_t most, uint64_t seed) {
    sample_ = SampleOf(points_.size(), most, seed);
  }
  uint64_t queries() const { return sample_.size(); }

  // The neighbours of all queries, `*k` each.
  absl::StatusOr<std::vector<Neighbor>> Join(NearestAim aim, uint32_t* k,
                                             absl::string_view stage,
                                             ProgressSink progress) const {
    aim.field = field_;
    aim.without_self = bank_ == nullptr;
    ASSIGN_OR_RETURN(const NearestPoints search,
                     NearestPoints::Make(&pinned_, &points_, aim));
    *k = search.k();
    std::vector<Neighbor> nearest(sample_.size() * *k);
    const auto vector = [this](size_t i) { return Query(i); };
    const auto self = [this](size_t i) {
      return bank_ == nullptr ? sample_[i] : LiveVectors::kNone;
    };
    constexpr size_t kSlice = 256;
    for (size_t first = 0; first < sample_.size(); first += kSlice) {
      progress({stage, first, sample_.size()});
      const size_t count = std::min(kSlice, sample_.size() - first);
      RETURN_IF_ERROR(JoinNearest(
          search, {vector, self}, first, context_,
          std::span<Neighbor>(nearest).subspan(first * *k, count * *k)));
    }
    progress({stage, sample_.size(), sample_.size()});
    return nearest;
  }

  OccurrenceReport Count(std::span<const Neighbor> nearest, uint32_t stride,
                         const Sizes& sizes) const {
    const uint32_t k = std::min(sizes.k, stride);
    std::vector<Neighbor> counted;
    for (size_t i = 0; i < sample_.size(); ++i) {
      const auto own = nearest.subspan(i * stride, k);
      counted.insert(counted.end(), own.begin(), own.end());
    }
    const std::vector<uint32_t> counts =
        CountOccurrences(counted, points_.size());
    OccurrenceReport report;
    report.hubness = MeasureHubness(counts, k, sample_.size());
    report.histogram = OccurrenceHistogram(counts);
    const IdKind kind = pinned_.snapshot->schema->id_kind;
    for (const Hub& hub : WorstHubs(counts, sizes.hubs)) {
      report.worst.push_back(
          {DecodeId(kind, points_.id(hub.item)), hub.occurrences});
    }
    return report;
  }

  // Around the queries, by distances in float64.
  absl::StatusOr<IntrinsicDimension> DimensionAround(
      std::span<const Neighbor> nearest, uint32_t stride) const {
    std::vector<double> dimensions;
    const size_t count = std::min<size_t>(stride, kLidNeighbors);
    std::vector<double> distances(count);
    for (size_t i = 0; i < sample_.size(); ++i) {
      RETURN_IF_ERROR(context_.Check());
      for (size_t j = 0; j < count; ++j) {
        distances[j] =
            Distance(Query(i), points_.vector(nearest[i * stride + j].row));
      }
      dimensions.push_back(LocalIntrinsicDimension(distances));
    }
    return SummarizeDimensions(std::move(dimensions));
  }

  absl::Status MeasureGeometry(GeometryReport* report) const {
    const VectorFieldSchema& field = FieldSchema();
    const bool is_unit = field.metric == Metric::kCosine;
    const std::vector<uint32_t> sample =
        SampleOf(points_.size(), kGeometryVectorsMax, 1);
    std::vector<float> numbers;
    for (const uint32_t number : sample) {
      numbers.insert(numbers.end(), points_.vector(number),
                     points_.vector(number) + field.dimension);
    }
    const VectorRows rows{numbers.data(), sample.size(), field.dimension,
                          field.dimension};
    report->vectors = sample.size();
    if (is_unit) {
      ASSIGN_OR_RETURN(report->uniformity,
                       Uniformity(rows, {pinned_.pool, context_}));
    }
    if (field.dimension <= kIsotropyDimensionMax) {
      RETURN_IF_ERROR(context_.Check());
      report->iso_score = IsoScore(rows);
      RETURN_IF_ERROR(context_.Check());
      if (is_unit) {
        report->partition_isotropy = PartitionIsotropy(rows);
      }
    }
    return absl::OkStatus();
  }

  const VectorFieldSchema& FieldSchema() const {
    return pinned_.snapshot->schema->vector_fields[field_];
  }

 private:
  std::span<const float> Query(size_t i) const {
    const float* const vector = bank_ == nullptr
                                    ? points_.vector(sample_[i])
                                    : bank_->rows().row(sample_[i]);
    return {vector, FieldSchema().dimension};
  }

  static double Distance(std::span<const float> a, const float* b) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      const double off = static_cast<double>(a[i]) - static_cast<double>(b[i]);
      sum += off * off;
    }
    return std::sqrt(sum);
  }

  const PinnedCollection& pinned_;
  const LiveVectors& points_;
  const uint16_t field_;
  const RequestContext& context_;
  std::shared_ptr<const Bank> bank_;  // null: points ask
  std::vector<uint32_t> sample_;      // rows of the bank, or points
};

}  // namespace

absl::StatusOr<HubnessDiagnosis> DiagnoseCollection(
    const PinnedCollection& pinned, const DiagnoseQuery& query,
    ProgressSink progress, const RequestContext& context) {
  ASSIGN_OR_RETURN(const Sizes sizes, SizesOf(query));
  const Schema& schema = *pinned.snapshot->schema;
  ASSIGN_OR_RETURN(const uint16_t field,
                   RequireVectorField(schema, query.field, "field"));
  ASSIGN_OR_RETURN(
      const std::shared_ptr<const Normalizer> normalizer,
      pinned.normalizers->Resolve(query.normalizer, field, "normalizer"));
  ASSIGN_OR_RETURN(const LiveVectors points,
                   LiveVectors::Of(*pinned.snapshot, field, context));
  if (points.size() < 2) {
    return absl::FailedPreconditionError(
        "hubness needs at least two points with a vector of the field");
  }
  Diagnosis diagnosis(pinned, points, field, context);
  if (query.bank.empty()) {
    diagnosis.UsePoints(sizes.queries, query.seed);
  } else {
    ASSIGN_OR_RETURN(
        std::shared_ptr<const Bank> bank,
        FindBankOf(*pinned.normalizers, schema.vector_fields[field], query.bank,
                   "bank"));
    diagnosis.UseBank(std::move(bank), sizes.queries, query.seed);
  }
  HubnessDiagnosis found;
  found.field = schema.vector_fields[field].name;
  NearestAim aim{.k = std::max(sizes.k, kLidNeighbors), .exact = query.exact};
  uint32_t stride = 0;
  ASSIGN_OR_RETURN(const std::vector<Neighbor> nearest,
                   diagnosis.Join(aim, &stride, "raw", progress));
  found.raw = diagnosis.Count(nearest, stride, sizes);
  if (normalizer != nullptr) {
    found.normalizer = normalizer->record().name();
    aim.normalizer = found.normalizer;
    aim.k = sizes.k;
    uint32_t own_stride = 0;
    ASSIGN_OR_RETURN(const std::vector<Neighbor> corrected,
                     diagnosis.Join(aim, &own_stride, "corrected", progress));
    found.corrected = diagnosis.Count(corrected, own_stride, sizes);
  }
  found.by_chance =
      ByChance(points.size(), diagnosis.queries(), found.raw.hubness.k);
  progress({"geometry", 0, 1});
  ASSIGN_OR_RETURN(found.geometry.intrinsic_dimension,
                   diagnosis.DimensionAround(nearest, stride));
  RETURN_IF_ERROR(diagnosis.MeasureGeometry(&found.geometry));
  progress({"geometry", 1, 1});
  return found;
}

}  // namespace sextant
