// SPDX-License-Identifier: Apache-2.0
// What a search under a corrected score costs beside a plain one, and what
// computing the correction costs beside the processor's matrix products. See
// docs/how-to/benchmark.md.
#include <algorithm>
#include <array>
#include <cstdio>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

#include "base/check.h"
#include "base/status_macros.h"
#include "base/thread_pool.h"
#include "bench/ann_contestant.h"
#include "bench/ann_dataset.h"
#include "bench/ann_measure.h"
#include "bench/json_option.h"
#include "bench/processor.h"
#include "index/distance.h"
#include "ranking/hubness/bias_terms.h"

namespace sextant {
namespace {

constexpr uint64_t kBankSeed = 7;
constexpr double kFloor = 0.95;

struct Options {
  std::string data = "../shared/data/glove-100d";
  JsonOption json;
  AnnSettings ann = {.cache_folder = "build/bench-cache"};
  size_t bank = 5000;
  std::string bank_from = "sample";
  double beta = 20;
  int rounds = 5;
  int threads = 2;
};

// One effort, with or without the correction.
struct Point {
  double target = 0;
  double recall = 0;
  double distances = 0;  // a query
  double qps = 0;        // median over rounds
};

class HubnessBench {
 public:
  explicit HubnessBench(const Options& options)
      : options_(options), pool_({.threads = options.threads}) {}

  absl::Status Run() {
    ASSIGN_OR_RETURN(data_, ReadAnnDataset(options_.data, options_.ann.k, 0));
    engine_.contestant = NewEngineContestant();
    RETURN_IF_ERROR(PrepareAnn(data_, options_.ann, engine_));
    index_ = &EngineIndex(*engine_.contestant);
    ChooseBank();
    RETURN_IF_ERROR(ComputeBiases());
    FindTruth();
    const PinnedScope pinned(options_.ann.cpu);
    MeasureEfforts();
    MeasureZeroBias();
    Report();
    return absl::OkStatus();
  }

  bool WriteJson() const { return options_.json.Write(json_.dump(2) + "\n"); }

 private:
  VectorRows Items() const {
    return {index_->row_vector(0), index_->rows(), data_.dimension,
            PaddedStride(data_.dimension)};
  }

  // Words like those that are searched for: rows of the base.
  void ChooseBank() {
    std::mt19937_64 random(kBankSeed);
    std::vector<uint32_t> rows(data_.rows);
    for (uint32_t i = 0; i < data_.rows; ++i) {
      rows[i] = options_.bank_from == "last" ? data_.rows - 1 - i : i;
    }
    const size_t count = std::min<size_t>(options_.bank, rows.size());
    for (size_t i = 0; i < count; ++i) {
      if (options_.bank_from == "sample") {
        std::swap(rows[i], rows[i + random() % (rows.size() - i)]);
      }
      bank_.insert(bank_.end(), data_.row(rows[i]),
                   data_.row(rows[i]) + data_.dimension);
    }
  }
  VectorRows Bank() const {
    return {bank_.data(), bank_.size() / data_.dimension, data_.dimension,
            data_.dimension};
  }

  // Floating point operations a second of large products on all threads.
  double PeakFlops() {
    constexpr size_t kSide = 1536;
    const std::vector<float> a(kSide * kSide, 0.5F);
    const VectorRows rows{a.data(), kSide, kSide, kSide};
    const auto threads = static_cast<size_t>(options_.threads);
    std::vector<std::vector<float>> out(threads,
                                        std::vector<float>(kSide * kSide));
    double best = 0;
    for (int round = 0; round < 4; ++round) {
      const double start = WallSeconds();
      pool_.ParallelFor(threads, options_.threads, [&](size_t i) {
        ProductOfRows(rows, rows, Similarity::kProduct, out[i].data());
      });
      const double flops = 2.0 * kSide * kSide * kSide * options_.threads;
      best = std::max(best, flops / (WallSeconds() - start));
    }
    return best;
  }

  absl::Status ComputeBiases() {
    const double peak = PeakFlops();
    const RequestContext context;
    const PassRun run{&pool_, context};
    NormalizerSpec spec = DefaultSpec(NormalizerMethod::kInvertedSoftmax);
    spec.beta = options_.beta;
    const VectorRows items = Items();
    ASSIGN_OR_RETURN(const std::vector<BiasTerm> terms,
                     MakeBiasTerms(spec, {Bank(), {}}, Similarity::kProduct,
                                   {&items, 1}, run));
    biases_.resize(items.count);
    std::vector<double> seconds;
    for (int round = 0; round < 3; ++round) {
      const double start = WallSeconds();
      RETURN_IF_ERROR(ComputeBias(terms[0], items, run, biases_));
      seconds.push_back(WallSeconds() - start);
    }
    const double flops = 2.0 * static_cast<double>(items.count) *
                         static_cast<double>(Bank().count) * data_.dimension;
    const double took = Median(seconds);
    json_["bias_seconds"] = took;
    json_["gemm_peak_gflops"] = peak / 1e9;
    json_["bias_gflops"] = flops / took / 1e9;
    json_["bias_gemm_share"] = flops / took / peak;
    bias_ = {biases_.data()};
    return absl::OkStatus();
  }

