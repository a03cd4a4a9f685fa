// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/cut_off_text.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

#include "base/status_macros.h"
#include "clients/cli/exit_code.h"

namespace sextant::cli {
namespace {

absl::Status Wrong(absl::string_view part, absl::string_view expected) {
  return UsageError(
      absl::StrCat("--cut-off: '", part, "': expected ", expected));
}

absl::StatusOr<double> ParseNumber(absl::string_view part,
                                   absl::string_view digits) {
  double number = 0;
  if (!absl::SimpleAtod(digits, &number)) {
    return Wrong(part, "a number");
  }
  return number;
}

absl::StatusOr<client::ScoreGap> ParseGap(absl::string_view parameters) {
  client::ScoreGap gap;
  for (const absl::string_view part :
       absl::StrSplit(parameters, ',', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(part, absl::MaxSplits('=', 1));
    if (part == "empty") {
      gap.empty_without_gap = true;
    } else if (pair.first == "n") {
      if (!absl::SimpleAtoi(pair.second, &gap.candidates)) {
        return Wrong(part, "a whole number");
      }
    } else if (pair.first == "size") {
      ASSIGN_OR_RETURN(gap.min_gap, ParseNumber(part, pair.second));
    } else if (pair.first == "ratio") {
      ASSIGN_OR_RETURN(gap.min_ratio, ParseNumber(part, pair.second));
    } else {
      return Wrong(part, "size=S, ratio=R, n=N or empty");
    }
  }
  return gap;
}

}  // namespace

absl::StatusOr<client::CutOff> ParseCutOff(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> pair =
      absl::StrSplit(text, absl::MaxSplits(':', 1));
  if (pair.first == "gap") {
    ASSIGN_OR_RETURN(const client::ScoreGap gap, ParseGap(pair.second));
    return client::CutOff(gap);
  }
  if (pair.first == "min") {
    ASSIGN_OR_RETURN(const double score, ParseNumber(text, pair.second));
    return client::CutOff(client::MinScore{score});
  }
  if (pair.first == "adapter" && !pair.second.empty()) {
    return client::CutOff(
        client::AdapterCutOff{.name = std::string(pair.second)});
  }
  return Wrong(text,
               "min:SCORE, gap[:size=S,ratio=R,n=N,empty] or adapter:NAME");
}

std::string NoHitsText(const client::CutOffOutcome& outcome) {
  if (!outcome.nothing_relevant || !outcome.best_score.has_value()) {
    return "no hits";
  }
  std::string text =
      absl::StrFormat("nothing relevant: the best of %d points scores %.4g",
                      outcome.candidates, *outcome.best_score);
  if (outcome.least_score.has_value()) {
    absl::StrAppendFormat(&text, ", below %.4g", *outcome.least_score);
  } else {
    absl::StrAppend(&text, ", and no gap sets any of them apart");
  }
  return text;
}

}  // namespace sextant::cli
