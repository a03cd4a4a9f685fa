// SPDX-License-Identifier: Apache-2.0
#include "server/transport/call_runner.h"

#include <chrono>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/support/slice.h"

#include "server/status_mapping.h"
#include "server/transport/wire_check.h"

namespace sextant {
namespace {

constexpr uint32_t kQueueFullRetryMs = 200;

double SecondsSince(MonotonicTime start) {
  return std::chrono::duration<double>(RealClock::Get()->MonotonicNow() - start)
      .count();
}

ThreadPoolOptions PoolOptions(const CallRunner::Options& options, Pool pool) {
  const PoolSize& size = options.pools[IndexOf(pool)];
  ThreadPoolOptions result;
  result.name = std::string(kPoolNames[IndexOf(pool)]);
  result.threads = static_cast<int>(size.threads);
  result.queue_max = size.queue;
  return result;
}

}  // namespace

CallRunner::CallRunner(grpc::ServerCompletionQueue* queue,
                       const Options& options)
    : queue_(queue),
      options_(options),
      searches_(queue, {options.pools[IndexOf(Pool::kSearch)].threads,
                        options.pools[IndexOf(Pool::kSearch)].queue}),
      reads_(PoolOptions(options, Pool::kRead)),
      writes_(PoolOptions(options, Pool::kWrite)),
      analyses_(PoolOptions(options, Pool::kAnalysis)) {}

CallRunner::~CallRunner() = default;

void CallRunner::Stop() {
  queue_users_.WaitForNone();
  searches_.Stop();
}

bool CallRunner::TrySchedule(Method method, absl::AnyInvocable<void()> work) {
  const Pool pool = InfoOf(method).pool;
  // Before it is scheduled: it may leave the queue at once.
  options_.metrics->QueueEntered(pool);
  const bool scheduled =
      pool == Pool::kSearch  ? searches_.TrySchedule(std::move(work))
      : pool == Pool::kRead  ? reads_.TrySchedule(std::move(work))
      : pool == Pool::kWrite ? writes_.TrySchedule(std::move(work))
                             : analyses_.TrySchedule(std::move(work));
  if (!scheduled) {
    options_.metrics->QueueRefused(pool);
  }
  return scheduled;
}

void CallRunner::WorkStarted(Method method, MonotonicTime scheduled) {
  options_.metrics->QueueLeft(InfoOf(method).pool, SecondsSince(scheduled));
}

void CallRunner::WorkEnded(Method method) {
  options_.metrics->WorkEnded(InfoOf(method).pool);
}

absl::Status CallRunner::QueueFull(Method method) {
  const absl::string_view pool = kPoolNames[IndexOf(InfoOf(method).pool)];
  return RetryAfter(
      absl::ResourceExhaustedError(absl::StrCat(
          "too many calls wait (grpc.", pool, "_queue); try again later")),
      kQueueFullRetryMs);
}

void CallRunner::CallEnded(Method method, MonotonicTime start,
                           const absl::Status& status, size_t response_bytes) {
  options_.metrics->RequestEnded(method, status.code(), SecondsSince(start),
                                 response_bytes);
  if (status.code() == absl::StatusCode::kInternal ||
      status.code() == absl::StatusCode::kDataLoss) {
    options_.log->Error("call failed", {{"method", InfoOf(method).name},
                                        {"error", status.message()}});
  }
}

google::protobuf::ArenaOptions CallRunner::ArenaOnThisThread() {
  constexpr size_t kBlockBytes = 16 << 10;
  alignas(8) static thread_local std::array<char, kBlockBytes> block;
  google::protobuf::ArenaOptions options;
  options.initial_block = block.data();
  options.initial_block_size = block.size();
  return options;
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
