// SPDX-License-Identifier: Apache-2.0
#include "bench/server_echo.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <thread>

#include "absl/strings/str_cat.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"

#include "bench/processor.h"
#include "sextant/v1/search_service.grpc.pb.h"

namespace sextant {
namespace {

using RawService = v1::SearchService::WithRawMethod_Search<
    v1::SearchService::WithRawMethod_SearchBatch<v1::SearchService::Service>>;

// Calls that the queue is ready to take at once.
constexpr int kArmed = 64;

bool ReadAll(int fd, void* bytes, size_t size) {
  auto* place = static_cast<char*>(bytes);
  while (size > 0) {
    const ssize_t count = ::read(fd, place, size);
    if (count <= 0) {
      return false;
    }
    place += count;
    size -= static_cast<size_t>(count);
  }
  return true;
}

bool WriteAll(int fd, const void* bytes, size_t size) {
  const auto* place = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t count = ::write(fd, place, size);
    if (count <= 0) {
      return false;
    }
    place += count;
    size -= static_cast<size_t>(count);
  }
  return true;
}

struct Echo {
  RawService service;
  std::unique_ptr<grpc::ServerCompletionQueue> queue;
  std::string answer;
};

// One call; makes the next when it is taken up, and ends itself.
class EchoCall {
 public:
  explicit EchoCall(Echo* echo) : echo_(echo), writer_(&context_) {
    echo_->service.RequestSearch(&context_, &request_, &writer_,
                                 echo_->queue.get(), echo_->queue.get(), this);
  }

  void Happened(bool ok) {
    if (answered_ || !ok) {
      delete this;  // gRPC has let go of it
      return;
    }
    new EchoCall(echo_);
    answered_ = true;
    const grpc::Slice slice(echo_->answer);
    writer_.Finish(grpc::ByteBuffer(&slice, 1), grpc::Status::OK, this);
  }

 private:
  Echo* const echo_;
  bool answered_ = false;
  grpc::ServerContext context_;
  grpc::ByteBuffer request_;
  grpc::ServerAsyncResponseWriter<grpc::ByteBuffer> writer_;
};

}  // namespace

int RunEcho() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  Echo echo;
  uint64_t size = 0;
  if (!ReadAll(STDIN_FILENO, &size, sizeof(size))) {
    return 1;
  }
  echo.answer.resize(size);
  if (!ReadAll(STDIN_FILENO, echo.answer.data(), size)) {
    return 1;
  }
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port);
  builder.RegisterService(&echo.service);
  echo.queue = builder.AddCompletionQueue();
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || !WriteAll(STDOUT_FILENO, &port, sizeof(port))) {
    return 1;
  }
  for (int i = 0; i < kArmed; ++i) {
    new EchoCall(&echo);
  }
  std::thread poller([&echo]() {
    void* tag = nullptr;
    bool ok = false;
    while (echo.queue->Next(&tag, &ok)) {
      static_cast<EchoCall*>(tag)->Happened(ok);
    }
  });
  char end = 0;
  while (::read(STDIN_FILENO, &end, 1) > 0) {
  }
  server->Shutdown();
  echo.queue->Shutdown();
  poller.join();
  return 0;
}

absl::StatusOr<std::unique_ptr<EchoProcess>> EchoProcess::Start(
    const std::string& answer, int cpu) {
  int input[2];
  int output[2];
  if (::pipe2(input, O_CLOEXEC) != 0 || ::pipe2(output, O_CLOEXEC) != 0) {
    return absl::InternalError("echo: no pipe");
  }
  const PinnedScope pinned(cpu);
  const pid_t pid = ::fork();
  if (pid == 0) {
    // Only async-signal-safe calls: the parent has threads.
    ::dup2(input[0], STDIN_FILENO);
    ::dup2(output[1], STDOUT_FILENO);
    ::execl("/proc/self/exe", "server_bench", kEchoArgument, nullptr);
    ::_exit(127);
  }
  ::close(input[0]);
  ::close(output[1]);
  const uint64_t size = answer.size();
  int port = 0;
  const bool ok = pid > 0 && WriteAll(input[1], &size, sizeof(size)) &&
                  WriteAll(input[1], answer.data(), answer.size()) &&
                  ReadAll(output[0], &port, sizeof(port));
  ::close(output[0]);
  if (!ok) {
    ::close(input[1]);
    return absl::InternalError("echo: the process does not start");
  }
  return std::unique_ptr<EchoProcess>(
      new EchoProcess(pid, input[1], absl::StrCat("127.0.0.1:", port)));
}

EchoProcess::~EchoProcess() {
  ::close(stop_fd_);
  ::waitpid(pid_, nullptr, 0);
}

}  // namespace sextant
