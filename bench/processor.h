// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace sextant {

// The first and the last processor that this thread may use; -1 if unknown.
// Interrupts mostly go to the first.
int FirstProcessor();
int LastProcessor();

// Pins the calling thread, and the threads and processes it starts from now
// on. -1 does nothing; what fails is said on standard error.
void PinThread(int cpu);

// While it lives the calling thread runs on `cpu`; then where it ran before.
class PinnedScope {
 public:
  explicit PinnedScope(int cpu);
  ~PinnedScope();
  PinnedScope(const PinnedScope&) = delete;
  PinnedScope& operator=(const PinnedScope&) = delete;

 private:
  std::vector<int> before_;
};

double WallSeconds();
// Processor time of the calling thread, of this process, of another process.
double ThreadCpuSeconds();
double ProcessCpuSeconds();
double ProcessCpuSeconds(pid_t pid);

// Memory of a process that is in RAM, 10^6 bytes.
double ResidentMegabytes(pid_t pid);

double Median(std::vector<double> values);

// "AMD EPYC ...", as the kernel names it.
std::string ProcessorName();

}  // namespace sextant
