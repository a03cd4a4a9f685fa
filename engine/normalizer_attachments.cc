// SPDX-License-Identifier: Apache-2.0
#include "engine/normalizer_attachments.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "base/status_macros.h"

namespace sextant {
namespace {

constexpr char kBankPrefix[] = "bank/";
constexpr char kBankRowsPrefix[] = "bank-rows/";
constexpr char kNormalizerPrefix[] = "normalizer/";
constexpr char kChangePrefix[] = "normalizer-change/";
constexpr char kBiasPrefix[] = "bias/";
constexpr size_t kBankChunkBytes = size_t{1} << 20U;

std::string BankRowsName(uint64_t version, uint32_t chunk) {
  return absl::StrCat(kBankRowsPrefix, version, "/", chunk);
}

std::string ChangeName(const NormalizerChange& change) {
  return absl::StrCat(kChangePrefix, change.number());
}

absl::Status Damaged(absl::string_view attachment) {
  return absl::DataLossError(
      absl::StrCat("attachment '", attachment, "' cannot be read"));
}

// All records whose names begin with `prefix`.
template <typename Record>
absl::StatusOr<std::vector<Record>> ReadAll(const Store& store,
                                            CollectionNumber collection,
                                            absl::string_view prefix) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names,
                   store.ListAttachments(collection, prefix));
  std::vector<Record> records;
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(const std::optional<std::string> bytes,
                     store.ReadAttachment(collection, name));
    if (!bytes.has_value() || !records.emplace_back().ParseFromString(*bytes)) {
      return Damaged(name);
    }
  }
  return records;
}

}  // namespace

std::string NormalizerAttachments::BiasName(uint64_t version,
                                            uint32_t segment) {
  return absl::StrCat(kBiasPrefix, version, "/", segment);
}

uint64_t NormalizerAttachments::VersionOfBias(absl::string_view name) {
  uint64_t version = 0;
  const bool is_bias =
      absl::ConsumePrefix(&name, kBiasPrefix) &&
      absl::SimpleAtoi(name.substr(0, name.find('/')), &version);
  return is_bias ? version : 0;
}

absl::StatusOr<std::shared_ptr<const Bank>> NormalizerAttachments::BankOf(
    storage::BankRecord record) const {
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
    return Damaged(absl::StrCat(kBankPrefix, record.name()));
  }
  auto bank = std::make_shared<Bank>();
  bank->record = std::move(record);
  bank->numbers.resize(numbers.size() / sizeof(float));
  std::memcpy(bank->numbers.data(), numbers.data(), numbers.size());
  return std::shared_ptr<const Bank>(std::move(bank));
}

absl::StatusOr<std::vector<std::shared_ptr<const Bank>>>
NormalizerAttachments::Banks() const {
  ASSIGN_OR_RETURN(
      std::vector<storage::BankRecord> records,
      ReadAll<storage::BankRecord>(*store_, collection_, kBankPrefix));
  std::vector<std::shared_ptr<const Bank>> banks;
  for (storage::BankRecord& record : records) {
    ASSIGN_OR_RETURN(banks.emplace_back(), BankOf(std::move(record)));
  }
  return banks;
}

absl::StatusOr<std::vector<storage::NormalizerRecord>>
NormalizerAttachments::Normalizers() const {
  ASSIGN_OR_RETURN(std::vector<storage::NormalizerRecord> records,
                   ReadAll<storage::NormalizerRecord>(*store_, collection_,
                                                      kNormalizerPrefix));
  for (const storage::NormalizerRecord& record : records) {
    if (!schema_->FindVectorField(record.field()).has_value()) {
      return Damaged(absl::StrCat(kNormalizerPrefix, record.name()));
    }
  }
  return records;
}

