// SPDX-License-Identifier: Apache-2.0
// What is left of recall, speed and memory after rounds that each replace every
// point of a collection. See docs/how-to/benchmark.md.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

#include "base/free_memory.h"
#include "base/status_macros.h"
#include "bench/ann_dataset.h"
#include "bench/processor.h"
#include "bench/synthetic_dataset.h"
#include "engine/database.h"
#include "index/distance.h"

namespace sextant {
namespace {

constexpr uint64_t kSeed = 60221;
constexpr uint32_t kHits = 10;

struct Options {
  std::string data;
  std::string cache_folder = "build/bench-cache";
  std::string folder = "build/churn-bench";
  std::string json;  // file; empty: none
  uint32_t max_rows = 100'000;
  uint32_t queries = 500;
  uint32_t rounds = 10;
  uint32_t ef = 128;
  uint32_t passes = 5;
  uint32_t threads = 0;
  uint32_t store_memory_mb = 64;
  double noise = 0.1;
};

constexpr char kExamples[] = R"(
Each round overwrites all points in random order with their vector plus fresh
noise, so that every vector is new and the data as hard as before. Then the
index settles, and the queries are searched with one thread (CPU seconds,
median of the passes) and exactly. The ratio of QPS and the points of recall are
to a second collection, which is made anew in every round, has the very same
points, and is searched in turn with the first: neither other noise nor what
else the machine does is in them.

examples:
  ./dev bench churn --data ../shared/data/glove-100d
  ./dev bench churn --data ../shared/data/debian-packages --rounds 3
)";

struct Round {
  double recall = 0;
  double fresh_recall = 0;  // of the collection that was loaded once
  double qps = 0;
  double ratio = 0;      // to the collection that was loaded once
  double distances = 0;  // a search
  double rss_mb = 0;     // above that of the program before this database
  double store_mb = 0;   // of that: the store's cache and write buffers
  double seconds = 0;    // of writing and settling
  IndexStats index;
};

// A collection of its own database, whose points can all be replaced.
class ReplacedCollection {
 public:
  ReplacedCollection(const AnnDataset& dataset, const Options& options,
                     absl::string_view name)
      : dataset_(dataset),
        options_(options),
        path_(absl::StrCat(options.folder, "/churn-", getpid(), "-", name)) {}

  absl::Status Open() {
    std::filesystem::create_directories(options_.folder);
    DatabaseOptions database;
    database.store.path = path_;
    database.store.memory_bytes = uint64_t{options_.store_memory_mb} << 20U;
    database.build_threads = options_.threads;
    ASSIGN_OR_RETURN(database_, Database::Open(database));
    Schema schema;
    schema.vector_fields.push_back(
        {"v", dataset_.dimension, Metric::kInnerProduct, {}});
    ASSIGN_OR_RETURN(collection_, database_->Create("churn", schema));
    return absl::OkStatus();
  }

  // The same points for the same round.
  absl::Status ReplaceAll(uint32_t round) {
    constexpr size_t kBatch = 500;
    std::mt19937_64 random(kSeed + round);
    std::vector<uint32_t> order(dataset_.rows);
    std::iota(order.begin(), order.end(), 0U);
    std::shuffle(order.begin(), order.end(), random);
    std::normal_distribution<float> normal(
        0, static_cast<float>(options_.noise / std::sqrt(dataset_.dimension)));
    for (size_t first = 0; first < order.size(); first += kBatch) {
      std::vector<Point> batch;
      for (size_t i = first; i < std::min(order.size(), first + kBatch); ++i) {
        const float* row = dataset_.row(order[i]);
        std::vector<float> vector(row, row + dataset_.dimension);
        for (float& x : vector) {
          x += normal(random);
        }
        Normalize(vector);
        batch.push_back(
            {PointId(uint64_t{order[i]}), {{"v", std::move(vector)}}, ""});
      }
      RETURN_IF_ERROR(collection_->Upsert(std::move(batch), context_).status());
    }
    return collection_->SealAndWait(context_);
  }

  absl::StatusOr<SearchResult> Search(uint32_t query, bool exact) const {
    const float* row = dataset_.query(query);
    SearchQuery search;
    search.sources.emplace_back(
        DenseSource{"", std::vector<float>(row, row + dataset_.dimension),
                    exact ? 0 : options_.ef, exact});
    search.limit = kHits;
    return collection_->Search(search, context_);
  }

