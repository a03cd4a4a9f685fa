// SPDX-License-Identifier: Apache-2.0
//
// For tests only: points whose contents follow from a seed.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "storage/records.h"
#include "storage/store.h"
#include "storage/write_set.h"

namespace sextant::test {

// A point that owns its parts.
struct OwnedPoint {
  std::string id;
  std::string payload;
  std::vector<float> values;

  std::vector<FieldVector> Fields() const {
    return values.empty() ? std::vector<FieldVector>()
                          : std::vector<FieldVector>{{0, values}};
  }
};

// The same seed gives the same contents.
inline OwnedPoint MakePoint(std::string id, uint64_t seed,
                            size_t dimension = 16, size_t payload_size = 40) {
  std::mt19937_64 random(seed);
  OwnedPoint point;
  point.id = std::move(id);
  for (size_t i = 0; i < payload_size; ++i) {
    point.payload.push_back(static_cast<char>(random() & 0xffU));
  }
  std::uniform_real_distribution<float> value(-1, 1);
  for (size_t i = 0; i < dimension; ++i) {
    point.values.push_back(value(random));
  }
  return point;
}

inline ContentHash HashOf(const OwnedPoint& point) {
  const std::vector<FieldVector> fields = point.Fields();
  return HashPoint(
      {.id = point.id, .payload = point.payload, .vectors = fields});
}

inline bool SameContents(const OwnedPoint& point, const StoredPoint& stored) {
  return stored.payload == point.payload &&
         (stored.vectors.empty()
              ? point.values.empty()
              : stored.vectors.size() == 1 &&
                    stored.vectors[0].values == point.values);
}

inline storage::CollectionRecord MakeCollection(absl::string_view name) {
  storage::CollectionRecord record;
  record.set_name(std::string(name));
  std::string uuid(name.substr(0, 16));
  uuid.resize(16, '.');
  record.set_uuid(uuid);
  storage::VectorFieldRecord* field = record.add_vector_fields();
  field->set_name("embedding");
  field->set_dimension(16);
  field->set_metric(storage::METRIC_RECORD_L2);
  return record;
}

inline StoreOptions TestOptions(std::string path) {
  StoreOptions options;
  options.path = std::move(path);
  options.memory_bytes = 16ULL << 20U;
  options.min_free_bytes = 0;
  return options;
}

// What the writer of a collection does, without an engine: numbers requests
// and keeps state and hashes. One thread.
class TestWriter {
 public:
  TestWriter(Store* store, CollectionNumber collection)
      : store_(store), collection_(collection) {}

  // Continues after a reopen; hashes of live points come from the store.
  absl::Status Load() {
    absl::StatusOr<CollectionState> state = store_->ReadState(collection_);
    if (!state.ok()) {
      return state.status();
    }
    state_ = *state;
    hashes_.clear();
    const std::unique_ptr<PointScan> scan =
        store_->ScanPoints(nullptr, collection_, "", ReadParts());
    while (scan->Next()) {
      hashes_[std::string(scan->id())] = scan->point().hash;
    }
    return scan->status();
  }

  // One request: all or nothing.
  absl::Status Apply(const std::vector<OwnedPoint>& upserts,
                     const std::vector<std::string>& deletes = {}) {
    CollectionState next = state_;
    auto hashes = hashes_;
    Change change;
    change.seq = ++next.applied_seq;
    WriteSet writes(collection_);
    const auto remove = [&](const std::string& id) {
      if (const auto it = hashes.find(id); it != hashes.end()) {
        next.content_hash.Remove(it->second);
        --next.live_count;
        hashes.erase(it);
      }
    };
    for (const OwnedPoint& point : upserts) {
      remove(point.id);
      const ContentHash hash = HashOf(point);
      const std::vector<FieldVector> fields = point.Fields();
      writes.Put(change.seq,
                 {.id = point.id, .payload = point.payload, .vectors = fields},
                 hash);
      next.content_hash.Add(hash);
      ++next.live_count;
      hashes[point.id] = hash;
      change.upserted.push_back(point.id);
    }
    for (const std::string& id : deletes) {
      remove(id);
      writes.Delete(id);
      change.deleted.push_back(id);
    }
    writes.AppendChange(change);
    writes.SetState(next);
    absl::Status status = store_->Commit(std::move(writes));
    if (status.ok()) {
      state_ = next;
      hashes_ = std::move(hashes);
    }
    return status;
  }

  const CollectionState& state() const { return state_; }

 private:
  Store* const store_;
  const CollectionNumber collection_;
  CollectionState state_;
  std::map<std::string, ContentHash> hashes_;
};

}  // namespace sextant::test