absl::StatusOr<std::vector<std::shared_ptr<NormalizerChange>>>
NormalizerAttachments::Changes() const {
  ASSIGN_OR_RETURN(std::vector<storage::NormalizerChangeRecord> records,
                   ReadAll<storage::NormalizerChangeRecord>(
                       *store_, collection_, kChangePrefix));
  std::vector<std::shared_ptr<NormalizerChange>> changes;
  for (storage::NormalizerChangeRecord& record : records) {
    std::vector<storage::NormalizerRecord> plan(record.normalizers().begin(),
                                                record.normalizers().end());
    for (const storage::NormalizerRecord& planned : plan) {
      if (!schema_->FindVectorField(planned.field()).has_value()) {
        return Damaged(kChangePrefix);
      }
    }
    if (record.has_bank()) {
      ASSIGN_OR_RETURN(std::shared_ptr<const Bank> bank,
                       BankOf(std::move(*record.mutable_bank())));
      changes.push_back(std::make_shared<NormalizerChange>(std::move(bank)));
      changes.back()->SetPlan(std::move(plan));
      changes.back()->SetStored();
    } else if (plan.size() == 1) {
      changes.push_back(std::make_shared<NormalizerChange>(plan.front()));
    } else {
      return Damaged(kChangePrefix);
    }
  }
  std::ranges::sort(changes, {}, &NormalizerChange::number);
  return changes;
}

void NormalizerAttachments::Restore(const Normalizer& normalizer,
                                    const Snapshot& snapshot) const {
  for (const auto& view : snapshot.segments) {
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

absl::Status NormalizerAttachments::Write(const Writes& writes) const {
  return store_->WriteAttachments(collection_, writes);
}

absl::Status NormalizerAttachments::WriteBias(const Normalizer& normalizer,
                                              const SegmentView& view) const {
  const std::shared_ptr<const SegmentBias> known =
      normalizer.Known(view.number());
  if (view.sealed == nullptr || known == nullptr ||
      normalizer.term_count() == 0) {
    return absl::OkStatus();
  }
  return Write({{BiasName(normalizer.record().version(), view.number()),
                 ToRecord(*view.sealed, *known, normalizer.term_count())
                     .SerializeAsString()}});
}

absl::StatusOr<std::vector<std::string>> NormalizerAttachments::Biases() const {
  return store_->ListAttachments(collection_, kBiasPrefix);
}

absl::Status NormalizerAttachments::RemoveBiases(
    const absl::flat_hash_set<std::string>& names) const {
  Writes writes;
  for (const std::string& name : names) {
    writes.push_back({name, std::nullopt});
  }
  return writes.empty() ? absl::OkStatus() : Write(writes);
}

void NormalizerAttachments::AddRows(Bank* bank, Writes* writes) {
  storage::BankRecord& record = bank->record;
  const absl::string_view bytes(
      reinterpret_cast<const char*>(bank->numbers.data()),
      bank->numbers.size() * sizeof(float));
  for (size_t at = 0; at < bytes.size(); at += kBankChunkBytes) {
    writes->push_back({BankRowsName(record.version(), record.chunks()),
                       std::string(bytes.substr(at, kBankChunkBytes))});
    record.set_chunks(record.chunks() + 1);
  }
}

void NormalizerAttachments::RemoveRows(const storage::BankRecord& record,
                                       Writes* writes) {
  for (uint32_t chunk = 0; chunk < record.chunks(); ++chunk) {
    writes->push_back({BankRowsName(record.version(), chunk), std::nullopt});
  }
}

void NormalizerAttachments::AddBank(const storage::BankRecord& record,
                                    Writes* writes) {
  writes->push_back(
      {absl::StrCat(kBankPrefix, record.name()), record.SerializeAsString()});
}

void NormalizerAttachments::RemoveBank(absl::string_view name, Writes* writes) {
  writes->push_back({absl::StrCat(kBankPrefix, name), std::nullopt});
}

void NormalizerAttachments::AddNormalizer(
    const storage::NormalizerRecord& record, Writes* writes) {
  writes->push_back({absl::StrCat(kNormalizerPrefix, record.name()),
                     record.SerializeAsString()});
}

void NormalizerAttachments::RemoveNormalizer(absl::string_view name,
                                             Writes* writes) {
  writes->push_back({absl::StrCat(kNormalizerPrefix, name), std::nullopt});
}

void NormalizerAttachments::AddChange(const NormalizerChange& change,
                                      Writes* writes) {
  writes->push_back(
      {ChangeName(change), change.ToRecord().SerializeAsString()});
}

void NormalizerAttachments::RemoveChange(const NormalizerChange& change,
                                         Writes* writes) {
  writes->push_back({ChangeName(change), std::nullopt});
}

}  // namespace sextant