  VectorQuery Query(uint32_t i, RowBias bias) const {
    return {std::span(data_.query(i), data_.dimension), bias};
  }
  RowBias BiasIf(bool corrected) const { return corrected ? bias_ : RowBias(); }

  std::vector<ScoredRow> Scan(uint32_t query, bool corrected,
                              uint32_t k) const {
    TopK top(k);
    SearchWork work;
    CHECK_OK(index_->Scan(Query(query, BiasIf(corrected)), none_, context_, top,
                          work));
    return top.TakeSorted();
  }

  // The exact k-th scores; and how much of the corrected answer lies among the
  // raw top hundred, which is all that re-ranking them could find.
  void FindTruth() {
    const uint32_t k = options_.ann.k;
    for (auto& kth : kth_) {
      kth.resize(data_.queries);
    }
    std::vector<double> shares(data_.queries);
    pool_.ParallelFor(data_.queries, options_.threads, [&](size_t i) {
      const auto query = static_cast<uint32_t>(i);
      kth_[0][i] = Scan(query, false, k).back().score;
      const std::vector<ScoredRow> corrected = Scan(query, true, k);
      kth_[1][i] = corrected.back().score;
      const std::vector<ScoredRow> raw = Scan(query, false, 100);
      const auto found = std::ranges::count_if(corrected, [&](auto& hit) {
        return std::ranges::any_of(
            raw, [&](auto& other) { return other.row == hit.row; });
      });
      shares[i] = static_cast<double>(found) / k;
    });
    double sum = 0;
    for (const double share : shares) {
      sum += share;
    }
    json_["rerank100_recall"] = sum / data_.queries;
  }

  Point Measure(double target, bool corrected, bool timed) const {
    const uint32_t k = options_.ann.k;
    const SearchEffort effort = EffortFor(*index_, target, k);
    Point point;
    point.target = target;
    const double start = ThreadCpuSeconds();
    double right = 0;
    SearchWork work;
    for (uint32_t i = 0; i < data_.queries; ++i) {
      TopK top(k);
      CHECK_OK(index_->Search(Query(i, BiasIf(corrected)), effort, none_,
                              context_, top, work));
      if (!timed) {
        for (const ScoredRow& hit : top.TakeSorted()) {
          right += static_cast<double>(hit.score) >=
                           static_cast<double>(kth_[corrected ? 1 : 0][i]) -
                               kScoreTie
                       ? 1
                       : 0;
        }
      }
    }
    point.qps = data_.queries / (ThreadCpuSeconds() - start);
    point.distances = static_cast<double>(work.distances) / data_.queries;
    point.recall = right / k / data_.queries;
    return point;
  }

  // The least effort that reaches the floor.
  Point Least(bool corrected) {
    Point point;
    // From 0.9 to 0.995.
    for (int step = 0; step < 20; ++step) {
      point = Measure(0.90 + 0.005 * step, corrected, false);
      if (point.recall >= kFloor) {
        break;
      }
    }
    return point;
  }

  void MeasureEfforts() {
    points_[0] = Least(false);
    points_[1] = Least(true);
    std::array<std::vector<double>, 2> qps;
    for (int round = 0; round < options_.rounds; ++round) {
      for (size_t i = 0; i < 2; ++i) {
        qps[i].push_back(Measure(points_[i].target, i == 1, true).qps);
      }
    }
    for (size_t i = 0; i < 2; ++i) {
      points_[i].qps = Median(qps[i]);
    }
    // What a recall target is worth that was measured without a correction.
    for (const double target : {0.9, 0.95, 0.98}) {
      json_["corrected_recall_at_target"][absl::StrCat(target)] =
          Measure(target, true, false).recall;
      json_["plain_recall_at_target"][absl::StrCat(target)] =
          Measure(target, false, false).recall;
    }
  }

