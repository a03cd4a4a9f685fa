// SPDX-License-Identifier: Apache-2.0
#include "engine/normalizer_catalog.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/limits.h"
#include "index/distance.h"

namespace sextant {
namespace {

constexpr char kBankPrefix[] = "bank/";
constexpr char kBankRowsPrefix[] = "bank-rows/";
constexpr char kNormalizerPrefix[] = "normalizer/";
constexpr char kBiasPrefix[] = "bias/";
constexpr size_t kBankChunkBytes = size_t{1} << 20U;
constexpr char kNoNormalizer[] = "none";

std::string BankRowsName(uint64_t version, uint32_t chunk) {
  return absl::StrCat(kBankRowsPrefix, version, "/", chunk);
}
std::string BiasName(uint64_t version, uint32_t segment) {
  return absl::StrCat(kBiasPrefix, version, "/", segment);
}

absl::Status Damaged(absl::string_view attachment) {
  return absl::DataLossError(
      absl::StrCat("attachment '", attachment, "' cannot be read"));
}

// The vectors of an upload, checked and in one piece.
absl::StatusOr<std::vector<float>> NumbersOf(const BankUpload& upload,
                                             const VectorFieldSchema& field) {
  if (upload.vectors.empty() || upload.vectors.size() > limits::kBankRowsMax ||
      upload.vectors.size() * uint64_t{field.dimension} * sizeof(float) >
          limits::kBankBytesMax) {
    return InvalidField(
        "vectors", absl::StrCat("1 to ", limits::kBankRowsMax, " and at most ",
                                limits::kBankBytesMax, " bytes, got ",
                                upload.vectors.size()));
  }
  std::vector<float> numbers;
  for (size_t i = 0; i < upload.vectors.size(); ++i) {
    std::vector<float> vector = upload.vectors[i];
    const std::string path = absl::StrCat("vectors[", i, "]");
    if (vector.size() != field.dimension) {
      return InvalidField(path, absl::StrCat("dimension ", field.dimension,
                                             " expected, got ", vector.size()));
    }
    for (const float x : vector) {
      if (!(std::abs(x) <= limits::kMagnitudeMax)) {
        return InvalidField(path, absl::StrCat("numbers are finite and up to ",
                                               limits::kMagnitudeMax));
      }
    }
    if (field.metric == Metric::kCosine && !Normalize(vector)) {
      return InvalidField(path, "all zero, which has no cosine");
    }
    numbers.insert(numbers.end(), vector.begin(), vector.end());
  }
  return numbers;
}

}  // namespace

NormalizerCatalog::NormalizerCatalog(Store* store, CollectionNumber collection,
                                     const Schema* schema, ThreadPool* pool,
                                     Snapshots snapshots)
    : store_(store),
      collection_(collection),
      schema_(schema),
      pool_(pool),
      snapshots_(std::move(snapshots)),
      state_(std::make_shared<const State>()) {}

absl::StatusOr<uint16_t> NormalizerCatalog::FieldOf(
    absl::string_view name) const {
  return RequireVectorField(*schema_, name, "field");
}

absl::Status NormalizerCatalog::LoadBank(absl::string_view attachment,
                                         State* state) {
  ASSIGN_OR_RETURN(const std::optional<std::string> bytes,
                   store_->ReadAttachment(collection_, attachment));
  auto bank = std::make_shared<Bank>();
  if (!bytes.has_value() || !bank->record.ParseFromString(*bytes)) {
    return Damaged(attachment);
  }
  const storage::BankRecord& record = bank->record;
  std::string numbers;
  for (uint32_t chunk = 0; chunk < record.chunks(); ++chunk) {
    const std::string name = BankRowsName(record.version(), chunk);
    ASSIGN_OR_RETURN(const std::optional<std::string> part,
                     store_->ReadAttachment(collection_, name));
    if (!part.has_value()) {
      return Damaged(name);
    }
    numbers += *part;
  }
  const std::optional<uint16_t> field =
      schema_->FindVectorField(record.field());
  if (!field.has_value() ||
      schema_->vector_fields[*field].dimension != record.dimension() ||
      numbers.size() != record.rows() * record.dimension() * sizeof(float)) {
    return Damaged(attachment);
  }
  bank->numbers.resize(numbers.size() / sizeof(float));
  std::memcpy(bank->numbers.data(), numbers.data(), numbers.size());
  state->banks[record.name()] = std::move(bank);
  return absl::OkStatus();
}

absl::Status NormalizerCatalog::LoadNormalizer(absl::string_view attachment,
                                               State* state) {
  ASSIGN_OR_RETURN(const std::optional<std::string> bytes,
                   store_->ReadAttachment(collection_, attachment));
  storage::NormalizerRecord record;
  if (!bytes.has_value() || !record.ParseFromString(*bytes) ||
      !schema_->FindVectorField(record.field()).has_value()) {
    return Damaged(attachment);
  }
  const std::string name = record.name();
  ASSIGN_OR_RETURN(std::shared_ptr<const Normalizer> normalizer,
                   MakeNormalizer(std::move(record), *state, RequestContext()));
  RestoreState(*normalizer);
  RETURN_IF_ERROR(ComputeAll(*normalizer, RequestContext()));
  state->normalizers[name] = std::move(normalizer);
  return absl::OkStatus();
}

// What cannot be read is computed.
void NormalizerCatalog::RestoreState(const Normalizer& normalizer) const {
  const std::shared_ptr<const Snapshot> snapshot = snapshots_();
  for (const auto& view : snapshot->segments) {
    if (view->sealed == nullptr) {
      continue;
    }
    const absl::StatusOr<std::optional<std::string>> bytes =
        store_->ReadAttachment(
            collection_,
            BiasName(normalizer.record().version(), view->number()));
    storage::SegmentBiasRecord record;
    if (bytes.ok() && bytes->has_value() && record.ParseFromString(**bytes)) {
      static_cast<void>(normalizer.Restore(*view->sealed, record));
    }
  }
}

absl::Status NormalizerCatalog::Load() {
  MutexLock lock(&changes_mutex_);
  auto state = std::make_shared<State>();
  ASSIGN_OR_RETURN(const std::vector<std::string> banks,
                   store_->ListAttachments(collection_, kBankPrefix));
  for (const std::string& name : banks) {
    RETURN_IF_ERROR(LoadBank(name, state.get()));
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> normalizers,
                   store_->ListAttachments(collection_, kNormalizerPrefix));
  for (const std::string& name : normalizers) {
    RETURN_IF_ERROR(LoadNormalizer(name, state.get()));
  }
  for (const auto& [name, bank] : state->banks) {
    next_version_ = std::max(next_version_, bank->record.version() + 1);
  }
  for (const auto& [name, normalizer] : state->normalizers) {
    next_version_ = std::max(next_version_, normalizer->record().version() + 1);
  }
  state_.Store(std::move(state));
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const Normalizer>>
NormalizerCatalog::MakeNormalizer(storage::NormalizerRecord record,
                                  const State& state,
                                  const RequestContext& context) const {
  std::array<std::shared_ptr<const Bank>, 2> banks;
  const std::array<absl::string_view, 2> names = {record.query_bank(),
                                                  record.gallery_bank()};
  const std::array<absl::string_view, 2> paths = {"query_bank", "gallery_bank"};
  for (size_t i = 0; i < 2; ++i) {
    if (names[i].empty()) {
      continue;
    }
    const auto found = state.banks.find(names[i]);
    if (found == state.banks.end()) {
      return InvalidField(
          paths[i], absl::StrCat("no bank '", ShownText(names[i], 64), "'"));
    }
    if (found->second->record.field() != record.field()) {
      return InvalidField(paths[i],
                          absl::StrCat("a bank of field '",
                                       found->second->record.field(), "'"));
    }
    banks[i] = found->second;
  }
  const std::shared_ptr<const Snapshot> snapshot = snapshots_();
  std::vector<VectorRows> items;
  const uint16_t field = *schema_->FindVectorField(record.field());
  for (const auto& view : snapshot->segments) {
    if (view->sealed != nullptr && view->sealed->field(field).rows() > 0) {
      const VectorIndex& index = view->sealed->field(field);
      const uint32_t dimension = index.shape().dimension;
      items.push_back({index.row_vector(0), index.rows(), dimension,
                       PaddedStride(dimension)});
    }
  }
  return Normalizer::Make(std::move(record), *schema_, banks[0], banks[1],
                          items, {pool_, context});
}

absl::Status NormalizerCatalog::ComputeAll(
    const Normalizer& normalizer, const RequestContext& context) const {
  const std::shared_ptr<const Snapshot> snapshot = snapshots_();
  for (const auto& view : snapshot->segments) {
    RETURN_IF_ERROR(normalizer.BiasOf(*view, {pool_, context}).status());
  }
  return absl::OkStatus();
}

absl::StatusOr<storage::BankRecord> NormalizerCatalog::StoreBank(
    const std::shared_ptr<Bank>& bank, const RequestContext& context) {
  auto state = std::make_shared<State>(*state_.Load());
  storage::BankRecord& record = bank->record;
  const auto old = state->banks.find(record.name());
  if (old == state->banks.end() && state->banks.size() >= limits::kBanksMax) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a collection has at most ", limits::kBanksMax, " banks"));
  }
  if (old != state->banks.end() &&
      old->second->record.field() != record.field()) {
    return InvalidField("field", absl::StrCat("the bank is of field '",
                                              old->second->record.field(),
                                              "'; delete it first"));
  }
  record.set_version(next_version_++);
  std::vector<Store::Attachment> writes;
  const absl::string_view bytes(
      reinterpret_cast<const char*>(bank->numbers.data()),
      bank->numbers.size() * sizeof(float));
  for (size_t at = 0; at < bytes.size(); at += kBankChunkBytes) {
    writes.push_back({BankRowsName(record.version(), record.chunks()),
                      std::string(bytes.substr(at, kBankChunkBytes))});
    record.set_chunks(record.chunks() + 1);
  }
  if (old != state->banks.end()) {
    const storage::BankRecord& before = old->second->record;
    for (uint32_t chunk = 0; chunk < before.chunks(); ++chunk) {
      writes.push_back({BankRowsName(before.version(), chunk), std::nullopt});
    }
  }
  writes.push_back(
      {absl::StrCat(kBankPrefix, record.name()), record.SerializeAsString()});
  state->banks[record.name()] = bank;
  for (auto& [name, normalizer] : state->normalizers) {
    storage::NormalizerRecord changed = normalizer->record();
    if (changed.query_bank() != record.name() &&
        changed.gallery_bank() != record.name()) {
      continue;
    }
    changed.set_version(next_version_++);
    changed.clear_offsets();
    ASSIGN_OR_RETURN(normalizer,
                     MakeNormalizer(std::move(changed), *state, context));
    RETURN_IF_ERROR(ComputeAll(*normalizer, context));
    writes.push_back({absl::StrCat(kNormalizerPrefix, name),
                      normalizer->record().SerializeAsString()});
  }
  RETURN_IF_ERROR(store_->WriteAttachments(collection_, writes));
  state_.Store(std::move(state));
  RETURN_IF_ERROR(SaveStateLocked());
  return record;
}

absl::StatusOr<storage::BankRecord> NormalizerCatalog::PutBank(
    const BankUpload& upload, const RequestContext& context) {
  RETURN_IF_ERROR(ValidateName(upload.name, "name"));
  ASSIGN_OR_RETURN(const uint16_t position, FieldOf(upload.field));
  const VectorFieldSchema& field = schema_->vector_fields[position];
  auto bank = std::make_shared<Bank>();
  ASSIGN_OR_RETURN(bank->numbers, NumbersOf(upload, field));
  bank->record.set_name(upload.name);
  bank->record.set_field(field.name);
  bank->record.set_gallery(upload.gallery);
  bank->record.set_rows(upload.vectors.size());
  bank->record.set_dimension(field.dimension);
  MutexLock lock(&changes_mutex_);
  return StoreBank(bank, context);
}

absl::StatusOr<storage::BankRecord> NormalizerCatalog::SampleBank(
    absl::string_view name, absl::string_view field_name, uint64_t count,
    uint64_t seed, const RequestContext& context) {
  RETURN_IF_ERROR(ValidateName(name, "name"));
  ASSIGN_OR_RETURN(const uint16_t position, FieldOf(field_name));
  const VectorFieldSchema& field = schema_->vector_fields[position];
  if (count == 0 || count > limits::kBankRowsMax ||
      count * field.dimension * sizeof(float) > limits::kBankBytesMax) {
    return InvalidField(
        "count", absl::StrCat("1 to ", limits::kBankRowsMax, " and at most ",
                              limits::kBankBytesMax, " bytes, got ", count));
  }
  const std::shared_ptr<const Snapshot> snapshot = snapshots_();
  std::vector<const float*> live;
  for (const auto& view : snapshot->segments) {
    RETURN_IF_ERROR(context.Check());
    const uint32_t rows = view->growing != nullptr
                              ? view->field_rows[position]
                              : view->sealed->field(position).rows();
    for (uint32_t row = 0; row < rows; ++row) {
      const bool growing = view->growing != nullptr;
      const Ordinal ordinal =
          growing ? view->growing->field(position).row_ordinal(row)
                  : view->sealed->field(position).row_ordinal(row);
      if (!view->dead.Contains(ordinal)) {
        live.push_back(growing ? view->growing->field(position).row_vector(row)
                               : view->sealed->field(position).row_vector(row));
      }
    }
  }
  if (live.empty()) {
    return absl::FailedPreconditionError(
        "the collection has no vectors to sample");
  }
  std::mt19937_64 random(seed);
  auto bank = std::make_shared<Bank>();
  const size_t kept = std::min<size_t>(count, live.size());
  for (size_t i = 0; i < kept; ++i) {
    std::swap(live[i], live[i + random() % (live.size() - i)]);
    bank->numbers.insert(bank->numbers.end(), live[i],
                         live[i] + field.dimension);
  }
  bank->record.set_name(std::string(name));
  bank->record.set_field(field.name);
  bank->record.set_gallery(true);
  bank->record.set_rows(kept);
  bank->record.set_dimension(field.dimension);
  MutexLock lock(&changes_mutex_);
  return StoreBank(bank, context);
}

absl::Status NormalizerCatalog::DeleteBank(absl::string_view name) {
  MutexLock lock(&changes_mutex_);
  auto state = std::make_shared<State>(*state_.Load());
  const auto found = state->banks.find(name);
  if (found == state->banks.end()) {
    return absl::NotFoundError(
        absl::StrCat("no bank '", ShownText(name, 64), "'"));
  }
  for (const auto& [user, normalizer] : state->normalizers) {
    if (normalizer->record().query_bank() == name ||
        normalizer->record().gallery_bank() == name) {
      return absl::FailedPreconditionError(absl::StrCat(
          "normalizer '", user, "' uses bank '", ShownText(name, 64), "'"));
    }
  }
  const storage::BankRecord& record = found->second->record;
  std::vector<Store::Attachment> writes;
  writes.push_back({absl::StrCat(kBankPrefix, name), std::nullopt});
  for (uint32_t chunk = 0; chunk < record.chunks(); ++chunk) {
    writes.push_back({BankRowsName(record.version(), chunk), std::nullopt});
  }
  RETURN_IF_ERROR(store_->WriteAttachments(collection_, writes));
  state->banks.erase(found);
  state_.Store(std::move(state));
  return absl::OkStatus();
}

std::vector<storage::BankRecord> NormalizerCatalog::ListBanks() const {
  std::vector<storage::BankRecord> records;
  for (const auto& [name, bank] : state_.Load()->banks) {
    records.push_back(bank->record);
  }
  return records;
}

absl::StatusOr<std::shared_ptr<const Bank>> NormalizerCatalog::FindBank(
    absl::string_view name) const {
  const std::shared_ptr<const State> state = state_.Load();
  const auto found = state->banks.find(name);
  if (found == state->banks.end()) {
    return absl::NotFoundError(
        absl::StrCat("no bank '", ShownText(name, 64), "'"));
  }
  return found->second;
}

absl::StatusOr<storage::NormalizerRecord> NormalizerCatalog::PutNormalizer(
    storage::NormalizerRecord record, const RequestContext& context) {
  RETURN_IF_ERROR(ValidateName(record.name(), "name"));
  if (record.name() == kNoNormalizer) {
    return InvalidField("name", "'none' is what searches say for none");
  }
  ASSIGN_OR_RETURN(const uint16_t position, FieldOf(record.field()));
  record.set_field(schema_->vector_fields[position].name);
  ASSIGN_OR_RETURN(const NormalizerSpec spec, SpecOf(record));
  if (!IsAdditive(spec.method)) {
    return InvalidField("method",
                        absl::StrCat(NameOf(spec.method),
                                     " rescores candidates; searches use "
                                     "methods with a bias for each point"));
  }
  MutexLock lock(&changes_mutex_);
  auto state = std::make_shared<State>(*state_.Load());
  if (!state->normalizers.contains(record.name()) &&
      state->normalizers.size() >= limits::kNormalizersMax) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "a collection has at most ", limits::kNormalizersMax, " normalizers"));
  }
  if (record.is_default()) {
    for (auto& [name, other] : state->normalizers) {
      if (name != record.name() && other->record().is_default() &&
          other->record().field() == record.field()) {
        return absl::FailedPreconditionError(
            absl::StrCat("normalizer '", name, "' is the default of field '",
                         record.field(), "'"));
      }
    }
  }
  record.set_version(next_version_++);
  record.clear_offsets();
  ASSIGN_OR_RETURN(std::shared_ptr<const Normalizer> normalizer,
                   MakeNormalizer(std::move(record), *state, context));
  RETURN_IF_ERROR(ComputeAll(*normalizer, context));
  const storage::NormalizerRecord& made = normalizer->record();
  const Store::Attachment write{absl::StrCat(kNormalizerPrefix, made.name()),
                                made.SerializeAsString()};
  RETURN_IF_ERROR(store_->WriteAttachments(collection_, {&write, 1}));
  state->normalizers[made.name()] = normalizer;
  state_.Store(std::move(state));
  RETURN_IF_ERROR(SaveStateLocked());
  return made;
}

