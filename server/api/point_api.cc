// SPDX-License-Identifier: Apache-2.0
#include "server/api/point_api.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/limits.h"
#include "server/api/find_collection.h"
#include "server/convert/filter.h"
#include "server/convert/page_token.h"
#include "server/convert/point.h"

namespace sextant {
namespace {

// Points are read and converted this many at a time, so that the memory of an
// answer is known before it is all there (10,000 payloads of 1 MiB would be
// 10 GB).
constexpr size_t kReadChunk = 64;

// How many points to read next for a page that holds `count` of `bytes` so far
// and shall hold half of `bytes_max`: first one, to see how large they are.
size_t NextChunk(size_t bytes, size_t count, size_t bytes_max) {
  if (count == 0) {
    return 1;
  }
  const size_t left = bytes_max / 2 - std::min(bytes, bytes_max / 2);
  const size_t one = std::max<size_t>(bytes / count, 1);
  return std::clamp<size_t>(left / one, 1, kReadChunk);
}

// Unset means payload and no vectors.
template <typename Request>
absl::StatusOr<ReturnedParts> PartsOf(const Request& request) {
  if (request.has_projection()) {
    return ToReturnedParts(request.projection());
  }
  ReturnedParts parts;
  parts.projection.payload = true;
  return parts;
}

uint32_t PageSize(const v1::ScrollPointsRequest& request) {
  return request.page_size() == 0
             ? limits::kPageDefault
             : std::min(request.page_size(), limits::kScrollPageMax);
}

}  // namespace

absl::StatusOr<WriteResult> PointApi::Recorded(
    absl::StatusOr<WriteResult> result) const {
  if (result.ok()) {
    environment_.metrics->Wrote(result->inserted, result->updated,
                                result->deleted);
    return result;
  }
  const Database* const database = environment_.state->loaded_database();
  const absl::Status store = database->write_status();
  if (!store.ok() && !write_failure_logged_.exchange(true)) {
    environment_.log->Error(
        "a durable write failed; writes are refused until the server is "
        "restarted, reads go on",
        {{"error", absl::string_view(store.message())}});
  }
  return result;
}

absl::Status PointApi::Upsert(const v1::UpsertPointsRequest& request,
                              const RequestContext& context,
                              v1::UpsertPointsResponse* response) const {
  ASSIGN_OR_RETURN(const std::shared_ptr<Collection> collection,
                   FindCollection(environment_, request.collection()));
  ASSIGN_OR_RETURN(std::vector<Point> points, ToPoints(request.points()));
  ASSIGN_OR_RETURN(const WriteResult result,
                   Recorded(collection->Upsert(std::move(points), context)));
  response->set_applied_seq(result.applied_seq);
  response->set_inserted(result.inserted);
  response->set_updated(result.updated);
  return absl::OkStatus();
}

absl::StatusOr<PointApi::StreamChunk> PointApi::PrepareStreamChunk(
    const v1::StreamUpsertPointsRequest& request, const RequestContext& context,
    UpsertStreamState* stream) const {
  if (stream->messages == 0) {
    stream->collection = request.collection();
  } else if (!request.collection().empty() &&
             request.collection() != stream->collection) {
    return InvalidField("collection",
                        absl::StrCat("a stream writes to one collection; the "
                                     "first message named '",
                                     stream->collection, "'"));
  }
  StreamChunk chunk;
  ASSIGN_OR_RETURN(chunk.collection,
                   FindCollection(environment_, stream->collection));
  ASSIGN_OR_RETURN(std::vector<Point> points, ToPoints(request.points()));
  ASSIGN_OR_RETURN(chunk.write,
                   chunk.collection->PrepareUpsert(std::move(points), context));
  chunk.message_index = stream->messages++;
  return chunk;
}

absl::StatusOr<std::vector<v1::StreamUpsertPointsResponse>>
PointApi::CommitStreamChunks(std::vector<StreamChunk> chunks,
                             const RequestContext& context) const {
  std::vector<PreparedWrite> writes;
  for (StreamChunk& chunk : chunks) {
    writes.push_back(std::move(chunk.write));
  }
  const absl::StatusOr<std::vector<WriteResult>> results =
      chunks.front().collection->CommitAll(std::move(writes), context);
  if (!results.ok()) {
    return Recorded(results.status()).status();
  }
  std::vector<v1::StreamUpsertPointsResponse> responses(chunks.size());
  for (size_t i = 0; i < chunks.size(); ++i) {
    ASSIGN_OR_RETURN(const WriteResult result, Recorded((*results)[i]));
    responses[i].set_message_index(chunks[i].message_index);
    responses[i].set_applied_seq(result.applied_seq);
    responses[i].set_inserted(result.inserted);
    responses[i].set_updated(result.updated);
  }
  return responses;
}

absl::Status PointApi::Get(const v1::GetPointsRequest& request,
                           const RequestContext& context,
                           v1::GetPointsResponse* response) const {
  ASSIGN_OR_RETURN(const std::shared_ptr<Collection> collection,
                   FindCollection(environment_, request.collection()));
  ASSIGN_OR_RETURN(const std::vector<PointId> ids, ToPointIds(request.ids()));
  ASSIGN_OR_RETURN(const ReturnedParts parts, PartsOf(request));
  // All ids are checked before the first is read.
  for (size_t i = 0; i < ids.size(); ++i) {
    RETURN_IF_ERROR(ValidateId(collection->schema()->id_kind, ids[i],
                               absl::StrCat("ids[", i, "]")));
  }
  size_t bytes = 0;
  for (size_t begin = 0; begin < ids.size(); begin += kReadChunk) {
    const std::span<const PointId> chunk(
        ids.data() + begin, std::min(kReadChunk, ids.size() - begin));
    ASSIGN_OR_RETURN(std::vector<Point> points,
                     collection->Get(chunk, parts.projection, context));
    for (Point& point : points) {
      v1::Point* const wire = response->add_points();
      FromPoint(std::move(point), parts.raw_vectors, wire);
      bytes += wire->ByteSizeLong();
    }
    if (bytes > environment_.response_bytes_max) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "ids: the answer would be larger than ",
          environment_.response_bytes_max,
          " bytes (grpc.max_message_mb); ask for fewer ids, or for less of "
          "each"));
    }
  }
  return absl::OkStatus();
}

