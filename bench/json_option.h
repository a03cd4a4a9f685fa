// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <fstream>
#include <string>

#include "CLI/CLI.hpp"

namespace sextant {

// "--json [FILE]": where a benchmark's numbers go, beside its table. `app`
// outlives this.
class JsonOption {
 public:
  void AddTo(CLI::App& app) {
    option_ = app.add_option("--json", file_,
                             "write JSON to this file, or to standard output")
                  ->expected(0, 1)
                  ->default_str("-");
  }

  bool is_wanted() const { return option_->count() > 0; }
  const std::string& file() const { return file_; }
  // For the table: standard output belongs to the JSON alone.
  std::FILE* table() const {
    return is_wanted() && IsStandardOutput() ? stderr : stdout;
  }

  // Does nothing where it is not wanted; false when `file()` cannot be written.
  bool Write(const std::string& json) const {
    if (!is_wanted()) {
      return true;
    }
    if (IsStandardOutput()) {
      std::fputs(json.c_str(), stdout);
      return true;
    }
    return static_cast<bool>((std::ofstream(file_) << json).flush());
  }

 private:
  bool IsStandardOutput() const { return file_.empty() || file_ == "-"; }

  std::string file_;
  const CLI::Option* option_ = nullptr;
};

}  // namespace sextant
