// SPDX-License-Identifier: Apache-2.0
#include "engine/stored_collection.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <tuple>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/executor.h"
#include "engine/limits.h"
#include "engine/plan.h"
#include "engine/schema_record.h"
#include "engine/validate_query.h"

namespace sextant {
namespace {

// A view of the store that is older than this is replaced, because it holds
// back every record that any collection overwrote since.
constexpr std::chrono::seconds kViewAgeMax{10};

void AddEncoding(const std::string& field, const VectorIndex& index,
                 std::vector<EncodingUse>* uses) {
  const Encoding encoding = index.encoding();
  auto use =
      std::find_if(uses->begin(), uses->end(), [&](const EncodingUse& other) {
        return other.field == field && other.encoding == encoding;
      });
  if (use == uses->end()) {
    uses->push_back({.field = field, .encoding = encoding});
    use = std::prev(uses->end());
  }
  use->recall_loss = use->segments == 0
                         ? index.recall_loss()
                         : std::max(use->recall_loss, index.recall_loss());
  ++use->segments;
  use->rows += index.rows();
}

void AddSealed(const Schema& schema, const SealedSegment& segment,
               IndexStats* stats) {
  ++stats->sealed_segments;
  stats->sealed_bytes += segment.size_bytes();
  stats->ids_bytes += segment.ids_bytes();
  stats->columns_bytes += segment.columns_bytes();
  stats->windows_bytes += segment.windows_bytes();
  stats->texts_bytes += segment.texts_bytes();
  stats->sparse_bytes += segment.sparse_bytes();
  for (size_t i = 0; i < segment.field_count(); ++i) {
    const VectorIndex& index = segment.field(i);
    stats->memory += index.memory();
    if (index.has_graph()) {
      AddEncoding(schema.vector_fields[i].name, index, &stats->encodings);
    }
  }
}

// `rows_filled` of the merge that runs are done, too.
std::vector<FieldFill> FillsOf(const Snapshot& snapshot, uint64_t rows_filled) {
  std::vector<FieldFill> fills;
  for (size_t i = 0; i < snapshot.schema->payload_fields.size(); ++i) {
    FieldFill fill;
    uint64_t lacking = 0;
    for (const auto& view : snapshot.segments) {
      fill.points_total += view->live();
      lacking += view->has_payload_field(i) ? 0 : view->live();
    }
    if (lacking > 0) {
      fill.field = snapshot.schema->payload_fields[i].name;
      fill.points_done =
          fill.points_total - lacking + std::min(lacking, rows_filled);
      fills.push_back(std::move(fill));
    }
  }
  return fills;
}

// Likewise, `rows_analyzed`.
std::optional<TextChangeProgress> TextChangeOf(const Snapshot& snapshot,
                                               uint64_t rows_analyzed) {
  const Schema& schema = *snapshot.schema;
  if (!schema.text_change.has_value()) {
    return std::nullopt;
  }
  TextChangeProgress progress{.next = schema.text_change->next};
  uint64_t lacking = 0;
  for (const auto& view : snapshot.segments) {
    progress.points_total += view->live();
    lacking += view->has_texts_of(schema) ? 0 : view->live();
  }
  progress.points_done =
      progress.points_total - lacking + std::min(lacking, rows_analyzed);
  return progress;
}

}  // namespace

absl::StatusOr<std::shared_ptr<StoredCollection>> StoredCollection::Open(
    Store* store, const storage::CollectionRecord& record,
    const StoredCollectionOptions& options, BackgroundThreads threads,
    const EventSink& events) {
  ASSIGN_OR_RETURN(Schema schema, SchemaFromRecord(record));
  std::shared_ptr<StoredCollection> collection(new StoredCollection(
      store, record, std::move(schema), options, threads, events));
  RETURN_IF_ERROR_WITH(collection->writer_.Recover(),
                       absl::StrCat("collection '", record.name(), "'"));
  RETURN_IF_ERROR_WITH(collection->normalizers_.Load(),
                       absl::StrCat("collection '", record.name(), "'"));
  RETURN_IF_ERROR_WITH(collection->adapters_.Load(),
                       absl::StrCat("collection '", record.name(), "'"));
  RETURN_IF_ERROR_WITH(collection->queries_.Load(),
                       absl::StrCat("collection '", record.name(), "'"));
  collection->normalizers_.ResumeChanges(std::chrono::steady_clock::now());
  return collection;
}

CompactorOptions StoredCollection::WithNormalizers(CompactorOptions options,
                                                   const EventSink& events) {
  options.before_publish =
      [this](const std::shared_ptr<const SealedSegment>& segment,
             const RequestContext& context) {
        normalizers_.Prepare(segment, context);
      };
  options.after_checkpoint = [this, events] {
    // What is not stored is computed after a restart.
    if (const absl::Status saved = normalizers_.SaveState(); !saved.ok()) {
      events(false,
             absl::StrCat("collection '", record_.name(),
                          "': biases were not stored: ", saved.ToString()));
    }
  };
  return options;
}

absl::StatusOr<NormalizerCatalog*> StoredCollection::normalizers() {
  RETURN_IF_ERROR(writer_.CheckNotDropped());
  return &normalizers_;
}

absl::StatusOr<AdapterCatalog*> StoredCollection::adapters() {
  RETURN_IF_ERROR(writer_.CheckNotDropped());
  return &adapters_;
}

absl::StatusOr<QuerySampler*> StoredCollection::queries() {
  RETURN_IF_ERROR(writer_.CheckNotDropped());
  return &queries_;
}

absl::StatusOr<QueryWatch*> StoredCollection::query_watch() {
  RETURN_IF_ERROR(writer_.CheckNotDropped());
  return &query_watch_;
}

void StoredCollection::WatchQueries(MonotonicTime now,
                                    const RequestContext& context) {
  SaveQueries();
  query_watch_.Measure(now, context);
}

StoredCollection::StoredCollection(Store* store,
                                   const storage::CollectionRecord& record,
                                   Schema schema,
                                   const StoredCollectionOptions& options,
                                   BackgroundThreads threads,
                                   const EventSink& events)
    : store_(store),
      record_(record),
      schema_(std::move(schema)),
      defaults_(options.search),
      reader_(store, record.number(), &schema_),
      pool_(threads.builds),
      probe_(options.recall_probe_every),
      writer_(store, record, schema_, options.seal_rows, events),
      commits_(options.commit),
      normalizers_(
          store, record.number(), &schema_,
          [this] { return writer_.snapshot(); },
          {threads.changes, threads.builds,
           [this] { return weak_from_this().lock(); }, events, record.name()}),
      adapters_(store, record.number(), &schema_),
      queries_(store, record.number(), &schema_),
      query_watch_(&schema_, &normalizers_, &queries_, record.name(), events),
      compactor_(store, record, &writer_, threads,
                 WithNormalizers(options.compactor, events), events),
      last_write_(std::chrono::steady_clock::now()),
      last_refresh_(last_write_) {}

absl::StatusOr<PreparedWrite> StoredCollection::PrepareUpsert(
    std::vector<Point> points, const RequestContext& context) const {
  RETURN_IF_ERROR(context.Check());
  return sextant::PrepareUpsert(*schema(), std::move(points), context);
}

absl::StatusOr<WriteResult> StoredCollection::Delete(
    std::span<const PointId> ids, const RequestContext& context) {
  RETURN_IF_ERROR(context.Check());
  ASSIGN_OR_RETURN(PreparedWrite write, PrepareDelete(schema_, ids));
  return Commit(std::move(write), context);
}

absl::StatusOr<std::vector<WriteResult>> StoredCollection::CommitAll(
    std::vector<PreparedWrite> writes, const RequestContext& context) {
  std::vector<QueuedWrite> queued(writes.size());
  for (size_t i = 0; i < writes.size(); ++i) {
    queued[i].write = std::move(writes[i]);
  }
  RETURN_IF_ERROR(commits_.Submit(queued, context,
                                  [this](std::span<QueuedWrite* const> group) {
                                    writer_.CommitGroup(group);
                                  }));
  std::vector<WriteResult> results;
  for (const QueuedWrite& write : queued) {
    RETURN_IF_ERROR(write.status);
    results.push_back(write.result);
  }
  last_write_ = std::chrono::steady_clock::now();
  if (writer_.has_frozen()) {
    compactor_.Schedule(shared_from_this());
  }
  return results;
}

absl::StatusOr<std::vector<Point>> StoredCollection::Get(
    std::span<const PointId> ids, const Projection& projection,
    const RequestContext& context) const {
  RETURN_IF_ERROR(context.Check());
  RETURN_IF_ERROR(writer_.CheckNotDropped());
  if (ids.empty() || ids.size() > limits::kIdsPerCallMax) {
    return InvalidField("ids", absl::StrCat("1 to ", limits::kIdsPerCallMax,
                                            " in a request, got ", ids.size()));
  }
  RETURN_IF_ERROR(ValidateProjection(schema_, projection, "projection"));
  std::vector<std::string> encoded;
  for (size_t i = 0; i < ids.size(); ++i) {
    RETURN_IF_ERROR(
        ValidateId(schema_.id_kind, ids[i], absl::StrCat("ids[", i, "]")));
    encoded.push_back(EncodeId(ids[i]));
  }
  const std::vector<absl::string_view> views(encoded.begin(), encoded.end());
  const std::shared_ptr<const Snapshot> snapshot = writer_.snapshot();
  ASSIGN_OR_RETURN(std::vector<std::optional<Point>> found,
                   reader_.Read(snapshot->store_view.get(), views, projection));
  std::vector<Point> points;
  for (std::optional<Point>& point : found) {
    if (point.has_value()) {
      points.push_back(*std::move(point));
    }
  }
  return points;
}

absl::StatusOr<ScrollPage> StoredCollection::Scroll(
    const std::optional<PointId>& after, uint32_t limit,
    const Projection& projection, const RequestContext& context) const {
  RETURN_IF_ERROR(writer_.CheckNotDropped());
  if (limit == 0 || limit > limits::kScrollPageMax) {
    return InvalidField(
        "page_size",
        absl::StrCat("must be 1 to ", limits::kScrollPageMax, ", got ", limit));
  }
  RETURN_IF_ERROR(ValidateProjection(schema_, projection, "projection"));
  std::string start;
  if (after.has_value()) {
    RETURN_IF_ERROR(ValidateId(schema_.id_kind, *after, "page_token"));
    start = EncodeId(*after);
  }
  const std::shared_ptr<const Snapshot> snapshot = writer_.snapshot();
  const std::unique_ptr<PointScan> scan = store_->ScanPoints(
      snapshot->store_view.get(), record_.number(), start,
      {.payload = projection.payload, .vectors = projection.any_vectors()});
  ScrollPage page;
  while (scan->Next()) {
    RETURN_IF_ERROR(context.Check());
    if (page.points.size() == limit) {
      page.more = true;
      break;
    }
    page.points.push_back(
        reader_.Project(scan->id(), scan->point(), projection));
  }
  RETURN_IF_ERROR(scan->status());
  return page;
}

absl::StatusOr<PointCount> StoredCollection::Count() const {
  RETURN_IF_ERROR(writer_.CheckNotDropped());
  const std::shared_ptr<const Snapshot> snapshot = writer_.snapshot();
  return PointCount{snapshot->state.live_count, snapshot->state.applied_seq};
}

absl::StatusOr<SearchResult> StoredCollection::Search(
    const SearchQuery& query, const RequestContext& context) const {
  RETURN_IF_ERROR(writer_.CheckNotDropped());
  const std::shared_ptr<const Snapshot> snapshot = writer_.snapshot();
  ASSIGN_OR_RETURN(
      SearchResult result,
      ExecuteSearch({snapshot->schema.get(), snapshot.get(), &reader_,
                     Defaults(), &normalizers_, &adapters_},
                    query, context));
  probe_.Offer(query, result);
  queries_.Offer(query);
  return result;
}

absl::StatusOr<PinnedCollection> StoredCollection::Pin() const {
  RETURN_IF_ERROR(writer_.CheckNotDropped());
  return PinnedCollection{writer_.snapshot(), &reader_, Defaults(),
                          &normalizers_, pool_};
}

SearchDefaults StoredCollection::Defaults() const {
  SearchDefaults defaults = defaults_;
  defaults.filtered_recall = probe_.filtered_recall();
  return defaults;
}

void StoredCollection::RunProbe(const SearchQuery& query,
                                const RequestContext& context) {
  const std::shared_ptr<const Snapshot> snapshot = writer_.snapshot();
  const SearchTarget target{
      snapshot->schema.get(), snapshot.get(), &reader_, Defaults(),
      &normalizers_,          &adapters_};
  SearchQuery probed = query;
  auto& given = std::get<DenseSource>(probed.sources.front());
  const uint16_t field = schema_.FindVectorField(given.field).value_or(0);
  if (schema_.vector_fields[field].storage.rerank == Rerank::kNone) {
    // An exact search would bring in all the floats that are to stay on the
    // disk; and its scores are not those of the codes.
    return;
  }
  const auto normalizer =
      normalizers_.Resolve(given.normalizer, field, "normalizer");
  if (normalizer.ok() && *normalizer != nullptr && (*normalizer)->rescores()) {
    // It would search for the neighbours of every candidate, exactly. What the
    // index finds is what it gets by raw scores.
    given.normalizer = kNoNormalizer;
  }
  SearchQuery exact_query = probed;
  auto& source = std::get<DenseSource>(exact_query.sources.front());
  source.ef = 0;
  source.exact = true;
  exact_query.recall_target = 0;
  const absl::StatusOr<SearchResult> found =
      ExecuteSearch(target, probed, context);
  const absl::StatusOr<SearchResult> exact =
      ExecuteSearch(target, exact_query, context);
  // Not so when the point searched by was deleted, or at the end.
  if (!found.ok() || !exact.ok() || exact->hits.empty()) {
    return;
  }
  // Scores are the same to the bit in every plan, and equal ones equally right.
  const float worst = exact->hits.back().score;
  const auto right = static_cast<uint64_t>(std::ranges::count_if(
      found->hits, [worst](const Hit& hit) { return hit.score >= worst; }));
  probe_.Record(exact->hits.size(),
                std::min<uint64_t>(right, exact->hits.size()),
                found->filtered_walk);
}

std::vector<absl::StatusOr<SearchResult>> StoredCollection::SearchBatch(
    std::span<const SearchQuery> queries, const RequestContext& context) const {
  if (const absl::Status dropped = writer_.CheckNotDropped(); !dropped.ok()) {
    return std::vector<absl::StatusOr<SearchResult>>(queries.size(), dropped);
  }
  const std::shared_ptr<const Snapshot> snapshot = writer_.snapshot();
  std::vector<absl::StatusOr<SearchResult>> results =
      ExecuteSearches({snapshot->schema.get(), snapshot.get(), &reader_,
                       Defaults(), &normalizers_, &adapters_},
                      queries, context);
  for (size_t i = 0; i < results.size(); ++i) {
    if (results[i].ok()) {
      probe_.Offer(queries[i], *results[i]);
      queries_.Offer(queries[i]);
    }
  }
  return results;
}

CollectionInfo StoredCollection::Info() const {
  const std::shared_ptr<const Snapshot> snapshot = writer_.snapshot();
  CollectionInfo info;
  info.name = record_.name();
  info.schema = *snapshot->schema;
  info.create_time_us = record_.create_time_us();
  info.point_count = snapshot->state.live_count;
  info.applied_seq = snapshot->state.applied_seq;
  info.content_hash = snapshot->state.content_hash;
  for (const auto& view : snapshot->segments) {
    info.index.dead_rows += view->dead.count();
    if (view->sealed != nullptr) {
      AddSealed(schema_, *view->sealed, &info.index);
    } else {
      info.index.unindexed_points += view->live();
    }
  }
  info.index.growing_bytes = writer_.growing_bytes();
  info.index.ids_bytes += writer_.id_map_bytes();
  info.index.building = compactor_.running();
  info.index.build_rows_done = compactor_.progress().rows_done;
  info.index.build_rows_total = compactor_.progress().rows_total;
  info.index.rebuilds = writer_.rebuilds();
  info.index.payload_misfits = writer_.payload_misfits();
  info.fills = FillsOf(*snapshot, compactor_.rows_filled());
  info.text_change = TextChangeOf(*snapshot, compactor_.rows_analyzed());
  info.recall = probe_.stats();
  {
    MutexLock lock(&hubness_mutex_);
    for (const auto& [key, hubness] : hubness_) {
      info.hubness.push_back({key.first, key.second, hubness});
    }
  }
  info.query_shifts = query_watch_.shifts();
  std::sort(info.index.encodings.begin(), info.index.encodings.end(),
            [](const EncodingUse& a, const EncodingUse& b) {
              return std::tie(a.field, a.encoding) <
                     std::tie(b.field, b.encoding);
            });
  return info;
}

void StoredCollection::RememberHubness(HubnessRecord record) {
  const std::vector<NormalizerStatus> present = normalizers_.ListNormalizers();
  MutexLock lock(&hubness_mutex_);
  // Names come and go.
  std::erase_if(hubness_, [&present](const auto& entry) {
    const std::string& name = entry.first.second;
    return name != "none" &&
           std::ranges::none_of(present, [&name](const auto& status) {
             return status.record.name() == name;
           });
  });
  hubness_[{std::move(record.field), std::move(record.normalizer)}] =
      record.hubness;
}

absl::Status StoredCollection::AddPayloadField(const PayloadFieldSchema& field,
                                               const RequestContext& context) {
  RETURN_IF_ERROR(context.Check());
  RETURN_IF_ERROR(writer_.AddPayloadField(field));
  compactor_.Schedule(shared_from_this());
  return absl::OkStatus();
}

absl::Status StoredCollection::UpdateTextField(const TextFieldUpdate& update,
                                               const RequestContext& context) {
  RETURN_IF_ERROR(context.Check());
  const absl::Status updated = writer_.UpdateTextField(update);
  if (absl::IsFailedPrecondition(updated)) {
    const std::optional<TextChangeProgress> other = Info().text_change;
    return other.has_value()
               ? absl::FailedPreconditionError(absl::StrCat(
                     updated.message(), " (", other->points_done, " of ",
                     other->points_total, " points are done)"))
               : updated;
  }
  RETURN_IF_ERROR(updated);
  compactor_.Schedule(shared_from_this());
  return absl::OkStatus();
}

absl::Status StoredCollection::SealAndWait(const RequestContext& context) {
  RETURN_IF_ERROR(writer_.CheckWritable());
  writer_.Freeze();
  compactor_.ScheduleNow(shared_from_this());
  return compactor_.WaitIdle(context);
}

void StoredCollection::Tick(MonotonicTime now) {
  compactor_.Tick(now, last_write_, shared_from_this());
  normalizers_.ResumeChanges(now);
  if (now - std::max(last_write_.load(), last_refresh_) > kViewAgeMax) {
    last_refresh_ = now;
    writer_.RefreshView();
  }
}

void StoredCollection::StopBackground() {
  compactor_.Stop();
  normalizers_.StopChanges(absl::UnavailableError(
      "the server stops; the change goes on when it is started again"));
}

void StoredCollection::WaitForBackground() {
  compactor_.WaitStopped();
  normalizers_.WaitChangesStopped();
}

absl::StatusOr<uint64_t> StoredCollection::Drop() {
  RETURN_IF_ERROR(writer_.Drop());
  compactor_.Stop();
  normalizers_.StopChanges(writer_.CheckNotDropped());
  return writer_.snapshot()->state.live_count;
}

}  // namespace sextant
