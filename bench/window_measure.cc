// SPDX-License-Identifier: Apache-2.0
#include "bench/window_measure.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/status_macros.h"
#include "base/thread_pool.h"
#include "bench/processor.h"
#include "index/distance.h"
#include "index/recall_curve.h"
#include "index/scan.h"

namespace sextant {
namespace {

constexpr int kRounds = 5;

// The answers of one pass: k rows a query, kNoRow where there are fewer.
constexpr uint32_t kNoRow = 0xFFFFFFFF;
using Answers = std::vector<uint32_t>;
using Search = std::function<void(const WindowQuery&, uint32_t* out)>;

class Measurement {
 public:
  Measurement(const WindowSet& set, const WindowSettings& settings)
      : set_(set),
        settings_(settings),
        shape_{Metric::kInnerProduct, set.data.dimension},
        stride_(PaddedStride(set.data.dimension)),
        pool_({.name = "build", .threads = settings.ann.build.threads}) {}

  absl::StatusOr<WindowResult> Run() {
    RETURN_IF_ERROR(Prepare());
    PinThread(settings_.ann.cpu);
    if (settings_.with_postfilter) {
      result_.hnswlib_unfiltered_qps = UnfilteredQps();
    }
    for (int exponent = 0; exponent <= settings_.narrowest;
         exponent += settings_.step) {
      const uint32_t rows = set_.data.rows >> exponent;
      if (rows == 0) {
        break;
      }
      result_.points.push_back(MeasureWidth(exponent, rows));
    }
    return std::move(result_);
  }

 private:
  absl::Status Prepare() {
    result_.set = set_.name;
    result_.rows = set_.data.rows;
    result_.dimension = set_.data.dimension;
    engine_.contestant = NewEngineContestant();
    RETURN_IF_ERROR(PrepareAnn(set_.data, settings_.ann, engine_));
    if (settings_.with_postfilter) {
      hnswlib_.contestant = NewHnswlibContestant();
      RETURN_IF_ERROR(PrepareAnn(set_.data, settings_.ann, hnswlib_));
    }
    index_ = &EngineIndex(*engine_.contestant);
    const VectorIndex& index = *index_;
    const double start = ProcessCpuSeconds();
    built_ = BuildWindowIndex(index, set_.by_rank,
                              EncodeForWindows(index, settings_.bits, &pool_));
    result_.index_build_s = ProcessCpuSeconds() - start;
    ASSIGN_OR_RETURN(
        window_, WindowIndex::Open(index, built_.view(), Placement::kInPlace));
    result_.index_bytes_per_row =
        static_cast<double>(window_->memory_bytes()) / set_.data.rows;
    ordered_ = AlignedArray<float>(set_.data.rows * stride_);
    for (uint64_t rank = 0; rank < set_.data.rows; ++rank) {
      std::memcpy(ordered_.data() + rank * stride_,
                  set_.data.row(set_.by_rank[rank]),
                  set_.data.dimension * sizeof(float));
    }
    return absl::OkStatus();
  }

  std::span<const float> Vector(const WindowQuery& query) const {
    return {query.vector, set_.data.dimension};
  }

  static void Write(TopK& top, size_t k, uint32_t* out) {
    std::fill_n(out, k, kNoRow);
    for (const ScoredRow& row : top.TakeSorted()) {
      *out++ = row.row;
    }
  }

  // The naive plan for narrow windows, as fast as we can make it.
  void Prefilter(const WindowQuery& query, uint32_t* out) const {
    TopK top(settings_.ann.k);
    SearchWork work;
    const RequestContext context;
    const absl::Status status =
        ScanBlock({shape_, Vector(query), no_rows_, context},
                  {ordered_.data() + uint64_t{query.first} * stride_,
                   set_.by_rank.data() + query.first, query.count},
                  top, work);
    CHECK_OK(status);
    Write(top, settings_.ann.k, out);
  }

