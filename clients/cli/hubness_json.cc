// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/hubness_json.h"

#include <string>
#include <utility>
#include <variant>

namespace sextant::cli {
namespace {

nlohmann::json ToJson(const client::HubnessMeasurement& measurement) {
  nlohmann::json hubs = nlohmann::json::array();
  for (const client::Hub& hub : measurement.hubs) {
    nlohmann::json one = {{"occurrences", hub.occurrences}};
    std::visit([&one](const auto& id) { one["id"] = id; }, hub.id);
    hubs.push_back(std::move(one));
  }
  nlohmann::json json = HubnessJson(measurement.hubness);
  json["occurrence_histogram"] = measurement.occurrence_histogram;
  json["hubs"] = std::move(hubs);
  return json;
}

nlohmann::json OrNull(const absl::optional<double>& value) {
  return value.has_value() ? nlohmann::json(*value) : nlohmann::json();
}

}  // namespace

nlohmann::json HubnessJson(const client::Hubness& hubness) {
  return {{"points", hubness.points},
          {"queries", hubness.queries},
          {"k", hubness.k},
          {"skewness", hubness.skewness},
          {"robin_hood", hubness.robin_hood},
          {"gini", hubness.gini},
          {"anti_hub_share", hubness.anti_hub_share},
          {"hub_occurrence", hubness.hub_occurrence},
          {"greatest", hubness.greatest}};
}

nlohmann::json HubnessReportJson(const client::HubnessReport& report) {
  nlohmann::json json = {
      {"field", report.field},
      {"raw", ToJson(report.raw)},
      {"normalizer", nullptr},
      {"corrected", nullptr},
      {"skewness_by_chance", report.skewness_by_chance},
      {"anti_hub_share_by_chance", report.anti_hub_share_by_chance},
      {"geometry",
       {{"vectors", report.geometry.vectors},
        {"intrinsic_dimension_mean", report.geometry.intrinsic_dimension_mean},
        {"intrinsic_dimension_median",
         report.geometry.intrinsic_dimension_median},
        {"intrinsic_dimension_left_out",
         report.geometry.intrinsic_dimension_left_out},
        {"uniformity", OrNull(report.geometry.uniformity)},
        {"iso_score", OrNull(report.geometry.iso_score)},
        {"partition_isotropy", OrNull(report.geometry.partition_isotropy)}}}};
  if (report.corrected.has_value()) {
    json["normalizer"] = report.normalizer;
    json["corrected"] = ToJson(*report.corrected);
  }
  return json;
}

}  // namespace sextant::cli
