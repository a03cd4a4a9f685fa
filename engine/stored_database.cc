// SPDX-License-Identifier: Apache-2.0
//
// Database over a data directory: the table of collections, their background
// threads, opening and closing.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <random>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/clock.h"
#include "base/coding.h"
#include "base/errors.h"
#include "base/free_memory.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "base/thread.h"
#include "base/thread_pool.h"
#include "engine/damaged_collection.h"
#include "engine/database.h"
#include "engine/limits.h"
#include "engine/query_watcher.h"
#include "engine/recall_prober.h"
#include "engine/schema_record.h"
#include "engine/stored_collection.h"

namespace sextant {
namespace {

constexpr std::chrono::milliseconds kTickInterval{200};
constexpr int kBackgroundNice = 10;

// A collection and what is needed to drop it.
struct Entry {
  std::shared_ptr<Collection> collection;
  // Null for a damaged collection.
  std::shared_ptr<StoredCollection> stored;
  CollectionNumber number = 0;
};

StoredCollectionOptions CollectionOptions(const DatabaseOptions& options) {
  StoredCollectionOptions result;
  result.search = {.recall_target = options.default_recall_target,
                   .ef = options.default_ef};
  result.recall_probe_every = options.recall_probe_every;
  result.seal_rows = options.seal_rows;
  result.commit.linger_us = options.group_commit_us;
  result.commit.group_bytes_max = options.group_commit_bytes;
  result.compactor.seal_idle_ms = options.seal_idle_ms;
  result.compactor.min_graph_rows = options.min_graph_rows;
  return result;
}

// 16 bytes that no other collection has.
std::string RandomUuid() {
  std::random_device device;
  std::string uuid;
  for (int i = 0; i < 4; ++i) {
    AppendLittleEndian<uint32_t>(&uuid, device());
  }
  return uuid;
}

int BuildThreads(const DatabaseOptions& options) {
  const uint32_t threads = options.build_threads != 0
                               ? options.build_threads
                               : std::thread::hardware_concurrency();
  return static_cast<int>(std::clamp(threads, 1U, 256U));
}

class StoredDatabase final : public Database {
 public:
  StoredDatabase(DatabaseOptions options, std::unique_ptr<Store> store)
      : options_(std::move(options)),
        collection_options_(CollectionOptions(options_)),
        store_(std::move(store)),
        builds_({.name = "build",
                 .threads = BuildThreads(options_),
                 .nice = kBackgroundNice}),
        merges_({.name = "merge", .threads = 2, .nice = kBackgroundNice}),
        changes_({.name = "change", .threads = 2, .nice = kBackgroundNice}),
        prober_(
            std::make_unique<RecallProber>(options_.recall_probe_cpu_percent)) {
  }

  ~StoredDatabase() override { StopBackground(); }

  absl::Status Load();

  absl::StatusOr<std::shared_ptr<Collection>> Create(
      absl::string_view name, const Schema& schema) override;
  absl::StatusOr<std::shared_ptr<Collection>> Find(
      absl::string_view name) const override;
  std::vector<std::shared_ptr<Collection>> List(absl::string_view after,
                                                size_t limit) const override;
  size_t collection_count() const override;
  absl::StatusOr<uint64_t> Drop(absl::string_view name) override;
  absl::Status write_status() const override { return store_->write_status(); }
  Store::DiskUse disk_use() const override { return store_->disk_use(); }
  uint64_t store_memory_bytes() const override {
    return store_->memory_bytes();
  }
  absl::Status Verify() const override { return store_->Verify(); }
  absl::Status Close() override;

 private:
  BackgroundThreads threads() { return {&merges_, &builds_, &changes_}; }
  EventSink events() const {
    return options_.on_event ? options_.on_event
                             : [](bool, const std::string&) {};
  }
  std::vector<std::shared_ptr<StoredCollection>> StoredCollections() const;
  absl::Status CheckNotClosed() const;
  void RunTicks();
  void StopBackground();

  const DatabaseOptions options_;
  const StoredCollectionOptions collection_options_;
  const std::unique_ptr<Store> store_;

