// SPDX-License-Identifier: Apache-2.0
#include "storage/mapped_segment.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/checksum.h"
#include "base/status_macros.h"

namespace sextant {
namespace {

absl::Status ErrnoStatus(absl::string_view action, int error) {
  const std::string message =
      absl::StrCat(action, ": ", std::generic_category().message(error));
  if (error == ENOENT) {
    return absl::DataLossError(message);
  }
  return error == ENOMEM || error == EMFILE || error == ENFILE
             ? absl::ResourceExhaustedError(message)
             : absl::UnavailableError(message);
}

// Closes the descriptor at the end of the scope; the mapping stays.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) {
      close(fd_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

absl::StatusOr<absl::string_view> MapFile(const std::string& path,
                                          uint64_t size_bytes) {
  const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat attributes = {};
  if (fd.get() < 0 || fstat(fd.get(), &attributes) != 0) {
    return ErrnoStatus("open", errno);
  }
  // Before mapping, because touching pages behind the end is SIGBUS.
  if (static_cast<uint64_t>(attributes.st_size) != size_bytes ||
      size_bytes < kSegmentAlignment + kSegmentFooterSize) {
    return absl::DataLossError(absl::StrCat("the size is ", attributes.st_size,
                                            ", expected ", size_bytes));
  }
  void* address = mmap(nullptr, size_bytes, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (address == MAP_FAILED) {
    return ErrnoStatus("mmap", errno);
  }
  return absl::string_view(static_cast<const char*>(address), size_bytes);
}

// Advice only: the kernel may know better, so failures are ignored.
void Advise(absl::string_view bytes, int advice) {
  static_cast<void>(
      madvise(const_cast<char*>(bytes.data()), bytes.size(), advice));
}

}  // namespace

MappedSegment::MappedSegment(std::string path, absl::string_view bytes)
    : path_(std::move(path)), bytes_(bytes) {}

MappedSegment::~MappedSegment() {
  munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

absl::StatusOr<std::shared_ptr<const SegmentFile>> MappedSegment::Open(
    const std::string& path, const Expected& expected) {
  ASSIGN_OR_RETURN_WITH(const absl::string_view bytes,
                        MapFile(path, expected.size_bytes), path);
  auto segment = std::shared_ptr<MappedSegment>(new MappedSegment(path, bytes));
  Advise(bytes, MADV_WILLNEED);
  RETURN_IF_ERROR_WITH(segment->Verify(expected), path);
  // From here on it is searched: no read-ahead around what a search touches.
  Advise(bytes, MADV_RANDOM);
  Advise(bytes, MADV_HUGEPAGE);
  return std::shared_ptr<const SegmentFile>(std::move(segment));
}

absl::Status MappedSegment::Verify(const Expected& expected) {
  ASSIGN_OR_RETURN(
      const SegmentFooter footer,
      DecodeSegmentFooter(bytes_.substr(bytes_.size() - kSegmentFooterSize),
                          bytes_.size()));
  const absl::string_view contents_bytes =
      bytes_.substr(footer.contents_offset, footer.contents_size);
  if (footer.contents_hash != expected.contents_hash) {
    return absl::DataLossError(
        "the contents hash is not the one in the checkpoint");
  }
  if (Checksum64(contents_bytes) != footer.contents_hash) {
    return absl::DataLossError("the table of contents fails its checksum");
  }
  ASSIGN_OR_RETURN(
      const SegmentContents contents,
      DecodeSegmentContents(contents_bytes, footer.contents_offset));
  RETURN_IF_ERROR(
      VerifyBlocks(bytes_.substr(0, footer.contents_offset), contents));
  ASSIGN_OR_RETURN(const SegmentIdentity identity,
                   DecodeSegmentHeader(bytes_.substr(0, kSegmentAlignment)));
  if (identity != expected.identity) {
    return absl::DataLossError(absl::StrCat(
        identity.uuid == expected.identity.uuid ? "" : "another collection's, ",
        "segment ", identity.number, " with ", identity.rows,
        " rows, expected segment ", expected.identity.number, " with ",
        expected.identity.rows, " rows"));
  }
  for (const SegmentContents::Entry& entry : contents.sections) {
    sections_[entry.name] = bytes_.substr(entry.offset, entry.size);
  }
  return absl::OkStatus();
}

absl::Status MappedSegment::VerifyBlocks(
    absl::string_view blocks, const SegmentContents& contents) const {
  // Many blocks at a time, so that page faults are few.
  constexpr uint64_t kPopulateBytes = 16 * kSegmentBlockSize;
  uint64_t populated = 0;
  for (size_t i = 0; i < contents.block_hashes.size(); ++i) {
    const uint64_t offset = i * kSegmentBlockSize;
#ifdef MADV_POPULATE_READ
    if (offset >= populated) {
      // Also turns a read error of the disk into an errno instead of SIGBUS;
      // kernels before 5.14 answer EINVAL and take the faults one by one.
      const absl::string_view window = bytes_.substr(offset, kPopulateBytes);
      if (madvise(const_cast<char*>(window.data()), window.size(),
                  MADV_POPULATE_READ) != 0 &&
          errno != EINVAL) {
        return errno == EFAULT || errno == EIO
                   ? absl::DataLossError(absl::StrCat(
                         "the disk cannot read the file after byte ", offset))
                   : ErrnoStatus("read the mapping", errno);
      }
      populated = offset + kPopulateBytes;
    }
#endif
    if (Checksum64(blocks.substr(offset, kSegmentBlockSize)) !=
        contents.block_hashes[i]) {
      return absl::DataLossError(absl::StrCat("the 1 MiB block at byte ",
                                              offset, " fails its checksum"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<absl::string_view> MappedSegment::Section(
    absl::string_view name) const {
  const auto it = sections_.find(name);
  if (it == sections_.end()) {
    return absl::DataLossError(
        absl::StrCat(path_, ": section '", name, "' is missing"));
  }
  return it->second;
}

absl::string_view MappedSegment::FindSection(absl::string_view name) const {
  const auto it = sections_.find(name);
  return it == sections_.end() ? absl::string_view() : it->second;
}

std::vector<SegmentSection> MappedSegment::Sections() const {
  std::vector<SegmentSection> sections;
  sections.reserve(sections_.size());
  for (const auto& [name, bytes] : sections_) {
    sections.push_back({name, bytes});
  }
  // Empty ones lie where the next one begins.
  std::sort(sections.begin(), sections.end(),
            [](const SegmentSection& a, const SegmentSection& b) {
              return std::tuple(a.bytes.data(), a.bytes.size(), a.name) <
                     std::tuple(b.bytes.data(), b.bytes.size(), b.name);
            });
  return sections;
}

void MappedSegment::Unload() const {
  Advise(bytes_, MADV_DONTNEED);
}

}  // namespace sextant
