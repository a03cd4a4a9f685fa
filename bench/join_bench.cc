// SPDX-License-Identifier: Apache-2.0
// What a join of nearest points, as mining of pairs does it, takes beside batch
// searches of the same collection. See docs/how-to/benchmark.md.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

#include "base/status_macros.h"
#include "base/thread_pool.h"
#include "bench/ann_dataset.h"
#include "bench/ann_measure.h"
#include "bench/json_option.h"
#include "bench/processor.h"
#include "engine/database.h"
#include "engine/live_vectors.h"
#include "engine/nearest_points.h"

namespace sextant {
namespace {

struct Options {
  std::string data = "../shared/data/glove-100d";
  std::string folder = "build/join-bench";
  JsonOption json;
  uint32_t max_rows = 100'000;
  uint32_t queries = 20'000;
  uint32_t k = 32;
  int rounds = 5;
  int threads = 2;
};

constexpr char kExamples[] = R"(
The first points of a collection look for their nearest others: by JoinNearest,
and by SearchBatch in batches of 100, both on the same threads and in turn. The
ratio is of the medians of queries a second.

examples:
  ./dev bench join --json
  ./dev bench join --max-rows 20000 --queries 5000
)";

class JoinBench {
 public:
  explicit JoinBench(const Options& options)
      : options_(options),
        pool_({.threads = options.threads}),
        path_(absl::StrCat(options.folder, "/", getpid())) {}
  ~JoinBench() {
    collection_.reset();
    database_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  JoinBench(const JoinBench&) = delete;
  JoinBench& operator=(const JoinBench&) = delete;

  absl::Status Run() {
    RETURN_IF_ERROR(Fill());
    ASSIGN_OR_RETURN(PinnedCollection pinned, collection_->Pin());
    pinned.pool = &pool_;
    ASSIGN_OR_RETURN(const LiveVectors points,
                     LiveVectors::Of(*pinned.snapshot, 0, context_));
    ASSIGN_OR_RETURN(
        const NearestPoints search,
        NearestPoints::Make(&pinned, &points,
                            {.k = options_.k, .without_self = true}));
    queries_ = std::min<size_t>(options_.queries, points.size());
    std::vector<double> join;
    std::vector<double> batch;
    for (int round = 0; round < options_.rounds; ++round) {
      ASSIGN_OR_RETURN(const double joined, Join(search, points));
      ASSIGN_OR_RETURN(const double searched, Batches(points));
      join.push_back(joined);
      batch.push_back(searched);
    }
    Report(pinned, Median(join), Median(batch), SameShare(points));
    return absl::OkStatus();
  }

  bool WriteJson() const { return options_.json.Write(json_.dump(2) + "\n"); }

 private:
  absl::Status Fill() {
    ASSIGN_OR_RETURN(data_,
                     ReadAnnDataset(options_.data, 10, options_.max_rows));
    std::filesystem::create_directories(options_.folder);
    DatabaseOptions database;
    database.store.path = path_;
    database.build_threads = static_cast<uint32_t>(options_.threads);
    ASSIGN_OR_RETURN(database_, Database::Open(database));
    Schema schema;
    schema.vector_fields.push_back({"v", data_.dimension, Metric::kCosine, {}});
    ASSIGN_OR_RETURN(collection_, database_->Create("points", schema));
    constexpr uint32_t kBatch = 1000;
    for (uint32_t first = 0; first < data_.rows; first += kBatch) {
      std::vector<Point> points;
      for (uint32_t i = first; i < std::min(data_.rows, first + kBatch); ++i) {
        points.push_back(
            {PointId(uint64_t{i}),
             {{"v", {data_.row(i), data_.row(i) + data_.dimension}}},
             ""});
      }
      RETURN_IF_ERROR(
          collection_->Upsert(std::move(points), context_).status());
    }
    return collection_->SealAndWait(context_);
  }

  // Queries a second.
  absl::StatusOr<double> Join(const NearestPoints& search,
                              const LiveVectors& points) {
    nearest_.assign(queries_ * search.k(), {});
    const auto vector = [&](size_t i) {
      return std::span<const float>(points.vector(i), data_.dimension);
    };
    const auto self = [](size_t i) { return static_cast<uint32_t>(i); };
    const double start = WallSeconds();
    for (size_t first = 0; first < queries_; first += kJoinSlice) {
      const size_t count = std::min(kJoinSlice, queries_ - first);
      RETURN_IF_ERROR(JoinNearest(search, {vector, self}, first, context_,
                                  std::span<Neighbor>(nearest_).subspan(
                                      first * search.k(), count * search.k())));
    }
    return static_cast<double>(queries_) / (WallSeconds() - start);
  }

  absl::StatusOr<double> Batches(const LiveVectors& points) {
    constexpr size_t kBatch = 100;
    found_.assign(queries_, {});
    std::vector<absl::Status> statuses(queries_);
    const double start = WallSeconds();
    pool_.ParallelFor(
        (queries_ + kBatch - 1) / kBatch, options_.threads, [&](size_t task) {
          const size_t first = task * kBatch;
          const size_t end = std::min(queries_, first + kBatch);
          std::vector<SearchQuery> batch;
          for (size_t i = first; i < end; ++i) {
            SearchQuery& query = batch.emplace_back();
            query.sources.emplace_back(DenseSource{
                "", std::vector<float>(points.vector(i),
                                       points.vector(i) + data_.dimension)});
            query.limit = options_.k + 1;
          }
          auto results = collection_->SearchBatch(batch, context_);
          for (size_t i = first; i < end; ++i) {
            statuses[i] = results[i - first].status();
            if (statuses[i].ok()) {
              found_[i] = std::move(results[i - first]->hits);
            }
          }
        });
    const double seconds = WallSeconds() - start;
    for (const absl::Status& status : statuses) {
      RETURN_IF_ERROR(status);
    }
    return static_cast<double>(queries_) / seconds;
  }

  // Neighbours of the join that the searches found, too.
  double SameShare(const LiveVectors& points) const {
    const size_t k = nearest_.size() / queries_;
    uint64_t same = 0;
    for (size_t i = 0; i < queries_; ++i) {
      for (size_t j = 0; j < k; ++j) {
        const PointId id =
            DecodeId(IdKind::kNumber, points.id(nearest_[i * k + j].row));
        same +=
            std::ranges::any_of(
                found_[i], [&](const Hit& hit) { return hit.point.id == id; })
                ? 1U
                : 0U;
      }
    }
    return static_cast<double>(same) / static_cast<double>(queries_ * k);
  }

  void Report(const PinnedCollection& pinned, double join, double batch,
              double same) {
    json_["data"] = data_.name;
    json_["rows"] = data_.rows;
    json_["segments"] = pinned.snapshot->segments.size();
    json_["queries"] = queries_;
    json_["k"] = options_.k;
    json_["threads"] = options_.threads;
    json_["join_qps"] = join;
    json_["batch_qps"] = batch;
    json_["ratio"] = join / batch;
    json_["same_neighbors"] = same;
    std::fprintf(options_.json.table(),
                 "%u points, %zu segments, %zu queries, k %u, %d threads\n"
                 "join   %8.0f queries/s\n"
                 "batch  %8.0f queries/s\n"
                 "ratio  %8.2f, %.4f of the neighbours are the same\n",
                 data_.rows, pinned.snapshot->segments.size(), queries_,
                 options_.k, options_.threads, join, batch, join / batch, same);
  }

  const Options& options_;
  ThreadPool pool_;
  const std::string path_;
  const RequestContext context_;
  AnnDataset data_;
  std::unique_ptr<Database> database_;
  std::shared_ptr<Collection> collection_;
  size_t queries_ = 0;
  std::vector<Neighbor> nearest_;
  std::vector<std::vector<Hit>> found_;
  nlohmann::json json_;
};

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("Joins of nearest points beside batch searches");
  app.footer(kExamples);
  app.add_option("--data", options.data, "folder of a data set")
      ->capture_default_str();
  app.add_option("--max-rows", options.max_rows, "points")
      ->check(CLI::Range(1000, 100'000'000))
      ->capture_default_str();
  app.add_option("--queries", options.queries, "points that ask")
      ->check(CLI::Range(1, 100'000'000))
      ->capture_default_str();
  app.add_option("-k", options.k, "neighbours")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--threads", options.threads, "of builds and searches")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--rounds", options.rounds, "of each, in turn")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  options.json.AddTo(app);
  CLI11_PARSE(app, argc, argv);
  JoinBench bench(options);
  const absl::Status status = bench.Run();
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    return 1;
  }
  if (!bench.WriteJson()) {
    std::fprintf(stderr, "cannot write %s\n", options.json.file().c_str());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace sextant

int main(int argc, char** argv) {
  return sextant::Main(argc, argv);
}