  // Orders creations and drops, which write to the store; taken before mutex_.
  Mutex change_mutex_;
  mutable Mutex mutex_;
  CondVar stop_;
  std::map<std::string, Entry, std::less<>> collections_
      ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  // Last: their threads use everything above.
  ThreadPool builds_;
  ThreadPool merges_;
  ThreadPool changes_;
  std::unique_ptr<RecallProber> prober_;  // null after StopBackground()
  // Likewise.
  std::unique_ptr<QueryWatcher> query_watcher_ =
      std::make_unique<QueryWatcher>();
  std::unique_ptr<Thread> ticker_;
};

absl::Status StoredDatabase::Load() {
  ASSIGN_OR_RETURN(const std::vector<storage::CollectionRecord> records,
                   store_->ListCollections());
  size_t done = 0;
  for (const storage::CollectionRecord& record : records) {
    if (options_.on_progress) {
      options_.on_progress(done++, records.size(), record.name());
    }
    Entry entry;
    entry.number = record.number();
    absl::StatusOr<std::shared_ptr<StoredCollection>> opened =
        StoredCollection::Open(store_.get(), record, collection_options_,
                               threads(), events());
    if (opened.ok()) {
      entry.stored = *std::move(opened);
      entry.collection = entry.stored;
    } else {
      events()(true,
               absl::StrCat("collection '", record.name(),
                            "' cannot be served: ", opened.status().message()));
      entry.collection = MakeDamagedCollection(record, opened.status());
    }
    MutexLock lock(&mutex_);
    collections_.emplace(record.name(), std::move(entry));
  }
  if (options_.on_progress) {
    options_.on_progress(records.size(), records.size(), "");
  }
  ticker_ = std::make_unique<Thread>("ticker", [this] { RunTicks(); });
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<Collection>> StoredDatabase::Create(
    absl::string_view name, const Schema& schema) {
  RETURN_IF_ERROR(ValidateName(name, "name"));
  if (const absl::Status valid = ValidateSchema(schema); !valid.ok()) {
    return PrefixField("schema.", valid);
  }
  MutexLock change(&change_mutex_);
  RETURN_IF_ERROR(CheckNotClosed());
  {
    MutexLock lock(&mutex_);
    if (collections_.find(name) != collections_.end()) {
      return absl::AlreadyExistsError(
          absl::StrCat("collection '", name, "' exists"));
    }
    if (collections_.size() >= limits::kCollectionsMax) {
      return absl::ResourceExhaustedError(
          absl::StrCat("the server holds at most ", limits::kCollectionsMax,
                       " collections"));
    }
  }
  RETURN_IF_ERROR(store_->write_status());
  storage::CollectionRecord definition = ToRecord(name, schema);
  definition.set_uuid(RandomUuid());
  definition.set_create_time_us(absl::ToUnixMicros(RealClock::Get()->Now()));
  ASSIGN_OR_RETURN(const storage::CollectionRecord record,
                   store_->CreateCollection(std::move(definition)));
  ASSIGN_OR_RETURN(
      const std::shared_ptr<StoredCollection> collection,
      StoredCollection::Open(store_.get(), record, collection_options_,
                             threads(), events()));
  MutexLock lock(&mutex_);
  collections_.emplace(std::string(name),
                       Entry{collection, collection, record.number()});
  return std::shared_ptr<Collection>(collection);
}

absl::StatusOr<std::shared_ptr<Collection>> StoredDatabase::Find(
    absl::string_view name) const {
  MutexLock lock(&mutex_);
  const auto found = collections_.find(name);
  if (found == collections_.end()) {
    // A name from a client: only a well-formed one is repeated.
    return absl::NotFoundError(ValidateName(name, "").ok()
                                   ? absl::StrCat("no collection '", name, "'")
                                   : "no collection of that name");
  }
  return found->second.collection;
}

std::vector<std::shared_ptr<Collection>> StoredDatabase::List(
    absl::string_view after, size_t limit) const {
  std::vector<std::shared_ptr<Collection>> list;
  MutexLock lock(&mutex_);
  for (auto it = collections_.upper_bound(after);
       it != collections_.end() && list.size() < limit; ++it) {
    list.push_back(it->second.collection);
  }
  return list;
}

size_t StoredDatabase::collection_count() const {
  MutexLock lock(&mutex_);
  return collections_.size();
}

absl::StatusOr<uint64_t> StoredDatabase::Drop(absl::string_view name) {
  MutexLock change(&change_mutex_);
  RETURN_IF_ERROR(CheckNotClosed());
  RETURN_IF_ERROR(Find(name).status());
  Entry entry;
  {
    MutexLock lock(&mutex_);
    entry = collections_.find(name)->second;
  }
  uint64_t points = 0;
  if (entry.stored != nullptr) {
    ASSIGN_OR_RETURN(points, entry.stored->Drop());
  } else {
    RETURN_IF_ERROR(store_->DropCollection(entry.number));
  }
  {
    MutexLock lock(&mutex_);
    collections_.erase(collections_.find(name));
  }
  if (entry.stored != nullptr) {
    entry.stored->WaitForBackground();  // a merge must not leave a file behind
  }
  // Searches that run keep their mapped files.
  if (const absl::Status removed =
          store_->segments().RemoveAllBut(entry.number, {});
      !removed.ok()) {
    events()(true, absl::StrCat("dropped collection '", name,
                                "': ", removed.message()));
  }
  entry = {};
  ReleaseFreeMemory();
  return points;
}

absl::Status StoredDatabase::CheckNotClosed() const {
  MutexLock lock(&mutex_);
  return stopping_ ? absl::UnavailableError("the database is closed")
                   : absl::OkStatus();
}

absl::Status StoredDatabase::Close() {
  MutexLock change(&change_mutex_);
  StopBackground();
  for (const auto& collection : StoredCollections()) {
    collection->SaveQueries();
    collection->CloseWrites();
  }
  RETURN_IF_ERROR(store_->write_status());
  return store_->Flush();
}

std::vector<std::shared_ptr<StoredCollection>>
StoredDatabase::StoredCollections() const {
  std::vector<std::shared_ptr<StoredCollection>> stored;
  MutexLock lock(&mutex_);
  for (const auto& [name, entry] : collections_) {
    if (entry.stored != nullptr) {
      stored.push_back(entry.stored);
    }
  }
  return stored;
}

void StoredDatabase::RunTicks() {
  while (true) {
    {
      MutexLock lock(&mutex_);
      if (!stopping_) {
        stop_.WaitFor(&mutex_, kTickInterval);
      }
      if (stopping_) {
        return;
      }
    }
    const MonotonicTime now = std::chrono::steady_clock::now();
    const auto collections = StoredCollections();
    for (const auto& collection : collections) {
      collection->Tick(now);
    }
    prober_->Tick(now, collections);
    query_watcher_->Tick(now, collections);
  }
}

void StoredDatabase::StopBackground() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    stop_.NotifyAll();
  }
  ticker_.reset();  // joins
  prober_.reset();  // too, after cancelling
  query_watcher_.reset();
  for (const auto& collection : StoredCollections()) {
    collection->StopBackground();
  }
  for (const auto& collection : StoredCollections()) {
    collection->WaitForBackground();
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Database>> Database::Open(
    DatabaseOptions options) {
  if (options.seal_rows == 0) {
    return absl::InvalidArgumentError("engine.seal_rows must be at least 1");
  }
  if (!(options.default_recall_target > 0 &&
        options.default_recall_target <= 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("engine.default_recall_target must be above 0 and at most "
                     "1, got ",
                     options.default_recall_target));
  }
  if (options.on_event && !options.store.on_damage) {
    options.store.on_damage = [sink =
                                   options.on_event](const std::string& line) {
      sink(/*severe=*/true, line);
    };
  }
  ASSIGN_OR_RETURN(std::unique_ptr<Store> store, Store::Open(options.store));
  auto database =
      std::make_unique<StoredDatabase>(std::move(options), std::move(store));
  RETURN_IF_ERROR(database->Load());
  return database;
}

}  // namespace sextant
