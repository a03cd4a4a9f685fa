// SPDX-License-Identifier: Apache-2.0
#include "engine/adapter_catalog.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/limits.h"

namespace sextant {
namespace {

constexpr char kPrefix[] = "adapter/";

}  // namespace

AdapterCatalog::AdapterCatalog(Store* store, CollectionNumber collection,
                               const Schema* schema)
    : store_(store),
      collection_(collection),
      schema_(schema),
      state_(std::make_shared<const State>()) {}

absl::Status AdapterCatalog::Load() {
  MutexLock lock(&changes_mutex_);
  auto state = std::make_shared<State>();
  ASSIGN_OR_RETURN(const std::vector<std::string> stored,
                   store_->ListAttachments(collection_, kPrefix));
  for (const std::string& attachment : stored) {
    ASSIGN_OR_RETURN(const std::optional<std::string> bytes,
                     store_->ReadAttachment(collection_, attachment));
    storage::AdapterRecord record;
    if (!bytes.has_value() || !record.ParseFromString(*bytes)) {
      return absl::DataLossError(
          absl::StrCat("attachment '", attachment, "' cannot be read"));
    }
    ASSIGN_OR_RETURN(Adapter adapter, FromRecord(*schema_, record));
    next_version_ = std::max(next_version_, adapter.version + 1);
    const std::string name = adapter.name;
    (*state)[name] = std::make_shared<const Adapter>(std::move(adapter));
  }
  state_.Store(std::move(state));
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const Adapter>> AdapterCatalog::Put(
    Adapter adapter) {
  if (adapter.field.empty() && schema_->vector_fields.size() == 1) {
    adapter.field = schema_->vector_fields.front().name;
  }
  RETURN_IF_ERROR(ValidateAdapter(*schema_, adapter));
  MutexLock lock(&changes_mutex_);
  auto state = std::make_shared<State>(*state_.Load());
  if (!state->contains(adapter.name) && state->size() >= limits::kAdaptersMax) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "a collection has at most ", limits::kAdaptersMax, " adapters"));
  }
  adapter.version = next_version_++;
  const Store::Attachment write{absl::StrCat(kPrefix, adapter.name),
                                ToRecord(adapter).SerializeAsString()};
  RETURN_IF_ERROR(store_->WriteAttachments(collection_, {&write, 1}));
  auto made = std::make_shared<const Adapter>(std::move(adapter));
  (*state)[made->name] = made;
  state_.Store(std::move(state));
  return made;
}

absl::Status AdapterCatalog::Delete(absl::string_view name) {
  MutexLock lock(&changes_mutex_);
  auto state = std::make_shared<State>(*state_.Load());
  const auto found = state->find(name);
  if (found == state->end()) {
    return absl::NotFoundError(
        absl::StrCat("no adapter '", ShownText(name, 64), "'"));
  }
  const Store::Attachment write{absl::StrCat(kPrefix, name), std::nullopt};
  RETURN_IF_ERROR(store_->WriteAttachments(collection_, {&write, 1}));
  state->erase(found);
  state_.Store(std::move(state));
  return absl::OkStatus();
}

std::vector<std::shared_ptr<const Adapter>> AdapterCatalog::List() const {
  std::vector<std::shared_ptr<const Adapter>> adapters;
  for (const auto& [name, adapter] : *state_.Load()) {
    adapters.push_back(adapter);
  }
  return adapters;
}

absl::StatusOr<std::shared_ptr<const Adapter>> AdapterCatalog::Find(
    absl::string_view name, uint16_t field, absl::string_view path) const {
  const std::shared_ptr<const State> state = state_.Load();
  const auto found = state->find(name);
  const std::string& wanted = schema_->vector_fields[field].name;
  if (found == state->end() || found->second->field != wanted) {
    return InvalidField(path, absl::StrCat("no adapter '", ShownText(name, 64),
                                           "' of field '", wanted, "'"));
  }
  return found->second;
}

}  // namespace sextant