absl::Status NormalizerCatalog::DeleteNormalizer(absl::string_view name) {
  MutexLock lock(&changes_mutex_);
  auto state = std::make_shared<State>(*state_.Load());
  const auto found = state->normalizers.find(name);
  if (found == state->normalizers.end()) {
    return absl::NotFoundError(
        absl::StrCat("no normalizer '", ShownText(name, 64), "'"));
  }
  const Store::Attachment write{absl::StrCat(kNormalizerPrefix, name),
                                std::nullopt};
  RETURN_IF_ERROR(store_->WriteAttachments(collection_, {&write, 1}));
  state->normalizers.erase(found);
  state_.Store(std::move(state));
  return absl::OkStatus();
}

std::vector<NormalizerStatus> NormalizerCatalog::ListNormalizers() const {
  const std::shared_ptr<const Snapshot> snapshot = snapshots_();
  std::vector<NormalizerStatus> statuses;
  for (const auto& [name, normalizer] : state_.Load()->normalizers) {
    NormalizerStatus status;
    status.record = normalizer->record();
    status.record.clear_offsets();
    for (const auto& view : snapshot->segments) {
      ++status.segments;
      const auto known = normalizer->Known(view->number());
      if (known != nullptr) {
        ++status.segments_known;
        for (const std::vector<float>& biases : known->by_open) {
          status.bytes += biases.size() * sizeof(float);
        }
        for (const std::vector<Neighbor>& nearest : known->nearest) {
          status.bytes += nearest.size() * sizeof(Neighbor);
        }
      }
    }
    statuses.push_back(std::move(status));
  }
  return statuses;
}

