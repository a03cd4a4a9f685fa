// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/context.h"
#include "engine/adapter_catalog.h"
#include "engine/collection_info.h"
#include "engine/filtered_reads.h"
#include "engine/normalizer_catalog.h"
#include "engine/pinned_collection.h"
#include "engine/point.h"
#include "engine/prepared_write.h"
#include "engine/query_sampler.h"
#include "engine/query_watch.h"
#include "engine/recall_probe.h"
#include "engine/schema.h"
#include "engine/search_query.h"
#include "engine/search_result.h"
#include "engine/text_change.h"
#include "storage/records.h"

namespace sextant {

struct WriteResult {
  Sequence applied_seq = 0;
  uint64_t inserted = 0;
  uint64_t updated = 0;
  uint64_t deleted = 0;
};

struct PointCount {
  uint64_t count = 0;
  Sequence applied_seq = 0;
};

struct ScrollPage {
  std::vector<Point> points;
  bool more = false;  // there are points after the last one
};

struct FilteredPage {
  std::vector<Point> points;
  // Of the last point, where more follow it.
  std::optional<PagePosition> next;
};

// What to read of the points of a page.
struct PageFetch {
  Projection projection;
  // The page ends early, but not without a point, before it is larger.
  uint64_t bytes_max = UINT64_MAX;
};

// A collection: its durable points and the segments that answer searches.
//
// Shared between requests; thread-safe. Reads take no lock and work on the
// snapshot that was newest when they began. Writes of concurrent callers are
// committed in groups by one of them. A write that returned OK is durable and
// visible to every later call. After a failed durable write all writes return
// kUnavailable until the server is restarted; reads go on.
//
// Errors: kInvalidArgument (InvalidField), kNotFound once the collection is
// dropped, kDataLoss for damage, kDeadlineExceeded / kCancelled by `context`.
class Collection {
 public:
  virtual ~Collection() = default;

  virtual const std::string& name() const = 0;
  // As of now.
  virtual std::shared_ptr<const Schema> schema() const = 0;

  // Declares one payload field more, durably: what is written from then on has
  // its values. Those of the points that are there are read from their payloads
  // in the background (CollectionInfo::fills); until that is done, whoever
  // names the field in a filter, an order or a facet gets
  // kFailedPrecondition. Stored values that do not fit it count as absent
  // (IndexStats::payload_misfits). kAlreadyExists when the name is taken;
  // InvalidField with paths like "field.name".
  virtual absl::Status AddPayloadField(const PayloadFieldSchema& field,
                                       const RequestContext& context) = 0;

  // Changes how the texts of a field are indexed, durably, in the background
  // (CollectionInfo::text_change). Until the last posting is made anew,
  // schema() and searches stay with the old analysis on the old postings; what
  // is written is indexed both ways. Stored texts that the new analysis refuses
  // count as absent (IndexStats::payload_misfits). A field that is to be as it
  // still is ends the change that was begun. InvalidField with paths "field"
  // and "analyzer"; kFailedPrecondition while another change goes on.
  virtual absl::Status UpdateTextField(const TextFieldUpdate& update,
                                       const RequestContext& context) = 0;

  // Inserts or overwrites, all or nothing; of equal ids the last one wins.
  absl::StatusOr<WriteResult> Upsert(std::vector<Point> points,
                                     const RequestContext& context);
  // Its two halves, for who writes much: the first takes the processor, the
  // second mostly waits for the disk.
  virtual absl::StatusOr<PreparedWrite> PrepareUpsert(
      std::vector<Point> points, const RequestContext& context) const = 0;
  // `writes` were prepared by this collection. They become durable together,
  // all or none of them, in their order; each has its own sequence number.
  virtual absl::StatusOr<std::vector<WriteResult>> CommitAll(
      std::vector<PreparedWrite> writes, const RequestContext& context) = 0;
  absl::StatusOr<WriteResult> Commit(PreparedWrite write,
                                     const RequestContext& context);
  virtual absl::StatusOr<WriteResult> Delete(std::span<const PointId> ids,
                                             const RequestContext& context) = 0;

  // In the order asked for, without those that do not exist.
  virtual absl::StatusOr<std::vector<Point>> Get(
      std::span<const PointId> ids, const Projection& projection,
      const RequestContext& context) const = 0;
  // By ascending id, those after `after` (none: from the first); `limit` is 1
  // to limits::kScrollPageMax.
  virtual absl::StatusOr<ScrollPage> Scroll(
      const std::optional<PointId>& after, uint32_t limit,
      const Projection& projection, const RequestContext& context) const = 0;
  virtual absl::StatusOr<PointCount> Count() const = 0;

  // --- by filter ---
  // InvalidField with the filter's paths, "order_by.field" and "field".
  virtual absl::StatusOr<PointCount> CountMatching(
      const Filter& filter, const RequestContext& context) const = 0;
  // Those that match now, in writes of limits::kIdsPerCallMax points, each of
  // them atomic and durable; a point that is overwritten meanwhile stays. When
  // one of the writes fails, those before it stay done.
  virtual absl::StatusOr<WriteResult> DeleteMatching(
      const Filter& filter, const RequestContext& context) = 0;
  virtual absl::StatusOr<FilteredPage> ScrollMatching(
      const PageQuery& query, const PageFetch& fetch,
      const RequestContext& context) const = 0;
  virtual absl::StatusOr<FacetCounts> Facets(
      const FacetQuery& query, const RequestContext& context) const = 0;

  virtual absl::StatusOr<SearchResult> Search(
      const SearchQuery& query, const RequestContext& context) const = 0;

  // Many searches on one snapshot, each with its own outcome, in their order.
  virtual std::vector<absl::StatusOr<SearchResult>> SearchBatch(
      std::span<const SearchQuery> queries,
      const RequestContext& context) const = 0;

  // Its banks and normalisers, which live as long as the collection.
  virtual absl::StatusOr<NormalizerCatalog*> normalizers() = 0;
  // Its Cosine Adapters, likewise.
  virtual absl::StatusOr<AdapterCatalog*> adapters() = 0;
  // Its sampled queries, and how they compare with the banks.
  virtual absl::StatusOr<QuerySampler*> queries() = 0;
  virtual absl::StatusOr<QueryWatch*> query_watch() = 0;

  // As of now, for works that last. It lives no longer than the collection.
  virtual absl::StatusOr<PinnedCollection> Pin() const = 0;

  virtual CollectionInfo Info() const = 0;
  // Keeps what was measured for Info(), until the next measurement or the end
  // of the process.
  virtual void RememberHubness(HubnessRecord record) = 0;

  // Seals what was written so far and waits until background work on this
  // collection is done.
  virtual absl::Status SealAndWait(const RequestContext& context) = 0;
};

inline absl::StatusOr<WriteResult> Collection::Upsert(
    std::vector<Point> points, const RequestContext& context) {
  absl::StatusOr<PreparedWrite> write =
      PrepareUpsert(std::move(points), context);
  if (!write.ok()) {
    return write.status();
  }
  return Commit(*std::move(write), context);
}

inline absl::StatusOr<WriteResult> Collection::Commit(
    PreparedWrite write, const RequestContext& context) {
  std::vector<PreparedWrite> writes;
  writes.push_back(std::move(write));
  absl::StatusOr<std::vector<WriteResult>> results =
      CommitAll(std::move(writes), context);
  if (!results.ok()) {
    return results.status();
  }
  return results->front();
}

}  // namespace sextant
