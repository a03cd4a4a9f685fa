// SPDX-License-Identifier: Apache-2.0
#include "engine/fit_adapter.h"

#include <algorithm>
#include <limits>
#include <map>
#include <random>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/adapter_catalog.h"
#include "engine/limits.h"
#include "engine/normalizer.h"
#include "engine/prepared_write.h"
#include "engine/search_query.h"
#include "index/distance.h"
#include "ranking/relevance/operating_point.h"

namespace sextant {
namespace {

// Apart from the seed of the training, which is the caller's number itself.
constexpr uint64_t kSplitSeed = 0x9e3779b97f4a7c15U;

absl::Status CheckShare(double share, absl::string_view path, bool may_be_one) {
  if (share > 0 && (share < 1 || (may_be_one && share == 1))) {
    return absl::OkStatus();
  }
  return InvalidField(path, absl::StrCat("must be above 0 and ",
                                         may_be_one ? "at most 1" : "below 1",
                                         ", got ", share));
}

absl::Status CheckAtMost(uint64_t got, uint64_t most, absl::string_view path) {
  return got <= most ? absl::OkStatus()
                     : InvalidField(
                           path, absl::StrCat("at most ", most, ", got ", got));
}

absl::Status CheckRequest(const AdapterFitRequest& request) {
  RETURN_IF_ERROR(ValidateName(request.name, "name"));
  const uint64_t queries = request.queries.size();
  if (queries < 2 || queries > limits::kFitQueriesMax) {
    return InvalidField("queries", absl::StrCat("2 to ", limits::kFitQueriesMax,
                                                ", got ", queries));
  }
  RETURN_IF_ERROR(
      CheckAtMost(request.negatives, limits::kFitNegativesMax, "negatives"));
  uint64_t pairs = queries * request.negatives;
  for (const LabelledQuery& query : request.queries) {
    pairs += query.relevant.size() + query.not_relevant.size();
  }
  if (pairs > limits::kFitPairsMax) {
    return InvalidField(
        "queries", absl::StrCat("with their labels and `negatives` at most ",
                                limits::kFitPairsMax, " pairs, got ", pairs));
  }
  RETURN_IF_ERROR(CheckShare(
      request.target, request.by_precision ? "precision" : "recall", true));
  RETURN_IF_ERROR(CheckShare(request.held_out, "held_out", false));
  if (request.families.empty()) {
    return InvalidField("family", "at least one");
  }
  const TrainingOptions& training = request.training;
  if (training.hidden < 1) {
    return InvalidField("hidden", "at least 1, got 0");
  }
  RETURN_IF_ERROR(
      CheckAtMost(training.hidden, TrainingOptions::kHiddenMax, "hidden"));
  return CheckAtMost(training.epochs, TrainingOptions::kEpochsMax, "epochs");
}

// Some of the queries, one after another, with their pairs.
struct Part {
  std::vector<float> numbers;
  std::vector<LabelledPair> pairs;
  uint32_t queries = 0;
  uint64_t relevant = 0;

  VectorRows rows(uint32_t dimension) const {
    return {numbers.data(), queries, dimension, dimension};
  }
  void Add(const std::vector<float>& vector,
           const std::vector<LabelledPair>& of_query) {
    if (of_query.empty()) {
      return;  // nothing to learn from
    }
    numbers.insert(numbers.end(), vector.begin(), vector.end());
    for (LabelledPair pair : of_query) {
      pair.query = queries;
      pairs.push_back(pair);
      relevant += pair.relevant ? 1U : 0U;
    }
    ++queries;
  }
};

// Finds out the cosines of labelled points.
class PairFinder {
 public:
  PairFinder(Collection* collection, const AdapterFitRequest& request,
             const VectorFieldSchema& field, IdKind id_kind)
      : collection_(collection),
        request_(request),
        field_(field),
        id_kind_(id_kind) {}

  uint64_t missing() const { return missing_; }

  // `vector` is the query's, of length 1.
  absl::StatusOr<std::vector<LabelledPair>> PairsOf(
      const LabelledQuery& query, const std::vector<float>& vector,
      const RequestContext& context) {
    std::map<PointId, bool> labels;
    RETURN_IF_ERROR(
        AddLabels(query.not_relevant, "not_relevant", false, &labels));
    RETURN_IF_ERROR(AddLabels(query.relevant, "relevant", true, &labels));
    std::vector<LabelledPair> pairs;
    if (request_.negatives > 0) {
      SearchQuery search;
      search.sources.emplace_back(DenseSource{
          .field = field_.name, .target = vector, .normalizer = kNoNormalizer});
      search.limit = request_.negatives;
      ASSIGN_OR_RETURN(const SearchResult found,
                       collection_->Search(search, context));
      for (const Hit& hit : found.hits) {
        const auto label = labels.find(hit.point.id);
        pairs.push_back({0, hit.score, label != labels.end() && label->second});
        if (label != labels.end()) {
          labels.erase(label);
        }
      }
    }
    RETURN_IF_ERROR(AddFarPoints(vector, labels, context, &pairs));
    return pairs;
  }

