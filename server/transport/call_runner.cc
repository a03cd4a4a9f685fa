// SPDX-License-Identifier: Apache-2.0
#include "server/transport/call_runner.h"

#include <chrono>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/support/slice.h"

#include "server/status_mapping.h"
#include "server/transport/call_context.h"
#include "server/transport/wire_check.h"

namespace sextant {
namespace {

constexpr uint32_t kQueueFullRetryMs = 200;

double SecondsSince(MonotonicTime start) {
  return std::chrono::duration<double>(RealClock::Get()->MonotonicNow() - start)
      .count();
}

// Tells when a call that was taken on is done: not when it is finished, but
// when its answer has left.
class CountedReactor final : public grpc::ServerUnaryReactor {
 public:
  explicit CountedReactor(OpenCalls* open_calls) : open_calls_(open_calls) {
    open_calls_->Enter();
  }
  void OnDone() override {
    OpenCalls* const open_calls = open_calls_;
    delete this;  // gRPC's rule for reactors: they end themselves here
    open_calls->Leave();
  }

 private:
  OpenCalls* const open_calls_;
};

}  // namespace

CallRunner::CallRunner(const Options& options) : options_(options) {
  for (size_t i = 0; i < pools_.size(); ++i) {
    ThreadPoolOptions pool;
    pool.name = std::string(kPoolNames[i]);
    pool.threads = static_cast<int>(options.pools[i].threads);
    pool.queue_max = options.pools[i].queue;
    pools_[i] = std::make_unique<ThreadPool>(pool);
  }
}

CallRunner::~CallRunner() = default;

bool CallRunner::TrySchedule(Method method, absl::AnyInvocable<void()> work) {
  const Pool pool = InfoOf(method).pool;
  RequestMetrics* const metrics = options_.metrics;
  metrics->QueueEntered(pool);
  const MonotonicTime queued = RealClock::Get()->MonotonicNow();
  const bool scheduled = pools_[IndexOf(pool)]->TrySchedule(
      [metrics, pool, queued, work = std::move(work)]() mutable {
        metrics->QueueLeft(pool, SecondsSince(queued));
        work();
        metrics->WorkEnded(pool);
      });
  if (!scheduled) {
    metrics->QueueRefused(pool);
  }
  return scheduled;
}

absl::Status CallRunner::QueueFull(Method method) {
  const absl::string_view pool = kPoolNames[IndexOf(InfoOf(method).pool)];
  return RetryAfter(
      absl::ResourceExhaustedError(absl::StrCat(
          "too many calls wait (grpc.", pool, "_queue); try again later")),
      kQueueFullRetryMs);
}

grpc::ServerUnaryReactor* CallRunner::RunUnary(const UnaryCall& call,
                                               Body body) {
  const MonotonicTime start = RealClock::Get()->MonotonicNow();
  RequestMetrics* const metrics = options_.metrics;
  metrics->RequestStarted(call.method, call.in->Length());
  // After Finish() neither the call nor its buffers may be touched.
  const auto finish = [metrics, call, start, log = options_.log](
                          grpc::ServerUnaryReactor* reactor,
                          const absl::Status& status) {
    const size_t bytes = status.ok() ? call.out->Length() : 0;
    metrics->RequestEnded(call.method, status.code(), SecondsSince(start),
                          bytes);
    if (status.code() == absl::StatusCode::kInternal ||
        status.code() == absl::StatusCode::kDataLoss) {
      log->Error("call failed", {{"method", InfoOf(call.method).name},
                                 {"error", status.message()}});
    }
    reactor->Finish(ToGrpcStatus(status));
  };
  // Counted before the state is asked, so that a stop that begins in between
  // waits for this call.
  auto* const reactor = new CountedReactor(&open_calls_);
  if (const auto database = options_.state->database(); !database.ok()) {
    finish(reactor, database.status());
    return reactor;
  }
  const bool scheduled = TrySchedule(
      call.method, [call, reactor, finish, body = std::move(body)]() mutable {
        absl::Status status;
        {
          const RequestContext context(ContextOf(*call.call));
          // Who waited too long in the queue gets no work done.
          status = context.Check();
          if (status.ok()) {
            status = body(context);
          }
        }
        finish(reactor, status);
      });
  if (!scheduled) {
    finish(reactor, QueueFull(call.method));
  }
  return reactor;
}

absl::Status CallRunner::Guarded(absl::FunctionRef<absl::Status()> body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return RetryAfter(absl::ResourceExhaustedError("out of memory"),
                      kQueueFullRetryMs);
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("exception: ", error.what()));
  }
}

absl::Status CallRunner::Parse(const grpc::ByteBuffer& in,
                               google::protobuf::Message* message) {
  grpc::ByteBuffer buffer(in);  // shares the bytes; parsing empties it
  const grpc::Status parsed =
      grpc::SerializationTraits<google::protobuf::Message>::Deserialize(
          &buffer, message);
  if (parsed.ok()) {
    return absl::OkStatus();
  }
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (in.Dump(&slices).ok()) {
    bytes.reserve(in.Length());
    for (const grpc::Slice& slice : slices) {
      bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
  }
  return DescribeParseFailure(*message->GetDescriptor(), bytes);
}

absl::Status CallRunner::Serialize(const google::protobuf::Message& message,
                                   grpc::ByteBuffer* out) {
  bool own_buffer = false;
  const grpc::Status status =
      grpc::SerializationTraits<google::protobuf::Message>::Serialize(
          message, out, &own_buffer);
  return status.ok() ? absl::OkStatus()
                     : absl::InternalError(status.error_message());
}

}  // namespace sextant