  void SearchWindow(const WindowQuery& query, uint32_t* out) {
    TopK top(settings_.ann.k);
    SearchWork work;
    const RequestContext context;
    const RankWindow window{query.first, query.count};
    absl::Status status;
    if (settings_.method == WindowMethodWanted::kGraph) {
      const VectorIndex& index = *index_;
      status = index.Search(
          Vector(query),
          EffortFor(index, settings_.recall_target, settings_.ann.k),
          window_->Filter(no_rows_, window), context, top, work);
    } else if (settings_.method == WindowMethodWanted::kPlanned) {
      const absl::StatusOr<WindowPlan> plan = window_->Search(
          Vector(query), window,
          window_->Plan(window, settings_.ann.k, settings_.recall_target),
          {no_rows_, context, top, work});
      CHECK_OK(plan.status());
      ++(plan->method == WindowMethod::kGraph ? graph_plans_ : scan_plans_);
    } else {
      status =
          window_->Scan(Vector(query), window, no_rows_, context, top, work);
    }
    CHECK_OK(status);
    distances_ += work.distances;
    Write(top, settings_.ann.k, out);
  }

  std::string PlanText() const {
    if (settings_.method != WindowMethodWanted::kPlanned) {
      return settings_.method == WindowMethodWanted::kGraph ? "graph" : "scan";
    }
    if (graph_plans_ == 0 || scan_plans_ == 0) {
      return graph_plans_ == 0 ? "scan" : "graph";
    }
    return absl::StrCat("graph ", graph_plans_, ", scan ", scan_plans_);
  }

  // QPS of a pass over the queries, repeated where it is short.
  static double Pass(const std::vector<WindowQuery>& queries, size_t k,
                     const Search& search, Answers& answers) {
    constexpr double kShortest = 0.01;
    answers.resize(queries.size() * k);
    uint64_t searches = 0;
    const double start = ThreadCpuSeconds();
    double seconds = 0;
    do {
      for (size_t i = 0; i < queries.size(); ++i) {
        search(queries[i], answers.data() + i * k);
      }
      searches += queries.size();
      seconds = ThreadCpuSeconds() - start;
    } while (seconds < kShortest);
    return static_cast<double>(searches) / seconds;
  }

  double ExactScore(const WindowQuery& query, uint32_t row) const {
    return ExactProduct(query.vector, set_.data.row(row), set_.data.dimension);
  }

  // Of the first `count` queries, against the exact answers.
  double Recall(const std::vector<WindowQuery>& queries, const Answers& exact,
                const Answers& answers, size_t count) const {
    const size_t k = settings_.ann.k;
    double found = 0;
    double wanted = 0;
    for (size_t i = 0; i < count; ++i) {
      const uint32_t* const right = exact.data() + i * k;
      const auto there =
          static_cast<size_t>(std::find(right, right + k, kNoRow) - right);
      const double kth = ExactScore(queries[i], right[there - 1]) - kScoreTie;
      for (size_t j = 0; j < there; ++j) {
        const uint32_t row = answers[i * k + j];
        found += row != kNoRow && ExactScore(queries[i], row) >= kth ? 1 : 0;
      }
      wanted += static_cast<double>(there);
    }
    return found / wanted;
  }

  WindowPoint MeasureWidth(int exponent, uint32_t rows) {
    WindowPoint point;
    point.exponent = exponent;
    point.rows = rows;
    const size_t k = settings_.ann.k;
    const std::vector<WindowQuery> queries =
        MakeWindowQueries(set_, rows, settings_.queries);
    const Search prefilter = [this](const WindowQuery& query, uint32_t* out) {
      Prefilter(query, out);
    };
    const Search engine = [this](const WindowQuery& query, uint32_t* out) {
      SearchWindow(query, out);
    };
    Answers exact;
    Answers answers;
    std::vector<double> prefilter_qps;
    std::vector<double> qps;
    for (int round = 0; round < kRounds; ++round) {
      prefilter_qps.push_back(Pass(queries, k, prefilter, exact));
      qps.push_back(Pass(queries, k, engine, answers));
    }
    point.prefilter_qps = Median(prefilter_qps);
    point.qps = Median(qps);
    point.recall = Recall(queries, exact, answers, queries.size());
    distances_ = 0;
    graph_plans_ = 0;
    scan_plans_ = 0;
    for (const WindowQuery& query : queries) {
      SearchWindow(query, answers.data());
    }
    point.distances =
        static_cast<double>(distances_) / static_cast<double>(queries.size());
    point.plan = PlanText();
    if (settings_.with_postfilter) {
      MeasurePostfilter(queries, exact, point);
    }
    std::fprintf(
        stderr,
        "%s 2^-%d: %u rows, recall %.4f, %.0f QPS (%s, %.0f distances),"
        " prefilter %.0f, postfilter %.0f (%.3f)\n",
        set_.name.c_str(), exponent, rows, point.recall, point.qps,
        point.plan.c_str(), point.distances, point.prefilter_qps,
        point.postfilter_qps, point.postfilter_recall);
    return point;
  }

