// SPDX-License-Identifier: Apache-2.0
#include "server/telemetry/log.h"

#include <atomic>
#include <cmath>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "google/protobuf/stubs/logging.h"
#include "grpc/support/log.h"
#include "nlohmann/json.hpp"
#include "spdlog/logger.h"
#include "spdlog/pattern_formatter.h"
#include "spdlog/sinks/ostream_sink.h"
#include "spdlog/sinks/stdout_sinks.h"

namespace sextant {
namespace {

using Json = nlohmann::ordered_json;

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// Invalid UTF-8 becomes U+FFFD; control characters are escaped.
std::string JsonText(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json JsonValue(const LogField& field) {
  return std::visit(
      [](const auto& value) -> Json {
        using Value = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, absl::string_view>) {
          return std::string(value);
        } else {
          return value;
        }
      },
      field.value);
}

// The members of the JSON object behind time and level.
std::string JsonMembers(absl::string_view message, Log::Fields fields) {
  std::string line =
      absl::StrCat("\"message\":", JsonText(std::string(message)));
  for (const LogField& field : fields) {
    absl::StrAppend(&line, ",", JsonText(std::string(field.name)), ":",
                    JsonText(JsonValue(field)));
  }
  return line;
}

bool IsPlainWord(absl::string_view text) {
  return !text.empty() &&
         text.find_first_of(" \"=\\\n\t\r") == absl::string_view::npos;
}

std::string TextLine(absl::string_view message, Log::Fields fields) {
  std::string line = absl::Utf8SafeCEscape(message);
  // Quotes are escaped for values only; in the message they stay readable.
  if (message.find_first_of("\"'") != absl::string_view::npos) {
    std::string readable;
    for (size_t i = 0; i < line.size(); ++i) {
      const bool escaped_quote = line[i] == '\\' && i + 1 < line.size() &&
                                 (line[i + 1] == '"' || line[i + 1] == '\'');
      if (!escaped_quote) {
        readable.push_back(line[i]);
      } else {
        readable.push_back(line[++i]);
      }
    }
    line = std::move(readable);
  }
  for (const LogField& field : fields) {
    const auto* text = std::get_if<absl::string_view>(&field.value);
    if (text == nullptr) {
      absl::StrAppend(&line, " ", field.name, "=", JsonText(JsonValue(field)));
      continue;
    }
    const std::string escaped = absl::Utf8SafeCEscape(*text);
    if (IsPlainWord(escaped)) {
      absl::StrAppend(&line, " ", field.name, "=", escaped);
    } else {
      absl::StrAppend(&line, " ", field.name, "=\"", escaped, "\"");
    }
  }
  return line;
}

std::atomic<Log*> library_log{nullptr};

void WriteGrpcLine(gpr_log_func_args* args) {
  Log* const log = library_log.load(std::memory_order_acquire);
  if (log != nullptr) {
    log->Write(args->severity == GPR_LOG_SEVERITY_ERROR ? LogLevel::kWarning
                                                        : LogLevel::kDebug,
               args->message, {{"source", absl::string_view("grpc")}});
  }
}

void WriteProtobufLine(google::protobuf::LogLevel /*level*/,
                       const char* /*file*/, int /*line*/,
                       const std::string& message) {
  Log* const log = library_log.load(std::memory_order_acquire);
  if (log != nullptr) {
    // What it reports (broken UTF-8) is answered to the client as an error.
    log->Debug(message, {{"source", absl::string_view("protobuf")}});
  }
}

}  // namespace

struct Log::Sink {
  explicit Sink(spdlog::sink_ptr sink) : logger("sextant", std::move(sink)) {}
  spdlog::logger logger;
};

Log::Log(const LogOptions& options) : Log(options, nullptr) {}

Log::Log(const LogOptions& options, std::ostream* output)
    : format_(options.format) {
  spdlog::sink_ptr sink;
  if (output == nullptr) {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  } else {
    sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(*output);
  }
  const char* const pattern =
      options.format == LogFormat::kJson
          ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
          : "%Y-%m-%dT%H:%M:%S.%eZ %-7l %v";
  sink->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      pattern, spdlog::pattern_time_type::utc));
  sink_ = std::make_unique<Sink>(std::move(sink));
  sink_->logger.set_level(SpdlogLevel(options.level));
  sink_->logger.flush_on(spdlog::level::debug);
}

Log::~Log() {
  Log* self = this;
  library_log.compare_exchange_strong(self, nullptr);
}

bool Log::IsOn(LogLevel level) const {
  return sink_->logger.should_log(SpdlogLevel(level));
}

void Log::Write(LogLevel level, absl::string_view message, Fields fields) {
  if (!IsOn(level)) {
    return;
  }
  const std::string line = format_ == LogFormat::kJson
                               ? JsonMembers(message, fields)
                               : TextLine(message, fields);
  sink_->logger.log(SpdlogLevel(level), spdlog::string_view_t(line));
}

void Log::CaptureLibraries(Log* log) {
  library_log.store(log, std::memory_order_release);
  gpr_set_log_function(log == nullptr ? nullptr : WriteGrpcLine);
  google::protobuf::SetLogHandler(log == nullptr ? nullptr : WriteProtobufLine);
}

}  // namespace sextant
