// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "engine/database.h"
#include "server/serving_state.h"
#include "server/telemetry/request_metrics.h"
#include "server/telemetry/state_metrics.h"
#include "tests/support/temp_dir.h"

namespace sextant {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;

const MetricFamily* FindFamily(const std::vector<MetricFamily>& families,
                               const std::string& name) {
  for (const MetricFamily& family : families) {
    if (family.name == name) {
      return &family;
    }
  }
  return nullptr;
}

std::string LabelOf(const ClientMetric& metric, const std::string& name) {
  for (const auto& label : metric.label) {
    if (label.name == name) {
      return label.value;
    }
  }
  return "";
}

// The one series of the family that has these labels.
const ClientMetric* FindSeries(
    const MetricFamily& family,
    const std::map<std::string, std::string>& labels) {
  for (const ClientMetric& metric : family.metric) {
    bool matches = true;
    for (const auto& [name, value] : labels) {
      matches = matches && LabelOf(metric, name) == value;
    }
    if (matches) {
      return &metric;
    }
  }
  return nullptr;
}

TEST(RequestMetricsTest, EverythingIsThereAtZeroFromTheStart) {
  RequestMetrics metrics;
  const auto families = metrics.registry().Collect();
  const MetricFamily* const requests =
      FindFamily(families, "sextant_requests_total");
  ASSERT_NE(requests, nullptr);
  EXPECT_EQ(requests->metric.size(), kMethods.size() * 17);
  for (const MetricFamily& family : families) {
    EXPECT_FALSE(family.help.empty()) << family.name;
    EXPECT_FALSE(family.metric.empty()) << family.name;
    for (const ClientMetric& metric : family.metric) {
      EXPECT_EQ(metric.counter.value, 0) << family.name;
      EXPECT_EQ(metric.gauge.value, 0) << family.name;
      EXPECT_EQ(metric.histogram.sample_count, 0) << family.name;
    }
  }
}

TEST(RequestMetricsTest, CountsWhatHappened) {
  RequestMetrics metrics;
  metrics.RequestStarted(Method::kSearch, 100);
  metrics.QueueEntered(Pool::kSearch);
  metrics.QueueLeft(Pool::kSearch, 0.001);
  metrics.WorkEnded(Pool::kSearch);
  metrics.RequestEnded(Method::kSearch, absl::StatusCode::kNotFound, 0.2, 0);
  metrics.QueueEntered(Pool::kWrite);
  metrics.QueueRefused(Pool::kWrite);
  metrics.Wrote(3, 2, 1);
  metrics.Searched(0.1, true);
  const auto families = metrics.registry().Collect();
  const auto counter = [&](const std::string& name,
                           const std::map<std::string, std::string>& labels) {
    return FindSeries(*FindFamily(families, name), labels)->counter.value;
  };
  const auto gauge = [&](const std::string& name,
                         const std::map<std::string, std::string>& labels) {
    return FindSeries(*FindFamily(families, name), labels)->gauge.value;
  };
  EXPECT_EQ(counter("sextant_requests_total",
                    {{"method", "Search"}, {"code", "NOT_FOUND"}}),
            1);
  EXPECT_EQ(gauge("sextant_requests_in_flight", {{"method", "Search"}}), 0);
  EXPECT_EQ(gauge("sextant_requests_waiting", {{"pool", "search"}}), 0);
  EXPECT_EQ(gauge("sextant_requests_working", {{"pool", "search"}}), 0);
  EXPECT_EQ(gauge("sextant_requests_waiting", {{"pool", "write"}}), 0);
  EXPECT_EQ(counter("sextant_requests_refused_total", {{"pool", "write"}}), 1);
  EXPECT_EQ(counter("sextant_points_written_total", {{"operation", "insert"}}),
            3);
  EXPECT_EQ(counter("sextant_slow_searches_total", {}), 1);
  const ClientMetric* const seconds =
      FindSeries(*FindFamily(families, "sextant_request_duration_seconds"),
                 {{"method", "Search"}});
  EXPECT_EQ(seconds->histogram.sample_count, 1);
  EXPECT_EQ(seconds->histogram.sample_sum, 0.2);
}

class StateMetricsTest : public testing::Test {
 protected:
  // `count` empty collections called c0, c1, ...
  void Open(int count) {
    DatabaseOptions options;
    options.store.path = directory_.Child("db");
    ASSERT_OK_AND_ASSIGN(database_, Database::Open(std::move(options)));
    Schema schema;
    schema.vector_fields = {{.name = "v", .dimension = 2}};
    for (int i = 0; i < count; ++i) {
      ASSERT_OK_AND_ASSIGN(const auto collection,
                           database_->Create(absl::StrCat("c", i), schema));
      std::vector<Point> points;
      for (uint64_t id = 0; id < 10; ++id) {
        points.push_back({PointId(id), {{"v", {1, static_cast<float>(id)}}}});
      }
      ASSERT_OK(collection->Upsert(std::move(points), RequestContext()));
    }
    state_.StartServing(database_.get());
  }

  const TempDir directory_;
  ServingState state_;
  std::unique_ptr<Database> database_;
};

TEST_F(StateMetricsTest, EverythingIsThereWhileLoading) {
  const auto families = StateMetrics(&state_, 100).Collect();
  for (const char* name :
       {"sextant_build_info", "sextant_ready", "sextant_collections",
        "sextant_store_write_failed", "sextant_store_memory_bytes",
        "sextant_store_size_bytes", "process_cpu_seconds_total",
        "process_resident_memory_bytes", "process_open_fds",
        "process_start_time_seconds"}) {
    const MetricFamily* const family = FindFamily(families, name);
    ASSERT_NE(family, nullptr) << name;
    EXPECT_FALSE(family->metric.empty()) << name;
  }
  EXPECT_EQ(FindFamily(families, "sextant_ready")->metric[0].gauge.value, 0);
  EXPECT_GT(FindFamily(families, "process_resident_memory_bytes")
                ->metric[0]
                .gauge.value,
            1 << 20);
}

TEST_F(StateMetricsTest, CollectionsPastTheCapAreSummed) {
  ASSERT_NO_FATAL_FAILURE(Open(5));
  const auto families = StateMetrics(&state_, 2).Collect();
  EXPECT_EQ(FindFamily(families, "sextant_collections")->metric[0].gauge.value,
            5);
  const MetricFamily& points =
      *FindFamily(families, "sextant_collection_points");
  ASSERT_EQ(points.metric.size(), 3);
  EXPECT_EQ(FindSeries(points, {{"collection", "c0"}})->gauge.value, 10);
  EXPECT_EQ(FindSeries(points, {{"collection", "c1"}})->gauge.value, 10);
  EXPECT_EQ(FindSeries(points, {{"collection", "(other)"}})->gauge.value, 30);
  EXPECT_EQ(
      FindSeries(*FindFamily(families, "sextant_collection_unindexed_points"),
                 {{"collection", "c0"}})
          ->gauge.value,
      10);
}

TEST_F(StateMetricsTest, ReferenceNamesEveryMetric) {
  std::ifstream file("docs/reference/metrics.md");
  std::ostringstream content;
  content << file.rdbuf();
  RequestMetrics requests;
  auto families = requests.registry().Collect();
  const auto state = StateMetrics(&state_, 100).Collect();
  families.insert(families.end(), state.begin(), state.end());
  for (const MetricFamily& family : families) {
    EXPECT_TRUE(
        absl::StrContains(content.str(), absl::StrCat("`", family.name, "`")))
        << family.name << " is missing in docs/reference/metrics.md";
  }
}

}  // namespace
}  // namespace sextant