absl::Status PointApi::Delete(const v1::DeletePointsRequest& request,
                              const RequestContext& context,
                              v1::DeletePointsResponse* response) const {
  ASSIGN_OR_RETURN(const std::shared_ptr<Collection> collection,
                   FindCollection(environment_, request.collection()));
  WriteResult result;
  if (request.has_filter()) {
    if (request.ids_size() > 0) {
      return InvalidField("filter", "not with ids");
    }
    ASSIGN_OR_RETURN(const Filter filter, ToFilter(request.filter(), "filter"));
    ASSIGN_OR_RETURN(result,
                     Recorded(collection->DeleteMatching(filter, context)));
  } else {
    ASSIGN_OR_RETURN(const std::vector<PointId> ids, ToPointIds(request.ids()));
    ASSIGN_OR_RETURN(result, Recorded(collection->Delete(ids, context)));
  }
  response->set_applied_seq(result.applied_seq);
  response->set_deleted(result.deleted);
  return absl::OkStatus();
}

absl::Status PointApi::Scroll(const v1::ScrollPointsRequest& request,
                              const RequestContext& context,
                              v1::ScrollPointsResponse* response) const {
  return request.has_filter() || request.has_order_by()
             ? ScrollSome(request, context, response)
             : ScrollAll(request, context, response);
}

absl::Status PointApi::ScrollSome(const v1::ScrollPointsRequest& request,
                                  const RequestContext& context,
                                  v1::ScrollPointsResponse* response) const {
  ASSIGN_OR_RETURN(const std::shared_ptr<Collection> collection,
                   FindCollection(environment_, request.collection()));
  ASSIGN_OR_RETURN(ReturnedParts parts, PartsOf(request));
  const std::string identity =
      absl::StrCat(request.filter().SerializeAsString(), "/",
                   request.order_by().SerializeAsString());
  const ScrollTarget target = {collection->name(),
                               collection->Info().create_time_us,
                               collection->schema()->id_kind, identity};
  PageQuery query;
  ASSIGN_OR_RETURN(query.filter, ToOptionalFilter(request));
  if (request.has_order_by()) {
    query.order = {request.order_by().field(), request.order_by().descending()};
  }
  ASSIGN_OR_RETURN(query.after, ReadScrollToken(target, request.page_token()));
  query.limit = PageSize(request);
  ASSIGN_OR_RETURN(FilteredPage page, collection->ScrollMatching(
                                          query,
                                          {std::move(parts.projection),
                                           environment_.response_bytes_max / 2},
                                          context));
  for (Point& point : page.points) {
    FromPoint(std::move(point), parts.raw_vectors, response->add_points());
  }
  if (page.next.has_value()) {
    response->set_next_page_token(MakeScrollToken(target, *page.next));
  }
  return absl::OkStatus();
}

