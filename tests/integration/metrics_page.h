// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace sextant {

// A page in Prometheus' text format (version 0.0.4), read strictly.
class MetricsPage {
 public:
  explicit MetricsPage(absl::string_view text);

  // What is wrong with the page; empty when it is well-formed: every sample
  // belongs to the family announced last, each family is announced once with
  // HELP and TYPE, no series is there twice, histograms are cumulative and end
  // with +Inf.
  const std::vector<std::string>& problems() const { return problems_; }

  // The value of `name{label="value",...}` as written; -1 if it is not there.
  double Value(const std::string& series) const;
  // Family name -> its type.
  const std::map<std::string, std::string>& families() const {
    return families_;
  }

 private:
  void ReadLine(absl::string_view line);
  void ReadComment(absl::string_view line);
  void ReadSample(absl::string_view line);
  void CheckHistograms();

  std::vector<std::string> problems_;
  std::map<std::string, std::string> families_;
  std::set<std::string> helped_;
  std::string current_;
  std::map<std::string, double> samples_;
  std::vector<std::string> order_;
};

}  // namespace sextant
