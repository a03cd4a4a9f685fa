// SPDX-License-Identifier: Apache-2.0
//
// The blocking interface, and what all designs answer.

#include <chrono>

#include "bench/transport_design.h"
#include "sextant/v1/search_service.grpc.pb.h"

namespace sextant {
namespace {

double Microseconds(std::chrono::steady_clock::duration time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

void Spin(double work_us) {
  const auto start = std::chrono::steady_clock::now();
  while (Microseconds(std::chrono::steady_clock::now() - start) < work_us) {
  }
}

// The blocking interface cannot take bytes: it parses the request and
// serialises an answer of one text.
class SyncServer final : public EchoServer, public v1::SearchService::Service {
 public:
  SyncServer(const EchoWork& work, grpc::ServerBuilder* builder) : work_(work) {
    builder->RegisterService(this);
    server_ = builder->BuildAndStart();
  }
  ~SyncServer() override { server_->Shutdown(); }

  grpc::Status Search(grpc::ServerContext* /*context*/,
                      const v1::SearchRequest* /*request*/,
                      v1::SearchResponse* response) override {
    Spin(work_.work_us);
    response->mutable_explanation()->set_plan(
        std::string(work_.search_answer_bytes, 'x'));
    return grpc::Status::OK;
  }
  grpc::Status SearchBatch(grpc::ServerContext* /*context*/,
                           const v1::SearchBatchRequest* /*request*/,
                           v1::SearchBatchResponse* response) override {
    Spin(work_.work_us);
    response->add_responses()->mutable_explanation()->set_plan(
        std::string(work_.batch_answer_bytes, 'x'));
    return grpc::Status::OK;
  }

 private:
  const EchoWork work_;
  std::unique_ptr<grpc::Server> server_;
};

std::unique_ptr<EchoServer> StartSync(const EchoWork& work,
                                      grpc::ServerBuilder* builder) {
  return std::make_unique<SyncServer>(work, builder);
}

}  // namespace

grpc::ByteBuffer EchoWork::Answer(bool batch) const {
  Spin(work_us);
  // gRPC owns the memory of the slice: one allocation, as a real answer has.
  const grpc::Slice slice(
      std::string(batch ? batch_answer_bytes : search_answer_bytes, 'x'));
  return {&slice, 1};
}

std::vector<TransportDesign> SyncDesigns() {
  return {{"sync", "blocking interface, gRPC's threads", &StartSync}};
}

}  // namespace sextant
