// SPDX-License-Identifier: Apache-2.0
#include "storage/log_check.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "base/coding.h"
#include "base/status_macros.h"
#include "storage/crc32c.h"
#include "storage/file_io.h"
#include "storage/rocks_status.h"

namespace sextant {
namespace {

constexpr uint64_t kBlockSize = 32768;
// CRC (4), length (2), type (1).
constexpr uint64_t kHeaderSize = 7;
constexpr uint64_t kTypeOffset = 6;
// The smallest piece a disk writes in one go.
constexpr uint64_t kSectorSize = 512;

// Types as RocksDB numbers them; recycled logs are off.
constexpr uint8_t kFull = 1;
constexpr uint8_t kFirst = 2;
constexpr uint8_t kMiddle = 3;
constexpr uint8_t kLast = 4;

// RocksDB stores CRCs masked, since a CRC of bytes with CRCs in them is weak.
uint32_t Unmask(uint32_t masked) {
  const uint32_t rotated = masked - 0xa282ead8U;
  return (rotated >> 17U) | (rotated << 15U);
}

// One record or a fragment of one.
struct Fragment {
  uint64_t length = 0;
  uint8_t type = 0;
};

Fragment HeaderAt(absl::string_view bytes, uint64_t offset) {
  return {LoadLittleEndian<uint16_t>(bytes.data() + offset + 4),
          static_cast<uint8_t>(bytes[offset + kTypeOffset])};
}

// Whether a fragment with this payload length at `offset` has its CRC. The CRC
// covers type and payload, not the length.
bool HasCrc(absl::string_view bytes, uint64_t offset, uint64_t length) {
  const uint32_t stored =
      Unmask(LoadLittleEndian<uint32_t>(bytes.data() + offset));
  return Crc32c(bytes.substr(offset + kTypeOffset, 1 + length)) == stored;
}

bool IsWholeFragment(absl::string_view bytes, uint64_t offset) {
  if (bytes.size() - offset < kHeaderSize) {
    return false;
  }
  const Fragment fragment = HeaderAt(bytes, offset);
  const uint64_t room =
      std::min<uint64_t>(bytes.size() - offset,
                         kBlockSize - offset % kBlockSize) -
      std::min<uint64_t>(kHeaderSize, kBlockSize - offset % kBlockSize);
  return fragment.type >= kFull && fragment.type <= kLast &&
         fragment.length <= room && HasCrc(bytes, offset, fragment.length);
}

bool AllZeros(absl::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(),
                     [](char byte) { return byte == '\0'; });
}

// A whole fragment soon after the bad one at `offset`. Two blocks are enough: a
// block always begins with one.
bool WholeFragmentFollows(absl::string_view bytes, uint64_t offset) {
  const uint64_t end =
      std::min<uint64_t>(bytes.size(), offset + 2 * kBlockSize);
  for (uint64_t next = offset + 1; next + kHeaderSize <= end; ++next) {
    if (IsWholeFragment(bytes, next)) {
      return true;
    }
  }
  return false;
}

// The fragment at `offset` is not whole. Is it what a power cut leaves?
bool EndsInZeros(absl::string_view bytes, uint64_t offset) {
  if (AllZeros(bytes.substr(offset))) {
    return true;
  }
  // Zeros from the first sector boundary on that only zeros follow.
  const size_t last = bytes.find_last_not_of('\0');
  const uint64_t zeros_from = (last + kSectorSize) / kSectorSize * kSectorSize;
  return zeros_from < bytes.size() && !WholeFragmentFollows(bytes, offset);
}

bool IsCutShort(absl::string_view bytes, uint64_t offset) {
  const uint64_t left = bytes.size() - offset;
  if (left < kHeaderSize) {
    return true;
  }
  const Fragment fragment = HeaderAt(bytes, offset);
  if (fragment.length <= left - kHeaderSize ||
      offset % kBlockSize + kHeaderSize + fragment.length > kBlockSize) {
    return false;
  }
  // It claims more than there is. If it is whole without that, or a whole
  // record follows, then its length is what is wrong.
  return !HasCrc(bytes, offset, left - kHeaderSize) &&
         !WholeFragmentFollows(bytes, offset);
}

// Where the fragment after one that ends at `offset` begins.
uint64_t SkipTrailer(uint64_t offset) {
  const uint64_t left = kBlockSize - offset % kBlockSize;
  return left < kHeaderSize ? offset + left : offset;
}

absl::Status Damage(uint64_t offset) {
  return absl::DataLossError(
      absl::StrCat("the record at byte ", offset, " is damaged"));
}

absl::StatusOr<std::string> ReadFile(rocksdb::FileSystem* files,
                                     const std::string& path) {
  std::string bytes;
  RETURN_IF_ERROR(FromRocks(rocksdb::ReadFileToString(files, path, &bytes),
                            absl::StrCat("read ", path)));
  return bytes;
}

absl::Status Explain(const absl::Status& damage, const std::string& path,
                     bool is_manifest) {
  return absl::DataLossError(absl::StrCat(
      path, ": ", damage.message(),
      is_manifest
          ? "; restore the data directory from a backup"
          : " and is no torn write: acknowledged writes would be lost. Restore "
            "from a backup, or open once with durability 'os' to keep what "
            "comes before it"));
}

absl::StatusOr<std::string> ManifestPath(rocksdb::FileSystem* files,
                                         const std::string& path) {
  ASSIGN_OR_RETURN(const std::string current,
                   ReadFile(files, absl::StrCat(path, "/CURRENT")));
  const absl::string_view name = absl::StripSuffix(current, "\n");
  if (name.size() == current.size() || !absl::StartsWith(name, "MANIFEST-")) {
    return absl::DataLossError(
        absl::StrCat(path, "/CURRENT: does not name a manifest"));
  }
  return absl::StrCat(path, "/", name);
}

absl::Status CheckWriteAheadLogs(rocksdb::FileSystem* files,
                                 const std::string& path) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names,
                   ListDirectory(files, path));
  for (const std::string& name : names) {
    if (!absl::EndsWith(name, ".log")) {
      continue;
    }
    const std::string log_path = absl::StrCat(path, "/", name);
    const absl::StatusOr<std::string> bytes = ReadFile(files, log_path);
    if (!bytes.ok()) {
      // While the database is open, it deletes logs it no longer needs.
      if (files->FileExists(log_path, {}, nullptr).IsNotFound()) {
        continue;
      }
      return bytes.status();
    }
    if (const auto check = CheckLog(*bytes); !check.ok()) {
      return Explain(check.status(), log_path, /*is_manifest=*/false);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<LogCheck> CheckLog(absl::string_view bytes) {
  LogCheck check;
  bool inside = false;  // a record whose first fragment was read
  uint64_t offset = 0;
  while (offset < bytes.size()) {
    if (!IsWholeFragment(bytes, offset)) {
      if (IsCutShort(bytes, offset)) {
        check.end = LogEnd::kCutShort;
      } else if (EndsInZeros(bytes, offset)) {
        check.end = LogEnd::kZeros;
      } else {
        return Damage(offset);
      }
      return check;
    }
    const Fragment fragment = HeaderAt(bytes, offset);
    const bool continues = fragment.type == kMiddle || fragment.type == kLast;
    if (continues != inside) {
      return Damage(offset);
    }
    inside = fragment.type == kFirst || fragment.type == kMiddle;
    const uint64_t end = offset + kHeaderSize + fragment.length;
    if (!inside) {
      check.whole_bytes = end;
    }
    offset = SkipTrailer(end);
  }
  if (inside) {
    check.end = LogEnd::kCutShort;
  }
  return check;
}

absl::Status CheckLogsBeforeOpen(rocksdb::FileSystem* files,
                                 const std::string& path,
                                 Durability durability) {
  if (files->FileExists(absl::StrCat(path, "/CURRENT"), {}, nullptr)
          .IsNotFound()) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const std::string manifest, ManifestPath(files, path));
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(files, manifest));
  const absl::StatusOr<LogCheck> check = CheckLog(bytes);
  if (!check.ok()) {
    return Explain(check.status(), manifest, /*is_manifest=*/true);
  }
  if (check->end == LogEnd::kZeros) {
    RETURN_IF_ERROR(
        WriteFileDurably(files, manifest, bytes.substr(0, check->whole_bytes)));
  }
  // Without fsync, a power cut may leave holes anywhere behind the last one.
  return durability == Durability::kSync ? CheckWriteAheadLogs(files, path)
                                         : absl::OkStatus();
}

absl::Status CheckLogsWhileOpen(rocksdb::FileSystem* files,
                                const std::string& path,
                                Durability durability) {
  ASSIGN_OR_RETURN(const std::string manifest, ManifestPath(files, path));
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(files, manifest));
  if (const auto check = CheckLog(bytes); !check.ok()) {
    return Explain(check.status(), manifest, /*is_manifest=*/true);
  }
  return durability == Durability::kSync ? CheckWriteAheadLogs(files, path)
                                         : absl::OkStatus();
}

}  // namespace sextant
