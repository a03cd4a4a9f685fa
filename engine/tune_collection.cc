// SPDX-License-Identifier: Apache-2.0
#include "engine/tune_collection.h"

#include <algorithm>
#include <memory>
#include <random>
#include <span>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/find_bank.h"
#include "engine/limits.h"
#include "engine/live_vectors.h"
#include "engine/normalizer.h"
#include "engine/prepared_write.h"
#include "index/distance.h"
#include "ranking/hubness/geometry_measures.h"

namespace sextant {
namespace {

// Rows of floats in one piece.
struct OwnRows {
  std::vector<float> numbers;
  uint32_t dimension = 0;

  void Add(std::span<const float> row) {
    numbers.insert(numbers.end(), row.begin(), row.end());
  }
  VectorRows rows() const {
    return {numbers.data(), numbers.size() / dimension, dimension, dimension};
  }
};

absl::StatusOr<OwnRows> QueriesOf(std::span<const AnsweredQuery> pairs,
                                  const VectorFieldSchema& field) {
  OwnRows queries{{}, field.dimension};
  for (size_t i = 0; i < pairs.size(); ++i) {
    RETURN_IF_ERROR(ValidateVector(field, pairs[i].query,
                                   absl::StrCat("pairs[", i, "].query")));
    std::vector<float> query = pairs[i].query;
    if (field.metric == Metric::kCosine) {
      Normalize(query);
    }
    queries.Add(query);
  }
  return queries;
}

// The number of every pair's point.
absl::StatusOr<std::vector<uint32_t>> FindAnswers(
    std::span<const AnsweredQuery> pairs, const LiveVectors& vectors,
    IdKind id_kind, const RequestContext& context) {
  constexpr size_t kPointsPerCheck = 4096;
  absl::flat_hash_map<std::string, uint32_t> numbers;
  for (size_t i = 0; i < pairs.size(); ++i) {
    RETURN_IF_ERROR(
        ValidateId(id_kind, pairs[i].id, absl::StrCat("pairs[", i, "].id")));
    numbers[EncodeId(pairs[i].id)] = LiveVectors::kNone;
  }
  for (size_t number = 0; number < vectors.size(); ++number) {
    if (number % kPointsPerCheck == 0) {
      RETURN_IF_ERROR(context.Check());
    }
    const auto wanted = numbers.find(vectors.id(number));
    if (wanted != numbers.end()) {
      wanted->second = static_cast<uint32_t>(number);
    }
  }
  std::vector<uint32_t> answers;
  for (size_t i = 0; i < pairs.size(); ++i) {
    answers.push_back(numbers.at(EncodeId(pairs[i].id)));
    if (answers.back() == LiveVectors::kNone) {
      return InvalidField(absl::StrCat("pairs[", i, "].id"),
                          absl::StrCat("no point ", ToString(pairs[i].id),
                                       " with a vector of the field"));
    }
  }
  return answers;
}

// Numbers of `most` points, ascending, among them all of `answers`.
std::vector<uint32_t> SampleWith(std::span<const uint32_t> answers,
                                 size_t points, size_t most, uint64_t seed) {
  std::vector<bool> taken(points, points <= most);
  size_t count = points <= most ? points : 0;
  for (const uint32_t answer : answers) {
    count += taken[answer] ? 0U : 1U;
    taken[answer] = true;
  }
  std::vector<uint32_t> others;
  for (uint32_t number = 0; number < points; ++number) {
    if (!taken[number]) {
      others.push_back(number);
    }
  }
  std::mt19937_64 random(seed);
  for (size_t i = 0; count < most && i < others.size(); ++i, ++count) {
    std::swap(others[i], others[i + random() % (others.size() - i)]);
    taken[others[i]] = true;
  }
  std::vector<uint32_t> sample;
  for (uint32_t number = 0; number < points; ++number) {
    if (taken[number]) {
      sample.push_back(number);
    }
  }
  return sample;
}

absl::StatusOr<std::vector<NormalizerSpec>> CandidatesOf(
    const TuneQuery& query) {
  const bool has_gallery = !query.gallery_bank.empty();
  const std::vector<NormalizerSpec> all = DefaultCandidates(has_gallery);
  if (query.methods.empty()) {
    return all;
  }
  std::vector<NormalizerSpec> chosen;
  for (size_t i = 0; i < query.methods.size(); ++i) {
    const std::string path = absl::StrCat("methods[", i, "]");
    const absl::StatusOr<NormalizerMethod> method =
        MethodOfName(query.methods[i]);
    if (!method.ok()) {
      return InvalidField(path, method.status().message());
    }
    if (!IsAdditive(*method)) {
      return InvalidField(path,
                          "rescores candidates; only methods with a bias for "
                          "each point are tuned");
    }
    if (NeedsGalleryBank(*method) && !has_gallery) {
      return InvalidField(path, "needs a gallery bank");
    }
    const size_t before = chosen.size();
    std::copy_if(all.begin(), all.end(), std::back_inserter(chosen),
                 [&method](const NormalizerSpec& spec) {
                   return spec.method == *method;
                 });
    if (chosen.size() == before) {
      chosen.push_back(DefaultSpec(*method));
    }
  }
  return chosen;
}

absl::StatusOr<size_t> GalleryMax(const TuneQuery& query, uint32_t dimension) {
  const size_t by_memory =
      limits::kTuneGalleryBytesMax / (sizeof(float) * dimension);
  const size_t most = std::min<size_t>(limits::kTuneGalleryMax, by_memory);
  if (query.gallery_points_max > most) {
    return InvalidField("gallery_points_max",
                        absl::StrCat("0 to ", most, " for this field, got ",
                                     query.gallery_points_max));
  }
  return query.gallery_points_max == 0
             ? std::min<size_t>(most, limits::kTuneGalleryDefault)
             : query.gallery_points_max;
}

// All that a valid query ranks.
struct Gallery {
  OwnRows points;
  std::vector<uint32_t> answers;  // rows of `points`
  uint64_t collection_points = 0;
};

absl::StatusOr<Gallery> GalleryOf(const PinnedCollection& pinned,
                                  const TuneQuery& query, uint16_t field,
                                  const RequestContext& context) {
  const Schema& schema = *pinned.snapshot->schema;
  Gallery gallery;
  gallery.points.dimension = schema.vector_fields[field].dimension;
  ASSIGN_OR_RETURN(const size_t most,
                   GalleryMax(query, gallery.points.dimension));
  ASSIGN_OR_RETURN(const LiveVectors vectors,
                   LiveVectors::Of(*pinned.snapshot, field, context));
  ASSIGN_OR_RETURN(gallery.answers,
                   FindAnswers(query.pairs, vectors, schema.id_kind, context));
  const std::vector<uint32_t> sample =
      SampleWith(gallery.answers, vectors.size(), most, query.seed);
  gallery.points.numbers.reserve(sample.size() * gallery.points.dimension);
  for (const uint32_t number : sample) {
    gallery.points.Add({vectors.vector(number), gallery.points.dimension});
  }
  for (uint32_t& answer : gallery.answers) {
    answer = static_cast<uint32_t>(
        std::lower_bound(sample.begin(), sample.end(), answer) -
        sample.begin());
  }
  gallery.collection_points = vectors.size();
  return gallery;
}

double AlignmentOf(const OwnRows& queries, const Gallery& gallery) {
  OwnRows answers{{}, queries.dimension};
  for (const uint32_t answer : gallery.answers) {
    answers.Add({gallery.points.rows().row(answer), queries.dimension});
  }
  return Alignment(queries.rows(), answers.rows());
}

absl::Status CheckPairs(const TuneQuery& query) {
  if (query.pairs.size() < kTuneQueriesMin ||
      query.pairs.size() > limits::kTunePairsMax) {
    return InvalidField(
        "pairs", absl::StrCat(kTuneQueriesMin, " to ", limits::kTunePairsMax,
                              ", got ", query.pairs.size()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TuneAnswer> TuneCollection(const PinnedCollection& pinned,
                                          const TuneQuery& query,
                                          ProgressSink progress,
                                          const RequestContext& context) {
  RETURN_IF_ERROR(CheckPairs(query));
  const Schema& schema = *pinned.snapshot->schema;
  ASSIGN_OR_RETURN(const uint16_t position,
                   RequireVectorField(schema, query.field, "field"));
  const VectorFieldSchema& field = schema.vector_fields[position];
  ASSIGN_OR_RETURN(
      const std::shared_ptr<const Bank> query_bank,
      FindBankOf(*pinned.normalizers, field, query.query_bank, "query_bank"));
  std::shared_ptr<const Bank> gallery_bank;
  if (!query.gallery_bank.empty()) {
    ASSIGN_OR_RETURN(gallery_bank,
                     FindBankOf(*pinned.normalizers, field, query.gallery_bank,
                                "gallery_bank"));
  }
  TuneOptions options;
  options.held_out = query.held_out;
  options.seed = query.seed;
  ASSIGN_OR_RETURN(options.candidates, CandidatesOf(query));
  options.on_trial = [progress](size_t tried, size_t all) {
    progress({"trials", tried, all});
  };
  ASSIGN_OR_RETURN(const OwnRows queries, QueriesOf(query.pairs, field));
  ASSIGN_OR_RETURN(const Gallery gallery,
                   GalleryOf(pinned, query, position, context));
  progress({"trials", 0, options.candidates.size()});
  TuneInput input;
  input.gallery = gallery.points.rows();
  input.queries = queries.rows();
  input.answers = gallery.answers;
  input.banks.queries = query_bank->rows();
  if (gallery_bank != nullptr) {
    input.banks.gallery = gallery_bank->rows();
  }
  input.similarity = SimilarityOf(field.metric);
  TuneAnswer answer;
  ASSIGN_OR_RETURN(answer.result,
                   TuneNormalizer(input, options, {pinned.pool, context}));
  answer.field = field.name;
  answer.gallery_points = input.gallery.count;
  answer.collection_points = gallery.collection_points;
  if (field.metric == Metric::kCosine) {
    answer.alignment = AlignmentOf(queries, gallery);
  }
  return answer;
}

}  // namespace sextant
