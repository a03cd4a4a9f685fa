// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sextant {

// Reads a file, a pipe or standard input line by line, with a limit on a
// line's length. Owned and used by one thread.
class LineReader {
 public:
  static constexpr uint64_t kLineBytesMax = uint64_t{64} << 20U;

  // "-" is standard input.
  static absl::StatusOr<LineReader> Open(absl::string_view path);

  LineReader(LineReader&& other) noexcept;
  LineReader& operator=(LineReader&& other) noexcept;
  ~LineReader();

  // The next line without its end ("\n" or "\r\n"), valid until the next call;
  // false at the end. INVALID_ARGUMENT for a line over the limit.
  absl::StatusOr<bool> Next(absl::string_view* line);

  // What messages call the input: the path or "standard input".
  const std::string& name() const { return name_; }
  // Number of the line last returned, counted from 1.
  uint64_t line_number() const { return line_number_; }
  // Bytes returned so far, line ends included.
  uint64_t bytes_read() const { return bytes_read_; }
  // 0 when it is not a regular file.
  uint64_t size_bytes() const { return size_bytes_; }
  int64_t modified_ns() const { return modified_ns_; }

 private:
  LineReader() = default;
  // Reads more into the buffer; false at the end.
  absl::StatusOr<bool> Fill();

  std::string name_;
  int fd_ = -1;
  uint64_t size_bytes_ = 0;
  int64_t modified_ns_ = 0;
  uint64_t line_number_ = 0;
  uint64_t bytes_read_ = 0;
  std::string buffer_;
  size_t start_ = 0;  // of the next line in buffer_
  bool at_end_ = false;
};

}  // namespace sextant
