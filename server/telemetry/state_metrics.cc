// SPDX-License-Identifier: Apache-2.0
#include "server/telemetry/state_metrics.h"

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <memory>
#include <utility>

#include "base/version.h"
#include "engine/limits.h"
#include "engine/simd_level.h"
#include "server/telemetry/family.h"
#include "server/telemetry/process_metrics.h"

namespace sextant {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr char kOther[] = "(other)";

// What is exported of a collection, so that several can be summed.
struct CollectionNumbers {
  std::string label;
  double points = 0;
  double applied_seq = 0;
  double unindexed_points = 0;
  double segments = 0;
  double dead_rows = 0;
  double growing_bytes = 0;
  double sealed_bytes = 0;
  double graph_bytes = 0;
  double code_bytes = 0;
  double vector_bytes = 0;
  double mapped_vector_bytes = 0;
  double disk_vector_bytes = 0;
  double id_bytes = 0;
  double building = 0;
  double build_rows_done = 0;
  double build_rows_total = 0;
  double rebuilds = 0;
  double unfilled_points = 0;
  double unindexed_texts = 0;
  double payload_misfits = 0;
  double damaged = 0;
  double recall_probes = 0;
  double recall_hits = 0;
  double recall_found = 0;
  double recent_recall_hits = 0;
  double recent_recall_found = 0;
  std::vector<HubnessRecord> hubness;
  std::vector<NormalizerShift> query_shifts;
};

struct CollectionMetric {
  const char* name;
  const char* help;
  MetricType type;
  double CollectionNumbers::*member;
};

constexpr std::array<CollectionMetric, 24> kCollectionMetrics = {{
    {"sextant_collection_points", "Live points.", MetricType::Gauge,
     &CollectionNumbers::points},
    {"sextant_collection_applied_sequence",
     "Sequence number of the newest write.", MetricType::Gauge,
     &CollectionNumbers::applied_seq},
    {"sextant_collection_unindexed_points",
     "Points that are searched by exact scan because no graph holds them yet.",
     MetricType::Gauge, &CollectionNumbers::unindexed_points},
    {"sextant_collection_segments", "Immutable segments.", MetricType::Gauge,
     &CollectionNumbers::segments},
    {"sextant_collection_dead_rows",
     "Deleted or overwritten rows that no merge has reclaimed yet.",
     MetricType::Gauge, &CollectionNumbers::dead_rows},
    {"sextant_collection_growing_bytes", "Memory of the growing segments.",
     MetricType::Gauge, &CollectionNumbers::growing_bytes},
    {"sextant_collection_index_bytes", "Size of the mapped segment files.",
     MetricType::Gauge, &CollectionNumbers::sealed_bytes},
    {"sextant_collection_graph_bytes", "Memory of the graphs' links.",
     MetricType::Gauge, &CollectionNumbers::graph_bytes},
    {"sextant_collection_code_bytes", "Memory of the vectors' codes.",
     MetricType::Gauge, &CollectionNumbers::code_bytes},
    {"sextant_collection_vector_bytes",
     "Memory of the sealed segments' float vectors.", MetricType::Gauge,
     &CollectionNumbers::vector_bytes},
    {"sextant_collection_mapped_vector_bytes",
     "Float vectors that are read from mapped segment files.",
     MetricType::Gauge, &CollectionNumbers::mapped_vector_bytes},
    {"sextant_collection_disk_vector_bytes",
     "Float vectors that only exact searches and merges read.",
     MetricType::Gauge, &CollectionNumbers::disk_vector_bytes},
    {"sextant_collection_id_bytes", "Memory of ids and of where points lie.",
     MetricType::Gauge, &CollectionNumbers::id_bytes},
    {"sextant_collection_building",
     "1 while a segment is built or merged in the background.",
     MetricType::Gauge, &CollectionNumbers::building},
    {"sextant_collection_build_rows_done",
     "Rows that the running build has placed.", MetricType::Gauge,
     &CollectionNumbers::build_rows_done},
    {"sextant_collection_build_rows", "Rows of the running build.",
     MetricType::Gauge, &CollectionNumbers::build_rows_total},
    {"sextant_collection_rebuilds_total",
     "Times the index was made anew from the store since the start.",
     MetricType::Counter, &CollectionNumbers::rebuilds},
    {"sextant_collection_unfilled_points",
     "Points that do not have the values of an added payload field yet; of "
     "several fields, the one that most points lack.",
     MetricType::Gauge, &CollectionNumbers::unfilled_points},
    {"sextant_collection_unindexed_texts",
     "Points whose text a changed text field does not have in its new index "
     "yet.",
     MetricType::Gauge, &CollectionNumbers::unindexed_texts},
    {"sextant_collection_payload_misfits_total",
     "Values of stored payloads that did not fit an added payload field, and "
     "texts that a changed text field refused.",
     MetricType::Counter, &CollectionNumbers::payload_misfits},
    {"sextant_collection_damaged",
     "1 when the stored data of the collection is damaged.", MetricType::Gauge,
     &CollectionNumbers::damaged},
    {"sextant_collection_recall_probes_total",
     "Sampled searches that were repeated and compared with exact answers.",
     MetricType::Counter, &CollectionNumbers::recall_probes},
    {"sextant_collection_recall_probe_hits_total",
     "Hits of those exact answers.", MetricType::Counter,
     &CollectionNumbers::recall_hits},
    {"sextant_collection_recall_probe_found_total",
     "Hits of those exact answers that the searches found.",
     MetricType::Counter, &CollectionNumbers::recall_found},
}};

CollectionNumbers NumbersOf(const CollectionInfo& info) {
  CollectionNumbers numbers;
  numbers.label = info.name;
  numbers.points = static_cast<double>(info.point_count);
  numbers.applied_seq = static_cast<double>(info.applied_seq);
  numbers.unindexed_points = static_cast<double>(info.index.unindexed_points);
  numbers.segments = info.index.sealed_segments;
  numbers.dead_rows = static_cast<double>(info.index.dead_rows);
  numbers.growing_bytes = static_cast<double>(info.index.growing_bytes);
  numbers.sealed_bytes = static_cast<double>(info.index.sealed_bytes);
  const IndexMemory& memory = info.index.memory;
  numbers.graph_bytes = static_cast<double>(memory.graph);
  numbers.code_bytes = static_cast<double>(memory.codes);
  numbers.vector_bytes = static_cast<double>(memory.vectors_in_memory);
  numbers.mapped_vector_bytes = static_cast<double>(memory.vectors_mapped);
  numbers.disk_vector_bytes = static_cast<double>(memory.vectors_on_disk);
  numbers.id_bytes =
      static_cast<double>(memory.ordinals + info.index.ids_bytes);
  numbers.building = info.index.building ? 1 : 0;
  numbers.build_rows_done = static_cast<double>(info.index.build_rows_done);
  numbers.build_rows_total = static_cast<double>(info.index.build_rows_total);
  numbers.rebuilds = static_cast<double>(info.index.rebuilds);
  for (const FieldFill& fill : info.fills) {
    numbers.unfilled_points =
        std::max(numbers.unfilled_points,
                 static_cast<double>(fill.points_total - fill.points_done));
  }
  if (info.text_change.has_value()) {
    numbers.unindexed_texts = static_cast<double>(
        info.text_change->points_total - info.text_change->points_done);
  }
  numbers.payload_misfits = static_cast<double>(info.index.payload_misfits);
  numbers.damaged = info.health.ok() ? 0 : 1;
  numbers.recall_probes = static_cast<double>(info.recall.probes);
  numbers.recall_hits = static_cast<double>(info.recall.hits);
  numbers.recall_found = static_cast<double>(info.recall.found);
  numbers.recent_recall_hits = info.recall.recent_hits;
  numbers.recent_recall_found = info.recall.recent_found;
  numbers.hubness = info.hubness;
  numbers.query_shifts = info.query_shifts;
  return numbers;
}

std::vector<CollectionNumbers> Summarize(const Database& database,
                                         size_t labels_max) {
  std::vector<CollectionNumbers> rows;
  CollectionNumbers other;
  other.label = kOther;
  bool has_other = false;
  for (const auto& collection : database.List("", limits::kCollectionsMax)) {
    CollectionNumbers numbers = NumbersOf(collection->Info());
    if (rows.size() < labels_max) {
      rows.push_back(std::move(numbers));
      continue;
    }
    has_other = true;
    for (const CollectionMetric& metric : kCollectionMetrics) {
      other.*metric.member += numbers.*metric.member;
    }
    other.recent_recall_hits += numbers.recent_recall_hits;
    other.recent_recall_found += numbers.recent_recall_found;
  }
  if (has_other) {
    rows.push_back(std::move(other));
  }
  return rows;
}

// Only of collections that were probed: 0 would look like a failure, 1 like a
// success.
void AddRecall(std::vector<MetricFamily>* families,
               const std::vector<CollectionNumbers>& rows) {
  families->push_back(
      MakeFamily("sextant_collection_recall_ratio",
                 "Recall of sampled searches, the recent ones counting most.",
                 MetricType::Gauge));
  for (const CollectionNumbers& row : rows) {
    if (row.recent_recall_hits > 0) {
      AddSample(&families->back(),
                row.recent_recall_found / row.recent_recall_hits,
                {{"collection", row.label}});
    }
  }
}

struct HubnessMetric {
  const char* name;
  const char* help;
  double Hubness::*member;
};

constexpr std::array<HubnessMetric, 3> kHubnessMetrics = {{
    {"sextant_hubness_skewness",
     "Skewness of k-occurrences, as last measured by DiagnoseHubness.",
     &Hubness::skewness},
    {"sextant_hubness_robin_hood_index",
     "Share of k-occurrences that would have to move for all points to have "
     "as many, as last measured.",
     &Hubness::robin_hood},
    {"sextant_hubness_anti_hub_ratio",
     "Share of points that were nobody's neighbour, as last measured.",
     &Hubness::anti_hub_share},
}};

// Of collections that have labels of their own and were measured.
void AddHubness(std::vector<MetricFamily>* families,
                const std::vector<CollectionNumbers>& rows) {
  for (const HubnessMetric& metric : kHubnessMetrics) {
    families->push_back(
        MakeFamily(metric.name, metric.help, MetricType::Gauge));
    for (const CollectionNumbers& row : rows) {
      for (const HubnessRecord& record : row.hubness) {
        AddSample(&families->back(), record.hubness.*metric.member,
                  {{"collection", row.label},
                   {"field", record.field},
                   {"normalizer", record.normalizer}});
      }
    }
  }
}

// Of normalisers whose queries are sampled, of collections with a label.
void AddQueryShifts(std::vector<MetricFamily>* families,
                    const std::vector<CollectionNumbers>& rows) {
  families->push_back(MakeFamily(
      "sextant_normalizer_query_shift_ratio",
      "Distance of the distributions of the newest queries' similarities to "
      "the query bank and of its own vectors'.",
      MetricType::Gauge));
  for (const CollectionNumbers& row : rows) {
    for (const NormalizerShift& one : row.query_shifts) {
      AddSample(&families->back(), one.shift.distance,
                {{"collection", row.label}, {"normalizer", one.normalizer}});
    }
  }
}

void AddOne(std::vector<MetricFamily>* families, const char* name,
            const char* help, double value, MetricLabels labels = {}) {
  families->push_back(MakeFamily(name, help, MetricType::Gauge));
  AddSample(&families->back(), value, std::move(labels));
}

}  // namespace

