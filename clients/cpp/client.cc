// SPDX-License-Identifier: Apache-2.0
#include "clients/cpp/client.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "base/status_macros.h"
#include "clients/cpp/connection.h"
#include "clients/cpp/convert.h"
#include "clients/cpp/grpc_upsert_stream.h"

namespace sextant::client {
namespace {

// By pages of the service.
class GrpcScrollCursor final : public ScrollCursor {
 public:
  GrpcScrollCursor(std::shared_ptr<Connection> connection,
                   absl::string_view collection, const ScrollOptions& options)
      : connection_(std::move(connection)) {
    request_.set_collection(std::string(collection));
    request_.set_page_size(options.page_size);
    ToWire(options.projection, request_.mutable_projection());
    SetFilter(options.filter, &request_);
    if (!options.order_by.empty()) {
      request_.mutable_order_by()->set_field(options.order_by);
      request_.mutable_order_by()->set_descending(options.descending);
    }
  }

  absl::StatusOr<std::vector<Point>> NextPage() override {
    std::vector<Point> points;
    while (points.empty() && !done_) {
      v1::ScrollPointsResponse response;
      RETURN_IF_ERROR(connection_->Call(connection_->points(),
                                        &v1::PointService::Stub::ScrollPoints,
                                        request_, &response, {}));
      for (const v1::Point& wire : response.points()) {
        ASSIGN_OR_RETURN(Point point, FromWire(wire));
        points.push_back(std::move(point));
      }
      request_.set_page_token(response.next_page_token());
      done_ = response.next_page_token().empty();
    }
    return points;
  }

