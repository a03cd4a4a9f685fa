// SPDX-License-Identifier: Apache-2.0
#include "bench/ann_measure.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

#include "base/status_macros.h"
#include "bench/processor.h"

namespace sextant {
namespace {

// Of this process, without what malloc keeps for later.
double OwnMegabytes() {
  malloc_trim(0);
  return ResidentMegabytes(getpid());
}

absl::Status BuildIntoCache(const AnnDataset& dataset,
                            const AnnSettings& settings, AnnResult& result,
                            const std::string& path) {
  const double wall = WallSeconds();
  const double cpu = ProcessCpuSeconds();
  RETURN_IF_ERROR(
      result.contestant->Build(dataset, settings.build, path + ".new"));
  const nlohmann::json facts = {{"build_s", WallSeconds() - wall},
                                {"build_cpu_s", ProcessCpuSeconds() - cpu},
                                {"build_threads", settings.build.threads}};
  std::ofstream(path + ".json") << facts.dump(2) << "\n";
  std::filesystem::rename(path + ".new", path);
  return absl::OkStatus();
}

absl::Status ReadFacts(const std::string& path, AnnResult& result) {
  std::ifstream file(path + ".json");
  const nlohmann::json facts = nlohmann::json::parse(file, nullptr, false);
  if (!facts.is_object()) {
    return absl::DataLossError(absl::StrCat(path, ".json is not readable"));
  }
  result.build_s = facts.value("build_s", 0.0);
  result.build_cpu_s = facts.value("build_cpu_s", 0.0);
  result.build_threads = facts.value("build_threads", 0);
  return absl::OkStatus();
}

// One pass over all queries.
void RunPass(const AnnDataset& dataset, uint32_t k, AnnResult& result,
             AnnPoint& point) {
  std::vector<uint32_t> answers(uint64_t{dataset.queries} * k);
  const double start = ThreadCpuSeconds();
  result.contestant->SearchAll(dataset, k, point.effort, answers.data());
  const double seconds = ThreadCpuSeconds() - start;
  point.pass_qps.push_back(dataset.queries / seconds);
  if (point.recall == 0) {
    for (uint32_t query = 0; query < dataset.queries; ++query) {
      point.recall +=
          TieAwareRecall(dataset, query, &answers[uint64_t{query} * k], k);
    }
    point.recall /= dataset.queries;
  }
}

constexpr double kTargets[] = {0.95, 0.99};

// A curve that gains no more than this over three points has hit its ceiling;
// in a hurry, no more than kFlatStep in one step, which is a doubling.
constexpr double kFlat = 0.005;
constexpr double kFlatStep = 0.001;

bool HitsCeiling(const std::vector<AnnPoint>& curve, bool quick) {
  const size_t points = curve.size();
  if (points <= 4) {
    return false;
  }
  const double recall = curve[points - 1].recall;
  return recall < curve[points - 4].recall + kFlat ||
         (quick && recall < curve[points - 2].recall + kFlatStep);
}

// Efforts up to the first that passes the highest target, or to the ceiling.
void FindCurve(const AnnDataset& dataset, const AnnSettings& settings,
               AnnResult& result) {
  std::vector<AnnEffort> efforts;
  for (const uint32_t ef : settings.efs) {
    efforts.push_back({.ef = ef});
  }
  if (efforts.empty()) {
    efforts = result.contestant->Efforts(settings.k, settings.quick);
  }
  for (const AnnEffort& effort : efforts) {
    AnnPoint point;
    point.effort = effort;
    RunPass(dataset, settings.k, result, point);
    result.curve.push_back(point);
    std::fprintf(stderr, "%s: effort %g, recall %.4f\n",
                 std::string(result.contestant->name()).c_str(),
                 effort.ef == 0 ? effort.recall_target : effort.ef,
                 point.recall);
    if (settings.efs.empty() && (point.recall >= kTargets[1] ||
                                 HitsCeiling(result.curve, settings.quick))) {
      break;
    }
  }
}

// The points that decide about the targets; with `quick` only those get more
// than one pass, and only if a pass is short.
std::vector<size_t> PointsToRepeat(const AnnResult& result,
                                   const AnnSettings& settings) {
  constexpr double kLongPassQps = 250;
  // Widths that were asked for are all wanted.
  const bool quick = settings.quick && settings.efs.empty();
  std::vector<size_t> points;
  for (size_t i = 0; i < result.curve.size(); ++i) {
    bool wanted = !quick;
    for (const double target : kTargets) {
      const bool above = result.curve[i].recall >= target;
      wanted = wanted ||
               (above && (i == 0 || result.curve[i - 1].recall < target)) ||
               (!above && i + 1 < result.curve.size() &&
                result.curve[i + 1].recall >= target);
    }
    if (wanted && !(quick && result.curve[i].pass_qps[0] < kLongPassQps)) {
      points.push_back(i);
    }
  }
  return points;
}

}  // namespace

absl::Status PrepareAnn(const AnnDataset& dataset, const AnnSettings& settings,
                        AnnResult& result) {
  std::filesystem::create_directories(settings.cache_folder);
  const std::string path =
      absl::StrCat(settings.cache_folder, "/", dataset.name, "-", dataset.rows,
                   "-", absl::Hex(dataset.hash), "-m", settings.build.m, "-efc",
                   settings.build.ef_construction, ".",
                   std::string(result.contestant->name()));
  if (settings.rebuild || !std::filesystem::exists(path)) {
    RETURN_IF_ERROR(BuildIntoCache(dataset, settings, result, path));
  }
  RETURN_IF_ERROR(ReadFacts(path, result));
  result.file_mb = static_cast<double>(std::filesystem::file_size(path)) / 1e6;
  const double before = OwnMegabytes();
  absl::Status loaded = result.contestant->Load(dataset, path);
  if (!loaded.ok() && !settings.rebuild) {
    // Written by another version, most likely.
    std::fprintf(stderr, "%s: %s; building it again\n", path.c_str(),
                 loaded.ToString().c_str());
    RETURN_IF_ERROR(BuildIntoCache(dataset, settings, result, path));
    RETURN_IF_ERROR(ReadFacts(path, result));
    loaded = result.contestant->Load(dataset, path);
  }
  if (!loaded.ok()) {
    return WithContext(loaded, path);
  }
  result.rss_mb = OwnMegabytes() - before;
  return absl::OkStatus();
}

void MeasureAnn(const AnnDataset& dataset, const AnnSettings& settings,
                std::vector<AnnResult>& results) {
  PinThread(settings.cpu);
  std::vector<std::vector<size_t>> repeats;
  for (AnnResult& result : results) {
    FindCurve(dataset, settings, result);
    repeats.push_back(PointsToRepeat(result, settings));
  }
  const bool any =
      std::any_of(repeats.begin(), repeats.end(),
                  [](const auto& points) { return !points.empty(); });
  const double start = WallSeconds();
  for (int round = 1; any; ++round) {
    for (size_t turn = 0; turn < 100; ++turn) {
      for (size_t i = 0; i < results.size(); ++i) {
        if (turn < repeats[i].size()) {
          RunPass(dataset, settings.k, results[i],
                  results[i].curve[repeats[i][turn]]);
        }
      }
    }
    const double elapsed = WallSeconds() - start;
    std::fprintf(stderr, "round %d done, %.0f s\n", round, elapsed);
    // Another round only if it fits.
    const int rounds_min = settings.quick ? 1 : 2;
    if (round >= rounds_min &&
        elapsed * (round + 1) / round > settings.measure_s) {
      break;
    }
  }
  for (AnnResult& result : results) {
    for (AnnPoint& point : result.curve) {
      point.qps = Median(point.pass_qps);
    }
    result.qps_at_095 = QpsAtRecall(result.curve, kTargets[0]);
    result.qps_at_099 = QpsAtRecall(result.curve, kTargets[1]);
  }
}

std::vector<AnnEffort> AnnContestant::Efforts(uint32_t k, bool quick) const {
  std::vector<AnnEffort> efforts;
  constexpr double kWidest = 2600;
  const double step = quick ? 2 : std::sqrt(2.0);
  double ef = k;
  while (ef < kWidest) {
    efforts.push_back({.ef = static_cast<uint32_t>(ef)});
    ef *= step;
  }
  return efforts;
}

std::optional<double> QpsAtRecall(const std::vector<AnnPoint>& curve,
                                  double recall) {
  for (size_t i = 0; i < curve.size(); ++i) {
    if (curve[i].recall < recall) {
      continue;
    }
    if (i == 0 || curve[i].recall == curve[i - 1].recall) {
      return curve[i].qps;
    }
    const AnnPoint& low = curve[i - 1];
    const AnnPoint& high = curve[i];
    const double share = (recall - low.recall) / (high.recall - low.recall);
    return std::exp(std::log(low.qps) +
                    share * (std::log(high.qps) - std::log(low.qps)));
  }
  return std::nullopt;
}

}  // namespace sextant
