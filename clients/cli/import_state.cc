// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/import_state.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

#include "base/checksum.h"
#include "clients/formats/input_file.h"

namespace sextant::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kStateFormat = 1;

std::string Environment(const char* name) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing here changes it
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string Absolute(const std::string& path) {
  std::error_code error;
  const std::filesystem::path absolute =
      std::filesystem::weakly_canonical(path, error);
  return error ? path : absolute.string();
}

}  // namespace

std::string ImportState::ToJson() const {
  Json json;
  json["format"] = kStateFormat;
  json["collection"] = collection;
  json["collection_created_ns"] = collection_created_ns;
  json["size_bytes"] = source.size_bytes;
  json["modified_ns"] = source.modified_ns;
  json["vectors_size_bytes"] = source.vectors_size_bytes;
  json["vectors_modified_ns"] = source.vectors_modified_ns;
  json["points_done"] = points_done;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

absl::StatusOr<ImportState> ImportState::FromJson(absl::string_view text) {
  try {
    const Json json = Json::parse(text.begin(), text.end());
    if (json.at("format").get<int>() != kStateFormat) {
      return absl::InvalidArgumentError("import state of another format");
    }
    ImportState state;
    state.collection = json.at("collection").get<std::string>();
    state.collection_created_ns =
        json.at("collection_created_ns").get<int64_t>();
    state.source.size_bytes = json.at("size_bytes").get<uint64_t>();
    state.source.modified_ns = json.at("modified_ns").get<int64_t>();
    state.source.vectors_size_bytes =
        json.at("vectors_size_bytes").get<uint64_t>();
    state.source.vectors_modified_ns =
        json.at("vectors_modified_ns").get<int64_t>();
    state.points_done = json.at("points_done").get<uint64_t>();
    return state;
  } catch (const Json::exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("broken import state: ", error.what()));
  }
}

bool ImportState::Continues(const ImportState& earlier) const {
  return collection == earlier.collection &&
         collection_created_ns == earlier.collection_created_ns &&
         source == earlier.source;
}

std::string DefaultStatePath(absl::string_view server,
                             absl::string_view collection,
                             const SourceOptions& options) {
  std::string folder = Environment("XDG_STATE_HOME");
  if (folder.empty()) {
    const std::string home = Environment("HOME");
    if (home.empty()) {
      return "";
    }
    folder = home + "/.local/state";
  }
  const std::string vectors =
      options.vectors_path.empty() ? "" : Absolute(options.vectors_path);
  const std::string key =
      absl::StrCat(server, "\n", collection, "\n", Absolute(options.path), "\n",
                   vectors, "\n", options.first_id);
  return absl::StrCat(folder, "/sextant/import-", Checksum128(key).ToHex(),
                      ".json");
}

absl::Status SaveImportState(const std::string& path,
                             const ImportState& state) {
  std::error_code ignored;  // opening the file tells
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(),
                                      ignored);
  const std::string next = absl::StrCat(path, ".", getpid());
  std::ofstream file(next, std::ios::trunc);
  file << state.ToJson();
  file.close();
  if (!file) {
    return FileError(errno, "write", next);
  }
  if (std::rename(next.c_str(), path.c_str()) != 0) {
    return FileError(errno, "write", path);
  }
  return absl::OkStatus();
}

absl::optional<ImportState> LoadImportState(const std::string& path) {
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  absl::StatusOr<ImportState> state = ImportState::FromJson(text);
  if (!state.ok()) {
    return absl::nullopt;
  }
  return *std::move(state);
}

void RemoveImportState(const std::string& path) {
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
}

}  // namespace sextant::cli
