// SPDX-License-Identifier: Apache-2.0
#include "engine/query_sampler.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/limits.h"
#include "engine/validate_query.h"
#include "index/distance.h"
#include "storage/format.pb.h"

namespace sextant {
namespace {

constexpr size_t kSampleChunkBytes = size_t{1} << 20U;

std::string RecordName(absl::string_view field) {
  return absl::StrCat("query-sample/", field);
}
std::string RowsName(absl::string_view field, uint32_t chunk) {
  return absl::StrCat("query-sample-rows/", field, "/", chunk);
}

}  // namespace

QuerySampler::QuerySampler(Store* store, CollectionNumber collection,
                           const Schema* schema)
    : store_(store), collection_(collection), schema_(schema) {
  for (const VectorFieldSchema& field : schema->vector_fields) {
    samples_.push_back(std::make_unique<QuerySample>(field.dimension));
  }
  saved_changes_.resize(samples_.size());
  saved_chunks_.resize(samples_.size());
}

absl::StatusOr<uint16_t> QuerySampler::FieldOf(absl::string_view name) const {
  return RequireVectorField(*schema_, name, "field");
}

void QuerySampler::NoteWhetherOn() {
  is_on_.store(!List().empty(), std::memory_order_relaxed);
}

void QuerySampler::OfferVectors(const SearchQuery& query) {
  for (const Source& source : query.sources) {
    const auto* const dense = std::get_if<DenseSource>(&source);
    const auto* const vector =
        dense == nullptr ? nullptr
                         : std::get_if<std::vector<float>>(&dense->target);
    if (vector == nullptr) {
      continue;
    }
    const uint16_t field = VectorFieldOf(*schema_, *dense);
    if (!samples_[field]->Wants()) {
      continue;
    }
    std::vector<float> taken = *vector;
    if (schema_->vector_fields[field].metric != Metric::kCosine ||
        Normalize(taken)) {
      samples_[field]->Take(std::move(taken));
    }
  }
}

QuerySampleInfo QuerySampler::InfoOf(size_t field) const {
  const QuerySample::Summary summary = samples_[field]->summary();
  return {schema_->vector_fields[field].name, summary.capacity, summary.seed,
          summary.seen, summary.kept};
}

absl::StatusOr<QuerySampleInfo> QuerySampler::Start(absl::string_view field,
                                                    uint32_t capacity,
                                                    uint64_t seed) {
  ASSIGN_OR_RETURN(const uint16_t position, FieldOf(field));
  const uint64_t row_bytes =
      uint64_t{schema_->vector_fields[position].dimension} * sizeof(float);
  if (capacity > limits::kQuerySampleMax ||
      capacity * row_bytes > limits::kQuerySampleBytesMax) {
    return InvalidField(
        "capacity",
        absl::StrCat("at most ", limits::kQuerySampleMax, " vectors and ",
                     limits::kQuerySampleBytesMax, " bytes, ", row_bytes,
                     " a vector, got ", capacity));
  }
  MutexLock lock(&save_mutex_);
  samples_[position]->Start(capacity, seed);
  NoteWhetherOn();
  RETURN_IF_ERROR(SaveField(position));
  return InfoOf(position);
}

absl::StatusOr<QuerySampleInfo> QuerySampler::Clear(absl::string_view field) {
  ASSIGN_OR_RETURN(const uint16_t position, FieldOf(field));
  MutexLock lock(&save_mutex_);
  const QuerySampleInfo info = InfoOf(position);
  if (info.capacity == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("queries of field '", info.field, "' are not sampled"));
  }
  samples_[position]->Start(info.capacity, info.seed);
  RETURN_IF_ERROR(SaveField(position));
  return InfoOf(position);
}

std::vector<QuerySampleInfo> QuerySampler::List() const {
  std::vector<QuerySampleInfo> all;
  for (size_t field = 0; field < samples_.size(); ++field) {
    QuerySampleInfo info = InfoOf(field);
    if (info.capacity > 0) {
      all.push_back(std::move(info));
    }
  }
  return all;
}

