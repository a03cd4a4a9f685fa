// SPDX-License-Identifier: Apache-2.0
#include "storage/format_version.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

#include "base/status_macros.h"
#include "storage/file_io.h"
#include "storage/rocks_status.h"

namespace sextant {
namespace {

constexpr absl::string_view kName = "/STORE";
constexpr absl::string_view kPrefix = "sextant data directory, format ";

}  // namespace

absl::Status CheckStoreFormat(uint32_t version, const std::string& path) {
  if (version <= kStoreFormatVersion) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrCat("data directory ", path, " has format version ", version,
                   ", this program reads up to ", kStoreFormatVersion,
                   ": use a newer program"));
}

absl::StatusOr<bool> ReadStoreMarker(rocksdb::FileSystem* files,
                                     const std::string& path) {
  const std::string marker = absl::StrCat(path, kName);
  const rocksdb::IOStatus exists = files->FileExists(marker, {}, nullptr);
  if (exists.IsNotFound()) {
    return false;
  }
  RETURN_IF_ERROR(FromRocks(exists, marker));
  std::string text;
  RETURN_IF_ERROR(
      FromRocks(rocksdb::ReadFileToString(files, marker, &text), marker));
  absl::string_view number = text;
  uint32_t version = 0;
  if (!absl::ConsumePrefix(&number, kPrefix) ||
      !absl::ConsumeSuffix(&number, "\n") ||
      !absl::SimpleAtoi(number, &version)) {
    return absl::DataLossError(absl::StrCat(marker, ": damaged"));
  }
  RETURN_IF_ERROR(CheckStoreFormat(version, path));
  return true;
}

absl::Status WriteStoreMarker(rocksdb::FileSystem* files,
                              const std::string& path) {
  return WriteFileDurably(files, absl::StrCat(path, kName),
                          absl::StrCat(kPrefix, kStoreFormatVersion, "\n"));
}

}  // namespace sextant