absl::Status PointApi::ScrollAll(const v1::ScrollPointsRequest& request,
                                 const RequestContext& context,
                                 v1::ScrollPointsResponse* response) const {
  ASSIGN_OR_RETURN(const std::shared_ptr<Collection> collection,
                   FindCollection(environment_, request.collection()));
  ASSIGN_OR_RETURN(const ReturnedParts parts, PartsOf(request));
  const ScrollTarget target = {collection->name(),
                               collection->Info().create_time_us,
                               collection->schema()->id_kind,
                               {}};
  ASSIGN_OR_RETURN(const std::optional<PagePosition> begin,
                   ReadScrollToken(target, request.page_token()));
  std::optional<PointId> after;
  if (begin.has_value()) {
    after = begin->id;
  }
  const size_t page = PageSize(request);
  // A page of large points ends early: "at most this many".
  size_t bytes = 0;
  size_t count = 0;
  bool more = true;
  bool full = false;
  while (more && !full && count < page) {
    const size_t chunk =
        NextChunk(bytes, count, environment_.response_bytes_max);
    ASSIGN_OR_RETURN(
        ScrollPage found,
        collection->Scroll(after,
                           static_cast<uint32_t>(std::min(chunk, page - count)),
                           parts.projection, context));
    more = found.more;
    for (Point& point : found.points) {
      PointId id = point.id;
      v1::Point* const wire = response->add_points();
      FromPoint(std::move(point), parts.raw_vectors, wire);
      const size_t size = wire->ByteSizeLong();
      full = count > 0 && bytes + size > environment_.response_bytes_max / 2;
      if (full) {
        response->mutable_points()->RemoveLast();
        more = true;
        break;
      }
      after = std::move(id);
      bytes += size;
      ++count;
    }
  }
  if (more && after.has_value()) {
    response->set_next_page_token(MakeScrollToken(target, {*after}));
  }
  return absl::OkStatus();
}

absl::Status PointApi::Count(const v1::CountPointsRequest& request,
                             const RequestContext& context,
                             v1::CountPointsResponse* response) const {
  ASSIGN_OR_RETURN(const std::shared_ptr<Collection> collection,
                   FindCollection(environment_, request.collection()));
  ASSIGN_OR_RETURN(const std::optional<Filter> filter,
                   ToOptionalFilter(request));
  ASSIGN_OR_RETURN(const PointCount result,
                   filter.has_value()
                       ? collection->CountMatching(*filter, context)
                       : collection->Count());
  response->set_count(result.count);
  response->set_applied_seq(result.applied_seq);
  return absl::OkStatus();
}

absl::Status PointApi::Facets(const v1::FacetPointsRequest& request,
                              const RequestContext& context,
                              v1::FacetPointsResponse* response) const {
  constexpr uint32_t kFacetsDefault = 10;
  ASSIGN_OR_RETURN(const std::shared_ptr<Collection> collection,
                   FindCollection(environment_, request.collection()));
  FacetQuery query;
  query.field = request.field();
  query.limit = request.limit() == 0 ? kFacetsDefault : request.limit();
  ASSIGN_OR_RETURN(query.filter, ToOptionalFilter(request));
  ASSIGN_OR_RETURN(const FacetCounts counts,
                   collection->Facets(query, context));
  for (const auto& [value, points] : counts.values) {
    v1::Facet* const facet = response->add_facets();
    FromFieldValue(counts.type, value, facet->mutable_key());
    facet->set_points(points);
  }
  response->set_distinct(counts.distinct);
  response->set_points(counts.points);
  response->set_absent(counts.absent);
  return absl::OkStatus();
}

}  // namespace sextant
