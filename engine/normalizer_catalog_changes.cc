// SPDX-License-Identifier: Apache-2.0
//
// How the catalogue of normalisers changes: what is accepted is stored first,
// then made by a task in the background.
#include <algorithm>
#include <chrono>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/limits.h"
#include "engine/normalizer_catalog.h"
#include "index/distance.h"

namespace sextant {
namespace {

constexpr std::chrono::seconds kChangeRetryDelay{10};
constexpr std::chrono::milliseconds kChangeStopPoll{20};
// What is sealed meanwhile is computed, too, so that the first searches do not
// have to; but not for ever.
constexpr int kCatchUpsMax = 4;

uint32_t CountRows(const SegmentView& view, uint16_t field) {
  return view.growing != nullptr ? view.field_rows[field]
                                 : view.sealed->field(field).rows();
}

uint64_t CountRows(const Snapshot& snapshot, uint16_t field) {
  uint64_t rows = 0;
  for (const auto& view : snapshot.segments) {
    rows += CountRows(*view, field);
  }
  return rows;
}

std::string TextOf(const NormalizerChange& change) {
  return change.bank() != nullptr
             ? absl::StrCat("bank '", change.bank()->record.name(), "'")
             : absl::StrCat("normalizer '", change.wanted()->name(), "'");
}

absl::Status Replaced(const NormalizerChange& change) {
  return absl::FailedPreconditionError(
      absl::StrCat("a newer change of ", TextOf(change), " took its place"));
}

}  // namespace

void NormalizerCatalog::Tell(bool severe, const std::string& what) const {
  background_.events(
      severe, absl::StrCat("collection '", background_.name, "': ", what));
}

absl::StatusOr<std::shared_ptr<NormalizerChange>> NormalizerCatalog::AcceptBank(
    const std::shared_ptr<Bank>& bank) {
  MutexLock lock(&changes_mutex_);
  auto state = std::make_shared<State>(*state_.Load());
  storage::BankRecord& record = bank->record;
  const std::string name = record.name();
  const auto old = state->banks.find(name);
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
  Writes writes;
  const Changes replaced =
      TakeOut(state.get(), &writes, [&name](const NormalizerChange& change) {
        return change.IsOfBank(name);
      });
  NormalizerAttachments::AddRows(bank.get(), &writes);
  std::shared_ptr<NormalizerChange> change;
  if (HasUser(*state, name)) {
    change = std::make_shared<NormalizerChange>(bank);
    NormalizerAttachments::AddChange(*change, &writes);
    state->changes.push_back(change);
  } else {
    if (old != state->banks.end()) {
      NormalizerAttachments::RemoveRows(old->second->record, &writes);
    }
    NormalizerAttachments::AddBank(record, &writes);
    state->banks[name] = bank;
  }
  RETURN_IF_ERROR(attachments_.Write(writes));
  state_.Store(std::move(state));
  for (const std::shared_ptr<NormalizerChange>& other : replaced) {
    other->End(Replaced(*other));
  }
  return change;
}

absl::Status NormalizerCatalog::Start(NormalizerChange& change,
                                      const RequestContext& context,
                                      ReturnWhen when) {
  Schedule();
  if (stopping_) {
    // StopChanges() may not have seen it.
    change.End(absl::UnavailableError("the collection is being closed"));
  }
  return when == ReturnWhen::kServed ? change.Wait(context) : absl::OkStatus();
}

absl::StatusOr<storage::BankRecord> NormalizerCatalog::StoreBank(
    const std::shared_ptr<Bank>& bank, const RequestContext& context,
    ReturnWhen when) {
  ASSIGN_OR_RETURN(const std::shared_ptr<NormalizerChange> change,
                   AcceptBank(bank));
  if (change != nullptr) {
    RETURN_IF_ERROR(Start(*change, context, when));
  }
  return bank->record;
}

absl::Status NormalizerCatalog::CheckNew(
    const storage::NormalizerRecord& record, const State& state) const {
  ASSIGN_OR_RETURN(const NormalizerSpec spec, SpecOf(record));
  const Metric metric =
      schema_->vector_fields[*schema_->FindVectorField(record.field())].metric;
  if (spec.method == NormalizerMethod::kMarginRatio && metric == Metric::kL2) {
    return InvalidField("method",
                        "margin_ratio is for products, and the field's metric "
                        "is l2");
  }
  // As they serve, and as they will.
  std::vector<const storage::NormalizerRecord*> others;
  for (const auto& [name, normalizer] : state.normalizers) {
    others.push_back(&normalizer->record());
  }
  for (const std::shared_ptr<NormalizerChange>& change : state.changes) {
    if (change->wanted().has_value()) {
      others.push_back(&*change->wanted());
    }
  }
  std::erase_if(others, [&record](const storage::NormalizerRecord* other) {
    return other->name() == record.name();
  });
  std::set<absl::string_view> names;
  for (const storage::NormalizerRecord* other : others) {
    names.insert(other->name());
    if (record.is_default() && other->is_default() &&
        other->field() == record.field()) {
      return absl::FailedPreconditionError(
          absl::StrCat("normalizer '", other->name(),
                       "' is the default of field '", record.field(), "'"));
    }
  }
  if (names.size() >= limits::kNormalizersMax) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "a collection has at most ", limits::kNormalizersMax, " normalizers"));
  }
  ASSIGN_OR_RETURN(const Banks banks, BanksOf(record, state));
  return CheckBanks(spec,
                    {banks[0] != nullptr ? banks[0]->rows() : VectorRows{},
                     banks[1] != nullptr ? banks[1]->rows() : VectorRows{}});
}

