// SPDX-License-Identifier: Apache-2.0
// The client's calls of QuerySampleService.
#include <string>
#include <vector>

#include "base/status_macros.h"
#include "clients/cpp/client.h"
#include "clients/cpp/connection.h"
#include "clients/cpp/normalizer_wire.h"
#include "sextant/v1/query_sample_service.grpc.pb.h"

namespace sextant::client {
namespace {

using QuerySampleStub = v1::QuerySampleService::Stub;

QuerySample FromWire(const v1::QuerySample& wire) {
  return {wire.field(), wire.capacity(), wire.seed(), wire.seen(), wire.kept()};
}

}  // namespace

absl::StatusOr<QuerySample> Client::SetQuerySample(absl::string_view collection,
                                                   const QuerySample& sample,
                                                   const CallOptions& call) {
  v1::SetQuerySampleRequest request;
  request.set_collection(std::string(collection));
  request.set_field(sample.field);
  request.set_capacity(sample.capacity);
  request.set_seed(sample.seed);
  v1::SetQuerySampleResponse response;
  RETURN_IF_ERROR(connection_->Call(connection_->query_samples(),
                                    &QuerySampleStub::SetQuerySample, request,
                                    &response, call));
  return FromWire(response.sample());
}

absl::StatusOr<std::vector<QuerySample>> Client::ListQuerySamples(
    absl::string_view collection, const CallOptions& call) {
  v1::ListQuerySamplesRequest request;
  request.set_collection(std::string(collection));
  v1::ListQuerySamplesResponse response;
  RETURN_IF_ERROR(connection_->Call(connection_->query_samples(),
                                    &QuerySampleStub::ListQuerySamples, request,
                                    &response, call));
  std::vector<QuerySample> samples;
  for (const v1::QuerySample& sample : response.samples()) {
    samples.push_back(FromWire(sample));
  }
  return samples;
}

absl::StatusOr<QuerySample> Client::ClearQuerySample(
    absl::string_view collection, absl::string_view field,
    const CallOptions& call) {
  v1::ClearQuerySampleRequest request;
  request.set_collection(std::string(collection));
  request.set_field(std::string(field));
  v1::ClearQuerySampleResponse response;
  RETURN_IF_ERROR(connection_->Call(connection_->query_samples(),
                                    &QuerySampleStub::ClearQuerySample, request,
                                    &response, call));
  return FromWire(response.sample());
}

absl::StatusOr<Bank> Client::PutBankOfQueries(absl::string_view collection,
                                              const Bank& bank,
                                              const CallOptions& call,
                                              ReturnWhen when) {
  v1::PutBankOfQueriesRequest request;
  request.set_collection(std::string(collection));
  request.set_name(bank.name);
  request.set_field(bank.field);
  request.set_no_wait(when == ReturnWhen::kStored);
  v1::PutBankOfQueriesResponse response;
  RETURN_IF_ERROR(connection_->Call(connection_->query_samples(),
                                    &QuerySampleStub::PutBankOfQueries, request,
                                    &response, call));
  return client::FromWire(response.bank());
}

}  // namespace sextant::client
