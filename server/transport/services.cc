// SPDX-License-Identifier: Apache-2.0
#include "server/transport/services.h"

namespace sextant {
namespace {

// Calls of each method that are taken up without delay; each costs a kilobyte
// while nothing happens.
constexpr int kArmedCalls = 64;

}  // namespace

// One method of a service: parse, call, answer.
#define SEXTANT_UNARY(service, name, api_call)                             \
  methods_.push_back(std::make_unique<UnaryMethod>(                        \
      runner_,                                                             \
      UnaryMethod::Options{                                                \
          Method::k##name,                                                 \
          [this](grpc::ServerContext* call, grpc::ByteBuffer* in,          \
                 UnaryMethod::Writer* writer, void* tag) {                 \
            service.Request##name(call, in, writer, runner_->queue(),      \
                                  runner_->queue(), tag);                  \
          },                                                               \
          [api](const grpc::ByteBuffer& in, const RequestContext& context, \
                grpc::ByteBuffer* out) {                                   \
            return CallRunner::ParseAndRun<v1::name##Request,              \
                                           v1::name##Response>(            \
                in, out, context,                                          \
                [api](const v1::name##Request& request,                    \
                      const RequestContext& limits,                        \
                      v1::name##Response* response) {                      \
                  return api->api_call(request, limits, response);         \
                });                                                        \
          }}))

void Services::AddCollectionMethods(const CollectionApi* api) {
  SEXTANT_UNARY(collections_, CreateCollection, Create);
  SEXTANT_UNARY(collections_, GetCollection, Get);
  SEXTANT_UNARY(collections_, ListCollections, List);
  SEXTANT_UNARY(collections_, AddPayloadField, AddField);
  SEXTANT_UNARY(collections_, UpdateTextField, UpdateTextField);
  SEXTANT_UNARY(collections_, DeleteCollection, Delete);
  SEXTANT_UNARY(collections_, Analyze, Analyze);
}

void Services::AddPointMethods(const PointApi* api) {
  SEXTANT_UNARY(points_, UpsertPoints, Upsert);
  SEXTANT_UNARY(points_, GetPoints, Get);
  SEXTANT_UNARY(points_, DeletePoints, Delete);
  SEXTANT_UNARY(points_, ScrollPoints, Scroll);
  SEXTANT_UNARY(points_, CountPoints, Count);
  SEXTANT_UNARY(points_, FacetPoints, Facets);
}

void Services::AddSearchMethods(const SearchApi* api) {
  SEXTANT_UNARY(searches_, Search, Search);
  SEXTANT_UNARY(searches_, SearchBatch, SearchBatch);
}

void Services::AddNormalizerMethods(const NormalizerApi* api) {
  SEXTANT_UNARY(normalizers_, PutBank, PutBank);
  SEXTANT_UNARY(normalizers_, SampleBank, SampleBank);
  SEXTANT_UNARY(normalizers_, ListBanks, ListBanks);
  SEXTANT_UNARY(normalizers_, DeleteBank, DeleteBank);
  SEXTANT_UNARY(normalizers_, PutNormalizer, PutNormalizer);
  SEXTANT_UNARY(normalizers_, ListNormalizers, ListNormalizers);
  SEXTANT_UNARY(normalizers_, DeleteNormalizer, DeleteNormalizer);
}

void Services::AddAdapterMethods(const AdapterApi* api) {
  SEXTANT_UNARY(adapters_, PutAdapter, PutAdapter);
  SEXTANT_UNARY(adapters_, ListAdapters, ListAdapters);
  SEXTANT_UNARY(adapters_, DeleteAdapter, DeleteAdapter);
}

void Services::AddQuerySampleMethods(const QuerySampleApi* api) {
  SEXTANT_UNARY(query_samples_, SetQuerySample, Set);
  SEXTANT_UNARY(query_samples_, ListQuerySamples, List);
  SEXTANT_UNARY(query_samples_, ClearQuerySample, Clear);
  SEXTANT_UNARY(query_samples_, PutBankOfQueries, PutBank);
}

#undef SEXTANT_UNARY

// One method that answers with many messages: parse, call; the call sends them.
#define SEXTANT_ANSWERS(service, name, api_call)                             \
  answer_methods_.push_back(                                                 \
      std::make_unique<AnswerStream::Environment>(AnswerStream::Environment{ \
          Method::k##name, runner_, &answer_streams_,                        \
          [this](grpc::ServerContext* call, grpc::ByteBuffer* in,            \
                 AnswerStream::Writer* writer, void* tag) {                  \
            service.Request##name(call, in, writer, runner_->queue(),        \
                                  runner_->queue(), tag);                    \
          },                                                                 \
          [api](const grpc::ByteBuffer& in, const RequestContext& context,   \
                AnswerStream::Send send) {                                   \
            v1::name##Request request;                                       \
            if (absl::Status parsed = CallRunner::Parse(in, &request);       \
                !parsed.ok()) {                                              \
              return parsed;                                                 \
            }                                                                \
            return api->api_call(request, context, send);                    \
          }}))

void Services::AddHubnessMethods(HubnessApi* api) {
  SEXTANT_ANSWERS(hubness_, TuneNormalizer, Tune);
  SEXTANT_ANSWERS(hubness_, DiagnoseHubness, Diagnose);
  SEXTANT_ANSWERS(hubness_, MinePairs, Mine);
}

void Services::AddAdapterFit(const AdapterApi* api) {
  SEXTANT_ANSWERS(adapters_, FitAdapter, FitAdapter);
}

#undef SEXTANT_ANSWERS

Services::Services(const Api& api, CallRunner* runner) : runner_(runner) {
  AddCollectionMethods(api.collections);
  AddPointMethods(api.points);
  AddSearchMethods(api.searches);
  AddNormalizerMethods(api.normalizers);
  AddHubnessMethods(api.hubness);
  AddAdapterMethods(api.adapters);
  AddAdapterFit(api.adapters);
  AddQuerySampleMethods(api.query_samples);
  stream_environment_ = {api.points, runner, &streams_,
                         [this](grpc::ServerContext* call,
                                UpsertStream::Stream* stream, void* tag) {
                           points_.RequestStreamUpsertPoints(
                               call, stream, runner_->queue(), runner_->queue(),
                               tag);
                         }};
}

void Services::RegisterWith(grpc::ServerBuilder* builder) {
  builder->RegisterService(&collections_);
  builder->RegisterService(&points_);
  builder->RegisterService(&searches_);
  builder->RegisterService(&normalizers_);
  builder->RegisterService(&hubness_);
  builder->RegisterService(&adapters_);
  builder->RegisterService(&query_samples_);
}

void Services::Arm() {
  for (const auto& method : methods_) {
    method->Arm(kArmedCalls);
  }
  UpsertStream::Arm(&stream_environment_);
  for (const auto& method : answer_methods_) {
    AnswerStream::Arm(method.get());
  }
}

void Services::DrainStreams() {
  for (const std::shared_ptr<UpsertStream>& stream : streams_.All()) {
    stream->Drain();
  }
  for (const std::shared_ptr<AnswerStream>& stream : answer_streams_.All()) {
    stream->Drain();
  }
}

}  // namespace sextant
