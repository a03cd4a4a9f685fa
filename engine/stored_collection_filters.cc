// SPDX-License-Identifier: Apache-2.0
//
// What a collection does by filter, searches apart.

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "engine/filter_match.h"
#include "engine/limits.h"
#include "engine/plan.h"
#include "engine/stored_collection.h"
#include "engine/validate_query.h"

namespace sextant {
namespace {

// Encoded ids of all points that match.
absl::StatusOr<std::vector<std::string>> MatchingIds(
    const BoundFilter& filter, const Snapshot& snapshot,
    const RequestContext& context) {
  std::vector<std::string> ids;
  for (const auto& view : snapshot.segments) {
    RETURN_IF_ERROR(context.Check());
    ASSIGN_OR_RETURN(const DocumentSet rows,
                     MatchingRows(filter, *view, context));
    rows.ForEach([&](Ordinal row) {
      ids.emplace_back(view->id(row));
      return true;
    });
  }
  return ids;
}

}  // namespace

absl::StatusOr<PointCount> StoredCollection::CountMatching(
    const Filter& filter, const RequestContext& context) const {
  RETURN_IF_ERROR(writer_.CheckNotDropped());
  const std::shared_ptr<const Snapshot> snapshot = writer_.snapshot();
  ASSIGN_OR_RETURN(const BoundFilter bound, BindFilterTo(*snapshot, filter));
  PointCount result{0, snapshot->state.applied_seq};
  for (const auto& view : snapshot->segments) {
    RETURN_IF_ERROR(context.Check());
    ASSIGN_OR_RETURN(const uint64_t count,
                     CountMatchingRows(bound, *view, context));
    result.count += count;
  }
  return result;
}

absl::StatusOr<WriteResult> StoredCollection::DeleteMatching(
    const Filter& filter, const RequestContext& context) {
  RETURN_IF_ERROR(writer_.CheckWritable());
  const std::shared_ptr<const Snapshot> snapshot = writer_.snapshot();
  ASSIGN_OR_RETURN(const BoundFilter bound, BindFilterTo(*snapshot, filter));
  ASSIGN_OR_RETURN(std::vector<std::string> ids,
                   MatchingIds(bound, *snapshot, context));
  WriteResult total;
  total.applied_seq = snapshot->state.applied_seq;
  for (size_t begin = 0; begin < ids.size(); begin += limits::kIdsPerCallMax) {
    RETURN_IF_ERROR(context.Check());
    const size_t end = std::min(ids.size(), begin + limits::kIdsPerCallMax);
    PreparedWrite write;
    write.deletes_as_of = snapshot->state.applied_seq;
    for (size_t i = begin; i < end; ++i) {
      write.size_bytes += ids[i].size();
      write.deletes.push_back(std::move(ids[i]));
    }
    ASSIGN_OR_RETURN(const WriteResult result,
                     Commit(std::move(write), context));
    total.applied_seq = result.applied_seq;
    total.deleted += result.deleted;
  }
  return total;
}

absl::StatusOr<FilteredPage> StoredCollection::ScrollMatching(
    const PageQuery& query, const PageFetch& fetch,
    const RequestContext& context) const {
  RETURN_IF_ERROR(writer_.CheckNotDropped());
  RETURN_IF_ERROR(ValidateProjection(schema_, fetch.projection, "projection"));
  const std::shared_ptr<const Snapshot> snapshot = writer_.snapshot();
  ASSIGN_OR_RETURN(const IdPage found, FindPage(*snapshot, query, context));
  std::vector<absl::string_view> ids;
  ids.reserve(found.entries.size());
  for (const IdPage::Entry& entry : found.entries) {
    ids.emplace_back(entry.id);
  }
  FilteredPage page;
  uint64_t bytes = 0;
  RETURN_IF_ERROR(
      reader_.ReadEach({snapshot->store_view.get(), ids, fetch.projection},
                       context, [&](size_t /*place*/, Point point) {
                         bytes += SizeBytes(point);
                         if (bytes > fetch.bytes_max && !page.points.empty()) {
                           return false;
                         }
                         page.points.push_back(std::move(point));
                         return true;
                       }));
  const size_t count = page.points.size();
  if (count < found.entries.size() || found.more) {
    page.next = {page.points.back().id, found.entries[count - 1].key};
  }
  return page;
}

absl::StatusOr<FacetCounts> StoredCollection::Facets(
    const FacetQuery& query, const RequestContext& context) const {
  RETURN_IF_ERROR(writer_.CheckNotDropped());
  const std::shared_ptr<const Snapshot> snapshot = writer_.snapshot();
  return CountValues(*snapshot, query, context);
}

}  // namespace sextant
