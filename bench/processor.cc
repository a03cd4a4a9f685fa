// SPDX-License-Identifier: Apache-2.0
#include "bench/processor.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <span>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace sextant {
namespace {

std::vector<int> AllowedProcessors() {
  std::vector<int> allowed;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(static_cast<size_t>(cpu), &set)) {
        allowed.push_back(cpu);
      }
    }
  }
  return allowed;
}

void Allow(std::span<const int> cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) {
    CPU_SET(static_cast<size_t>(cpu), &set);
  }
  if (sched_setaffinity(0, sizeof(set), &set) != 0) {
    std::fprintf(stderr, "cannot pin to a processor; running unpinned\n");
  }
}

double ReadClock(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) +
         1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

int FirstProcessor() {
  const std::vector<int> allowed = AllowedProcessors();
  return allowed.empty() ? -1 : allowed.front();
}

int LastProcessor() {
  const std::vector<int> allowed = AllowedProcessors();
  return allowed.empty() ? -1 : allowed.back();
}

void PinThread(int cpu) {
  if (cpu >= 0) {
    Allow(std::span(&cpu, 1));
  }
}

PinnedScope::PinnedScope(int cpu) : before_(AllowedProcessors()) {
  PinThread(cpu);
}

PinnedScope::~PinnedScope() {
  Allow(before_);
}

double WallSeconds() {
  return std::chrono::duration<double>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

double ThreadCpuSeconds() {
  return ReadClock(CLOCK_THREAD_CPUTIME_ID);
}

double ProcessCpuSeconds() {
  return ReadClock(CLOCK_PROCESS_CPUTIME_ID);
}

double ProcessCpuSeconds(pid_t pid) {
  clockid_t clock = CLOCK_PROCESS_CPUTIME_ID;
  return clock_getcpuclockid(pid, &clock) == 0 ? ReadClock(clock) : 0;
}

double ResidentMegabytes(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/statm"));
  uint64_t total = 0;
  uint64_t resident = 0;
  file >> total >> resident;
  return static_cast<double>(resident) *
         static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

double Median(std::vector<double> values) {
  if (values.empty()) {
    return 0;
  }
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half]
                                : (values[half - 1] + values[half]) / 2;
}

std::string ProcessorName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (absl::StartsWith(line, "model name")) {
      return line.substr(line.find(':') + 2);
    }
  }
  return "unknown";
}

}  // namespace sextant
