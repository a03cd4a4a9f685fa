// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"

#include "base/clock.h"
#include "base/mutex.h"
#include "engine/collection.h"
#include "engine/collection_writer.h"
#include "engine/commit_queue.h"
#include "engine/compactor.h"
#include "engine/normalizer_catalog.h"
#include "engine/plan.h"
#include "engine/point_reader.h"
#include "engine/recall_probe.h"
#include "storage/store.h"

namespace sextant {

struct StoredCollectionOptions {
  SearchDefaults search;
  uint32_t recall_probe_every = 0;
  uint32_t seal_rows = 8192;
  CommitQueueOptions commit;
  CompactorOptions compactor;
};

// A collection over the store. See Collection for the contract.
class StoredCollection final
    : public Collection,
      public std::enable_shared_from_this<StoredCollection> {
 public:
  // Recovers the collection. `store` outlives it. kDataLoss when its points
  // are damaged.
  static absl::StatusOr<std::shared_ptr<StoredCollection>> Open(
      Store* store, const storage::CollectionRecord& record,
      const StoredCollectionOptions& options, BackgroundThreads threads,
      const EventSink& events);

  const std::string& name() const override { return record_.name(); }
  std::shared_ptr<const Schema> schema() const override {
    return writer_.snapshot()->schema;
  }
  absl::Status AddPayloadField(const PayloadFieldSchema& field,
                               const RequestContext& context) override;
  absl::Status UpdateTextField(const TextFieldUpdate& update,
                               const RequestContext& context) override;
  absl::StatusOr<PreparedWrite> PrepareUpsert(
      std::vector<Point> points, const RequestContext& context) const override;
  absl::StatusOr<std::vector<WriteResult>> CommitAll(
      std::vector<PreparedWrite> writes,
      const RequestContext& context) override;
  absl::StatusOr<WriteResult> Delete(std::span<const PointId> ids,
                                     const RequestContext& context) override;
  absl::StatusOr<std::vector<Point>> Get(
      std::span<const PointId> ids, const Projection& projection,
      const RequestContext& context) const override;
  absl::StatusOr<ScrollPage> Scroll(
      const std::optional<PointId>& after, uint32_t limit,
      const Projection& projection,
      const RequestContext& context) const override;
  absl::StatusOr<PointCount> Count() const override;
  absl::StatusOr<PointCount> CountMatching(
      const Filter& filter, const RequestContext& context) const override;
  absl::StatusOr<WriteResult> DeleteMatching(
      const Filter& filter, const RequestContext& context) override;
  absl::StatusOr<FilteredPage> ScrollMatching(
      const PageQuery& query, const PageFetch& fetch,
      const RequestContext& context) const override;
  absl::StatusOr<FacetCounts> Facets(
      const FacetQuery& query, const RequestContext& context) const override;
  absl::StatusOr<SearchResult> Search(
      const SearchQuery& query, const RequestContext& context) const override;
  std::vector<absl::StatusOr<SearchResult>> SearchBatch(
      std::span<const SearchQuery> queries,
      const RequestContext& context) const override;
  absl::StatusOr<NormalizerCatalog*> normalizers() override;
  absl::StatusOr<PinnedCollection> Pin() const override;
  absl::StatusOr<AdapterCatalog*> adapters() override;
  absl::StatusOr<QuerySampler*> queries() override;
  absl::StatusOr<QueryWatch*> query_watch() override;
  CollectionInfo Info() const override;
  void RememberHubness(HubnessRecord record) override;
  absl::Status SealAndWait(const RequestContext& context) override;

  // A sampled search to repeat, if there is one.
  std::optional<SearchQuery> TakeProbe() { return probe_.Take(); }
  // Repeats it on the newest snapshot, also exactly, and counts what it found.
  void RunProbe(const SearchQuery& query, const RequestContext& context);

  // Starts merges that are due; called a few times a second, by one thread.
  void Tick(MonotonicTime now);
  bool samples_queries() const { return !queries_.List().empty(); }
  // Stores the sampled queries and compares them with the banks.
  void WatchQueries(MonotonicTime now, const RequestContext& context);
  // What cannot be stored now is kept in memory for the next time.
  void SaveQueries() { static_cast<void>(queries_.Save()); }
  // Ends background work; the collection stays readable.
  void StopBackground();
  void WaitForBackground();
  // Writes are refused from then on.
  void CloseWrites() { writer_.CloseWrites(); }
  // Drops it from the store; returns the number of points it had.
  absl::StatusOr<uint64_t> Drop();

 private:
  // Those of the database, and what probes found in this collection.
  SearchDefaults Defaults() const;

  StoredCollection(Store* store, const storage::CollectionRecord& record,
                   Schema schema, const StoredCollectionOptions& options,
                   BackgroundThreads threads, const EventSink& events);

  // The catalogue's wishes added.
  CompactorOptions WithNormalizers(CompactorOptions options,
                                   const EventSink& events);

  Store* const store_;
  const storage::CollectionRecord record_;
  // As of the start: what is asked of it is what never changes. Payload fields
  // and text fields are those of a snapshot.
  const Schema schema_;
  const SearchDefaults defaults_;
  const PointReader reader_;
  ThreadPool* const pool_;

  mutable RecallProbe probe_;

  CollectionWriter writer_;
  CommitQueue commits_;
  NormalizerCatalog normalizers_;
  AdapterCatalog adapters_;
  mutable QuerySampler queries_;
  QueryWatch query_watch_;
  Compactor compactor_;
  std::atomic<MonotonicTime> last_write_;
  mutable Mutex hubness_mutex_;
  // By field and normaliser.
  std::map<std::pair<std::string, std::string>, Hubness> hubness_
      ABSL_GUARDED_BY(hubness_mutex_);
  MonotonicTime last_refresh_;  // used by Tick only
};

}  // namespace sextant
