// SPDX-License-Identifier: Apache-2.0
#include "server/telemetry/request_metrics.h"

#include <algorithm>
#include <string>

#include "prometheus/family.h"

namespace sextant {
namespace {

using Buckets = prometheus::Histogram::BucketBoundaries;

// 50 us to 10 s: a search in memory takes tens of microseconds, a durable write
// one or more disk flushes.
const Buckets& SecondsBuckets() {
  static const Buckets kBuckets = {
      0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
      0.05,    0.1,    0.25,    0.5,    1,     2.5,    5,     10};
  return kBuckets;
}

// 64 B to 64 MiB, four times as much each.
const Buckets& BytesBuckets() {
  static const Buckets kBuckets = [] {
    Buckets buckets;
    for (double size = 64; size <= 64.0 * 1024 * 1024; size *= 4) {
      buckets.push_back(size);
    }
    return buckets;
  }();
  return kBuckets;
}

std::string CodeName(size_t code) {
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
}

prometheus::Counter* MakeCounter(prometheus::Registry* registry,
                                 const char* name, const char* help,
                                 const prometheus::Labels& labels) {
  return &prometheus::BuildCounter()
              .Name(name)
              .Help(help)
              .Register(*registry)
              .Add(labels);
}

prometheus::Gauge* MakeGauge(prometheus::Registry* registry, const char* name,
                             const char* help,
                             const prometheus::Labels& labels) {
  return &prometheus::BuildGauge()
              .Name(name)
              .Help(help)
              .Register(*registry)
              .Add(labels);
}

prometheus::Histogram* MakeHistogram(prometheus::Registry* registry,
                                     const char* name, const char* help,
                                     const prometheus::Labels& labels,
                                     const Buckets& buckets) {
  return &prometheus::BuildHistogram()
              .Name(name)
              .Help(help)
              .Register(*registry)
              .Add(labels, buckets);
}

}  // namespace

RequestMetrics::RequestMetrics() {
  MakeMethodSeries();
  MakePoolSeries();
  MakeWorkSeries();
}

void RequestMetrics::MakeMethodSeries() {
  for (const MethodInfo& info : kMethods) {
    MethodSeries& series = methods_[IndexOf(info.method)];
    const prometheus::Labels labels = {{"method", std::string(info.name)}};
    for (size_t code = 0; code < kCodes; ++code) {
      prometheus::Labels with_code = labels;
      with_code["code"] = CodeName(code);
      series.by_code[code] = MakeCounter(
          &registry_, "sextant_requests_total",
          "Ended calls, by method and gRPC status code.", with_code);
    }
    series.seconds = MakeHistogram(
        &registry_, "sextant_request_duration_seconds",
        "Time from the arrival of a call to its answer, waiting included.",
        labels, SecondsBuckets());
    series.request_bytes =
        MakeHistogram(&registry_, "sextant_request_size_bytes",
                      "Size of the request messages.", labels, BytesBuckets());
    series.response_bytes = MakeHistogram(
        &registry_, "sextant_response_size_bytes",
        "Size of the answers that carried a message.", labels, BytesBuckets());
    series.in_flight = MakeGauge(&registry_, "sextant_requests_in_flight",
                                 "Calls that are not answered yet.", labels);
  }
}

void RequestMetrics::MakePoolSeries() {
  for (size_t i = 0; i < kPoolNames.size(); ++i) {
    const prometheus::Labels labels = {{"pool", std::string(kPoolNames[i])}};
    PoolSeries& series = pools_[i];
    series.waiting = MakeGauge(&registry_, "sextant_requests_waiting",
                               "Calls that wait for a thread.", labels);
    series.working = MakeGauge(&registry_, "sextant_requests_working",
                               "Calls that a thread works on.", labels);
    series.refused = MakeCounter(
        &registry_, "sextant_requests_refused_total",
        "Calls answered with RESOURCE_EXHAUSTED because too many waited.",
        labels);
    series.wait_seconds = MakeHistogram(
        &registry_, "sextant_request_wait_seconds",
        "Time that calls waited for a thread.", labels, SecondsBuckets());
  }
}

void RequestMetrics::MakeWorkSeries() {
  search_seconds_ = MakeHistogram(
      &registry_, "sextant_search_duration_seconds",
      "Time inside the engine of each search, those of batches one by one.", {},
      SecondsBuckets());
  slow_searches_ =
      MakeCounter(&registry_, "sextant_slow_searches_total",
                  "Searches that took longer than log.slow_query_ms.", {});
  const char* const name = "sextant_points_written_total";
  const char* const help = "Points written durably, by what happened to them.";
  inserted_ = MakeCounter(&registry_, name, help, {{"operation", "insert"}});
  updated_ = MakeCounter(&registry_, name, help, {{"operation", "update"}});
  deleted_ = MakeCounter(&registry_, name, help, {{"operation", "delete"}});
}

void RequestMetrics::RequestStarted(Method method, size_t request_bytes) {
  MethodSeries& series = methods_[IndexOf(method)];
  series.in_flight->Increment();
  if (method != Method::kStreamUpsertPoints) {
    series.request_bytes->Observe(static_cast<double>(request_bytes));
  }
}

void RequestMetrics::RequestEnded(Method method, absl::StatusCode code,
                                  double seconds, size_t response_bytes) {
  MethodSeries& series = methods_[IndexOf(method)];
  const auto number = static_cast<size_t>(code);
  series.by_code[std::min(number, kCodes - 1)]->Increment();
  series.seconds->Observe(seconds);
  if (response_bytes != 0) {
    series.response_bytes->Observe(static_cast<double>(response_bytes));
  }
  series.in_flight->Decrement();
}

void RequestMetrics::StreamMessage(Method method, size_t request_bytes,
                                   size_t response_bytes) {
  MethodSeries& series = methods_[IndexOf(method)];
  series.request_bytes->Observe(static_cast<double>(request_bytes));
  series.response_bytes->Observe(static_cast<double>(response_bytes));
}

void RequestMetrics::QueueRefused(Pool pool) {
  PoolSeries& series = pools_[IndexOf(pool)];
  series.waiting->Decrement();
  series.refused->Increment();
}

void RequestMetrics::QueueLeft(Pool pool, double seconds) {
  PoolSeries& series = pools_[IndexOf(pool)];
  series.waiting->Decrement();
  series.working->Increment();
  series.wait_seconds->Observe(seconds);
}

void RequestMetrics::Searched(double seconds, bool slow) {
  search_seconds_->Observe(seconds);
  if (slow) {
    slow_searches_->Increment();
  }
}

void RequestMetrics::Wrote(uint64_t inserted, uint64_t updated,
                           uint64_t deleted) {
  inserted_->Increment(static_cast<double>(inserted));
  updated_->Increment(static_cast<double>(updated));
  deleted_->Increment(static_cast<double>(deleted));
}

}  // namespace sextant