 private:
  absl::Status AddLabels(const std::vector<PointId>& ids,
                         absl::string_view name, bool relevant,
                         std::map<PointId, bool>* labels) const {
    for (size_t i = 0; i < ids.size(); ++i) {
      RETURN_IF_ERROR(
          ValidateId(id_kind_, ids[i], absl::StrCat(name, "[", i, "]")));
      const auto [place, is_new] = labels->emplace(ids[i], relevant);
      if (!is_new && place->second != relevant) {
        return InvalidField(absl::StrCat(name, "[", i, "]"),
                            "is labelled as relevant and as not relevant");
      }
    }
    return absl::OkStatus();
  }

  // Those that are not among the nearest.
  absl::Status AddFarPoints(const std::vector<float>& vector,
                            const std::map<PointId, bool>& labels,
                            const RequestContext& context,
                            std::vector<LabelledPair>* pairs) {
    std::vector<PointId> ids;
    for (const auto& [id, relevant] : labels) {
      ids.push_back(id);
    }
    Projection projection;
    projection.vectors = {field_.name};
    for (size_t first = 0; first < ids.size(); first += kIdsPerRead) {
      const std::span<const PointId> some = std::span(ids).subspan(
          first, std::min(kIdsPerRead, ids.size() - first));
      ASSIGN_OR_RETURN(const std::vector<Point> points,
                       collection_->Get(some, projection, context));
      uint64_t found = 0;
      for (const Point& point : points) {
        if (point.vectors.empty()) {
          continue;
        }
        std::vector<float> other = point.vectors.front().values;
        if (other.size() != vector.size() || !Normalize(other)) {
          continue;
        }
        ++found;
        pairs->push_back({0,
                          Kernels().inner_product(vector.data(), other.data(),
                                                  vector.size()),
                          labels.at(point.id)});
      }
      missing_ += some.size() - found;
    }
    return absl::OkStatus();
  }

  static constexpr size_t kIdsPerRead = 1000;

