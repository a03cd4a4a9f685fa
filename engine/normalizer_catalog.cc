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
                                     const Schema* schema, Snapshots snapshots,
                                     Background background)
    : attachments_(store, collection, schema),
      schema_(schema),
      snapshots_(std::move(snapshots)),
      background_(std::move(background)),
      state_(std::make_shared<const State>()) {}

absl::StatusOr<uint16_t> NormalizerCatalog::FieldOf(
    absl::string_view name) const {
  return RequireVectorField(*schema_, name, "field");
}

absl::Status NormalizerCatalog::Load() {
  MutexLock lock(&changes_mutex_);
  auto state = std::make_shared<State>();
  uint64_t newest = 0;
  ASSIGN_OR_RETURN(const std::vector<std::shared_ptr<const Bank>> banks,
                   attachments_.Banks());
  for (const std::shared_ptr<const Bank>& bank : banks) {
    state->banks[bank->record.name()] = bank;
    newest = std::max(newest, bank->record.version());
  }
  ASSIGN_OR_RETURN(std::vector<storage::NormalizerRecord> records,
                   attachments_.Normalizers());
  const RequestContext context;
  const PassRun run{background_.passes, context};
  for (storage::NormalizerRecord& record : records) {
    newest = std::max(newest, record.version());
    ASSIGN_OR_RETURN(Banks of_record, BanksOf(record, *state));
    ASSIGN_OR_RETURN(
        const std::shared_ptr<const Normalizer> normalizer,
        MakeNormalizer(std::move(record), std::move(of_record), run));
    attachments_.Restore(*normalizer, *snapshots_());
    RETURN_IF_ERROR(Complete(*normalizer, run, /*is_stored=*/false));
    state->normalizers[normalizer->record().name()] = normalizer;
  }
  ASSIGN_OR_RETURN(state->changes, attachments_.Changes());
  for (const std::shared_ptr<NormalizerChange>& change : state->changes) {
    newest = std::max(newest, change->number());
    for (const storage::NormalizerRecord& planned : change->plan()) {
      newest = std::max(newest, planned.version());
    }
  }
  // Of normalisers that were deleted some may be left: no other may find them.
  ASSIGN_OR_RETURN(const std::vector<std::string> biases,
                   attachments_.Biases());
  for (const std::string& name : biases) {
    newest = std::max(newest, NormalizerAttachments::VersionOfBias(name));
  }
  next_version_ = newest + 1;
  state_.Store(std::move(state));
  return absl::OkStatus();
}

bool NormalizerCatalog::HasUser(const State& state, absl::string_view bank) {
  return std::ranges::any_of(state.normalizers,
                             [&](const auto& entry) {
                               return UsesBank(entry.second->record(), bank);
                             }) ||
         std::ranges::any_of(state.changes, [&](const auto& change) {
           return change->NeedsBank(bank);
         });
}

absl::StatusOr<NormalizerCatalog::Banks> NormalizerCatalog::BanksOf(
    const storage::NormalizerRecord& record, const State& state) {
  Banks banks;
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
  return banks;
}

NormalizerCatalog::Changes NormalizerCatalog::TakeOut(
    State* state, Writes* writes,
    const std::function<bool(const NormalizerChange&)>& is_taken) {
  Changes taken;
  std::erase_if(state->changes, [&](const auto& change) {
    if (!is_taken(*change)) {
      return false;
    }
    NormalizerAttachments::RemoveChange(*change, writes);
    if (change->bank() != nullptr) {
      NormalizerAttachments::RemoveRows(change->bank()->record, writes);
    }
    taken.push_back(change);
    return true;
  });
  return taken;
}

absl::StatusOr<storage::BankRecord> NormalizerCatalog::PutBank(
    const BankUpload& upload, const RequestContext& context, ReturnWhen when) {
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
  return StoreBank(bank, context, when);
}