 private:
  const std::shared_ptr<Connection> connection_;
  v1::ScrollPointsRequest request_;
  bool done_ = false;
};

absl::StatusOr<DeleteResult> SendDelete(Connection& connection,
                                        const v1::DeletePointsRequest& request,
                                        const CallOptions& call) {
  v1::DeletePointsResponse response;
  RETURN_IF_ERROR(connection.Call(connection.points(),
                                  &v1::PointService::Stub::DeletePoints,
                                  request, &response, call));
  return DeleteResult{.applied_seq = response.applied_seq(),
                      .deleted = response.deleted()};
}

absl::StatusOr<CountResult> SendCount(Connection& connection,
                                      const v1::CountPointsRequest& request,
                                      const CallOptions& call) {
  v1::CountPointsResponse response;
  RETURN_IF_ERROR(connection.Call(connection.points(),
                                  &v1::PointService::Stub::CountPoints, request,
                                  &response, call));
  return CountResult{.count = response.count(),
                     .applied_seq = response.applied_seq()};
}

absl::Status CheckTarget(absl::string_view target) {
  if (target.empty()) {
    return absl::InvalidArgumentError(
        "server address: expected host:port or unix:/path, got nothing");
  }
  // gRPC would say only that it cannot connect.
  constexpr absl::string_view kUnix = "unix:";
  constexpr size_t kPathBytesMax = 107;
  if (absl::StartsWith(target, kUnix)) {
    const size_t bytes = target.size() - kUnix.size();
    if (bytes == 0 || bytes > kPathBytesMax) {
      return absl::InvalidArgumentError(
          absl::StrCat("server address: the path of a Unix socket has 1 to ",
                       kPathBytesMax, " bytes, got ", bytes));
    }
  }
  return absl::OkStatus();
}

}  // namespace

Client::Client(std::shared_ptr<Connection> connection)
    : connection_(std::move(connection)) {}

Client::~Client() = default;

absl::StatusOr<std::unique_ptr<Client>> Client::Connect(
    absl::string_view target, const ClientOptions& options) {
  RETURN_IF_ERROR(CheckTarget(target));
  if (options.timeout <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError("timeout: must be above 0");
  }
  return std::unique_ptr<Client>(
      new Client(std::make_shared<Connection>(std::string(target), options)));
}

absl::StatusOr<CollectionInfo> Client::CreateCollection(
    absl::string_view name, const CollectionSchema& schema,
    const CallOptions& call) {
  v1::CreateCollectionRequest request;
  request.set_name(std::string(name));
  ToWire(schema, request.mutable_schema());
  v1::CreateCollectionResponse response;
  RETURN_IF_ERROR(
      connection_->Call(connection_->collections(),
                        &v1::CollectionService::Stub::CreateCollection, request,
                        &response, call));
  return FromWire(response.collection());
}

absl::StatusOr<CollectionInfo> Client::GetCollection(absl::string_view name,
                                                     const CallOptions& call) {
  v1::GetCollectionRequest request;
  request.set_name(std::string(name));
  v1::GetCollectionResponse response;
  RETURN_IF_ERROR(connection_->Call(connection_->collections(),
                                    &v1::CollectionService::Stub::GetCollection,
                                    request, &response, call));
  return FromWire(response.collection());
}

absl::StatusOr<std::vector<CollectionInfo>> Client::ListCollections(
    const CallOptions& call) {
  std::vector<CollectionInfo> infos;
  v1::ListCollectionsRequest request;
  do {
    v1::ListCollectionsResponse response;
    RETURN_IF_ERROR(
        connection_->Call(connection_->collections(),
                          &v1::CollectionService::Stub::ListCollections,
                          request, &response, call));
    for (const v1::CollectionInfo& info : response.collections()) {
      infos.push_back(FromWire(info));
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return infos;
}

absl::StatusOr<CollectionInfo> Client::AddPayloadField(
    absl::string_view collection, const PayloadField& field,
    const CallOptions& call) {
  v1::AddPayloadFieldRequest request;
  request.set_collection(std::string(collection));
  ToWire(field, request.mutable_field());
  v1::AddPayloadFieldResponse response;
  RETURN_IF_ERROR(connection_->Call(
      connection_->collections(), &v1::CollectionService::Stub::AddPayloadField,
      request, &response, call));
  return FromWire(response.collection());
}

absl::StatusOr<CollectionInfo> Client::UpdateTextField(
    absl::string_view collection, const TextFieldUpdate& update,
    const CallOptions& call) {
  v1::UpdateTextFieldRequest request;
  request.set_collection(std::string(collection));
  ToWire(update, &request);
  v1::UpdateTextFieldResponse response;
  RETURN_IF_ERROR(connection_->Call(
      connection_->collections(), &v1::CollectionService::Stub::UpdateTextField,
      request, &response, call));
  return FromWire(response.collection());
}

absl::StatusOr<std::vector<Token>> Client::Analyze(absl::string_view collection,
                                                   absl::string_view field,
                                                   absl::string_view text,
                                                   const CallOptions& call) {
  v1::AnalyzeRequest request;
  request.set_collection(std::string(collection));
  request.set_field(std::string(field));
  request.set_text(std::string(text));
  v1::AnalyzeResponse response;
  RETURN_IF_ERROR(connection_->Call(connection_->collections(),
                                    &v1::CollectionService::Stub::Analyze,
                                    request, &response, call));
  std::vector<Token> tokens;
  for (const v1::Token& token : response.tokens()) {
    tokens.push_back(
        {token.term(), token.position(), token.begin(), token.end()});
  }
  return tokens;
}

absl::StatusOr<uint64_t> Client::DeleteCollection(absl::string_view name,
                                                  const CallOptions& call) {
  v1::DeleteCollectionRequest request;
  request.set_name(std::string(name));
  v1::DeleteCollectionResponse response;
  RETURN_IF_ERROR(
      connection_->Call(connection_->collections(),
                        &v1::CollectionService::Stub::DeleteCollection, request,
                        &response, call));
  return response.point_count();
}

absl::StatusOr<UpsertResult> Client::Upsert(absl::string_view collection,
                                            std::span<const Point> points,
                                            const CallOptions& call) {
  v1::UpsertPointsRequest request;
  request.set_collection(std::string(collection));
  for (const Point& point : points) {
    ToWire(point, request.add_points());
  }
  v1::UpsertPointsResponse response;
  RETURN_IF_ERROR(connection_->Call(connection_->points(),
                                    &v1::PointService::Stub::UpsertPoints,
                                    request, &response, call));
  return UpsertResult{.applied_seq = response.applied_seq(),
                      .inserted = response.inserted(),
                      .updated = response.updated()};
}

std::unique_ptr<UpsertStream> Client::OpenUpsertStream(
    absl::string_view collection, const UpsertStreamOptions& options) {
  return std::make_unique<GrpcUpsertStream>(connection_,
                                            std::string(collection), options);
}

absl::StatusOr<std::vector<Point>> Client::Get(absl::string_view collection,
                                               std::span<const PointId> ids,
                                               const Projection& projection,
                                               const CallOptions& call) {
  v1::GetPointsRequest request;
  request.set_collection(std::string(collection));
  for (const PointId& id : ids) {
    ToWire(id, request.add_ids());
  }
  ToWire(projection, request.mutable_projection());
  v1::GetPointsResponse response;
  RETURN_IF_ERROR(connection_->Call(connection_->points(),
                                    &v1::PointService::Stub::GetPoints, request,
                                    &response, call));
  std::vector<Point> points;
  for (const v1::Point& wire : response.points()) {
    ASSIGN_OR_RETURN(Point point, FromWire(wire));
    points.push_back(std::move(point));
  }
  return points;
}

absl::StatusOr<DeleteResult> Client::Delete(absl::string_view collection,
                                            std::span<const PointId> ids,
                                            const CallOptions& call) {
  v1::DeletePointsRequest request;
  request.set_collection(std::string(collection));
  for (const PointId& id : ids) {
    ToWire(id, request.add_ids());
  }
  return SendDelete(*connection_, request, call);
}

absl::StatusOr<DeleteResult> Client::DeleteMatching(
    absl::string_view collection, absl::string_view filter,
    const CallOptions& call) {
  v1::DeletePointsRequest request;
  request.set_collection(std::string(collection));
  request.mutable_filter()->set_text(std::string(filter));
  return SendDelete(*connection_, request, call);
}

std::unique_ptr<ScrollCursor> Client::Scroll(absl::string_view collection,
                                             const ScrollOptions& options) {
  return std::make_unique<GrpcScrollCursor>(connection_, collection, options);
}

absl::StatusOr<CountResult> Client::Count(absl::string_view collection,
                                          const CallOptions& call) {
  v1::CountPointsRequest request;
  request.set_collection(std::string(collection));
  return SendCount(*connection_, request, call);
}

absl::StatusOr<CountResult> Client::CountMatching(absl::string_view collection,
                                                  absl::string_view filter,
                                                  const CallOptions& call) {
  v1::CountPointsRequest request;
  request.set_collection(std::string(collection));
  request.mutable_filter()->set_text(std::string(filter));
  return SendCount(*connection_, request, call);
}

absl::StatusOr<FacetResult> Client::Facets(absl::string_view collection,
                                           const FacetRequest& request,
                                           const CallOptions& call) {
  v1::FacetPointsRequest wire;
  wire.set_collection(std::string(collection));
  wire.set_field(request.field);
  wire.set_limit(request.limit);
  SetFilter(request.filter, &wire);
  v1::FacetPointsResponse response;
  RETURN_IF_ERROR(connection_->Call(connection_->points(),
                                    &v1::PointService::Stub::FacetPoints, wire,
                                    &response, call));
  return FromWire(response);
}

absl::StatusOr<SearchResult> Client::Search(absl::string_view collection,
                                            const SearchRequest& request,
                                            const CallOptions& call) {
  v1::SearchRequest wire;
  wire.set_collection(std::string(collection));
  ToWire(request, &wire);
  v1::SearchResponse response;
  RETURN_IF_ERROR(connection_->Call(connection_->searches(),
                                    &v1::SearchService::Stub::Search, wire,
                                    &response, call));
  return FromWire(response);
}

absl::StatusOr<std::vector<SearchResult>> Client::SearchBatch(
    absl::string_view collection, std::span<const SearchRequest> requests,
    const CallOptions& call) {
  v1::SearchBatchRequest wire;
  wire.set_collection(std::string(collection));
  for (const SearchRequest& request : requests) {
    ToWire(request, wire.add_searches());
  }
  v1::SearchBatchResponse response;
  RETURN_IF_ERROR(connection_->Call(connection_->searches(),
                                    &v1::SearchService::Stub::SearchBatch, wire,
                                    &response, call));
  if (static_cast<size_t>(response.responses_size()) != requests.size()) {
    return absl::InternalError(absl::StrCat("the server answered ",
                                            response.responses_size(), " of ",
                                            requests.size(), " searches"));
  }
  std::vector<SearchResult> results;
  for (const v1::SearchResponse& answer : response.responses()) {
    ASSIGN_OR_RETURN(SearchResult result, FromWire(answer));
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace sextant::client
