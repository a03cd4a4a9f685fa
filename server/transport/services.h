// SPDX-License-Identifier: Apache-2.0
//
// The generated services, bound to the API classes. Messages come as bytes
// ("raw"), because parsing is work for the pools and because a request that
// does not parse must be answered with the field that is wrong.
#pragma once

#include "server/api/collection_api.h"
#include "server/api/point_api.h"
#include "server/api/search_api.h"
#include "server/transport/call_runner.h"
#include "server/transport/upsert_stream.h"
#include "sextant/v1/collection_service.grpc.pb.h"
#include "sextant/v1/point_service.grpc.pb.h"
#include "sextant/v1/search_service.grpc.pb.h"

namespace sextant {

using RawCollectionService =
    v1::CollectionService::WithRawCallbackMethod_CreateCollection<
        v1::CollectionService::WithRawCallbackMethod_GetCollection<
            v1::CollectionService::WithRawCallbackMethod_ListCollections<
                v1::CollectionService::WithRawCallbackMethod_DeleteCollection<
                    v1::CollectionService::Service>>>>;

using RawPointService = v1::PointService::WithRawCallbackMethod_UpsertPoints<
    v1::PointService::WithRawCallbackMethod_StreamUpsertPoints<
        v1::PointService::WithRawCallbackMethod_GetPoints<
            v1::PointService::WithRawCallbackMethod_DeletePoints<
                v1::PointService::WithRawCallbackMethod_ScrollPoints<
                    v1::PointService::WithRawCallbackMethod_CountPoints<
                        v1::PointService::Service>>>>>>;

using RawSearchService = v1::SearchService::WithRawCallbackMethod_Search<
    v1::SearchService::WithRawCallbackMethod_SearchBatch<
        v1::SearchService::Service>>;

// One method of a service: parse, call, answer.
#define SEXTANT_UNARY(name, request, response, call)                     \
  grpc::ServerUnaryReactor* name(grpc::CallbackServerContext* context,   \
                                 const grpc::ByteBuffer* in,             \
                                 grpc::ByteBuffer* out) override {       \
    return runner_->Unary<v1::request, v1::response>(                    \
        Method::k##name, context, in, out,                               \
        [this](const v1::request& message, const RequestContext& limits, \
               v1::response* answer) {                                   \
          return api_->call(message, limits, answer);                    \
        });                                                              \
  }

class GrpcCollectionService final : public RawCollectionService {
 public:
  GrpcCollectionService(const CollectionApi* api, CallRunner* runner)
      : api_(api), runner_(runner) {}

  SEXTANT_UNARY(CreateCollection, CreateCollectionRequest,
                CreateCollectionResponse, Create)
  SEXTANT_UNARY(GetCollection, GetCollectionRequest, GetCollectionResponse, Get)
  SEXTANT_UNARY(ListCollections, ListCollectionsRequest,
                ListCollectionsResponse, List)
  SEXTANT_UNARY(DeleteCollection, DeleteCollectionRequest,
                DeleteCollectionResponse, Delete)

 private:
  const CollectionApi* const api_;
  CallRunner* const runner_;
};

class GrpcPointService final : public RawPointService {
 public:
  GrpcPointService(const PointApi* api, CallRunner* runner,
                   UpsertStream::Set* streams)
      : api_(api), runner_(runner), streams_(streams) {}

  SEXTANT_UNARY(UpsertPoints, UpsertPointsRequest, UpsertPointsResponse, Upsert)
  SEXTANT_UNARY(GetPoints, GetPointsRequest, GetPointsResponse, Get)
  SEXTANT_UNARY(DeletePoints, DeletePointsRequest, DeletePointsResponse, Delete)
  SEXTANT_UNARY(ScrollPoints, ScrollPointsRequest, ScrollPointsResponse, Scroll)
  SEXTANT_UNARY(CountPoints, CountPointsRequest, CountPointsResponse, Count)

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>*
  StreamUpsertPoints(grpc::CallbackServerContext* context) override {
    return UpsertStream::Start({api_, runner_, streams_}, context);
  }

 private:
  const PointApi* const api_;
  CallRunner* const runner_;
  UpsertStream::Set* const streams_;
};

class GrpcSearchService final : public RawSearchService {
 public:
  GrpcSearchService(const SearchApi* api, CallRunner* runner)
      : api_(api), runner_(runner) {}

  SEXTANT_UNARY(Search, SearchRequest, SearchResponse, Search)
  SEXTANT_UNARY(SearchBatch, SearchBatchRequest, SearchBatchResponse,
                SearchBatch)

 private:
  const SearchApi* const api_;
  CallRunner* const runner_;
};

#undef SEXTANT_UNARY

}  // namespace sextant
