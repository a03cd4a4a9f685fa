// SPDX-License-Identifier: Apache-2.0
// What is left of recall, speed and memory after rounds that each replace every
// point of a collection. See docs/how-to/benchmark.md.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"

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
  uint32_t max_rows = 100'000;
  uint32_t queries = 500;
  uint32_t rounds = 10;
  uint32_t ef = 128;
  uint32_t passes = 5;
  uint32_t threads = 0;
  double noise = 0.1;
};

constexpr char kExamples[] = R"(
Each round overwrites all points in random order with their vector plus fresh
noise, so that every vector is new and the data as hard as before. Then the
index settles, and the queries are searched with one thread (CPU seconds,
median of the passes) and exactly.

examples:
  ./dev bench churn --data ../shared/data/glove-100d
  ./dev bench churn --data ../shared/data/debian-packages --rounds 3
)";

struct Round {
  double recall = 0;
  double qps = 0;
  double distances = 0;  // a search
  double rss_mb = 0;     // above that of the program before the database
  double seconds = 0;    // of writing and settling
  IndexStats index;
};

class Churn {
 public:
  Churn(const AnnDataset& dataset, const Options& options)
      : dataset_(dataset),
        options_(options),
        queries_(std::min(options.queries, dataset.queries)),
        path_(absl::StrCat(options.folder, "/churn-", getpid())),
        base_rss_mb_(ResidentMegabytes(getpid())) {}

  absl::Status Open() {
    std::filesystem::create_directories(options_.folder);
    DatabaseOptions database;
    database.store.path = path_;
    database.build_threads = options_.threads;
    ASSIGN_OR_RETURN(database_, Database::Open(database));
    Schema schema;
    schema.vector_fields.push_back(
        {"v", dataset_.dimension, Metric::kInnerProduct, {}});
    ASSIGN_OR_RETURN(collection_, database_->Create("churn", schema));
    return absl::OkStatus();
  }

  absl::StatusOr<Round> Run() {
    Round round;
    const double start = WallSeconds();
    RETURN_IF_ERROR(ReplaceAll());
    round.seconds = WallSeconds() - start;
    RETURN_IF_ERROR(Measure(round));
    round.index = collection_->Info().index;
    return round;
  }

  absl::Status Close() {
    collection_.reset();
    RETURN_IF_ERROR(database_->Close());
    database_.reset();
    std::filesystem::remove_all(path_);
    return absl::OkStatus();
  }

 private:
  absl::Status ReplaceAll() {
    constexpr size_t kBatch = 500;
    std::vector<uint32_t> order(dataset_.rows);
    std::iota(order.begin(), order.end(), 0U);
    std::shuffle(order.begin(), order.end(), random_);
    std::normal_distribution<float> normal(
        0, static_cast<float>(options_.noise / std::sqrt(dataset_.dimension)));
    for (size_t first = 0; first < order.size(); first += kBatch) {
      std::vector<Point> batch;
      for (size_t i = first; i < std::min(order.size(), first + kBatch); ++i) {
        const float* row = dataset_.row(order[i]);
        std::vector<float> vector(row, row + dataset_.dimension);
        for (float& x : vector) {
          x += normal(random_);
        }
        Normalize(vector);
        batch.push_back(
            {PointId(uint64_t{order[i]}), {{"v", std::move(vector)}}, ""});
      }
      RETURN_IF_ERROR(collection_->Upsert(std::move(batch), context_).status());
    }
    return collection_->SealAndWait(context_);
  }

  SearchQuery Query(uint32_t query, bool exact) const {
    const float* row = dataset_.query(query);
    SearchQuery search;
    search.sources.emplace_back(
        DenseSource{"", std::vector<float>(row, row + dataset_.dimension),
                    exact ? 0 : options_.ef, exact});
    search.limit = kHits;
    return search;
  }

  absl::Status Measure(Round& round) {
    std::vector<double> pass_qps;
    std::vector<SearchResult> found;
    for (uint32_t pass = 0; pass < options_.passes; ++pass) {
      found.clear();
      const double cpu = ThreadCpuSeconds();
      for (uint32_t query = 0; query < queries_; ++query) {
        ASSIGN_OR_RETURN(SearchResult result,
                         collection_->Search(Query(query, false), context_));
        found.push_back(std::move(result));
      }
      pass_qps.push_back(queries_ / (ThreadCpuSeconds() - cpu));
    }
    round.qps = Median(pass_qps);
    round.rss_mb = ResidentMegabytes(getpid()) - base_rss_mb_;
    for (uint32_t query = 0; query < queries_; ++query) {
      ASSIGN_OR_RETURN(const SearchResult exact,
                       collection_->Search(Query(query, true), context_));
      const float worst = exact.hits.back().score - 1e-6F;
      round.recall += static_cast<double>(std::ranges::count_if(
          found[query].hits,
          [worst](const Hit& hit) { return hit.score >= worst; }));
      round.distances += static_cast<double>(found[query].stages[0].distances);
    }
    round.recall /= double{kHits} * queries_;
    round.distances /= queries_;
    return absl::OkStatus();
  }

  const AnnDataset& dataset_;
  const Options& options_;
  const uint32_t queries_;
  const std::string path_;  // of the database, removed in the end
  const double base_rss_mb_;
  const RequestContext context_;
  std::mt19937_64 random_{kSeed};
  std::unique_ptr<Database> database_;
  std::shared_ptr<Collection> collection_;
};

void Print(uint32_t number, const Round& round, const Round& first) {
  std::printf(
      "%5u  %.4f  %+6.2f  %8.0f  %5.2f  %9.0f  %8.1f  %8.1f  %8u  %7.1f\n",
      number, round.recall, 100 * (round.recall - first.recall), round.qps,
      round.qps / first.qps, round.distances, round.rss_mb,
      static_cast<double>(round.index.sealed_bytes) / 1e6,
      round.index.sealed_segments, round.seconds);
  std::fflush(stdout);
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
      "round  recall  points  QPS (CPU)  ratio  distances    RSS MB   file MB  "
      "segments  seconds\n");
  Round first;
  for (uint32_t number = 0; number <= options.rounds; ++number) {
    ASSIGN_OR_RETURN(const Round round, churn.Run());
    if (number == 0) {
      first = round;
    }
    Print(number, round, first);
  }
  return churn.Close();
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
  app.add_option("--folder", options.folder,
                 "where the database goes for a while")
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
