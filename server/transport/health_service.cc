// SPDX-License-Identifier: Apache-2.0
#include "server/transport/health_service.h"

#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/async_stream.h"

#include "base/mutex.h"

namespace sextant {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

namespace {

// Probes come every few seconds.
constexpr int kArmedChecks = 8;

bool IsKnown(absl::string_view service) {
  return service.empty() || service == "sextant.v1.CollectionService" ||
         service == "sextant.v1.PointService" ||
         service == "sextant.v1.NormalizerService" ||
         service == "sextant.v1.AdapterService" ||
         service == "sextant.v1.QuerySampleService" ||
         service == "sextant.v1.SearchService";
}

}  // namespace

// One Watch call: sends the state, and again whenever it has changed. States
// that pass while one is being sent may be skipped, the last one is not.
class HealthWatch {
 public:
  // Waits for a call; then the next watch is armed.
  static void Arm(HealthService* health) {
    if (health->runner_->stopping()) {
      return;
    }
    health->runner_->queue_users().Enter();
    const auto watch = std::make_shared<HealthWatch>(health);
    watch->self_ = watch;
    watch->context_.AsyncNotifyWhenDone(&watch->ended_event_);
    health->service()->RequestWatch(&watch->context_, &watch->request_,
                                    &watch->writer_, health->runner_->queue(),
                                    health->runner_->queue(),
                                    &watch->received_event_);
  }

  explicit HealthWatch(HealthService* health) : health_(health) {}

  bool known() const { return IsKnown(request_.service()); }

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

 private:
  void OnReceived(bool ok) {
    if (!ok) {
      CallRunner* const runner = health_->runner_;
      self_.reset();  // the server has stopped; this is the end of the watch
      runner->queue_users().Leave();
      return;
    }
    Arm(health_);
    const std::shared_ptr<HealthWatch> self = self_;
    health_->watches_.Add(self);
    Send(known() ? health_->StatusNow() : HealthCheckResponse::SERVICE_UNKNOWN);
    // A change between the two lines above was announced to all watches in the
    // set; one before them is seen by StatusNow(). A change in the middle of
    // Send() could be overwritten, so look again.
    if (known()) {
      Send(health_->StatusNow());
    }
    if (health_->state_->phase() == ServingState::Phase::kDraining) {
      End();
    }
    {
      const MutexLock lock(&mutex_);
      started_ = true;
    }
    Continue();
  }

  void OnWritten(bool ok) {
    {
      const MutexLock lock(&mutex_);
      writing_ = false;
      ending_ = ending_ || !ok;
    }
    Continue();
  }

  void OnFinished(bool /*ok*/) {
    {
      const MutexLock lock(&mutex_);
      finished_ = true;
    }
    Continue();
  }

  void OnEnded(bool /*ok*/) {
    {
      const MutexLock lock(&mutex_);
      ended_ = true;
      ending_ = true;
    }
    Continue();
  }

  // Starts what is due: a write, the end, or nothing any more.
  void Continue() {
    std::optional<HealthCheckResponse> response;
    bool finish = false;
    bool leave = false;
    {
      const MutexLock lock(&mutex_);
      if (!started_ || writing_) {
        return;
      }
      if (finishing_) {
        leave = finished_ && ended_ && !std::exchange(left_, true);
      } else if (sent_ != wanted_ && !ended_) {
        sent_ = wanted_;
        writing_ = true;
        response.emplace().set_status(sent_);
      } else if (ending_) {
        finish = finishing_ = true;
      }
    }
    if (response) {
      writer_.Write(*response, &written_event_);
    } else if (finish) {
      writer_.Finish(
          grpc::Status(grpc::StatusCode::UNAVAILABLE, "the server is stopping"),
          &finished_event_);
    } else if (leave) {
      CallRunner* const runner = health_->runner_;
      health_->watches_.Remove(this);
      self_.reset();  // may be the end of this
      runner->queue_users().Leave();
    }
  }

  HealthService* const health_;
  std::shared_ptr<HealthWatch> self_;  // until gRPC is done with the call
  grpc::ServerContext context_;
  HealthCheckRequest request_;
  grpc::ServerAsyncWriter<HealthCheckResponse> writer_{&context_};
  MemberEvent<HealthWatch, &HealthWatch::OnReceived> received_event_{this};
  MemberEvent<HealthWatch, &HealthWatch::OnWritten> written_event_{this};
  MemberEvent<HealthWatch, &HealthWatch::OnFinished> finished_event_{this};
  MemberEvent<HealthWatch, &HealthWatch::OnEnded> ended_event_{this};

  Mutex mutex_;
  // The end may be told before the beginning is dealt with.
  bool started_ ABSL_GUARDED_BY(mutex_) = false;
  HealthCheckResponse::ServingStatus wanted_ ABSL_GUARDED_BY(mutex_) =
      HealthCheckResponse::UNKNOWN;
  HealthCheckResponse::ServingStatus sent_ ABSL_GUARDED_BY(mutex_) =
      HealthCheckResponse::UNKNOWN;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  bool finishing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool left_ ABSL_GUARDED_BY(mutex_) = false;
};

HealthService::HealthService(const ServingState* state, CallRunner* runner)
    : state_(state),
      runner_(runner),
      check_(runner,
             {.method = std::nullopt,
              .request =
                  [this](grpc::ServerContext* call, grpc::ByteBuffer* in,
                         UnaryMethod::Writer* writer, void* tag) {
                    service_.RequestCheck(call, in, writer, runner_->queue(),
                                          runner_->queue(), tag);
                  },
              .handle =
                  [this](const grpc::ByteBuffer& in,
                         const RequestContext& context, grpc::ByteBuffer* out) {
                    return CallRunner::ParseAndRun<HealthCheckRequest,
                                                   HealthCheckResponse>(
                        in, out, context,
                        [this](const HealthCheckRequest& request,
                               const RequestContext& /*context*/,
                               HealthCheckResponse* response) -> absl::Status {
                          if (!IsKnown(request.service())) {
                            return absl::NotFoundError("no such service");
                          }
                          response->set_status(StatusNow());
                          return absl::OkStatus();
                        });
                  }}) {}

HealthService::~HealthService() = default;

void HealthService::Arm() {
  check_.Arm(kArmedChecks);
  HealthWatch::Arm(this);
}

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

}  // namespace sextant
