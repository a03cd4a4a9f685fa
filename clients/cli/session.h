// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "clients/cpp/client.h"

namespace sextant::cli {

// The options of every command.
struct GlobalOptions {
  std::string server = "127.0.0.1:6350";
  double timeout_s = 30;
  std::string output = "table";
};

// What a command runs with. Used by one thread.
class Session {
 public:
  explicit Session(const GlobalOptions& options) : options_(options) {}

  const GlobalOptions& options() const { return options_; }
  bool json() const { return options_.output == "json"; }
  // The filter of the command, for a caret under what is wrong in it.
  void NoteFilter(const std::string& filter) { filter_ = filter; }
  const std::string& filter() const { return filter_; }

  // The connection, made at the first call; a server that is not there shows
  // at the first request.
  absl::StatusOr<client::Client*> Connect();
  // A second connection that waits out a server's restart.
  absl::StatusOr<std::unique_ptr<client::Client>> ConnectPatiently() const;

 private:
  absl::StatusOr<std::unique_ptr<client::Client>> Open(
      const client::RetryOptions& retry) const;

  const GlobalOptions options_;
  std::string filter_;
  std::unique_ptr<client::Client> client_;
};

// What a command line asks for; set while it is parsed, run afterwards.
using Action = std::function<absl::Status(Session&)>;

// Reads ids from the command line as the kind that the collection takes: "42"
// is a number in one collection and a string in another.
absl::StatusOr<std::vector<client::PointId>> ParseIds(
    client::Client& client, absl::string_view collection,
    const std::vector<std::string>& texts);

}  // namespace sextant::cli
