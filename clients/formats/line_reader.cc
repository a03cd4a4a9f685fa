// SPDX-License-Identifier: Apache-2.0
#include "clients/formats/line_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "clients/formats/input_file.h"

namespace sextant {
namespace {

constexpr size_t kReadBytes = size_t{256} << 10U;

}  // namespace

absl::StatusOr<LineReader> LineReader::Open(absl::string_view path) {
  LineReader reader;
  if (path == "-") {
    reader.name_ = "standard input";
    reader.fd_ = STDIN_FILENO;
    return reader;
  }
  reader.name_ = std::string(path);
  reader.fd_ = open(reader.name_.c_str(), O_RDONLY | O_CLOEXEC);
  if (reader.fd_ < 0) {
    return FileError(errno, "open", path);
  }
  struct stat info = {};
  if (fstat(reader.fd_, &info) != 0) {
    return FileError(errno, "read", path);
  }
  if (S_ISDIR(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": is a folder"));
  }
  if (S_ISREG(info.st_mode)) {
    reader.size_bytes_ = static_cast<uint64_t>(info.st_size);
    reader.modified_ns_ =
        int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
  }
  return reader;
}

LineReader::LineReader(LineReader&& other) noexcept {
  *this = std::move(other);
}

LineReader& LineReader::operator=(LineReader&& other) noexcept {
  std::swap(name_, other.name_);
  std::swap(fd_, other.fd_);
  std::swap(size_bytes_, other.size_bytes_);
  std::swap(modified_ns_, other.modified_ns_);
  std::swap(line_number_, other.line_number_);
  std::swap(bytes_read_, other.bytes_read_);
  std::swap(buffer_, other.buffer_);
  std::swap(start_, other.start_);
  std::swap(at_end_, other.at_end_);
  return *this;
}

LineReader::~LineReader() {
  if (fd_ > STDIN_FILENO) {
    close(fd_);
  }
}

absl::StatusOr<bool> LineReader::Fill() {
  const size_t old_size = buffer_.size();
  buffer_.resize(old_size + kReadBytes);
  ssize_t got = 0;
  do {
    got = read(fd_, buffer_.data() + old_size, kReadBytes);
  } while (got < 0 && errno == EINTR);
  const int error_number = errno;
  buffer_.resize(old_size + static_cast<size_t>(got > 0 ? got : 0));
  if (got < 0) {
    return FileError(error_number, "read", name_);
  }
  return got > 0;
}

absl::StatusOr<bool> LineReader::Next(absl::string_view* line) {
  size_t searched = start_;
  size_t end = buffer_.find('\n', searched);
  while (end == std::string::npos && !at_end_) {
    if (buffer_.size() - start_ > kLineBytesMax) {
      return absl::InvalidArgumentError(
          absl::StrCat(name_, ":", line_number_ + 1,
                       ": line over the limit of ", kLineBytesMax, " bytes"));
    }
    buffer_.erase(0, start_);
    start_ = 0;
    searched = buffer_.size();
    ASSIGN_OR_RETURN(const bool more, Fill());
    at_end_ = !more;
    end = buffer_.find('\n', searched);
  }
  if (end == std::string::npos) {
    if (start_ == buffer_.size()) {
      return false;
    }
    end = buffer_.size();  // the last line has no end
  }
  *line = absl::string_view(buffer_).substr(start_, end - start_);
  start_ = end + (end < buffer_.size() ? 1 : 0);
  bytes_read_ += line->size() + 1;
  ++line_number_;
  if (!line->empty() && line->back() == '\r') {
    line->remove_suffix(1);
  }
  return true;
}

}  // namespace sextant
