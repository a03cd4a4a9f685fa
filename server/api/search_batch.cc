// SPDX-License-Identifier: Apache-2.0
#include "server/api/search_batch.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/schema.h"

namespace sextant {
namespace {

// "searches[3]: ..." in front of whatever went wrong.
absl::Status InBatch(size_t index, const absl::Status& status) {
  if (!InvalidFieldPath(status).empty()) {
    return PrefixField(absl::StrCat("searches[", index, "]."), status);
  }
  return WithContext(status, absl::StrCat("searches[", index, "]"));
}

// Large enough that what a group costs is nothing to its searches, small enough
// for several threads to share a batch.
size_t GroupMax(size_t searches) {
  constexpr size_t kMost = 16;
  return std::clamp<size_t>(searches / 4, 1, kMost);
}

absl::StatusOr<std::shared_ptr<Collection>> FindIn(const Database& database,
                                                   const std::string& name) {
  RETURN_IF_ERROR(ValidateName(name, "collection"));
  return database.Find(name);
}

}  // namespace

void BatchOutcome::Fail(size_t search, absl::Status status) {
  failures_[search] = std::move(status);
  size_t seen = first_failed_.load(std::memory_order_relaxed);
  while (search < seen && !first_failed_.compare_exchange_weak(seen, search)) {
  }
}

absl::Status BatchOutcome::status() const {
  const size_t first = first_failed_.load();
  return first < failures_.size() ? InBatch(first, failures_[first])
                                  : absl::OkStatus();
}

std::vector<BatchGroup> GroupSearches(const Database& database,
                                      const v1::SearchBatchRequest& request,
                                      BatchOutcome* outcome) {
  const auto count = static_cast<size_t>(request.searches_size());
  const size_t group_max = GroupMax(count);
  std::vector<BatchGroup> groups;
  for (size_t i = 0; i < count; ++i) {
    const std::string& own = request.searches(static_cast<int>(i)).collection();
    const std::string& name = own.empty() ? request.collection() : own;
    const bool same = !groups.empty() && *groups.back().name == name;
    if (same && groups.back().count < group_max) {
      ++groups.back().count;
      continue;
    }
    BatchGroup group{i, 1, nullptr, &name};
    if (same) {
      group.collection = groups.back().collection;
    } else {
      auto found = FindIn(database, name);
      if (!found.ok()) {
        outcome->Fail(i, found.status());
        break;
      }
      group.collection = *std::move(found);
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace sextant