  Collection* const collection_;
  const AdapterFitRequest& request_;
  const VectorFieldSchema& field_;
  const IdKind id_kind_;
  uint64_t missing_ = 0;
};

struct Split {
  Part training;
  Part held_out;
  uint64_t missing = 0;
};

// Each query lies on one side as a whole.
std::vector<bool> HeldOut(const AdapterFitRequest& request) {
  const size_t count = request.queries.size();
  std::vector<size_t> order(count);
  for (size_t i = 0; i < count; ++i) {
    order[i] = i;
  }
  std::mt19937_64 random(request.training.seed ^ kSplitSeed);
  for (size_t i = count; i > 1; --i) {
    std::swap(order[i - 1], order[random() % i]);
  }
  const auto wanted =
      static_cast<size_t>(request.held_out * static_cast<double>(count));
  std::vector<bool> is_held(count);
  for (size_t i = 0; i < std::clamp<size_t>(wanted, 1, count - 1); ++i) {
    is_held[order[i]] = true;
  }
  return is_held;
}

absl::StatusOr<Split> FindPairs(Collection* collection,
                                const AdapterFitRequest& request,
                                const VectorFieldSchema& field,
                                OnFitProgress progress,
                                const RequestContext& context) {
  PairFinder finder(collection, request, field, collection->schema()->id_kind);
  const std::vector<bool> is_held = HeldOut(request);
  Split split;
  for (size_t i = 0; i < request.queries.size(); ++i) {
    RETURN_IF_ERROR(context.Check());
    const LabelledQuery& query = request.queries[i];
    const std::string path = absl::StrCat("queries[", i, "].");
    std::vector<float> vector = query.vector;
    RETURN_IF_ERROR(ValidateVector(field, vector, path + "vector"));
    if (!Normalize(vector)) {
      return InvalidField(path + "vector", "all zero, which has no cosine");
    }
    absl::StatusOr<std::vector<LabelledPair>> pairs =
        finder.PairsOf(query, vector, context);
    if (!pairs.ok()) {
      return PrefixField(path, pairs.status());
    }
    (is_held[i] ? split.held_out : split.training).Add(vector, *pairs);
    progress({std::nullopt, i + 1, request.queries.size()});
  }
  split.missing = finder.missing();
  for (const Part* part : {&split.training, &split.held_out}) {
    if (part->relevant == 0 || part->relevant == part->pairs.size()) {
      return absl::FailedPreconditionError(
          absl::StrCat("of ", part->queries, " queries that are ",
                       part == &split.training ? "trained with" : "held out",
                       " ", part->relevant, " of ", part->pairs.size(),
                       " pairs are relevant; both kinds are needed"));
    }
  }
  return split;
}

PrecisionRecallCurve CurveOfCosines(const Part& part) {
  std::vector<LabelledScore> scores;
  for (const LabelledPair& pair : part.pairs) {
    scores.push_back({static_cast<double>(pair.cosine), pair.relevant});
  }
  return PrecisionRecallCurve(std::move(scores));
}

PrecisionRecallCurve CurveOfLogits(const Part& part, uint32_t dimension,
                                   const Adapter& adapter) {
  std::vector<LabelledScore> scores;
  const VectorRows rows = part.rows(dimension);
  AdapterCurve curve;
  uint32_t query = std::numeric_limits<uint32_t>::max();
  for (const LabelledPair& pair : part.pairs) {
    if (pair.query != query) {
      query = pair.query;
      curve = adapter.CurveOf({rows.row(query), dimension});
    }
    scores.push_back(
        {curve.Logit(static_cast<double>(pair.cosine)), pair.relevant});
  }
  return PrecisionRecallCurve(std::move(scores));
}

std::optional<OperatingPoint> Choose(const AdapterFitRequest& request,
                                     const PrecisionRecallCurve& curve) {
  return request.by_precision ? curve.ForPrecision(request.target)
                              : curve.ForRecall(request.target);
}

// What all families have in common.
AdapterFit FitOf(const AdapterFitRequest& request, const Split& split) {
  AdapterFit fit;
  fit.queries = split.training.queries;
  fit.pairs = split.training.pairs.size();
  fit.held_out_queries = split.held_out.queries;
  fit.held_out_pairs = split.held_out.pairs.size();
  fit.held_out_relevant = split.held_out.relevant;
  fit.labels_missing = split.missing;
  const PrecisionRecallCurve cosines = CurveOfCosines(split.held_out);
  if (const auto by_cosine = Choose(request, cosines); by_cosine.has_value()) {
    fit.cosine_recall = by_cosine->recall;
    fit.cosine_precision = by_cosine->precision;
  }
  fit.cosine_average_precision = cosines.AveragePrecision();
  return fit;
}

// Chooses the threshold and says what it is worth.
FamilyFit Judge(const AdapterFitRequest& request, const Split& split,
                uint32_t dimension, const Adapter& adapter) {
  const PrecisionRecallCurve curve =
      CurveOfLogits(split.held_out, dimension, adapter);
  FamilyFit fit{.family = adapter.family};
  fit.average_precision = curve.AveragePrecision();
  const std::optional<OperatingPoint> point = Choose(request, curve);
  if (point.has_value()) {
    // Scores that are 1 within rounding have logits that differ.
    fit.threshold = std::clamp(Sigmoid(point->threshold), 1e-300,
                               1 - std::numeric_limits<double>::epsilon());
    fit.recall = point->recall;
    fit.precision = point->precision;
  }
  return fit;
}

}  // namespace

std::optional<size_t> BestFamily(std::span<const FamilyFit> families) {
  std::optional<size_t> best;
  for (size_t i = 0; i < families.size(); ++i) {
    if (families[i].threshold > 0 &&
        (!best.has_value() ||
         families[i].average_precision > families[*best].average_precision)) {
      best = i;
    }
  }
  return best;
}

absl::StatusOr<std::shared_ptr<const Adapter>> FitAdapter(
    Collection* collection, const AdapterFitRequest& request,
    OnFitProgress progress, const RequestContext& context) {
  ASSIGN_OR_RETURN(AdapterCatalog* const catalog, collection->adapters());
  RETURN_IF_ERROR(CheckRequest(request));
  const Schema& schema = catalog->schema();
  Adapter adapter{.name = request.name, .field = request.field};
  if (adapter.field.empty() && schema.vector_fields.size() == 1) {
    adapter.field = schema.vector_fields.front().name;
  }
  RETURN_IF_ERROR(ValidateAdapterField(schema, adapter.field));
  const VectorFieldSchema& field =
      schema.vector_fields[*schema.FindVectorField(adapter.field)];
  ASSIGN_OR_RETURN(const Split split,
                   FindPairs(collection, request, field, progress, context));
  AdapterFit fit = FitOf(request, split);
  std::vector<Mlp> networks;
  for (const AdapterFamily family : request.families) {
    adapter.family = family;
    TrainingOptions options = request.training;
    options.family = family;
    const auto on_epoch = [&](const TrainingEpoch& at) {
      progress({family, at.epoch, at.epochs, at.loss});
      return collection->adapters().status();  // not OK: it was dropped
    };
    ASSIGN_OR_RETURN(TrainedAdapter trained,
                     TrainAdapter({split.training.rows(field.dimension),
                                   split.training.pairs},
                                  options, on_epoch, context));
    adapter.mlp = std::move(trained.mlp);
    fit.families.push_back(Judge(request, split, field.dimension, adapter));
    fit.families.back().epochs = trained.epochs;
    fit.families.back().loss = trained.loss;
    networks.push_back(std::move(adapter.mlp));
  }
  const std::optional<size_t> best = BestFamily(fit.families);
  if (!best.has_value()) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "no threshold has a precision of %g on the %d pairs that are held out",
        request.target, split.held_out.pairs.size()));
  }
  const FamilyFit& kept = fit.families[*best];
  adapter.family = kept.family;
  adapter.mlp = std::move(networks[*best]);
  adapter.threshold = kept.threshold;
  fit.epochs = kept.epochs;
  fit.recall = kept.recall;
  fit.precision = kept.precision;
  fit.average_precision = kept.average_precision;
  adapter.fit = std::move(fit);
  RETURN_IF_ERROR(context.Check());
  return catalog->Put(std::move(adapter));
}

}  // namespace sextant
