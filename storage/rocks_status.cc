// SPDX-License-Identifier: Apache-2.0
#include "storage/rocks_status.h"

#include <string>

#include "absl/strings/str_cat.h"

#include "base/check.h"

namespace sextant {

absl::Status FromRocks(const rocksdb::Status& status,
                       absl::string_view context) {
  if (status.ok()) {
    return absl::OkStatus();
  }
  const std::string message = absl::StrCat(context, ": ", status.ToString());
  if (status.IsNoSpace() || status.subcode() == rocksdb::Status::kSpaceLimit) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the disk is full: ", message));
  }
  switch (status.code()) {
    case rocksdb::Status::kCorruption:
      return absl::DataLossError(message);
    case rocksdb::Status::kNotFound:
      return absl::NotFoundError(message);
    case rocksdb::Status::kInvalidArgument:
    case rocksdb::Status::kNotSupported:
      return absl::InternalError(message);
    default:
      return absl::UnavailableError(message);
  }
}

void MustSucceed(const rocksdb::Status& status) {
  CHECK(status.ok()) << " " << status.ToString();
}

}  // namespace sextant
