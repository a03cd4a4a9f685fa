// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/search_tables.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "base/status_macros.h"
#include "clients/cli/output.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"

namespace sextant::cli {

std::string ScoreText(float score) {
  return std::abs(score) < 1000 ? absl::StrFormat("%.4f", score)
                                : absl::StrFormat("%.6g", score);
}

std::string MarkedText(const client::HighlightFragment& fragment) {
  const absl::string_view text = fragment.text;
  std::string marked;
  size_t at = 0;
  for (const client::HighlightMatch& match : fragment.matches) {
    absl::StrAppend(&marked, text.substr(at, match.begin - at), "**",
                    text.substr(match.begin, match.end - match.begin), "**");
    at = match.end;
  }
  absl::StrAppend(&marked, text.substr(at));
  return marked;
}

absl::Status PrintHighlights(const std::vector<client::Hit>& hits) {
  Table table({{"id"}, {"field"}, {"match"}});
  for (const client::Hit& hit : hits) {
    for (const client::FieldHighlight& highlight : hit.highlights) {
      for (const client::HighlightFragment& fragment : highlight.fragments) {
        table.AddRow(
            {client::ToString(hit.id), highlight.field, MarkedText(fragment)});
      }
    }
  }
  return table.empty() ? absl::OkStatus()
                       : Print(absl::StrCat("\n", table.Render(OutputWidth())));
}

absl::Status PrintSources(const std::vector<client::Hit>& hits) {
  Table table({{"id"},
               {"source"},
               {"score", Align::kRight},
               {"rank", Align::kRight},
               {"normalised", Align::kRight},
               {"weight", Align::kRight},
               {"share", Align::kRight},
               {"parts"}});
  for (const client::Hit& hit : hits) {
    for (const client::SourceScore& source : hit.sources) {
      std::string words;
      for (const client::TermScore& term : source.terms) {
        absl::StrAppend(&words, words.empty() ? "" : ", ", term.term, " ",
                        ScoreText(term.score));
      }
      for (const client::SparseProduct& product : source.products) {
        absl::StrAppend(&words, words.empty() ? "" : ", ", product.index, " ",
                        ScoreText(product.score));
      }
      table.AddRow(
          {client::ToString(hit.id), source.kind,
           source.score.has_value() ? absl::StrFormat("%.4f", *source.score)
                                    : std::string(),
           source.rank == 0 ? std::string("-") : absl::StrCat(source.rank),
           absl::StrFormat("%.4f", source.normalised),
           absl::StrFormat("%g", source.weight),
           absl::StrFormat("%.4f", source.share), words});
    }
  }
  return Print(absl::StrCat("\n", table.Render(OutputWidth())));
}

absl::Status PrintExplanation(const client::Explanation& explanation) {
  RETURN_IF_ERROR(PrintLine(absl::StrCat("\nplan:\n", explanation.plan)));
  Table table({{"stage"},
               {"in", Align::kRight},
               {"out", Align::kRight},
               {"distances", Align::kRight},
               {"time", Align::kRight}});
  for (const client::StageTiming& stage : explanation.stages) {
    table.AddRow({stage.name, WithCommas(stage.candidates_in),
                  WithCommas(stage.candidates_out), WithCommas(stage.distances),
                  HumanTime(stage.time)});
  }
  return Print(table.Render(OutputWidth()));
}

}  // namespace sextant::cli
