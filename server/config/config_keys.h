// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "server/config/config.h"

namespace sextant {

// Where a value lives in a Config, which also fixes its type.
using ConfigMember =
    std::variant<std::string* (*)(Config&), uint64_t* (*)(Config&),
                 bool* (*)(Config&), double* (*)(Config&)>;

// One key of the configuration: everything that file, environment, flags,
// --print-config, --help and the reference page need to know of it.
struct ConfigKey {
  absl::string_view name;  // "section.key"
  ConfigMember member;
  // Text: "a|b" when only these words are allowed, "address" for host:port,
  // else any text. Number: its unit, or empty. A double is a share, above 0
  // and at most 1.
  absl::string_view kind;
  uint64_t lowest = 0;  // numbers only
  uint64_t highest = 0;
  absl::string_view help;  // one sentence or two, no newline
};

// In the order of the reference page.
std::span<const ConfigKey> ConfigKeys();

// Null when there is no such key.
const ConfigKey* FindConfigKey(absl::string_view name);
// The known key with the smallest edit distance.
absl::string_view NearestConfigKey(absl::string_view name);

// Parses `text` by the key's type and range and stores it. kInvalidArgument
// says what is allowed (without the key's name).
absl::Status SetConfigValue(const ConfigKey& key, absl::string_view text,
                            Config* config);
std::string ConfigValueText(const ConfigKey& key, const Config& config);

// "text", "number", "true or false", "one of `a`, `b`", "host:port".
std::string ConfigTypeText(const ConfigKey& key);

// SEXTANT__GRPC__LISTEN for grpc.listen.
std::string EnvironmentName(const ConfigKey& key);

}  // namespace sextant