std::vector<MetricFamily> StateMetrics::Collect() const {
  std::vector<MetricFamily> families = CollectProcessMetrics();
  AddOne(&families, "sextant_build_info", "Always 1; the labels say what runs.",
         1,
         {{"version", std::string(Version())},
          {"simd", std::string(SimdLevel())}});
  AddOne(&families, "sextant_ready", "1 while the server serves.",
         state_->phase() == ServingState::Phase::kServing ? 1 : 0);
  // Present, at zero, also while loading.
  std::vector<CollectionNumbers> rows;
  Store::DiskUse disk;
  double collections = 0;
  double write_failed = 0;
  double store_memory = 0;
  if (const Database* const database = state_->loaded_database()) {
    rows = Summarize(*database, collection_labels_max_);
    disk = database->disk_use();
    store_memory = static_cast<double>(database->store_memory_bytes());
    collections = static_cast<double>(database->collection_count());
    write_failed = database->write_status().ok() ? 0 : 1;
  }
  AddOne(&families, "sextant_collections", "Collections.", collections);
  AddOne(&families, "sextant_store_write_failed",
         "1 after a durable write failed: writes are refused until a restart.",
         write_failed);
  AddOne(&families, "sextant_store_memory_bytes",
         "The store's block cache and write buffers.", store_memory);
  families.push_back(MakeFamily("sextant_store_size_bytes", "Size on disk.",
                                MetricType::Gauge));
  AddSample(&families.back(), static_cast<double>(disk.rocksdb_bytes),
            {{"part", "rocksdb"}});
  AddSample(&families.back(), static_cast<double>(disk.segment_bytes),
            {{"part", "segments"}});
  for (const CollectionMetric& metric : kCollectionMetrics) {
    families.push_back(MakeFamily(metric.name, metric.help, metric.type));
    for (const CollectionNumbers& row : rows) {
      AddSample(&families.back(), row.*metric.member,
                {{"collection", row.label}});
    }
  }
  AddRecall(&families, rows);
  AddHubness(&families, rows);
  AddQueryShifts(&families, rows);
  return families;
}

}  // namespace sextant
