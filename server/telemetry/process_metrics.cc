// SPDX-License-Identifier: Apache-2.0
#include "server/telemetry/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

#include "server/telemetry/family.h"

namespace sextant {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

std::string ReadWhole(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file),
          std::istreambuf_iterator<char>()};
}

// The fields of /proc/self/stat behind the command's name, which may hold
// blanks and brackets; [0] is field 3 of proc(5).
std::vector<std::string> StatFields() {
  const std::string stat = ReadWhole("/proc/self/stat");
  const size_t end = stat.rfind(')');
  if (end == std::string::npos) {
    return {};
  }
  return absl::StrSplit(stat.substr(end + 1), ' ', absl::SkipEmpty());
}

double NumberAt(const std::vector<std::string>& fields, size_t proc5_number) {
  double value = 0;
  const size_t index = proc5_number - 3;
  if (index >= fields.size() || !absl::SimpleAtod(fields[index], &value)) {
    return 0;
  }
  return value;
}

// Unix time at which the machine started.
double BootTime() {
  for (const absl::string_view line :
       absl::StrSplit(ReadWhole("/proc/stat"), '\n')) {
    double seconds = 0;
    if (line.substr(0, 6) == "btime " &&
        absl::SimpleAtod(line.substr(6), &seconds)) {
      return seconds;
    }
  }
  return 0;
}

void AddOne(std::vector<MetricFamily>* families, const char* name,
            const char* help, MetricType type, double value) {
  families->push_back(MakeFamily(name, help, type));
  AddSample(&families->back(), value);
}

void AddDescriptors(std::vector<MetricFamily>* families) {
  std::error_code error;
  double open = 0;
  for (std::filesystem::directory_iterator it("/proc/self/fd", error), end;
       !error && it != end; it.increment(error)) {
    ++open;
  }
  AddOne(families, "process_open_fds", "Open file descriptors.",
         MetricType::Gauge, open);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    AddOne(families, "process_max_fds", "File descriptors allowed.",
           MetricType::Gauge, static_cast<double>(limit.rlim_cur));
  }
}

}  // namespace

std::vector<MetricFamily> CollectProcessMetrics() {
  std::vector<MetricFamily> families;
  const std::vector<std::string> fields = StatFields();
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const auto page_bytes = static_cast<double>(::sysconf(_SC_PAGESIZE));
  if (!fields.empty()) {
    AddOne(&families, "process_cpu_seconds_total",
           "User and system CPU time spent.", MetricType::Counter,
           (NumberAt(fields, 14) + NumberAt(fields, 15)) / ticks);
    AddOne(&families, "process_threads", "Threads.", MetricType::Gauge,
           NumberAt(fields, 20));
    AddOne(&families, "process_start_time_seconds",
           "Unix time at which the process started.", MetricType::Gauge,
           BootTime() + NumberAt(fields, 22) / ticks);
    AddOne(&families, "process_virtual_memory_bytes", "Virtual memory.",
           MetricType::Gauge, NumberAt(fields, 23));
    AddOne(&families, "process_resident_memory_bytes",
           "Resident memory, mapped files included.", MetricType::Gauge,
           NumberAt(fields, 24) * page_bytes);
  }
  AddDescriptors(&families);
  return families;
}

}  // namespace sextant
