// SPDX-License-Identifier: Apache-2.0
// `sextant hubness`.
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/hubness_json.h"
#include "clients/cli/output.h"
#include "clients/cli/progress.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"

namespace sextant::cli {
namespace {

struct HubnessOptions {
  std::string collection;
  client::DiagnoseRequest request;
};

std::string Number(double value) {
  return absl::StrFormat("%.3f", value);
}

// A row for raw scores, chance, and the corrected ones if there are any.
absl::Status ShowFigures(const client::HubnessReport& report) {
  std::vector<Column> columns = {
      {"measure"}, {"raw", Align::kRight}, {"by chance", Align::kRight}};
  if (report.corrected.has_value()) {
    columns.push_back({report.normalizer, Align::kRight});
  }
  Table table(columns);
  const auto add = [&](const char* name, double client::Hubness::*member,
                       const std::string& chance) {
    std::vector<std::string> cells = {name, Number(report.raw.hubness.*member),
                                      chance};
    if (report.corrected.has_value()) {
      cells.push_back(Number(report.corrected->hubness.*member));
    }
    table.AddRow(cells);
  };
  add("skewness", &client::Hubness::skewness,
      Number(report.skewness_by_chance));
  add("Robin Hood index", &client::Hubness::robin_hood, "");
  add("Gini", &client::Hubness::gini, "");
  add("share of anti-hubs", &client::Hubness::anti_hub_share,
      Number(report.anti_hub_share_by_chance));
  add("share held by hubs", &client::Hubness::hub_occurrence, "");
  return Print(table.Render(OutputWidth()));
}

// "0", "1", "2-3", "4-7".
std::string Bucket(size_t i) {
  if (i < 2) {
    return absl::StrCat(i);
  }
  const uint64_t first = uint64_t{1} << (i - 1);
  return absl::StrCat(first, "-", 2 * first - 1);
}

std::string Bar(uint64_t points, uint64_t most) {
  constexpr double kColumns = 30;
  const double share =
      most == 0 ? 0 : static_cast<double>(points) / static_cast<double>(most);
  return std::string(static_cast<size_t>(std::ceil(share * kColumns)), '#');
}

absl::Status ShowHistogram(const client::HubnessReport& report) {
  std::vector<Column> columns = {
      {"occurs"}, {"points, raw", Align::kRight}, {""}};
  std::vector<const std::vector<uint64_t>*> histograms = {
      &report.raw.occurrence_histogram};
  if (report.corrected.has_value()) {
    columns.push_back(
        {absl::StrCat("points, ", report.normalizer), Align::kRight});
    columns.push_back({""});
    histograms.push_back(&report.corrected->occurrence_histogram);
  }
  size_t buckets = 0;
  uint64_t most = 0;
  for (const auto* histogram : histograms) {
    buckets = std::max(buckets, histogram->size());
    for (const uint64_t points : *histogram) {
      most = std::max(most, points);
    }
  }
  Table table(columns);
  for (size_t i = 0; i < buckets; ++i) {
    std::vector<std::string> cells = {Bucket(i)};
    for (const auto* histogram : histograms) {
      const uint64_t points = i < histogram->size() ? (*histogram)[i] : 0;
      cells.push_back(WithCommas(points));
      cells.push_back(Bar(points, most));
    }
    table.AddRow(cells);
  }
  return Print(table.Render(OutputWidth()));
}

absl::Status ShowHubs(const client::HubnessReport& report) {
  std::vector<Column> columns = {{"worst hub"}, {"occurs", Align::kRight}};
  if (report.corrected.has_value()) {
    columns.push_back({absl::StrCat("worst, ", report.normalizer)});
    columns.push_back({"occurs", Align::kRight});
  }
  Table table(columns);
  const size_t rows = std::max(
      report.raw.hubs.size(),
      report.corrected.has_value() ? report.corrected->hubs.size() : 0);
  for (size_t i = 0; i < rows; ++i) {
    std::vector<std::string> cells;
    const auto add = [&](const std::vector<client::Hub>& hubs) {
      cells.push_back(i < hubs.size() ? client::ToString(hubs[i].id) : "");
      cells.push_back(i < hubs.size() ? WithCommas(hubs[i].occurrences) : "");
    };
    add(report.raw.hubs);
    if (report.corrected.has_value()) {
      add(report.corrected->hubs);
    }
    table.AddRow(cells);
  }
  return Print(table.Render(OutputWidth()));
}

std::string GeometryText(const client::VectorGeometry& geometry) {
  std::string text = absl::StrFormat(
      "Intrinsic dimension: mean %.1f, median %.1f",
      geometry.intrinsic_dimension_mean, geometry.intrinsic_dimension_median);
  const auto add = [&text](const char* name,
                           const absl::optional<double>& value) {
    if (value.has_value()) {
      absl::StrAppendFormat(&text, "; %s %.3f", name, *value);
    }
  };
  add("uniformity", geometry.uniformity);
  add("IsoScore", geometry.iso_score);
  add("partition isotropy", geometry.partition_isotropy);
  return absl::StrCat(text, " (", WithCommas(geometry.vectors), " vectors).");
}

absl::Status Show(Session& session, const HubnessOptions& options,
                  const client::HubnessReport& report) {
  if (session.json()) {
    return PrintLine(HubnessReportJson(report).dump());
  }
  const client::Hubness& raw = report.raw.hubness;
  RETURN_IF_ERROR(PrintLine(
      absl::StrCat("The ", raw.k, " nearest of ", WithCommas(raw.points),
                   " points, for ", WithCommas(raw.queries), " queries: ",
                   options.request.bank.empty()
                       ? std::string("points of the collection")
                       : absl::StrCat("vectors of bank ", options.request.bank),
                   ".\n")));
  RETURN_IF_ERROR(ShowFigures(report));
  RETURN_IF_ERROR(PrintLine(""));
  RETURN_IF_ERROR(ShowHistogram(report));
  RETURN_IF_ERROR(PrintLine(""));
  RETURN_IF_ERROR(ShowHubs(report));
  return PrintLine(absl::StrCat("\n", GeometryText(report.geometry)));
}

absl::Status Diagnose(Session& session, const HubnessOptions& options) {
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  ProgressMeter meter(ErrorIsTerminal());
  ProgressState state{.unit = "queries"};
  const absl::StatusOr<client::HubnessReport> report = client->DiagnoseHubness(
      options.collection, options.request,
      [&](const client::WorkProgress& progress) {
        if (progress.stage != "geometry") {
          state.done = progress.done;
          state.total = progress.total;
          state.unit = absl::StrCat("queries, ", progress.stage);
          meter.Show(state);
        }
        return true;
      },
      {.timeout = absl::InfiniteDuration()});
  meter.Done(state);
  RETURN_IF_ERROR(report.status());
  return Show(session, options, *report);
}

}  // namespace

void AddHubnessCommand(CLI::App& app, Action* action) {
  auto options = std::make_shared<HubnessOptions>();
  client::DiagnoseRequest* const request = &options->request;
  CLI::App* command = app.add_subcommand(
      "hubness", "How unevenly answers fall upon the points: hubs, anti-hubs");
  command->add_option("COLLECTION", options->collection, "The collection")
      ->required();
  command->add_option(
      "--bank", request->bank,
      "A bank whose vectors ask; else points of the collection");
  command->add_option("--queries", request->queries_max,
                      "Queries, at most; 0: 1,000, up to 20,000");
  command->add_option("-k", request->k, "Neighbours that count; 0: 10");
  command->add_option("--normalizer", request->normalizer,
                      "Measure this one, too; none: raw scores alone; default: "
                      "that of the field");
  command->add_option("--hubs", request->hubs_max, "Worst hubs to show; 0: 10");
  command->add_option("--field", request->field, "Vector field");
  command->add_option("--seed", request->seed, "Which queries")
      ->capture_default_str();
  command->add_flag("--exact", request->exact,
                    "Compare with every point, not by the index");
  command->footer(
      "Examples:\n"
      "  sextant hubness docs\n"
      "  sextant hubness docs --bank asked --normalizer is --hubs 20\n"
      "  sextant hubness docs -k 5 --queries 5000 --output json\n"
      "\n"
      "The skewness of how often points occur says how bad it is: 0 where all\n"
      "occur as often, above 1.2 or so a normalizer gains. See docs/how-to/\n"
      "normalize.md.");
  command->callback([options, action] {
    *action = [options](Session& session) {
      return Diagnose(session, *options);
    };
  });
}

}  // namespace sextant::cli
