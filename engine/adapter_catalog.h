// SPDX-License-Identifier: Apache-2.0
//
// The Cosine Adapters of a collection.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "base/mutex.h"
#include "base/published.h"
#include "engine/adapter.h"
#include "engine/schema.h"
#include "storage/store.h"

namespace sextant {

// Stored with the collection, dropped with it, recovered when it is opened.
//
// Thread-safe. Changes come one after the other; searches take no lock that a
// change holds while it works.
class AdapterCatalog {
 public:
  // All outlives the catalogue.
  AdapterCatalog(Store* store, CollectionNumber collection,
                 const Schema* schema);

  // Reads what is stored; once, before anything else. kDataLoss for damage.
  absl::Status Load();

  // Replaces one of the same name; an empty field is the collection's only
  // one. What is returned has its version. Errors as of ValidateAdapter;
  // kResourceExhausted past limits::kAdaptersMax.
  absl::StatusOr<std::shared_ptr<const Adapter>> Put(Adapter adapter);
  // kNotFound.
  absl::Status Delete(absl::string_view name);
  // By name.
  std::vector<std::shared_ptr<const Adapter>> List() const;
  // InvalidField naming `path` when there is none of that field.
  absl::StatusOr<std::shared_ptr<const Adapter>> Find(
      absl::string_view name, uint16_t field, absl::string_view path) const;

  const Schema& schema() const { return *schema_; }

 private:
  using State =
      std::map<std::string, std::shared_ptr<const Adapter>, std::less<>>;

  Store* const store_;
  const CollectionNumber collection_;
  const Schema* const schema_;

  Mutex changes_mutex_;
  uint64_t next_version_ ABSL_GUARDED_BY(changes_mutex_) = 1;
  Published<State> state_;
};

}  // namespace sextant
