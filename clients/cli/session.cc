// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/session.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "clients/cli/exit_code.h"

namespace sextant::cli {

absl::StatusOr<std::unique_ptr<client::Client>> Session::Open(
    const client::RetryOptions& retry) const {
  return client::Client::Connect(
      options_.server,
      {.timeout = absl::Seconds(options_.timeout_s), .retry = retry});
}

absl::StatusOr<client::Client*> Session::Connect() {
  if (client_ == nullptr) {
    ASSIGN_OR_RETURN(client_, Open({}));
  }
  return client_.get();
}

absl::StatusOr<std::unique_ptr<client::Client>> Session::ConnectPatiently()
    const {
  return Open({.attempts_max = 12});
}

absl::StatusOr<std::vector<client::PointId>> ParseIds(
    client::Client& client, absl::string_view collection,
    const std::vector<std::string>& texts) {
  ASSIGN_OR_RETURN(const client::CollectionInfo info,
                   client.GetCollection(collection));
  std::vector<client::PointId> ids;
  for (const std::string& text : texts) {
    uint64_t number = 0;
    if (info.schema.id_kind == client::IdKind::kString) {
      ids.emplace_back(text);
    } else if (absl::SimpleAtoi(text, &number)) {
      ids.emplace_back(number);
    } else {
      return UsageError(absl::StrCat("id '", text, "': the ids of '",
                                     collection,
                                     "' are unsigned 64-bit numbers"));
    }
  }
  return ids;
}

}  // namespace sextant::cli
