// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/exit_code.h"

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "clients/cpp/client_options.h"

namespace sextant::cli {
namespace {

constexpr char kUsageMark[] = "sextant/usage";
constexpr char kInputMark[] = "sextant/input";
constexpr char kPipeMark[] = "sextant/pipe";

bool HasMark(const absl::Status& status, const char* mark) {
  return status.GetPayload(mark).has_value();
}

absl::Status Marked(absl::Status status, const char* mark) {
  status.SetPayload(mark, absl::Cord());
  return status;
}

}  // namespace

absl::Status UsageError(absl::string_view message) {
  return Marked(absl::InvalidArgumentError(message), kUsageMark);
}

absl::Status InputError(const absl::Status& status) {
  return status.ok() ? status : Marked(status, kInputMark);
}

absl::Status BrokenPipeError() {
  return Marked(absl::AbortedError("the output was closed"), kPipeMark);
}

ExitCode ExitCodeOf(const absl::Status& status) {
  if (status.ok()) {
    return ExitCode::kOk;
  }
  if (HasMark(status, kPipeMark)) {
    return ExitCode::kBrokenPipe;
  }
  if (HasMark(status, kUsageMark)) {
    return ExitCode::kUsage;
  }
  if (HasMark(status, kInputMark)) {
    return ExitCode::kInput;
  }
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      return ExitCode::kNotFound;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kDeadlineExceeded:
      return ExitCode::kUnreachable;
    default:
      return ExitCode::kError;
  }
}

std::string ErrorText(const absl::Status& status) {
  std::string text(status.message());
  if (text.empty()) {
    text = absl::StatusCodeToString(status.code());
  }
  if (absl::StartsWith(text, client::kCannotReach)) {
    absl::StrAppend(
        &text,
        "\nIs it running? Start it with `sextantd --storage.data_dir DIR` "
        "or `./dev run`; name another server with --server "
        "HOST:PORT (or unix:/path) or SEXTANT_SERVER.");
  } else if (status.code() == absl::StatusCode::kDeadlineExceeded) {
    absl::StrAppend(&text, "\nGive it more time with --timeout SECONDS.");
  } else if (HasMark(status, kUsageMark)) {
    absl::StrAppend(&text, "\nRun it with --help for all options.");
  }
  return text;
}

}  // namespace sextant::cli
