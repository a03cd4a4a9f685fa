// SPDX-License-Identifier: Apache-2.0
#include "clients/formats/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace sextant {

absl::Status FileError(int error_number, absl::string_view action,
                       absl::string_view path) {
  return absl::ErrnoToStatus(error_number,
                             absl::StrCat("cannot ", action, " ", path));
}

absl::StatusOr<InputFile> InputFile::Open(absl::string_view path) {
  std::string name(path);
  const int fd = open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    return FileError(errno, "open", name);
  }
  InputFile file(std::move(name), fd);
  struct stat info = {};
  if (fstat(fd, &info) != 0) {
    return FileError(errno, "read", file.path_);
  }
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat(file.path_, ": not a regular file"));
  }
  file.size_bytes_ = static_cast<uint64_t>(info.st_size);
  file.modified_ns_ =
      int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
  return file;
}

InputFile::InputFile(InputFile&& other) noexcept {
  *this = std::move(other);
}

InputFile& InputFile::operator=(InputFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  std::swap(size_bytes_, other.size_bytes_);
  std::swap(modified_ns_, other.modified_ns_);
  return *this;
}

InputFile::~InputFile() {
  if (fd_ >= 0) {
    close(fd_);
  }
}

absl::Status InputFile::ReadAt(uint64_t offset, void* out,
                               size_t size_bytes) const {
  char* target = static_cast<char*>(out);
  size_t done = 0;
  while (done < size_bytes) {
    const ssize_t got = pread(fd_, target + done, size_bytes - done,
                              static_cast<off_t>(offset + done));
    if (got < 0) {
      if (errno == EINTR) {
        continue;
      }
      return FileError(errno, "read", path_);
    }
    if (got == 0) {
      return absl::DataLossError(
          absl::StrCat(path_, ": ends at byte ", offset + done, ", expected ",
                       size_bytes, " bytes at offset ", offset));
    }
    done += static_cast<size_t>(got);
  }
  return absl::OkStatus();
}

}  // namespace sextant