absl::StatusOr<std::shared_ptr<const Normalizer>> NormalizerCatalog::Resolve(
    absl::string_view name, uint16_t field, absl::string_view path) const {
  if (name == kNoNormalizer) {
    return std::shared_ptr<const Normalizer>();
  }
  const std::shared_ptr<const State> state = state_.Load();
  if (name.empty()) {
    for (const auto& [own, normalizer] : state->normalizers) {
      if (normalizer->record().is_default() && normalizer->field() == field) {
        return normalizer;
      }
    }
    return std::shared_ptr<const Normalizer>();
  }
  const auto found = state->normalizers.find(name);
  if (found == state->normalizers.end() || found->second->field() != field) {
    return InvalidField(
        path,
        absl::StrCat("no normalizer '", ShownText(name, 64), "' of field '",
                     schema_->vector_fields[field].name, "'"));
  }
  return found->second;
}

void NormalizerCatalog::Prepare(
    const std::shared_ptr<const SealedSegment>& segment,
    const RequestContext& context) {
  SegmentView view;
  view.sealed = segment;
  view.rows = segment->rows();
  for (const auto& [name, normalizer] : state_.Load()->normalizers) {
    // If it is not made now, the first search makes it.
    static_cast<void>(normalizer->BiasOf(view, {pool_, context}));
  }
}

