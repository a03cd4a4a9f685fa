// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/create_channel.h"

#include "sextant/v1/collection_service.grpc.pb.h"
#include "sextant/v1/point_service.grpc.pb.h"
#include "sextant/v1/search_service.grpc.pb.h"

namespace sextant {

// Stubs for the server at one address, and calls in one line.
struct ServerApi {
  explicit ServerApi(const std::string& address) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    // A connection of its own, not one shared with another test's server.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    channel = grpc::CreateCustomChannel(
        address, grpc::InsecureChannelCredentials(), arguments);
    collections = v1::CollectionService::NewStub(channel);
    points = v1::PointService::NewStub(channel);
    searches = v1::SearchService::NewStub(channel);
  }

  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::CollectionService::Stub> collections;
  std::unique_ptr<v1::PointService::Stub> points;
  std::unique_ptr<v1::SearchService::Stub> searches;
};

// The field path that the error's details name; empty when they name none.
inline std::string FieldOf(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::BadRequest bad_request;
  if (!details.ParseFromString(status.error_details())) {
    return "";
  }
  for (const auto& detail : details.details()) {
    if (detail.UnpackTo(&bad_request) &&
        bad_request.field_violations_size() == 1) {
      return bad_request.field_violations(0).field();
    }
  }
  return "";
}

inline bool HasRetryInfo(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::RetryInfo retry;
  return details.ParseFromString(status.error_details()) &&
         details.details_size() == 1 && details.details(0).UnpackTo(&retry);
}

// A deterministic vector, different for each id: its nearest neighbour is
// itself.
inline std::vector<float> VectorOf(uint64_t id, uint32_t dimension) {
  std::vector<float> values(dimension);
  uint64_t state = id + 1;
  for (float& value : values) {
    // splitmix64
    uint64_t bits = (state += 0x9E3779B97F4A7C15U);
    bits = (bits ^ (bits >> 30U)) * 0xBF58476D1CE4E5B9U;
    bits = (bits ^ (bits >> 27U)) * 0x94D049BB133111EBU;
    value = static_cast<float>(bits >> 40U) / (1 << 23U) - 1;
  }
  return values;
}

inline v1::Point PointOf(uint64_t id, uint32_t dimension) {
  v1::Point point;
  point.mutable_id()->set_num(id);
  const std::vector<float> values = VectorOf(id, dimension);
  (*point.mutable_vectors())["v"].mutable_values()->Add(values.begin(),
                                                        values.end());
  point.set_payload(absl::StrCat("{\"n\":", id, "}"));
  return point;
}

}  // namespace sextant
