// SPDX-License-Identifier: Apache-2.0
#include "server/transport/unary_call.h"

#include <chrono>
#include <utility>

#include "server/status_mapping.h"
#include "server/transport/call_context.h"

namespace sextant {
namespace {

// Calls kept for reuse; more are made when more are open at once.
constexpr size_t kSpareMax = 512;

}  // namespace

UnaryMethod::UnaryMethod(CallRunner* runner, Options options)
    : runner_(runner), options_(std::move(options)) {}

UnaryMethod::~UnaryMethod() = default;

void UnaryMethod::Arm(int calls) {
  for (int i = 0; i < calls && !runner_->stopping(); ++i) {
    std::unique_ptr<UnaryCall> call;
    {
      const MutexLock lock(&mutex_);
      if (!spare_.empty()) {
        call = std::move(spare_.back());
        spare_.pop_back();
      }
    }
    if (call == nullptr) {
      call = std::make_unique<UnaryCall>(this);
    }
    UnaryCall::Arm(std::move(call));
  }
}

void UnaryMethod::Recycle(std::unique_ptr<UnaryCall> call) {
  const MutexLock lock(&mutex_);
  if (spare_.size() < kSpareMax) {
    spare_.push_back(std::move(call));
  }
}

UnaryCall::UnaryCall(UnaryMethod* method) : method_(method) {}

void UnaryCall::Arm(std::unique_ptr<UnaryCall> self) {
  UnaryCall* const call = self.release();  // gRPC's, until Leave()
  call->method_->runner_->queue_users().Enter();
  call->context_.emplace();
  call->writer_.emplace(&*call->context_);
  call->cancelled_ = false;
  call->context_->AsyncNotifyWhenDone(&call->ended_);
  // This event, the answer and the end; the last may come in any order.
  call->operations_ = 3;
  call->method_->options_.request(&*call->context_, &call->in_, &*call->writer_,
                                  &call->received_);
}

void UnaryCall::OnReceived(bool ok) {
  if (!ok) {
    operations_ = 1;  // the server has stopped; nothing else comes
  } else {
    method_->Arm(1);
    Admit();
  }
  Leave();
}

void UnaryCall::Admit() {
  CallRunner* const runner = method_->runner_;
  start_ = RealClock::Get()->MonotonicNow();
  if (!method_->options_.method) {
    Run();
    return;
  }
  const Method method = *method_->options_.method;
  runner->options().metrics->RequestStarted(method, in_.Length());
  // Counted before the state is asked, so that a stop that begins in between
  // waits for this call.
  runner->open_calls().Enter(start_);
  if (const auto database = runner->options().state->database();
      !database.ok()) {
    Answer(database.status());
  } else if (!runner->TrySchedule(method, [this] { Run(); })) {
    Answer(CallRunner::QueueFull(method));
  }
}

void UnaryCall::Run() {
  const std::optional<Method> method = method_->options_.method;
  CallRunner* const runner = method_->runner_;
  if (method) {
    runner->WorkStarted(*method, start_);
  }
  absl::Status status;
  {
    const bool on_search_thread =
        method && InfoOf(*method).pool == Pool::kSearch;
    const RequestContext context(
        on_search_thread
            ? ContextOf(*context_, cancelled_,
                        [loop = runner->searches()] { loop->KeepPolling(); })
            : ContextOf(*context_, cancelled_));
    // Who waited too long in the queue gets no work done.
    status = context.Check();
    if (status.ok()) {
      status = method_->options_.handle(in_, context, &out_);
    }
  }
  if (method) {
    runner->WorkEnded(*method);
  }
  Answer(status);
}

void UnaryCall::Answer(const absl::Status& status) {
  if (method_->options_.method) {
    method_->runner_->CallEnded(*method_->options_.method, start_, status,
                                status.ok() ? out_.Length() : 0);
  }
  if (status.ok()) {
    writer_->Finish(out_, grpc::Status::OK, &answered_);
  } else {
    writer_->FinishWithError(ToGrpcStatus(status), &answered_);
  }
}

void UnaryCall::OnAnswered(bool /*ok*/) {
  Leave();
}

void UnaryCall::OnEnded(bool /*ok*/) {
  if (context_->IsCancelled()) {
    cancelled_ = true;
  }
  Leave();
}

void UnaryCall::Leave() {
  if (operations_.fetch_sub(1, std::memory_order_acq_rel) != 1) {
    return;
  }
  const bool was_open = start_ != MonotonicTime();
  start_ = MonotonicTime();
  writer_.reset();
  context_.reset();
  in_.Clear();
  out_.Clear();
  CallRunner* const runner = method_->runner_;
  const bool counted = was_open && method_->options_.method.has_value();
  method_->Recycle(std::unique_ptr<UnaryCall>(this));
  if (counted) {
    runner->open_calls().Leave();
  }
  runner->queue_users().Leave();
}

}  // namespace sextant