absl::StatusOr<storage::BankRecord> NormalizerCatalog::SampleBank(
    const BankSample& sample, const RequestContext& context, ReturnWhen when) {
  RETURN_IF_ERROR(ValidateName(sample.name, "name"));
  ASSIGN_OR_RETURN(const uint16_t position, FieldOf(sample.field));
  const VectorFieldSchema& field = schema_->vector_fields[position];
  const uint64_t count = sample.count;
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
  std::mt19937_64 random(sample.seed);
  auto bank = std::make_shared<Bank>();
  const size_t kept = std::min<size_t>(count, live.size());
  for (size_t i = 0; i < kept; ++i) {
    std::swap(live[i], live[i + random() % (live.size() - i)]);
    bank->numbers.insert(bank->numbers.end(), live[i],
                         live[i] + field.dimension);
  }
  bank->record.set_name(sample.name);
  bank->record.set_field(field.name);
  bank->record.set_gallery(true);
  bank->record.set_rows(kept);
  bank->record.set_dimension(field.dimension);
  return StoreBank(bank, context, when);
}

absl::Status NormalizerCatalog::DeleteBank(absl::string_view name) {
  MutexLock lock(&changes_mutex_);
  auto state = std::make_shared<State>(*state_.Load());
  const auto found = state->banks.find(name);
  if (found == state->banks.end()) {
    return absl::NotFoundError(
        absl::StrCat("no bank '", ShownText(name, 64), "'"));
  }
  if (HasUser(*state, name)) {
    return absl::FailedPreconditionError(
        absl::StrCat("a normalizer uses bank '", ShownText(name, 64), "'"));
  }
  Writes writes;
  NormalizerAttachments::RemoveBank(name, &writes);
  NormalizerAttachments::RemoveRows(found->second->record, &writes);
  const Changes ended = TakeOut(
      state.get(), &writes,
      [name](const NormalizerChange& change) { return change.IsOfBank(name); });
  RETURN_IF_ERROR(attachments_.Write(writes));
  state->banks.erase(found);
  state_.Store(std::move(state));
  for (const std::shared_ptr<NormalizerChange>& change : ended) {
    change->End(absl::FailedPreconditionError("the bank was deleted"));
  }
  return absl::OkStatus();
}