  // One walk by both instances of the code: with biases that are all 0 it takes
  // the same steps. What the second takes longer, the biases' reads and sums,
  // is what a plain search does not pay. Both go one after the other in each
  // round.
  void MeasureZeroBias() {
    const std::vector<float> zeros(index_->rows());
    const std::array<RowBias, 2> biases = {RowBias(), RowBias{zeros.data()}};
    const SearchEffort effort =
        EffortFor(*index_, points_[0].target, options_.ann.k);
    std::array<uint64_t, 2> distances = {};
    std::vector<double> ratios;
    for (int round = 0; round < 2 * options_.rounds; ++round) {
      std::array<double, 2> seconds = {};
      for (size_t turn = 0; turn < 2; ++turn) {
        const size_t which = (turn + static_cast<size_t>(round)) % 2;
        SearchWork work;
        const double start = ThreadCpuSeconds();
        for (uint32_t i = 0; i < data_.queries; ++i) {
          TopK top(options_.ann.k);
          CHECK_OK(index_->Search(Query(i, biases[which]), effort, none_,
                                  context_, top, work));
        }
        seconds[which] = ThreadCpuSeconds() - start;
        distances[which] = work.distances;
      }
      ratios.push_back(seconds[1] / seconds[0]);
    }
    CHECK_EQ(distances[0], distances[1]) << "a bias of 0 changed the walk";
    json_["zero_bias_time_ratio"] = Median(ratios);
  }

  void Report() {
    json_["data"] = data_.name;
    json_["rows"] = data_.rows;
    json_["bank"] = Bank().count;
    json_["bank_from"] = options_.bank_from;
    json_["beta"] = options_.beta;
    json_["plain_qps"] = points_[0].qps;
    json_["plain_recall"] = points_[0].recall;
    json_["plain_distances"] = points_[0].distances;
    json_["corrected_qps"] = points_[1].qps;
    json_["corrected_recall"] = points_[1].recall;
    json_["corrected_distances"] = points_[1].distances;
    json_["cost_ratio"] = points_[0].qps / points_[1].qps;
    std::FILE* const out = options_.json.table();
    std::fprintf(out, "%-10s %8s %9s %10s %10s\n", "", "target", "recall",
                 "distances", "queries/s");
    for (size_t i = 0; i < 2; ++i) {
      std::fprintf(out, "%-10s %8.3f %9.4f %10.0f %10.0f\n",
                   i == 0 ? "plain" : "corrected", points_[i].target,
                   points_[i].recall, points_[i].distances, points_[i].qps);
    }
    std::fprintf(out,
                 "the same walk with biases of 0 takes %.3f times as long as "
                 "without\n",
                 json_["zero_bias_time_ratio"].get<double>());
    std::fprintf(out,
                 "re-ranking the raw top 100 would find %.3f of the corrected "
                 "top %u\n"
                 "bias of %u rows over a bank of %zu: %.2f s, %.1f GFLOP/s, "
                 "%.0f %% of the %.1f that large products reach\n",
                 json_["rerank100_recall"].get<double>(), options_.ann.k,
                 data_.rows, Bank().count, json_["bias_seconds"].get<double>(),
                 json_["bias_gflops"].get<double>(),
                 100 * json_["bias_gemm_share"].get<double>(),
                 json_["gemm_peak_gflops"].get<double>());
  }

  const Options& options_;
  ThreadPool pool_;
  const RequestContext context_;
  const RowSet none_;
  AnnDataset data_;
  AnnResult engine_;
  const VectorIndex* index_ = nullptr;
  std::vector<float> bank_;
  std::vector<float> biases_;  // by row
  RowBias bias_;
  std::array<std::vector<float>, 2> kth_;  // plain, corrected
  std::array<Point, 2> points_;
  nlohmann::json json_;
};

constexpr char kExamples[] = R"(
examples:
  ./dev bench hubness --quick --json
  ./dev bench hubness --data ../shared/data/glove-100d --bank 5000 --beta 20
)";

int Main(int argc, char** argv) {
  Options options;
  bool quick = false;
  CLI::App app("Searches under a score that is corrected for hubness");
  app.footer(kExamples);
  app.add_option("--data", options.data, "folder of a data set")
      ->capture_default_str();
  app.add_option("--cache", options.ann.cache_folder, "built indexes")
      ->capture_default_str();
  app.add_option("--bank-from", options.bank_from,
                 "which rows: of GloVe, the first are frequent words")
      ->check(CLI::IsMember({"sample", "first", "last"}))
      ->capture_default_str();
  app.add_option("--bank", options.bank, "vectors of the bank")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--beta", options.beta, "of the inverted softmax")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--threads", options.threads, "of builds and biases")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_flag("--quick", quick, "fewer rounds");
  options.json.AddTo(app);
  CLI11_PARSE(app, argc, argv);
  options.ann.build.threads = options.threads;
  options.ann.cpu = LastProcessor();
  options.rounds = quick ? 3 : 9;
  HubnessBench bench(options);
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