absl::StatusOr<std::shared_ptr<NormalizerChange>>
NormalizerCatalog::AcceptNormalizer(storage::NormalizerRecord record) {
  MutexLock lock(&changes_mutex_);
  auto state = std::make_shared<State>(*state_.Load());
  RETURN_IF_ERROR(CheckNew(record, *state));
  record.set_version(next_version_++);
  record.clear_offsets();
  Writes writes;
  const Changes replaced =
      TakeOut(state.get(), &writes, [&record](const NormalizerChange& change) {
        return change.IsOfNormalizer(record.name());
      });
  const auto change = std::make_shared<NormalizerChange>(std::move(record));
  NormalizerAttachments::AddChange(*change, &writes);
  state->changes.push_back(change);
  RETURN_IF_ERROR(attachments_.Write(writes));
  state_.Store(std::move(state));
  for (const std::shared_ptr<NormalizerChange>& other : replaced) {
    other->End(Replaced(*other));
  }
  return change;
}

absl::StatusOr<storage::NormalizerRecord> NormalizerCatalog::PutNormalizer(
    storage::NormalizerRecord record, const RequestContext& context,
    ReturnWhen when) {
  RETURN_IF_ERROR(ValidateName(record.name(), "name"));
  if (record.name() == kNoNormalizer) {
    return InvalidField("name", "'none' is what searches say for none");
  }
  ASSIGN_OR_RETURN(const uint16_t position, FieldOf(record.field()));
  record.set_field(schema_->vector_fields[position].name);
  ASSIGN_OR_RETURN(const std::shared_ptr<NormalizerChange> change,
                   AcceptNormalizer(std::move(record)));
  RETURN_IF_ERROR(Start(*change, context, when));
  return *change->wanted();
}

absl::StatusOr<std::shared_ptr<const Normalizer>>
NormalizerCatalog::MakeNormalizer(storage::NormalizerRecord record, Banks banks,
                                  const PassRun& run) const {
  const std::shared_ptr<const Snapshot> snapshot = snapshots_();
  const uint16_t field = *schema_->FindVectorField(record.field());
  const uint32_t dimension = schema_->vector_fields[field].dimension;
  std::vector<VectorRows> items;
  std::vector<std::vector<float>> copies;  // of growing segments
  copies.reserve(snapshot->segments.size());
  for (const auto& view : snapshot->segments) {
    const uint32_t rows = CountRows(*view, field);
    if (rows == 0) {
      continue;
    }
    if (view->sealed != nullptr) {
      items.push_back({view->sealed->field(field).row_vector(0), rows,
                       dimension, PaddedStride(dimension)});
    } else {
      copies.push_back(view->growing->field(field).CopyVectors(0, rows));
      items.push_back({copies.back().data(), rows, dimension, dimension});
    }
  }
  return Normalizer::Make(std::move(record), *schema_, std::move(banks[0]),
                          std::move(banks[1]), items, run);
}

absl::Status NormalizerCatalog::Complete(const Normalizer& normalizer,
                                         const PassRun& run,
                                         bool is_stored) const {
  const std::shared_ptr<const Snapshot> snapshot = snapshots_();
  for (const auto& view : snapshot->segments) {
    if (view->sealed != nullptr &&
        normalizer.Known(view->number()) != nullptr) {
      run.Count(BiasPassesOf(normalizer.spec()) *
                CountRows(*view, normalizer.field()));
      continue;
    }
    RETURN_IF_ERROR(normalizer.BiasOf(*view, run).status());
    if (is_stored) {
      RETURN_IF_ERROR(attachments_.WriteBias(normalizer, *view));
    }
  }
  return absl::OkStatus();
}

