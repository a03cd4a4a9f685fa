// SPDX-License-Identifier: Apache-2.0
#include "tests/crash/driver.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/thread.h"
#include "tests/crash/engine_check.h"

namespace sextant::test {
namespace {

// The driver's file descriptor for reports, and its command word.
constexpr int kReports = 3;
constexpr char kDriverWord[] = "--driver";
constexpr uint64_t kReadyClient = 255;

// Written to a pipe in one piece.
struct Report {
  uint64_t client = 0;
  uint64_t n = 0;
};

void Send(const Report& report) {
  if (write(kReports, &report, sizeof(report)) != sizeof(report)) {
    _exit(3);  // the parent has gone
  }
}

// Three collections come, then go: with fewer rounds no drop is reached twice,
// however quick the writers were.
constexpr uint64_t kRoundsMin = 6;

// Collections that come and go, so that every step of that is cut too.
void CreateAndDrop(Database* database, uint64_t round) {
  const std::string name = absl::StrCat("scratch", round % 3);
  if (auto created = database->Create(name, WorkSchema()); created.ok()) {
    CHECK((*created)
              ->Upsert(SeededPoints(0, 80, kWorkDimension), Unlimited())
              .ok());
    CHECK((*created)->SealAndWait(Unlimited()).ok());
    return;
  }
  CHECK(database->Drop(name).ok());
}

// Payload fields that come one after another, while everything goes on.
void AddLateField(Collection* docs) {
  const size_t known = docs->schema()->payload_fields.size();
  if (known < kLateFields.size()) {
    CHECK(docs->AddPayloadField(LateField(known), Unlimited()).ok());
  }
}

// Each round the texts are analysed in another way. What the round before began
// is done by now.
void ChangeTexts(Collection* docs) {
  const bool stems = !docs->schema()->text_fields[0].analysis.language.empty();
  const AnalyzerSpec next = {.language = stems ? "" : "english"};
  CHECK(docs->UpdateTextField({"note", next}, Unlimited()).ok());
}

}  // namespace

DriverProcess::DriverProcess(const DriverOptions& options)
    : acknowledged_(options.done) {
  std::vector<std::string> arguments = {"driver", kDriverWord, options.path,
                                        absl::StrCat(options.seed),
                                        absl::StrCat(options.requests)};
  for (const uint64_t done : options.done) {
    arguments.push_back(absl::StrCat(done));
  }
  std::vector<char*> argv;
  for (std::string& argument : arguments) {
    argv.push_back(argument.data());
  }
  argv.push_back(nullptr);
  std::string environment = options.environment;
  int ends[2];
  CHECK(pipe2(ends, O_CLOEXEC) == 0);
  pid_ = fork();
  CHECK(pid_ >= 0);
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(ends[1], kReports);
    if (!environment.empty()) {
      putenv(environment.data());
    }
    execv("/proc/self/exe", argv.data());
    _exit(127);
  }
  close(ends[1]);
  reports_ = ends[0];
}

DriverProcess::~DriverProcess() {
  Kill();
  close(reports_);
}

bool DriverProcess::Read(int timeout_ms) {
  pollfd readable{reports_, POLLIN, 0};
  int found = 0;
  do {
    found = poll(&readable, 1, timeout_ms);
  } while (found < 0 && errno == EINTR);
  if (found <= 0) {
    return false;
  }
  Report report;
  if (read(reports_, &report, sizeof(report)) != sizeof(report)) {
    return false;
  }
  if (report.client == kReadyClient) {
    ready_ = true;
  } else {
    acknowledged_.at(report.client) = report.n;
  }
  return true;
}

void DriverProcess::Run(int for_ms) {
  const auto until =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(for_ms);
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !Read(static_cast<int>(left.count()))) {
      return;
    }
  }
}

bool DriverProcess::RunUntilReady() {
  while (!ready_ && Read(-1)) {
  }
  return ready_;
}

void DriverProcess::Kill() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    Wait();
  }
}

int DriverProcess::Wait() {
  while (Read(-1)) {
  }
  int status = 0;
  CHECK(waitpid(pid_, &status, 0) == pid_);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Progress DriverProcess::attempted() const {
  Progress attempted = acknowledged_;
  for (uint64_t& n : attempted) {
    ++n;
  }
  return attempted;
}

int RunDriver(const std::vector<std::string>& arguments) {
  CHECK_EQ(arguments.size(), 3 + kWorkThreads);
  uint64_t seed = 0;
  uint64_t requests = 0;
  CHECK(absl::SimpleAtoi(arguments[1], &seed));
  CHECK(absl::SimpleAtoi(arguments[2], &requests));
  auto opened = Database::Open(WorkOptions(arguments[0]));
  CHECK(opened.ok()) << opened.status().ToString();
  Database& database = **opened;
  if (!database.Find(kWorkCollection).ok()) {
    CHECK(database.Create(kWorkCollection, WorkSchema()).ok());
  }
  Send({kReadyClient, 0});
  std::atomic<uint64_t> running{kWorkThreads};
  {
    const std::shared_ptr<Collection> docs = *database.Find(kWorkCollection);
    const Workload workload(seed);
    std::vector<std::unique_ptr<Thread>> clients;
    for (uint64_t client = 0; client < kWorkThreads; ++client) {
      uint64_t done = 0;
      CHECK(absl::SimpleAtoi(arguments[3 + client], &done));
      clients.push_back(
          std::make_unique<Thread>("client", [=, &workload, &running] {
            for (uint64_t n = done + 1; requests == 0 || n <= done + requests;
                 ++n) {
              CHECK(Send(workload.Request(client, n), docs.get()).ok());
              Send({client, n});
            }
            --running;
          }));
    }
    for (uint64_t round = 0; running > 0 || round < kRoundsMin; ++round) {
      CHECK(docs->SealAndWait(Unlimited()).ok());
      CreateAndDrop(&database, round);
      AddLateField(docs.get());
      ChangeTexts(docs.get());
    }
  }
  CHECK(database.Close().ok());
  return 0;
}

}  // namespace sextant::test

// The tests' main(), unless this is the driver.
int main(int argc, char** argv) {
  if (argc > 2 && std::string(argv[1]) == sextant::test::kDriverWord) {
    return sextant::test::RunDriver({argv + 2, argv + argc});
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
