// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <ostream>
#include <string>
#include <variant>

#include "absl/strings/string_view.h"

namespace sextant {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kText, kJson };

struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kText;
};

// One named value of a log line. Views must live until the call returns.
struct LogField {
  absl::string_view name;
  std::variant<absl::string_view, int64_t, uint64_t, double, bool> value;
};

// The server's log: one line an event, as text or as a JSON object, with named
// values. Whatever comes from outside (names, messages) is escaped, so a line
// stays a line and JSON stays JSON.
//
// Thread-safe. Never fails: a line that cannot be written is lost.
class Log {
 public:
  using Fields = std::initializer_list<LogField>;

  // To standard error.
  explicit Log(const LogOptions& options);
  // To `output`, which outlives the log; for tests.
  Log(const LogOptions& options, std::ostream* output);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  bool IsOn(LogLevel level) const;
  void Write(LogLevel level, absl::string_view message, Fields fields = {});

  void Debug(absl::string_view message, Fields fields = {}) {
    Write(LogLevel::kDebug, message, fields);
  }
  void Info(absl::string_view message, Fields fields = {}) {
    Write(LogLevel::kInfo, message, fields);
  }
  void Warning(absl::string_view message, Fields fields = {}) {
    Write(LogLevel::kWarning, message, fields);
  }
  void Error(absl::string_view message, Fields fields = {}) {
    Write(LogLevel::kError, message, fields);
  }

  // Sends what gRPC and protobuf print by themselves to this log (null: back
  // to where they print by default). Process-wide; the log must outlive it.
  static void CaptureLibraries(Log* log);

 private:
  struct Sink;
  const LogFormat format_;
  std::unique_ptr<Sink> sink_;
};

}  // namespace sextant