void NormalizerCatalog::Schedule() {
  {
    MutexLock lock(&task_mutex_);
    retry_at_ = {};
    again_ = true;
    if (stopping_ || scheduled_) {
      return;
    }
    scheduled_ = true;
  }
  const bool queued = background_.changes->TrySchedule(
      [this, kept = background_.keep()] { RunChanges(); });
  if (!queued) {
    MutexLock lock(&task_mutex_);
    scheduled_ = false;
  }
}

void NormalizerCatalog::ResumeChanges(MonotonicTime now) {
  if (state_.Load()->changes.empty()) {
    return;
  }
  {
    MutexLock lock(&task_mutex_);
    if (scheduled_ || now < retry_at_) {
      return;
    }
  }
  Schedule();
}

void NormalizerCatalog::StopChanges(const absl::Status& outcome) {
  stopping_ = true;
  const std::shared_ptr<const State> state = state_.Load();
  for (const std::shared_ptr<NormalizerChange>& change : state->changes) {
    change->End(outcome);
  }
}

void NormalizerCatalog::WaitChangesStopped() {
  MutexLock lock(&task_mutex_);
  while (running_) {
    task_ended_.WaitFor(&task_mutex_, kChangeStopPoll);
  }
}

void NormalizerCatalog::RunChanges() {
  {
    MutexLock lock(&task_mutex_);
    running_ = true;
  }
  while (true) {
    const std::shared_ptr<const State> state = state_.Load();
    {
      MutexLock lock(&task_mutex_);
      const bool idle = state->changes.empty() && !again_;
      again_ = false;
      const auto now = std::chrono::steady_clock::now();
      if (stopping_ || idle || now < retry_at_) {
        scheduled_ = false;
        running_ = false;
        task_ended_.NotifyAll();
        return;
      }
    }
    if (state->changes.empty()) {
      continue;
    }
    const std::shared_ptr<NormalizerChange>& change = state->changes.front();
    const absl::Status status = Attempt(change);
    // Cancelled: it is not wanted any more, is planned anew, or all stops.
    if (!status.ok() && !absl::IsCancelled(status)) {
      Tell(true, absl::StrCat(TextOf(*change), " could not be changed, and is ",
                              "tried again: ", status.message()));
      change->Fail(status);
      MutexLock lock(&task_mutex_);
      retry_at_ = std::chrono::steady_clock::now() + kChangeRetryDelay;
    }
  }
}

absl::Status NormalizerCatalog::Attempt(
    const std::shared_ptr<NormalizerChange>& change) {
  RequestContextOptions options;
  options.is_cancelled = [this, &change] {
    return stopping_.load() || change->interrupted();
  };
  const RequestContext context(std::move(options));
  // Before the plan: what interrupts from now on is not part of it.
  change->ForgetInterrupt();
  RETURN_IF_ERROR(Plan(change.get()));
  const std::vector<storage::NormalizerRecord> plan = change->plan();
  uint64_t total = 0;
  {
    const std::shared_ptr<const Snapshot> snapshot = snapshots_();
    for (const storage::NormalizerRecord& planned : plan) {
      ASSIGN_OR_RETURN(const NormalizerSpec spec, SpecOf(planned));
      total += (FitPassesOf(spec) + BiasPassesOf(spec)) *
               CountRows(*snapshot, *schema_->FindVectorField(planned.field()));
    }
  }
  change->BeginAttempt(total);
  const PassRun run{background_.passes, context, change->done()};
  for (const storage::NormalizerRecord& planned : plan) {
    Tell(false, absl::StrCat("computing normalizer '", planned.name(),
                             "' version ", planned.version()));
    RETURN_IF_ERROR(context.Check());
    RETURN_IF_ERROR(MakePlanned(planned, change.get(), run));
  }
  RETURN_IF_ERROR(CatchUp(*change, run));
  return Switch(change);
}

absl::Status NormalizerCatalog::CheckIsNext(
    const NormalizerChange& change) const {
  const std::shared_ptr<const State> state = state_.Load();
  return !state->changes.empty() && state->changes.front().get() == &change
             ? absl::OkStatus()
             : absl::CancelledError("the change is not wanted any more");
}

// What it makes is stored under versions and offsets that a restart must find.
absl::Status NormalizerCatalog::StoreChange(NormalizerChange* change) {
  if (change->is_stored()) {
    return absl::OkStatus();
  }
  Writes writes;
  NormalizerAttachments::AddChange(*change, &writes);
  RETURN_IF_ERROR(attachments_.Write(writes));
  change->SetStored();
  return absl::OkStatus();
}

