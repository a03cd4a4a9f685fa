// SPDX-License-Identifier: Apache-2.0
#include "server/config/config_load.h"

#include <unistd.h>

#include <fstream>
#include <set>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "yaml-cpp/yaml.h"

#include "base/status_macros.h"
#include "server/address.h"
#include "server/config/config_keys.h"

namespace sextant {
namespace {

constexpr absl::string_view kEnvironmentPrefix = "SEXTANT__";

absl::Status UnknownKey(absl::string_view origin, absl::string_view name,
                        absl::string_view written) {
  return absl::InvalidArgumentError(absl::StrCat(origin, ": unknown key ",
                                                 written, "; did you mean ",
                                                 NearestConfigKey(name), "?"));
}

absl::Status SetFrom(absl::string_view name, absl::string_view text,
                     const std::string& origin, LoadedConfig* loaded) {
  const ConfigKey* const key = FindConfigKey(name);
  if (key == nullptr) {
    return UnknownKey(origin, name, name);
  }
  RETURN_IF_ERROR_WITH(SetConfigValue(*key, text, &loaded->config),
                       absl::StrCat(origin, ": ", name));
  loaded->origins[std::string(name)] = origin;
  return absl::OkStatus();
}

std::string FilePosition(const std::string& file, const YAML::Node& node) {
  return absl::StrCat("file ", file, ":", node.Mark().line + 1);
}

absl::Status ApplySection(const std::string& file, const std::string& section,
                          const YAML::Node& keys, LoadedConfig* loaded) {
  if (keys.IsNull()) {
    return absl::OkStatus();  // a section whose keys are all commented out
  }
  if (!keys.IsMap()) {
    return absl::InvalidArgumentError(
        absl::StrCat(FilePosition(file, keys), ": ", section,
                     " must be a section with keys below it"));
  }
  std::set<std::string> seen;
  for (const auto& entry : keys) {
    const std::string name = absl::StrCat(section, ".", entry.first.Scalar());
    const std::string position = FilePosition(file, entry.first);
    if (!seen.insert(name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat(position, ": ", name, " is given twice"));
    }
    if (!entry.second.IsScalar()) {
      return absl::InvalidArgumentError(
          absl::StrCat(position, ": ", name, " must have one plain value"));
    }
    RETURN_IF_ERROR(SetFrom(name, entry.second.Scalar(), position, loaded));
  }
  return absl::OkStatus();
}

absl::Status ApplyDocument(const std::string& file, const YAML::Node& root,
                           LoadedConfig* loaded) {
  if (root.IsNull()) {
    return absl::OkStatus();
  }
  if (!root.IsMap()) {
    return absl::InvalidArgumentError(
        absl::StrCat("file ", file, ": must hold sections such as 'grpc:'"));
  }
  std::set<std::string> seen;
  for (const auto& entry : root) {
    const std::string section = entry.first.Scalar();
    const std::string position = FilePosition(file, entry.first);
    if (!seen.insert(section).second) {
      return absl::InvalidArgumentError(
          absl::StrCat(position, ": section ", section, " is given twice"));
    }
    bool known = false;
    for (const ConfigKey& key : ConfigKeys()) {
      known = known || absl::StartsWith(key.name, section + ".");
    }
    if (!known) {
      return UnknownKey(position, section, section);
    }
    RETURN_IF_ERROR(ApplySection(file, section, entry.second, loaded));
  }
  return absl::OkStatus();
}

absl::Status ApplyFile(const std::string& file, LoadedConfig* loaded) {
  std::ifstream stream(file);
  std::ostringstream content;
  if (!stream || !(content << stream.rdbuf())) {
    // An empty file makes the insertion fail, too, and is no error.
    if (!stream.is_open() ||
        stream.peek() != std::ifstream::traits_type::eof()) {
      return absl::NotFoundError(
          absl::StrCat("--config: cannot read the file ", file));
    }
  }
  try {
    return ApplyDocument(file, YAML::Load(content.str()), loaded);
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("file ", file, ": ", error.what()));
  }
}

absl::Status ApplyEnvironment(const std::vector<std::string>& environment,
                              LoadedConfig* loaded) {
  for (const std::string& entry : environment) {
    const size_t equals = entry.find('=');
    if (!absl::StartsWith(entry, kEnvironmentPrefix) ||
        equals == std::string::npos) {
      continue;
    }
    const std::string variable = entry.substr(0, equals);
    const std::string name = absl::AsciiStrToLower(absl::StrReplaceAll(
        variable.substr(kEnvironmentPrefix.size()), {{"__", "."}}));
    const std::string origin = absl::StrCat("environment ", variable);
    const ConfigKey* const key = FindConfigKey(name);
    if (key == nullptr || EnvironmentName(*key) != variable) {
      const ConfigKey* const nearest = FindConfigKey(NearestConfigKey(name));
      return absl::InvalidArgumentError(
          absl::StrCat(origin, ": unknown key; did you mean ",
                       EnvironmentName(*nearest), "?"));
    }
    RETURN_IF_ERROR(SetFrom(name, entry.substr(equals + 1), origin, loaded));
  }
  return absl::OkStatus();
}

absl::Status CheckExposure(absl::string_view key, const std::string& text,
                           bool insecure) {
  if (text.empty() || insecure) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN_WITH(const Address address, ParseAddress(text), key);
  if (IsLoopback(address)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      key, ": ", text,
      " is not a loopback address, and this version has neither TLS nor "
      "authentication: everyone who reaches the port could read and delete "
      "everything. Listen on 127.0.0.1, or give --insecure if the network "
      "itself keeps strangers out"));
}

}  // namespace

absl::StatusOr<LoadedConfig> LoadConfig(const ConfigSources& sources) {
  LoadedConfig loaded;
  for (const ConfigKey& key : ConfigKeys()) {
    loaded.origins[std::string(key.name)] = "default";
  }
  if (!sources.file.empty()) {
    RETURN_IF_ERROR(ApplyFile(sources.file, &loaded));
  }
  RETURN_IF_ERROR(ApplyEnvironment(sources.environment, &loaded));
  for (const auto& [name, value] : sources.flags) {
    RETURN_IF_ERROR(SetFrom(name, value, "flag", &loaded));
  }
  return loaded;
}

absl::Status CheckConfig(const Config& config) {
  if (config.grpc.listen.empty() && config.grpc.unix_socket.empty()) {
    return absl::InvalidArgumentError(
        "grpc.listen: nothing to serve on; give grpc.listen or "
        "grpc.unix_socket");
  }
  if (config.storage.data_dir.empty()) {
    return absl::InvalidArgumentError("storage.data_dir: must not be empty");
  }
  if (config.http.enabled && config.http.listen.empty()) {
    return absl::InvalidArgumentError(
        "http.listen: must not be empty; http.enabled false turns HTTP off");
  }
  RETURN_IF_ERROR(
      CheckExposure("grpc.listen", config.grpc.listen, config.server.insecure));
  if (!config.http.enabled) {
    return absl::OkStatus();
  }
  return CheckExposure("http.listen", config.http.listen,
                       config.server.insecure);
}

std::vector<std::string> ProcessEnvironment() {
  std::vector<std::string> entries;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    entries.emplace_back(*entry);
  }
  return entries;
}

}  // namespace sextant
