// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"

#include "clients/cpp/client_options.h"
#include "clients/cpp/retry.h"
#include "clients/cpp/status_from_grpc.h"
#include "sextant/v1/adapter_service.grpc.pb.h"
#include "sextant/v1/collection_service.grpc.pb.h"
#include "sextant/v1/hubness_service.grpc.pb.h"
#include "sextant/v1/normalizer_service.grpc.pb.h"
#include "sextant/v1/point_service.grpc.pb.h"
#include "sextant/v1/query_sample_service.grpc.pb.h"
#include "sextant/v1/search_service.grpc.pb.h"

namespace sextant::client {

// The channel to one server and how calls go through it. Shared by the Client
// and the streams and cursors it opened; thread-safe.
class Connection {
 public:
  Connection(std::string target, const ClientOptions& options);

  v1::CollectionService::Stub& collections() { return *collections_; }
  v1::PointService::Stub& points() { return *points_; }
  v1::SearchService::Stub& searches() { return *searches_; }
  v1::NormalizerService::Stub& normalizers() { return *normalizers_; }
  v1::HubnessService::Stub& hubness() { return *hubness_; }
  v1::AdapterService::Stub& adapters() { return *adapters_; }
  v1::QuerySampleService::Stub& query_samples() { return *query_samples_; }
  const ClientOptions& options() const { return options_; }

  RetrySchedule NewSchedule() const;

  // When a call that starts now must end.
  absl::Time DeadlineOf(const CallOptions& call) const;

  // `status` as the caller gets it; says so when the server was not reached.
  absl::Status Explain(const grpc::Status& status) const;

  // Calls one unary method, again where that may help, until the deadline.
  template <typename Stub, typename Request, typename Response>
  absl::Status Call(Stub& stub,
                    grpc::Status (Stub::*method)(grpc::ClientContext*,
                                                 const Request&, Response*),
                    const Request& request, Response* response,
                    const CallOptions& call) const {
    RetrySchedule schedule = NewSchedule();
    const absl::Time deadline = DeadlineOf(call);
    while (true) {
      grpc::ClientContext context;
      SetDeadline(deadline, &context);
      response->Clear();
      const grpc::Status status = (stub.*method)(&context, request, response);
      if (status.ok()) {
        return absl::OkStatus();
      }
      absl::Status explained = Explain(status);
      const absl::optional<absl::Duration> delay =
          schedule.NextDelay(explained, RetryDelayOf(status));
      if (!delay.has_value() || absl::Now() + *delay >= deadline) {
        return explained;
      }
      absl::SleepFor(*delay);
    }
  }

  // Calls a method that answers with many messages, which `take` gets; what it
  // returns ends the call if it is an error. As Call; but after a message it is
  // called again only if `resumes`: then `take` puts into `request`, which is
  // not copied, where to go on.
  template <typename Stub, typename Request, typename Response, typename Take>
  absl::Status CallStream(Stub& stub,
                          std::unique_ptr<grpc::ClientReader<Response>> (
                              Stub::*method)(grpc::ClientContext*,
                                             const Request&),
                          const Request& request, const Take& take,
                          const CallOptions& call, bool resumes = false) const {
    RetrySchedule schedule = NewSchedule();
    const absl::Time deadline = DeadlineOf(call);
    while (true) {
      grpc::ClientContext context;
      SetDeadline(deadline, &context);
      const std::unique_ptr<grpc::ClientReader<Response>> reader =
          (stub.*method)(&context, request);
      Response response;
      bool answered = false;
      absl::Status taken;
      while (taken.ok() && reader->Read(&response)) {
        answered = true;
        schedule.Reset();
        taken = take(response);
      }
      if (!taken.ok()) {
        context.TryCancel();
      }
      const grpc::Status status = reader->Finish();
      if (!taken.ok()) {
        return taken;
      }
      if (status.ok()) {
        return absl::OkStatus();
      }
      absl::Status explained = Explain(status);
      const absl::optional<absl::Duration> delay =
          schedule.NextDelay(explained, RetryDelayOf(status));
      if ((answered && !resumes) || !delay.has_value() ||
          absl::Now() + *delay >= deadline) {
        return explained;
      }
      absl::SleepFor(*delay);
    }
  }

  static void SetDeadline(absl::Time deadline, grpc::ClientContext* context);

 private:
  const std::string target_;
  const ClientOptions options_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::CollectionService::Stub> collections_;
  std::unique_ptr<v1::PointService::Stub> points_;
  std::unique_ptr<v1::SearchService::Stub> searches_;
  std::unique_ptr<v1::NormalizerService::Stub> normalizers_;
  std::unique_ptr<v1::HubnessService::Stub> hubness_;
  std::unique_ptr<v1::AdapterService::Stub> adapters_;
  std::unique_ptr<v1::QuerySampleService::Stub> query_samples_;
};

}  // namespace sextant::client