std::vector<BankStatus> NormalizerCatalog::ListBanks() const {
  const std::shared_ptr<const State> state = state_.Load();
  std::vector<BankStatus> statuses;
  for (const auto& [name, bank] : state->banks) {
    BankStatus& status = statuses.emplace_back();
    status.record = bank->record;
    for (const std::shared_ptr<NormalizerChange>& change : state->changes) {
      if (change->IsOfBank(name)) {
        status.next = change->bank()->record;
        status.progress = change->Progress("");
      }
    }
  }
  return statuses;
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

absl::Status NormalizerCatalog::DeleteNormalizer(absl::string_view name) {
  MutexLock lock(&changes_mutex_);
  auto state = std::make_shared<State>(*state_.Load());
  Writes writes;
  const Changes ended =
      TakeOut(state.get(), &writes, [name](const NormalizerChange& change) {
        return change.IsOfNormalizer(name);
      });
  const auto found = state->normalizers.find(name);
  if (found != state->normalizers.end()) {
    state->normalizers.erase(found);
    NormalizerAttachments::RemoveNormalizer(name, &writes);
  } else if (ended.empty()) {
    return absl::NotFoundError(
        absl::StrCat("no normalizer '", ShownText(name, 64), "'"));
  }
  RETURN_IF_ERROR(attachments_.Write(writes));
  // Changes of its bank go on without it.
  for (const std::shared_ptr<NormalizerChange>& change : state->changes) {
    if (change->bank() != nullptr) {
      change->Interrupt();
    }
  }
  state_.Store(std::move(state));
  for (const std::shared_ptr<NormalizerChange>& change : ended) {
    change->End(absl::FailedPreconditionError("the normalizer was deleted"));
  }
  return absl::OkStatus();
}

// Of a normaliser that may not be served yet.
void NormalizerCatalog::AddNext(const State& state, NormalizerStatus* status) {
  const std::string& name = status->record.name();
  for (const std::shared_ptr<NormalizerChange>& change : state.changes) {
    const bool is_of_bank =
        change->bank() != nullptr && status->record.version() != 0 &&
        UsesBank(status->record, change->bank()->record.name());
    if (is_of_bank || change->IsOfNormalizer(name)) {
      status->next = change->Progress(name);
      return;
    }
  }
}

std::vector<NormalizerStatus> NormalizerCatalog::ListNormalizers() const {
  const std::shared_ptr<const Snapshot> snapshot = snapshots_();
  const std::shared_ptr<const State> state = state_.Load();
  std::map<std::string, NormalizerStatus> statuses;
  for (const auto& [name, normalizer] : state->normalizers) {
    NormalizerStatus& status = statuses[name];
    status.record = normalizer->record();
    status.record.clear_offsets();
    status.query_bank_version = normalizer->query_bank_version();
    status.gallery_bank_version = normalizer->gallery_bank_version();
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
  }
  for (const std::shared_ptr<NormalizerChange>& change : state->changes) {
    if (change->wanted().has_value() &&
        !statuses.contains(change->wanted()->name())) {
      NormalizerStatus& status = statuses[change->wanted()->name()];
      status.record = *change->wanted();
      status.record.clear_version();
      status.record.clear_offsets();
      status.segments = snapshot->segments.size();
    }
  }
  std::vector<NormalizerStatus> sorted;
  for (auto& [name, status] : statuses) {
    AddNext(*state, &status);
    sorted.push_back(std::move(status));
  }
  return sorted;
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
  const std::string& field_name = schema_->vector_fields[field].name;
  const auto found = state->normalizers.find(name);
  if (found != state->normalizers.end() && found->second->field() == field) {
    return found->second;
  }
  const bool comes =
      std::ranges::any_of(state->changes, [&](const auto& change) {
        return change->IsOfNormalizer(name) &&
               change->wanted()->field() == field_name;
      });
  if (comes) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": normalizer '", name,
                     "' was made lately, and is still being computed"));
  }
  return InvalidField(path, absl::StrCat("no normalizer '", ShownText(name, 64),
                                         "' of field '", field_name, "'"));
}

void NormalizerCatalog::Prepare(
    const std::shared_ptr<const SealedSegment>& segment,
    const RequestContext& context) {
  SegmentView view;
  view.sealed = segment;
  view.rows = segment->rows();
  const PassRun run{background_.passes, context};
  const std::shared_ptr<const State> state = state_.Load();
  // If it is not made now, the first search makes it.
  for (const auto& [name, normalizer] : state->normalizers) {
    static_cast<void>(normalizer->BiasOf(view, run));
  }
  for (const std::shared_ptr<NormalizerChange>& change : state->changes) {
    for (const std::shared_ptr<const Normalizer>& made : change->AllMade()) {
      static_cast<void>(made->BiasOf(view, run));
    }
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
                   attachments_.Biases());
  absl::flat_hash_set<std::string> gone(stored.begin(), stored.end());
  absl::flat_hash_set<uint32_t> segments;
  for (const auto& view : snapshot->segments) {
    segments.insert(view->number());
  }
  // Those that are being made store their state themselves.
  for (const std::shared_ptr<NormalizerChange>& change : state->changes) {
    for (const storage::NormalizerRecord& planned : change->plan()) {
      for (const uint32_t segment : segments) {
        gone.erase(NormalizerAttachments::BiasName(planned.version(), segment));
      }
    }
    for (const std::shared_ptr<const Normalizer>& made : change->AllMade()) {
      made->KeepOnly(segments);
    }
  }
  for (const auto& [name, normalizer] : state->normalizers) {
    normalizer->KeepOnly(segments);
    for (const auto& view : snapshot->segments) {
      if (gone.erase(NormalizerAttachments::BiasName(
              normalizer->record().version(), view->number())) == 0) {
        RETURN_IF_ERROR(attachments_.WriteBias(*normalizer, *view));
      }
    }
  }
  return attachments_.RemoveBiases(gone);
}

}  // namespace sextant