absl::StatusOr<std::vector<std::vector<float>>> QuerySampler::Vectors(
    absl::string_view field) const {
  ASSIGN_OR_RETURN(const uint16_t position, FieldOf(field));
  const QuerySample::Content content = samples_[position]->Read();
  const VectorFieldSchema& schema = schema_->vector_fields[position];
  if (content.kept.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "no queries of field '", schema.name, "' were sampled yet"));
  }
  std::vector<std::vector<float>> vectors;
  for (size_t at = 0; at < content.kept.size(); at += schema.dimension) {
    const auto row = content.kept.begin() + static_cast<std::ptrdiff_t>(at);
    vectors.emplace_back(row, row + schema.dimension);
  }
  return vectors;
}

std::vector<float> QuerySampler::Recent(uint16_t field) const {
  return samples_[field]->recent();
}

absl::Status QuerySampler::Load() {
  for (size_t field = 0; field < samples_.size(); ++field) {
    RETURN_IF_ERROR(LoadField(field));
  }
  NoteWhetherOn();
  return absl::OkStatus();
}

absl::Status QuerySampler::LoadField(size_t field) {
  const VectorFieldSchema& schema = schema_->vector_fields[field];
  const std::string name = RecordName(schema.name);
  ASSIGN_OR_RETURN(const std::optional<std::string> bytes,
                   store_->ReadAttachment(collection_, name));
  if (!bytes.has_value()) {
    return absl::OkStatus();
  }
  absl::Status damaged = absl::DataLossError(
      absl::StrCat("attachment '", name, "' cannot be read"));
  storage::QuerySampleRecord record;
  if (!record.ParseFromString(*bytes)) {
    return damaged;
  }
  std::string rows;
  for (uint32_t chunk = 0; chunk < record.chunks(); ++chunk) {
    ASSIGN_OR_RETURN(
        const std::optional<std::string> part,
        store_->ReadAttachment(collection_, RowsName(schema.name, chunk)));
    if (!part.has_value()) {
      return damaged;
    }
    rows += *part;
  }
  QuerySample::Content content;
  content.capacity = record.capacity();
  content.seed = record.seed();
  content.seen = record.seen();
  const uint64_t row_bytes = uint64_t{schema.dimension} * sizeof(float);
  if (content.capacity > limits::kQuerySampleMax ||
      rows.size() % row_bytes != 0 ||
      rows.size() / row_bytes > content.capacity) {
    return damaged;
  }
  content.kept.resize(rows.size() / sizeof(float));
  if (!rows.empty()) {
    std::memcpy(content.kept.data(), rows.data(), rows.size());
  }
  samples_[field]->Restore(std::move(content));
  MutexLock lock(&save_mutex_);
  saved_changes_[field] = samples_[field]->changes();
  saved_chunks_[field] = record.chunks();
  return absl::OkStatus();
}

absl::Status QuerySampler::Save() {
  MutexLock lock(&save_mutex_);
  for (size_t field = 0; field < samples_.size(); ++field) {
    RETURN_IF_ERROR(SaveField(field));
  }
  return absl::OkStatus();
}

absl::Status QuerySampler::SaveField(size_t field) {
  if (samples_[field]->changes() == saved_changes_[field]) {
    return absl::OkStatus();
  }
  const QuerySample::Content content = samples_[field]->Read();
  const std::string& name = schema_->vector_fields[field].name;
  std::vector<Store::Attachment> writes;
  storage::QuerySampleRecord record;
  record.set_capacity(content.capacity);
  record.set_seed(content.seed);
  record.set_seen(content.seen);
  const absl::string_view bytes(
      reinterpret_cast<const char*>(content.kept.data()),
      content.kept.size() * sizeof(float));
  for (size_t at = 0; at < bytes.size(); at += kSampleChunkBytes) {
    writes.push_back({RowsName(name, record.chunks()),
                      std::string(bytes.substr(at, kSampleChunkBytes))});
    record.set_chunks(record.chunks() + 1);
  }
  for (uint32_t gone = record.chunks(); gone < saved_chunks_[field]; ++gone) {
    writes.push_back({RowsName(name, gone), std::nullopt});
  }
  writes.push_back({RecordName(name), content.capacity == 0
                                          ? std::nullopt
                                          : std::optional<std::string>(
                                                record.SerializeAsString())});
  RETURN_IF_ERROR(store_->WriteAttachments(collection_, writes));
  saved_changes_[field] = content.changes;
  saved_chunks_[field] = record.chunks();
  return absl::OkStatus();
}

}  // namespace sextant
