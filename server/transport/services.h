// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "grpcpp/server_builder.h"

#include "server/api/adapter_api.h"
#include "server/api/collection_api.h"
#include "server/api/hubness_api.h"
#include "server/api/normalizer_api.h"
#include "server/api/point_api.h"
#include "server/api/query_sample_api.h"
#include "server/api/search_api.h"
#include "server/transport/answer_stream.h"
#include "server/transport/call_runner.h"
#include "server/transport/unary_call.h"
#include "server/transport/upsert_stream.h"
#include "sextant/v1/adapter_service.grpc.pb.h"
#include "sextant/v1/collection_service.grpc.pb.h"
#include "sextant/v1/hubness_service.grpc.pb.h"
#include "sextant/v1/normalizer_service.grpc.pb.h"
#include "sextant/v1/point_service.grpc.pb.h"
#include "sextant/v1/query_sample_service.grpc.pb.h"
#include "sextant/v1/search_service.grpc.pb.h"

namespace sextant {

// The generated services, bound to the API classes. Messages come as bytes
// ("raw"), because parsing is work for the thread that answers and because a
// request that does not parse must be answered with the field that is wrong.
//
// Owned by the gRPC server. Thread-safe.
class Services {
 public:
  struct Api {
    const CollectionApi* collections = nullptr;
    const PointApi* points = nullptr;
    const SearchApi* searches = nullptr;
    const NormalizerApi* normalizers = nullptr;
    HubnessApi* hubness = nullptr;
    const AdapterApi* adapters = nullptr;
    const QuerySampleApi* query_samples = nullptr;
  };

  // What is named outlives the services.
  Services(const Api& api, CallRunner* runner);

  void RegisterWith(grpc::ServerBuilder* builder);
  // Waits for calls; once the server runs.
  void Arm();
  // Ends the streams that are open, as soon as nothing of them is at work.
  void DrainStreams();

 private:
  using Collections = v1::CollectionService::WithRawMethod_CreateCollection<
      v1::CollectionService::WithRawMethod_GetCollection<
          v1::CollectionService::WithRawMethod_ListCollections<
              v1::CollectionService::WithRawMethod_AddPayloadField<
                  v1::CollectionService::WithRawMethod_UpdateTextField<
                      v1::CollectionService::WithRawMethod_DeleteCollection<
                          v1::CollectionService::WithRawMethod_Analyze<
                              v1::CollectionService::Service>>>>>>>;
  using Points = v1::PointService::WithRawMethod_UpsertPoints<
      v1::PointService::WithRawMethod_StreamUpsertPoints<
          v1::PointService::WithRawMethod_GetPoints<
              v1::PointService::WithRawMethod_DeletePoints<
                  v1::PointService::WithRawMethod_ScrollPoints<
                      v1::PointService::WithRawMethod_CountPoints<
                          v1::PointService::WithRawMethod_FacetPoints<
                              v1::PointService::Service>>>>>>>;
  using Searches = v1::SearchService::WithRawMethod_Search<
      v1::SearchService::WithRawMethod_SearchBatch<v1::SearchService::Service>>;

  using Normalizers = v1::NormalizerService::WithRawMethod_PutBank<
      v1::NormalizerService::WithRawMethod_SampleBank<
          v1::NormalizerService::WithRawMethod_ListBanks<
              v1::NormalizerService::WithRawMethod_DeleteBank<
                  v1::NormalizerService::WithRawMethod_PutNormalizer<
                      v1::NormalizerService::WithRawMethod_ListNormalizers<
                          v1::NormalizerService::WithRawMethod_DeleteNormalizer<
                              v1::NormalizerService::Service>>>>>>>;

  using Hubness = v1::HubnessService::WithRawMethod_TuneNormalizer<
      v1::HubnessService::WithRawMethod_DiagnoseHubness<
          v1::HubnessService::WithRawMethod_MinePairs<
              v1::HubnessService::Service>>>;
  using Adapters = v1::AdapterService::WithRawMethod_FitAdapter<
      v1::AdapterService::WithRawMethod_PutAdapter<
          v1::AdapterService::WithRawMethod_ListAdapters<
              v1::AdapterService::WithRawMethod_DeleteAdapter<
                  v1::AdapterService::Service>>>>;

  using QuerySamples = v1::QuerySampleService::WithRawMethod_SetQuerySample<
      v1::QuerySampleService::WithRawMethod_ListQuerySamples<
          v1::QuerySampleService::WithRawMethod_ClearQuerySample<
              v1::QuerySampleService::WithRawMethod_PutBankOfQueries<
                  v1::QuerySampleService::Service>>>>;

  void AddCollectionMethods(const CollectionApi* api);
  void AddPointMethods(const PointApi* api);
  void AddSearchMethods(const SearchApi* api);
  void AddNormalizerMethods(const NormalizerApi* api);
  void AddHubnessMethods(HubnessApi* api);
  void AddAdapterMethods(const AdapterApi* api);
  void AddAdapterFit(const AdapterApi* api);
  void AddQuerySampleMethods(const QuerySampleApi* api);

  CallRunner* const runner_;
  Collections collections_;
  Points points_;
  Searches searches_;
  Normalizers normalizers_;
  Hubness hubness_;
  Adapters adapters_;
  QuerySamples query_samples_;
  std::vector<std::unique_ptr<UnaryMethod>> methods_;
  UpsertStream::Set streams_;
  UpsertStream::Environment stream_environment_;
  AnswerStream::Set answer_streams_;
  std::vector<std::unique_ptr<AnswerStream::Environment>> answer_methods_;
};

}  // namespace sextant