  // Searches the first `queries` by the graph.
  absl::StatusOr<double> Qps(uint32_t queries,
                             std::vector<SearchResult>* found) const {
    const double cpu = ThreadCpuSeconds();
    for (uint32_t query = 0; query < queries; ++query) {
      ASSIGN_OR_RETURN(SearchResult result, Search(query, false));
      found->push_back(std::move(result));
    }
    return queries / (ThreadCpuSeconds() - cpu);
  }

  // recall@10 of what Qps() found, tie-aware.
  absl::StatusOr<double> Recall(const std::vector<SearchResult>& found) const {
    double right = 0;
    for (uint32_t query = 0; query < found.size(); ++query) {
      ASSIGN_OR_RETURN(const SearchResult exact, Search(query, true));
      const float worst = exact.hits.back().score - 1e-6F;
      right += static_cast<double>(std::ranges::count_if(
          found[query].hits,
          [worst](const Hit& hit) { return hit.score >= worst; }));
    }
    return right /
           (static_cast<double>(kHits) * static_cast<double>(found.size()));
  }

  IndexStats index() const { return collection_->Info().index; }
  double store_mb() const {
    return static_cast<double>(database_->store_memory_bytes()) / 1e6;
  }

  absl::Status Close() {
    collection_.reset();
    RETURN_IF_ERROR(database_->Close());
    database_.reset();
    std::filesystem::remove_all(path_);
    return absl::OkStatus();
  }

 private:
  const AnnDataset& dataset_;
  const Options& options_;
  const std::string path_;  // of the database, removed in the end
  const RequestContext context_;
  std::unique_ptr<Database> database_;
  std::shared_ptr<Collection> collection_;
};

// The collection that is churned, beside those that are not.
class Churn {
 public:
  Churn(const AnnDataset& dataset, const Options& options)
      : dataset_(dataset),
        options_(options),
        queries_(std::min(options.queries, dataset.queries)),
        churned_(dataset, options, "churned") {}

  absl::Status Open() {
    // Once for what a database leaves in the process for good.
    ReplacedCollection first(dataset_, options_, "first");
    RETURN_IF_ERROR(first.Open());
    RETURN_IF_ERROR(first.ReplaceAll(0));
    RETURN_IF_ERROR(first.Close());
    ReleaseFreeMemory();
    base_rss_mb_ = ResidentMegabytes(getpid());
    return churned_.Open();
  }

  absl::StatusOr<Round> Run(uint32_t number) {
    Round round;
    const double start = WallSeconds();
    RETURN_IF_ERROR(churned_.ReplaceAll(number));
    round.seconds = WallSeconds() - start;
    round.index = churned_.index();
    round.rss_mb = ResidentMegabytes(getpid()) - base_rss_mb_;
    round.store_mb = churned_.store_mb();
    ReplacedCollection fresh(dataset_, options_, "fresh");
    RETURN_IF_ERROR(fresh.Open());
    RETURN_IF_ERROR(fresh.ReplaceAll(number));
    RETURN_IF_ERROR(Compare(fresh, round));
    RETURN_IF_ERROR(fresh.Close());
    ReleaseFreeMemory();
    return round;
  }

  absl::Status Close() { return churned_.Close(); }

 private:
  absl::Status Compare(const ReplacedCollection& fresh, Round& round) {
    std::vector<double> qps;
    std::vector<double> ratios;
    std::vector<SearchResult> found;
    std::vector<SearchResult> found_fresh;
    for (uint32_t pass = 0; pass < options_.passes; ++pass) {
      found.clear();
      found_fresh.clear();
      ASSIGN_OR_RETURN(const double once, fresh.Qps(queries_, &found_fresh));
      ASSIGN_OR_RETURN(const double churned, churned_.Qps(queries_, &found));
      qps.push_back(churned);
      ratios.push_back(churned / once);
    }
    round.qps = Median(qps);
    round.ratio = Median(ratios);
    ASSIGN_OR_RETURN(round.recall, churned_.Recall(found));
    ASSIGN_OR_RETURN(round.fresh_recall, fresh.Recall(found_fresh));
    for (const SearchResult& result : found) {
      round.distances += static_cast<double>(result.stages[0].distances);
    }
    round.distances /= queries_;
    return absl::OkStatus();
  }

