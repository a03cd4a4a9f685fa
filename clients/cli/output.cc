// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "clients/cli/exit_code.h"

namespace sextant::cli {
namespace {

constexpr size_t kNarrowest = 40;

absl::Status OutputError(int error_number) {
  if (error_number == EPIPE) {
    return BrokenPipeError();
  }
  return absl::ErrnoToStatus(error_number, "cannot write the output");
}

}  // namespace

absl::Status Print(absl::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
    return OutputError(errno);
  }
  return absl::OkStatus();
}

absl::Status PrintLine(absl::string_view text) {
  RETURN_IF_ERROR(Print(text));
  return Print("\n");
}

absl::Status FlushOutput() {
  return std::fflush(stdout) == 0 ? absl::OkStatus() : OutputError(errno);
}

void Note(absl::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fputc('\n', stderr);
}

size_t OutputWidth() {
  if (isatty(STDOUT_FILENO) == 0) {
    return 0;
  }
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing here changes it
  const char* columns = std::getenv("COLUMNS");
  uint32_t width = 0;
  if (columns != nullptr && absl::SimpleAtoi(columns, &width)) {
    return width;
  }
  struct winsize size = {};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
    return 80;
  }
  return size.ws_col < kNarrowest ? kNarrowest : size.ws_col;
}

bool ErrorIsTerminal() {
  return isatty(STDERR_FILENO) != 0;
}

bool InputIsTerminal() {
  return isatty(STDIN_FILENO) != 0;
}

}  // namespace sextant::cli
