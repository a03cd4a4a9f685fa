// SPDX-License-Identifier: Apache-2.0
//
// Completion queues that our own threads poll; messages as bytes.

#include <thread>
#include <utility>

#include "grpcpp/generic/async_generic_service.h"

#include "base/check.h"
#include "base/thread_pool.h"
#include "bench/transport_design.h"
#include "sextant/v1/search_service.grpc.pb.h"

namespace sextant {
namespace {

// Calls of each method that every queue is ready to take at once.
constexpr int kArmed = 128;

using QueueSearchService = v1::SearchService::WithRawMethod_Search<
    v1::SearchService::WithRawMethod_SearchBatch<v1::SearchService::Service>>;

struct Shape {
  int queues = 1;
  int threads_per_queue = 1;
  bool generic = false;
  bool pool = false;
};

// What a tag of a queue points at.
class Event {
 public:
  virtual ~Event() = default;
  virtual void Happened(bool ok) = 0;
};

// What every call needs.
struct Plumbing {
  EchoWork work;
  QueueSearchService* service = nullptr;
  grpc::AsyncGenericService* generic = nullptr;
  ThreadPool* pool = nullptr;
};

// A call of a registered method; made anew when it is done.
class RegisteredCall final : public Event {
 public:
  RegisteredCall(const Plumbing* plumbing, grpc::ServerCompletionQueue* queue,
                 bool batch)
      : plumbing_(plumbing), queue_(queue), batch_(batch), writer_(&context_) {
    if (batch_) {
      plumbing_->service->RequestSearchBatch(&context_, &request_, &writer_,
                                             queue_, queue_, this);
    } else {
      plumbing_->service->RequestSearch(&context_, &request_, &writer_, queue_,
                                        queue_, this);
    }
  }

  void Happened(bool ok) override {
    if (finished_ || !ok) {
      delete this;  // gRPC has let go of it
      return;
    }
    new RegisteredCall(plumbing_, queue_, batch_);
    finished_ = true;
    if (plumbing_->pool == nullptr) {
      Answer();
    } else {
      CHECK(plumbing_->pool->TrySchedule([this] { Answer(); }));
    }
  }

 private:
  void Answer() {
    writer_.Finish(plumbing_->work.Answer(batch_), grpc::Status::OK, this);
  }

  const Plumbing* const plumbing_;
  grpc::ServerCompletionQueue* const queue_;
  const bool batch_;
  bool finished_ = false;
  grpc::ServerContext context_;
  grpc::ByteBuffer request_;
  grpc::ServerAsyncResponseWriter<grpc::ByteBuffer> writer_;
};

// The same for the generic service, which needs a step more to read.
class GenericCall final : public Event {
 public:
  GenericCall(const Plumbing* plumbing, grpc::ServerCompletionQueue* queue)
      : plumbing_(plumbing), queue_(queue), stream_(&context_) {
    plumbing_->generic->RequestCall(&context_, &stream_, queue_, queue_, this);
  }

  void Happened(bool ok) override {
    if (step_ == Step::kFinished || !ok) {
      delete this;
      return;
    }
    if (step_ == Step::kWaiting) {
      new GenericCall(plumbing_, queue_);
      step_ = Step::kReading;
      stream_.Read(&request_, this);
      return;
    }
    step_ = Step::kFinished;
    const bool batch = context_.method().ends_with("Batch");
    stream_.WriteAndFinish(plumbing_->work.Answer(batch), {}, grpc::Status::OK,
                           this);
  }

 private:
  enum class Step { kWaiting, kReading, kFinished };

  const Plumbing* const plumbing_;
  grpc::ServerCompletionQueue* const queue_;
  Step step_ = Step::kWaiting;
  grpc::GenericServerContext context_;
  grpc::ByteBuffer request_;
  grpc::GenericServerAsyncReaderWriter stream_;
};

class QueueServer final : public EchoServer {
 public:
  QueueServer(const EchoWork& work, Shape shape, grpc::ServerBuilder* builder) {
    plumbing_ = {work, &service_, &generic_, nullptr};
    if (shape.pool) {
      ThreadPoolOptions options;
      options.threads =
          static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
      pool_ = std::make_unique<ThreadPool>(options);
      plumbing_.pool = pool_.get();
    }
    if (shape.generic) {
      builder->RegisterAsyncGenericService(&generic_);
    } else {
      builder->RegisterService(&service_);
    }
    for (int i = 0; i < shape.queues; ++i) {
      queues_.push_back(builder->AddCompletionQueue());
    }
    server_ = builder->BuildAndStart();
    for (const auto& queue : queues_) {
      for (int i = 0; i < kArmed; ++i) {
        if (shape.generic) {
          new GenericCall(&plumbing_, queue.get());
        } else {
          new RegisteredCall(&plumbing_, queue.get(), false);
          new RegisteredCall(&plumbing_, queue.get(), true);
        }
      }
      for (int i = 0; i < shape.threads_per_queue; ++i) {
        threads_.emplace_back([&queue] { Poll(queue.get()); });
      }
    }
  }

  ~QueueServer() override {
    server_->Shutdown();
    pool_.reset();
    for (const auto& queue : queues_) {
      queue->Shutdown();
    }
    for (std::thread& thread : threads_) {
      thread.join();
    }
  }

 private:
  static void Poll(grpc::ServerCompletionQueue* queue) {
    void* tag = nullptr;
    bool ok = false;
    while (queue->Next(&tag, &ok)) {
      static_cast<Event*>(tag)->Happened(ok);
    }
  }

  Plumbing plumbing_;
  QueueSearchService service_;
  grpc::AsyncGenericService generic_;
  std::unique_ptr<ThreadPool> pool_;
  std::vector<std::unique_ptr<grpc::ServerCompletionQueue>> queues_;
  std::unique_ptr<grpc::Server> server_;
  std::vector<std::thread> threads_;
};

template <int queues, int threads_per_queue, bool generic = false,
          bool pool = false>
std::unique_ptr<EchoServer> Start(const EchoWork& work,
                                  grpc::ServerBuilder* builder) {
  return std::make_unique<QueueServer>(
      work, Shape{queues, threads_per_queue, generic, pool}, builder);
}

}  // namespace

std::vector<TransportDesign> QueueDesigns() {
  return {{"queue-1x1", "1 completion queue, 1 thread", &Start<1, 1>},
          {"queue-2x1", "2 completion queues, 1 thread each", &Start<2, 1>},
          {"queue-1x2", "1 completion queue, 2 threads", &Start<1, 2>},
          {"queue-pool", "1 completion queue, 1 thread, handed to a pool",
           &Start<1, 1, false, true>},
          {"queue-generic", "queue-1x1 with the generic service",
           &Start<1, 1, true>}};
}

}  // namespace sextant