absl::Status NormalizerCatalog::SaveState() {
  MutexLock lock(&changes_mutex_);
  return SaveStateLocked();
}

absl::Status NormalizerCatalog::SaveStateLocked() {
  const std::shared_ptr<const State> state = state_.Load();
  const std::shared_ptr<const Snapshot> snapshot = snapshots_();
  ASSIGN_OR_RETURN(const std::vector<std::string> stored,
                   store_->ListAttachments(collection_, kBiasPrefix));
  absl::flat_hash_set<std::string> gone(stored.begin(), stored.end());
  absl::flat_hash_set<uint32_t> segments;
  for (const auto& view : snapshot->segments) {
    segments.insert(view->number());
  }
  for (const auto& [name, normalizer] : state->normalizers) {
    normalizer->KeepOnly(segments);
    for (const auto& view : snapshot->segments) {
      const std::string attachment =
          BiasName(normalizer->record().version(), view->number());
      const auto known = normalizer->Known(view->number());
      if (view->sealed == nullptr || gone.erase(attachment) > 0 ||
          known == nullptr) {
        continue;
      }
      const Store::Attachment write{
          attachment, ToRecord(*view->sealed, *known, normalizer->term_count())
                          .SerializeAsString()};
      RETURN_IF_ERROR(store_->WriteAttachments(collection_, {&write, 1}));
    }
  }
  std::vector<Store::Attachment> removed;
  for (const std::string& attachment : gone) {
    removed.push_back({attachment, std::nullopt});
  }
  return removed.empty() ? absl::OkStatus()
                         : store_->WriteAttachments(collection_, removed);
}

}  // namespace sextant
