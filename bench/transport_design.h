// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/support/byte_buffer.h"

namespace sextant {

// What a server does for a call: answers with bytes of a search's size, after
// spending `work_us` of processor time, as a search would.
struct EchoWork {
  size_t search_answer_bytes = 0;
  size_t batch_answer_bytes = 0;
  double work_us = 0;

  // `batch`: which of the two methods was called.
  grpc::ByteBuffer Answer(bool batch) const;
};

// A way to receive and answer calls of sextant.v1.SearchService. Lives in the
// measured process; runs until it is destroyed.
class EchoServer {
 public:
  virtual ~EchoServer() = default;
};

struct TransportDesign {
  const char* name;
  const char* what;
  std::unique_ptr<EchoServer> (*start)(const EchoWork& work,
                                       grpc::ServerBuilder* builder);
};

// One list for each of gRPC's programming interfaces.
std::vector<TransportDesign> SyncDesigns();
std::vector<TransportDesign> CallbackDesigns();
std::vector<TransportDesign> QueueDesigns();

}  // namespace sextant
