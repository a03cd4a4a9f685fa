// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sextant {

// A regular file that is read by position. It is read, not memory-mapped: a
// file that is cut short meanwhile gives an error, not a SIGBUS. Owned by the
// reader of one format; const calls are safe from many threads. Errors name
// the file and the byte offset.
class InputFile {
 public:
  // NOT_FOUND, PERMISSION_DENIED, or INVALID_ARGUMENT for what is not a regular
  // file.
  static absl::StatusOr<InputFile> Open(absl::string_view path);

  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&& other) noexcept;
  ~InputFile();

  const std::string& path() const { return path_; }
  // The size when it was opened.
  uint64_t size_bytes() const { return size_bytes_; }
  // Time of the last change, nanoseconds since 1970.
  int64_t modified_ns() const { return modified_ns_; }

  // Fills `out`; DATA_LOSS when the file ends before.
  absl::Status ReadAt(uint64_t offset, void* out, size_t size_bytes) const;

 private:
  InputFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

  std::string path_;
  int fd_ = -1;
  uint64_t size_bytes_ = 0;
  int64_t modified_ns_ = 0;
};

// What errno says about `path`, as a status with the code that fits.
absl::Status FileError(int error_number, absl::string_view action,
                       absl::string_view path);

}  // namespace sextant