  // The fastest of its first widths that reaches the target. Widths that take
  // too long are measured on fewer queries.
  void MeasurePostfilter(const std::vector<WindowQuery>& queries,
                         const Answers& exact, WindowPoint& point) {
    constexpr double kBudget = 2;  // seconds a width
    constexpr uint32_t kWidest = 1280;
    const size_t k = settings_.ann.k;
    PostfilterTask task;
    task.k = settings_.ann.k;
    task.rank_of = set_.rank_of;
    for (task.first_ef = 10; task.first_ef <= kWidest; task.first_ef *= 2) {
      Answers answers(queries.size() * k, kNoRow);
      size_t done = 0;
      const double start = ThreadCpuSeconds();
      double seconds = 0;
      while (done < queries.size() && (done == 0 || seconds < kBudget)) {
        Postfilter(*hnswlib_.contestant, queries[done], task,
                   answers.data() + done * k);
        ++done;
        seconds = ThreadCpuSeconds() - start;
      }
      const double qps = static_cast<double>(done) / seconds;
      const double recall = Recall(queries, exact, answers, done);
      const bool reaches = recall >= settings_.recall_target;
      const bool reached = point.postfilter_recall >= settings_.recall_target;
      if (!reached || (reaches && qps > point.postfilter_qps)) {
        point.postfilter_qps = qps;
        point.postfilter_recall = recall;
      } else if (reached) {
        break;  // wider is slower
      }
    }
  }

  // HNSWlib without a window, by beam width, at recall 0.95.
  std::optional<double> UnfilteredQps() {
    const std::vector<WindowQuery> queries =
        MakeWindowQueries(set_, set_.data.rows, settings_.queries);
    Answers exact;
    Pass(
        queries, settings_.ann.k,
        [this](const WindowQuery& query, uint32_t* out) {
          Prefilter(query, out);
        },
        exact);
    std::vector<AnnPoint> curve;
    PostfilterTask task;
    task.k = settings_.ann.k;
    task.rank_of = set_.rank_of;
    constexpr uint32_t kWidest = 2000;
    for (task.first_ef = task.k; task.first_ef < kWidest;
         task.first_ef += task.first_ef * 2 / 5) {
      AnnPoint point;
      Answers answers;
      for (int round = 0; round < 3; ++round) {
        point.pass_qps.push_back(Pass(
            queries, task.k,
            [&](const WindowQuery& query, uint32_t* out) {
              AskUnfiltered(query, task.first_ef, out);
            },
            answers));
      }
      point.qps = Median(point.pass_qps);
      point.recall = Recall(queries, exact, answers, queries.size());
      curve.push_back(point);
      if (point.recall >= kUnfilteredRecall) {
        break;
      }
    }
    return QpsAtRecall(curve, kUnfilteredRecall);
  }

  void AskUnfiltered(const WindowQuery& query, uint32_t ef,
                     uint32_t* out) const {
    AnnDataset one;
    one.dimension = set_.data.dimension;
    one.queries = 1;
    one.query_vectors.assign(query.vector, query.vector + set_.data.dimension);
    hnswlib_.contestant->SearchAll(one, settings_.ann.k, {.ef = ef}, out);
  }

  static constexpr double kUnfilteredRecall = 0.95;

  const WindowSet& set_;
  const WindowSettings& settings_;
  const VectorShape shape_;
  const size_t stride_;
  const RowSet no_rows_;
  ThreadPool pool_;
  AnnResult engine_;
  AnnResult hnswlib_;
  const VectorIndex* index_ = nullptr;
  BuiltWindowIndex built_;
  std::unique_ptr<WindowIndex> window_;
  AlignedArray<float> ordered_;  // floats in the order of the attribute
  WindowResult result_;
  uint64_t graph_plans_ = 0;
  uint64_t scan_plans_ = 0;
  uint64_t distances_ = 0;
};

}  // namespace

absl::StatusOr<WindowResult> MeasureWindows(const WindowSet& set,
                                            const WindowSettings& settings) {
  return Measurement(set, settings).Run();
}

}  // namespace sextant
