// SPDX-License-Identifier: Apache-2.0
#include "server/transport/health_service.h"

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"

#include "base/mutex.h"

namespace sextant {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

namespace {

bool IsKnown(absl::string_view service) {
  return service.empty() || service == "sextant.v1.CollectionService" ||
         service == "sextant.v1.PointService" ||
         service == "sextant.v1.SearchService";
}

}  // namespace

// One Watch call: sends the state, and again whenever it has changed. States
// that pass while one is being sent may be skipped, the last one is not.
class HealthWatch final : public grpc::ServerWriteReactor<HealthCheckResponse> {
 public:
  HealthWatch(bool known, DrainSet<HealthWatch>* watches)
      : known_(known), watches_(watches) {}

  bool known() const { return known_; }

  void Send(HealthCheckResponse::ServingStatus status) {
    {
      const MutexLock lock(&mutex_);
      wanted_ = status;
    }
    Continue();
  }

  void End() {
    {
      const MutexLock lock(&mutex_);
      ending_ = true;
    }
    Continue();
  }

  void OnWriteDone(bool ok) override {
    {
      const MutexLock lock(&mutex_);
      writing_ = false;
      ending_ = ending_ || !ok;
    }
    Continue();
  }

  void OnCancel() override { End(); }
  void OnDone() override { watches_->Remove(this); }

 private:
  // Starts what is due: a write, or the end.
  void Continue() {
    bool finish = false;
    {
      const MutexLock lock(&mutex_);
      if (writing_ || finished_) {
        return;
      }
      if (sent_ != wanted_) {
        sent_ = wanted_;
        writing_ = true;
        response_.set_status(sent_);
      } else if (ending_) {
        finished_ = true;
        finish = true;
      } else {
        return;
      }
    }
    if (finish) {
      Finish(grpc::Status(grpc::StatusCode::UNAVAILABLE,
                          "the server is stopping"));
    } else {
      StartWrite(&response_);
    }
  }

  const bool known_;
  DrainSet<HealthWatch>* const watches_;
  HealthCheckResponse response_;

  Mutex mutex_;
  HealthCheckResponse::ServingStatus wanted_ ABSL_GUARDED_BY(mutex_) =
      HealthCheckResponse::UNKNOWN;
  HealthCheckResponse::ServingStatus sent_ ABSL_GUARDED_BY(mutex_) =
      HealthCheckResponse::UNKNOWN;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

HealthService::HealthService(const ServingState* state) : state_(state) {}

HealthService::~HealthService() = default;

HealthCheckResponse::ServingStatus HealthService::StatusNow() const {
  return state_->phase() == ServingState::Phase::kServing
             ? HealthCheckResponse::SERVING
             : HealthCheckResponse::NOT_SERVING;
}

void HealthService::Announce() {
  const auto status = StatusNow();
  for (const std::shared_ptr<HealthWatch>& watch : watches_.All()) {
    if (watch->known()) {
      watch->Send(status);
    }
  }
}

void HealthService::EndWatches() {
  for (const std::shared_ptr<HealthWatch>& watch : watches_.All()) {
    watch->End();
  }
}

grpc::ServerUnaryReactor* HealthService::Check(
    grpc::CallbackServerContext* call, const HealthCheckRequest* request,
    HealthCheckResponse* response) {
  grpc::ServerUnaryReactor* const reactor = call->DefaultReactor();
  if (!IsKnown(request->service())) {
    reactor->Finish(
        grpc::Status(grpc::StatusCode::NOT_FOUND, "no such service"));
    return reactor;
  }
  response->set_status(StatusNow());
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerWriteReactor<HealthCheckResponse>* HealthService::Watch(
    grpc::CallbackServerContext* /*call*/, const HealthCheckRequest* request) {
  const auto watch =
      std::make_shared<HealthWatch>(IsKnown(request->service()), &watches_);
  watches_.Add(watch);
  watch->Send(watch->known() ? StatusNow()
                             : HealthCheckResponse::SERVICE_UNKNOWN);
  // A change between the two lines above was announced to all watches in the
  // set; one before them is seen by StatusNow(). A change in the middle of
  // Send() could be overwritten, so look again.
  if (watch->known()) {
    watch->Send(StatusNow());
  }
  if (state_->phase() == ServingState::Phase::kDraining) {
    watch->End();
  }
  return watch.get();
}

}  // namespace sextant