// A plan that was made before, perhaps before a restart, is kept: what was
// computed has its versions.
absl::Status NormalizerCatalog::Plan(NormalizerChange* change) {
  MutexLock lock(&changes_mutex_);
  RETURN_IF_ERROR(CheckIsNext(*change));
  if (change->bank() == nullptr) {
    return absl::OkStatus();
  }
  const std::string& bank = change->bank()->record.name();
  const std::vector<storage::NormalizerRecord> before = change->plan();
  std::vector<storage::NormalizerRecord> plan;
  bool is_new = false;
  const std::shared_ptr<const State> state = state_.Load();
  for (const auto& [name, normalizer] : state->normalizers) {
    const storage::NormalizerRecord& record = normalizer->record();
    if (!UsesBank(record, bank)) {
      continue;
    }
    const auto planned =
        std::ranges::find(before, name, &storage::NormalizerRecord::name);
    if (planned != before.end()) {
      plan.push_back(*planned);
      continue;
    }
    is_new = true;
    plan.push_back(record);
    plan.back().set_version(next_version_++);
    plan.back().clear_offsets();
  }
  if (is_new || plan.size() != before.size()) {
    change->SetPlan(std::move(plan));
  }
  return StoreChange(change);
}

absl::Status NormalizerCatalog::MakePlanned(
    const storage::NormalizerRecord& planned, NormalizerChange* change,
    const PassRun& run) {
  std::shared_ptr<const Normalizer> made = change->Made(planned.name());
  const bool was_fitted = made != nullptr || !planned.offsets().empty();
  if (was_fitted) {
    ASSIGN_OR_RETURN(const NormalizerSpec spec, SpecOf(planned));
    run.Count(
        FitPassesOf(spec) *
        CountRows(*snapshots_(), *schema_->FindVectorField(planned.field())));
  }
  if (made == nullptr) {
    const std::shared_ptr<const State> state = state_.Load();
    ASSIGN_OR_RETURN(Banks banks, BanksOf(planned, *state));
    for (std::shared_ptr<const Bank>& bank : banks) {
      if (bank != nullptr && change->IsOfBank(bank->record.name())) {
        bank = change->bank();
      }
    }
    ASSIGN_OR_RETURN(made, MakeNormalizer(planned, std::move(banks), run));
    attachments_.Restore(*made, *snapshots_());
    change->AddMade(made);
  }
  {
    MutexLock lock(&changes_mutex_);
    RETURN_IF_ERROR(CheckIsNext(*change));
    RETURN_IF_ERROR(StoreChange(change));
  }
  return Complete(*made, run, /*is_stored=*/true);
}

absl::Status NormalizerCatalog::CatchUp(const NormalizerChange& change,
                                        const PassRun& run) const {
  const auto is_complete = [](const Normalizer& normalizer,
                              const Snapshot& snapshot) {
    return std::ranges::all_of(snapshot.segments, [&](const auto& view) {
      return view->sealed == nullptr ||
             normalizer.Known(view->number()) != nullptr;
    });
  };
  for (int i = 0; i < kCatchUpsMax; ++i) {
    bool is_done = true;
    for (const std::shared_ptr<const Normalizer>& made : change.AllMade()) {
      if (!is_complete(*made, *snapshots_())) {
        is_done = false;
        RETURN_IF_ERROR(
            Complete(*made, {run.pool, run.context}, /*is_stored=*/true));
      }
    }
    if (is_done) {
      break;
    }
  }
  return run.context.Check();
}

absl::Status NormalizerCatalog::Switch(
    const std::shared_ptr<NormalizerChange>& change) {
  MutexLock lock(&changes_mutex_);
  RETURN_IF_ERROR(CheckIsNext(*change));
  auto state = std::make_shared<State>(*state_.Load());
  Writes writes;
  if (change->bank() != nullptr) {
    const storage::BankRecord& record = change->bank()->record;
    std::shared_ptr<const Bank>& place = state->banks[record.name()];
    NormalizerAttachments::RemoveRows(place->record, &writes);
    NormalizerAttachments::AddBank(record, &writes);
    place = change->bank();
  }
  for (const std::shared_ptr<const Normalizer>& made : change->AllMade()) {
    const storage::NormalizerRecord& record = made->record();
    // Of a bank's normalisers some may have been deleted.
    if (change->bank() == nullptr ||
        state->normalizers.contains(record.name())) {
      state->normalizers[record.name()] = made;
      NormalizerAttachments::AddNormalizer(record, &writes);
    }
  }
  NormalizerAttachments::RemoveChange(*change, &writes);
  state->changes.erase(state->changes.begin());
  RETURN_IF_ERROR(attachments_.Write(writes));
  state_.Store(std::move(state));
  change->End(absl::OkStatus());
  Tell(false, absl::StrCat(TextOf(*change), " is served by version ",
                           change->number()));
  if (const absl::Status saved = SaveStateLocked(); !saved.ok()) {
    // What is not stored is computed after a restart.
    Tell(false, absl::StrCat("biases were not stored: ", saved.ToString()));
  }
  return absl::OkStatus();
}

}  // namespace sextant
