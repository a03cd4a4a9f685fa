// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/mined_file.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>
#include <variant>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

#include "base/status_macros.h"
#include "clients/cli/exit_code.h"
#include "clients/formats/input_file.h"

namespace sextant::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kMinedFormat = 1;

}  // namespace

std::string MinedLine(const client::MinedPair& pair) {
  Json json;
  const auto put = [&json](const char* key, const client::PointId& id) {
    std::visit([&](const auto& value) { json[key] = value; }, id);
  };
  put("source", pair.source);
  put("target", pair.target);
  json["score"] = pair.score;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

MinedFile::MinedFile(const std::string& path, const std::string& what)
    : path_(path), what_(what) {}

MinedFile::~MinedFile() {
  if (file_ != nullptr) {
    std::fclose(file_);
  }
}

absl::StatusOr<std::unique_ptr<MinedFile>> MinedFile::Open(
    const std::string& path, const std::string& what, bool resume) {
  auto file = absl::WrapUnique(new MinedFile(path, what));
  if (resume) {
    RETURN_IF_ERROR(InputError(file->LoadState()));
  }
  file->file_ = std::fopen(path.c_str(), resume ? "r+b" : "wb");
  if (file->file_ == nullptr) {
    return InputError(FileError(errno, "write", path));
  }
  if (resume) {
    std::error_code error;
    const uint64_t size = std::filesystem::file_size(path, error);
    if (error || size < file->bytes_) {
      return InputError(absl::InvalidArgumentError(
          absl::StrCat(path, ": shorter than ", file->StatePath(), " says")));
    }
    std::filesystem::resize_file(path, file->bytes_, error);
    if (error || std::fseek(file->file_, static_cast<long>(file->bytes_),
                            SEEK_SET) != 0) {
      return InputError(FileError(errno, "write", path));
    }
  }
  return file;
}

absl::Status MinedFile::LoadState() {
  std::ifstream in(StatePath());
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded() || json.value("format", 0) != kMinedFormat) {
    return absl::InvalidArgumentError(absl::StrCat(
        StatePath(), ": nothing there to resume; leave out --resume"));
  }
  try {
    if (json.at("what").get<std::string>() != what_) {
      return absl::InvalidArgumentError(
          absl::StrCat(StatePath(),
                       ": of a mining with other options; resume with those, "
                       "or leave out --resume"));
    }
    token_ = json.at("resume_token").get<std::string>();
    lines_ = json.at("lines").get<uint64_t>();
    bytes_ = json.at("bytes").get<uint64_t>();
  } catch (const Json::exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat(StatePath(), ": ", error.what()));
  }
  return absl::OkStatus();
}

absl::Status MinedFile::SaveState() {
  Json json;
  json["format"] = kMinedFormat;
  json["what"] = what_;
  json["lines"] = lines_;
  json["bytes"] = bytes_;
  json["resume_token"] = token_;
  // At once, so that a kill leaves the old state or the new.
  const std::string next = StatePath() + ".new";
  std::ofstream out(next, std::ios::trunc);
  out << json.dump() << "\n";
  out.close();
  if (!out || std::rename(next.c_str(), StatePath().c_str()) != 0) {
    return FileError(errno, "write", StatePath());
  }
  return absl::OkStatus();
}

absl::Status MinedFile::Append(std::span<const client::MinedPair> pairs,
                               absl::string_view resume_token) {
  for (const client::MinedPair& pair : pairs) {
    const std::string line = MinedLine(pair);
    if (std::fwrite(line.data(), 1, line.size(), file_) != line.size()) {
      return FileError(errno, "write", path_);
    }
    bytes_ += line.size();
    ++lines_;
  }
  if (std::fflush(file_) != 0) {
    return FileError(errno, "write", path_);
  }
  token_ = std::string(resume_token);
  return SaveState();
}

absl::Status MinedFile::Finish() {
  if (std::fclose(std::exchange(file_, nullptr)) != 0) {
    return FileError(errno, "write", path_);
  }
  std::error_code ignored;  // a state that is left does no harm
  std::filesystem::remove(StatePath(), ignored);
  return absl::OkStatus();
}

}  // namespace sextant::cli