  const AnnDataset& dataset_;
  const Options& options_;
  const uint32_t queries_;
  double base_rss_mb_ = 0;
  ReplacedCollection churned_;
};

void Print(uint32_t number, const Round& round) {
  std::printf(
      "%5u  %.4f  %+6.2f  %9.0f  %5.2f  %9.0f  %6.1f  %8.1f  %7.1f  %8u  "
      "%7.1f\n",
      number, round.recall, 100 * (round.recall - round.fresh_recall),
      round.qps, round.ratio, round.distances, round.rss_mb, round.store_mb,
      static_cast<double>(round.index.sealed_bytes) / 1e6,
      round.index.sealed_segments, round.seconds);
  std::fflush(stdout);
}

nlohmann::json ToJson(const Round& round) {
  return {{"recall", round.recall},
          {"fresh_recall", round.fresh_recall},
          {"qps", round.qps},
          {"qps_ratio", round.ratio},
          {"distances", round.distances},
          {"rss_mb", round.rss_mb},
          {"store_mb", round.store_mb},
          {"sealed_mb", static_cast<double>(round.index.sealed_bytes) / 1e6},
          {"segments", round.index.sealed_segments},
          {"seconds", round.seconds}};
}

absl::Status WriteJson(const AnnDataset& dataset, const Options& options,
                       const std::vector<Round>& rounds) {
  nlohmann::json json = {{"dataset",
                          {{"name", dataset.name},
                           {"rows", dataset.rows},
                           {"dimension", dataset.dimension}}},
                         {"ef", options.ef},
                         {"rounds", nlohmann::json::array()}};
  for (const Round& round : rounds) {
    json["rounds"].push_back(ToJson(round));
  }
  if (!(std::ofstream(options.json) << json.dump(2) << "\n").flush()) {
    return absl::UnavailableError("cannot write " + options.json);
  }
  return absl::OkStatus();
}

absl::Status Run(const Options& options) {
  ASSIGN_OR_RETURN(const AnnDataset dataset,
                   ReadDataset({.data = options.data,
                                .cache_folder = options.cache_folder,
                                .k = kHits,
                                .max_rows = options.max_rows,
                                .threads = 1}));
  Churn churn(dataset, options);
  RETURN_IF_ERROR(churn.Open());
  std::printf("%s: %u rows of %u, ef %u\n", dataset.name.c_str(), dataset.rows,
              dataset.dimension, options.ef);
  std::printf(
      "round  recall  points  QPS (CPU)  ratio  distances  RSS MB  store MB  "
      "file MB  segments  seconds\n");
  std::vector<Round> rounds;
  for (uint32_t number = 0; number <= options.rounds; ++number) {
    ASSIGN_OR_RETURN(Round round, churn.Run(number));
    rounds.push_back(std::move(round));
    Print(number, rounds.back());
  }
  RETURN_IF_ERROR(churn.Close());
  return options.json.empty() ? absl::OkStatus()
                              : WriteJson(dataset, options, rounds);
}

}  // namespace
}  // namespace sextant

int main(int argc, char** argv) {
  sextant::Options options;
  CLI::App app("Recall, speed and memory as all points are replaced");
  app.footer(sextant::kExamples);
  app.add_option("--data", options.data,
                 "folder of the data set, or \"synthetic\"")
      ->required()
      ->check(CLI::ExistingDirectory | CLI::IsMember({sextant::kSynthetic}));
  app.add_option("--rows", options.max_rows, "use only the first N rows")
      ->capture_default_str();
  app.add_option("--rounds", options.rounds, "rounds after the first load")
      ->capture_default_str();
  app.add_option("--ef", options.ef, "beam width")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  app.add_option("--queries", options.queries, "at most so many")
      ->capture_default_str();
  app.add_option("--passes", options.passes, "over the queries, a round")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--noise", options.noise,
                 "length of what is added to a vector, about")
      ->capture_default_str();
  app.add_option("--threads", options.threads,
                 "threads that build graphs, 0 = one a processor")
      ->capture_default_str();
  app.add_option("--store-memory-mb", options.store_memory_mb,
                 "the store's cache and write buffers, at most")
      ->check(CLI::Range(8, 1 << 20))
      ->capture_default_str();
  app.add_option("--json", options.json, "write the rounds to this file");
  app.add_option("--folder", options.folder,
                 "where the databases go for a while")
      ->capture_default_str();
  app.add_option("--cache", options.cache_folder, "for the synthetic set")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = sextant::Run(options);
  if (!status.ok()) {
    std::fprintf(stderr, "churn_bench: %s\n", status.ToString().c_str());
    return 1;
  }
  return 0;
}
