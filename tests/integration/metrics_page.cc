// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/metrics_page.h"

#include <cmath>
#include <regex>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace sextant {
namespace {

// name{label="value",...} value
const std::regex& SamplePattern() {
  static const std::regex kPattern(
      R"rx(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*\})? (\S+))rx");
  return kPattern;
}

std::string FamilyOf(const std::string& name, const std::string& type) {
  absl::string_view family = name;
  if (type == "histogram") {
    if (!absl::ConsumeSuffix(&family, "_bucket") &&
        !absl::ConsumeSuffix(&family, "_sum")) {
      absl::ConsumeSuffix(&family, "_count");
    }
  }
  return std::string(family);
}

}  // namespace

MetricsPage::MetricsPage(absl::string_view text) {
  if (!absl::EndsWith(text, "\n")) {
    problems_.emplace_back("the page does not end with a line feed");
  }
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!line.empty()) {
      ReadLine(line);
    }
  }
  CheckHistograms();
}

double MetricsPage::Value(const std::string& series) const {
  const auto found = samples_.find(series);
  return found == samples_.end() ? -1 : found->second;
}

void MetricsPage::ReadLine(absl::string_view line) {
  if (absl::StartsWith(line, "# ")) {
    ReadComment(line);
  } else {
    ReadSample(line);
  }
}

void MetricsPage::ReadComment(absl::string_view line) {
  const std::vector<std::string> words =
      absl::StrSplit(line, absl::MaxSplits(' ', 3));
  if (words.size() != 4 || words[3].empty()) {
    problems_.push_back(absl::StrCat("incomplete: ", line));
    return;
  }
  if (words[1] == "HELP") {
    if (!helped_.insert(words[2]).second) {
      problems_.push_back(absl::StrCat("described twice: ", words[2]));
    }
  } else if (words[1] == "TYPE") {
    if (!families_.emplace(words[2], words[3]).second) {
      problems_.push_back(absl::StrCat("announced twice: ", words[2]));
    }
    if (helped_.count(words[2]) == 0) {
      problems_.push_back(absl::StrCat("without HELP: ", words[2]));
    }
    current_ = words[2];
  } else {
    problems_.push_back(absl::StrCat("neither HELP nor TYPE: ", line));
  }
}

void MetricsPage::ReadSample(absl::string_view line) {
  std::smatch match;
  const std::string text(line);
  double value = 0;
  if (!std::regex_match(text, match, SamplePattern()) ||
      !absl::SimpleAtod(match[3].str(), &value)) {
    problems_.push_back(absl::StrCat("not a sample: ", line));
    return;
  }
  if (FamilyOf(match[1].str(), families_[current_]) != current_) {
    problems_.push_back(absl::StrCat("not of ", current_, ": ", line));
  }
  const std::string series = match[1].str() + match[2].str();
  if (!samples_.emplace(series, value).second) {
    problems_.push_back(absl::StrCat("there twice: ", series));
  }
  order_.push_back(series);
}

void MetricsPage::CheckHistograms() {
  double last = 0;
  std::string last_series;
  for (const std::string& series : order_) {
    const size_t bound = series.find("le=\"");
    if (!absl::StrContains(series, "_bucket{") || bound == std::string::npos) {
      continue;
    }
    const double value = samples_[series];
    const bool first = !absl::StrContains(last_series, "le=") ||
                       absl::StrContains(last_series, "le=\"+Inf\"");
    if (!first && value < last) {
      problems_.push_back(absl::StrCat("falls: ", series));
    }
    last = value;
    last_series = series;
  }
  if (!last_series.empty() && !absl::StrContains(last_series, "+Inf")) {
    problems_.push_back(absl::StrCat("no +Inf bucket: ", last_series));
  }
}

}  // namespace sextant
