// SPDX-License-Identifier: Apache-2.0
//
// Text search beside SQLite FTS5 and Xapian: the rate of indexing, the size,
// and queries a second for the best ten of any, all and phrases of 2 to 4
// words. Everything in memory, one thread. `./dev bench text`.

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"

#include "bench/json_option.h"
#include "bench/processor.h"
#include "bench/svg_plot.h"
#include "bench/text_contestant.h"
#include "bench/text_corpus.h"

namespace sextant {
namespace {

struct Options {
  std::string data = "../shared/data/debian-packages";
  std::string tmpfs = "/dev/shm";
  std::string cache;  // taken, as by the other benchmarks; not needed
  std::string plot;
  std::vector<std::string> engines;
  bool quick = false;
};

constexpr struct {
  const char* name;
  TextQueryForm form;
} kForms[] = {{"or_top10", TextQueryForm::kAny},
              {"and_top10", TextQueryForm::kAll},
              {"phrase_top10", TextQueryForm::kPhrase}};

// By figure, by engine.
using Figures = std::map<std::string, std::map<std::string, double>>;

// Answers a second; the answers are counted into `hits`. Slow engines answer
// fewer queries, in the same order.
double QueriesPerSecond(TextContestant& engine,
                        const std::vector<BenchTextQuery>& queries,
                        double seconds_max, std::vector<size_t>* hits) {
  for (size_t i = 0; i < std::min<size_t>(20, queries.size()); ++i) {
    engine.Search(queries[i]);  // warms caches
  }
  const double begin = WallSeconds();
  double end = begin;
  size_t done = 0;
  while (end - begin < seconds_max) {
    const size_t found = engine.Search(queries[done % queries.size()]).size();
    if (hits->size() < queries.size()) {
      hits->push_back(found);
    }
    ++done;
    end = WallSeconds();
  }
  return static_cast<double>(done) / (end - begin);
}

void Measure(TextContestant& engine, const TextCorpus& corpus,
             const Options& options, Figures* figures,
             std::map<std::string, std::vector<size_t>>* expected) {
  const double begin = WallSeconds();
  engine.Build(corpus);
  const double seconds = WallSeconds() - begin;
  const auto tokens = static_cast<double>(corpus.tokens);
  (*figures)["index"][engine.name()] = tokens / seconds;
  engine.Optimize();
  (*figures)["bytes_per_token"][engine.name()] =
      static_cast<double>(engine.index_bytes()) / tokens;
  for (const auto& form : kForms) {
    const auto queries = TextQueries(corpus, form.form, 500);
    std::vector<size_t> hits;
    (*figures)[form.name][engine.name()] =
        QueriesPerSecond(engine, queries, options.quick ? 1 : 3, &hits);
    // The engines rank by formulas of their own, but agree on what matches.
    std::vector<size_t>& known = (*expected)[form.name];
    size_t differences = 0;
    for (size_t i = 0; i < std::min(known.size(), hits.size()); ++i) {
      differences += known[i] != hits[i] ? 1U : 0U;
    }
    if (differences > 0) {
      std::fprintf(stderr, "%s, %s, %s: %zu queries match other numbers\n",
                   corpus.name.c_str(), form.name, engine.name().c_str(),
                   differences);
    }
    if (hits.size() > known.size()) {
      known = hits;
    }
  }
  std::fprintf(stderr, "%s, %s:", corpus.name.c_str(), engine.name().c_str());
  for (const auto& [figure, by_engine] : *figures) {
    std::fprintf(stderr, " %s %.2f", figure.c_str(),
                 by_engine.at(engine.name()));
  }
  std::fprintf(stderr, "\n");
}

std::vector<std::unique_ptr<TextContestant>> Engines(const Options& options) {
  std::vector<std::unique_ptr<TextContestant>> engines;
  for (auto make :
       {+[](const Options&) { return MakeSextantText(); },
        +[](const Options&) { return MakeFts5Text(); },
        +[](const Options& o) { return MakeXapianText(o.tmpfs); }}) {
    std::unique_ptr<TextContestant> engine = make(options);
    if (engine != nullptr &&
        (options.engines.empty() ||
         std::find(options.engines.begin(), options.engines.end(),
                   engine->name()) != options.engines.end())) {
      engines.push_back(std::move(engine));
    }
  }
  return engines;
}

// Ours by the better of the others; 0 where there is nothing to compare.
double Ratio(const std::map<std::string, double>& by_engine) {
  double best = 0;
  for (const auto& [engine, value] : by_engine) {
    best = engine == "sextant" ? best : std::max(best, value);
  }
  const auto own = by_engine.find("sextant");
  return best > 0 && own != by_engine.end() ? own->second / best : 0;
}

void PrintTable(std::FILE* out, const TextCorpus& corpus,
                const Figures& figures) {
  std::fprintf(out, "%s: %zu texts, %llu tokens\n%-16s", corpus.name.c_str(),
               corpus.texts.size(),
               static_cast<unsigned long long>(corpus.tokens), "");
  for (const auto& [engine, value] : figures.at("index")) {
    std::fprintf(out, "%14s", engine.c_str());
  }
  std::fprintf(out, "%20s\n", "ours / best other");
  for (const auto& [figure, by_engine] : figures) {
    std::fprintf(out, "%-16s", figure.c_str());
    for (const auto& [engine, value] : by_engine) {
      std::fprintf(out, value < 100 ? "%14.2f" : "%14.0f", value);
    }
    if (figure != "bytes_per_token") {
      std::fprintf(out, "%20.2f", Ratio(by_engine));
    }
    std::fprintf(out, "\n");
  }
}

absl::Status WritePlot(const std::string& folder, const TextCorpus& corpus,
                       const Figures& figures) {
  Plot plot;
  plot.title = absl::StrCat("Text search: ", corpus.name);
  plot.subtitle = "queries a second, best ten: 1 any, 2 all, 3 phrase";
  plot.x = {"form of query", 0.5, 3.5, false, {1, 2, 3}};
  double low = 1e9;
  double high = 1;
  std::map<std::string, PlotLine> lines;
  for (size_t i = 0; i < std::size(kForms); ++i) {
    for (const auto& [engine, value] : figures.at(kForms[i].name)) {
      lines[engine].name = engine;
      lines[engine].points.emplace_back(static_cast<double>(i + 1), value);
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  plot.y = {"queries a second", low / 1.5, high * 1.5, true,
            LogarithmicTicks(low / 1.5, high * 1.5)};
  for (auto& [engine, line] : lines) {
    plot.lines.push_back(std::move(line));
  }
  return WriteSvg(plot, absl::StrCat(folder, "/text-", corpus.name, ".svg"));
}

int Run(const Options& options, const JsonOption& json_option) {
  std::vector<TextCorpus> corpora;
  auto packages = ReadPackageTexts(options.data);
  if (packages.ok()) {
    corpora.push_back(*std::move(packages));
  } else {
    std::fprintf(stderr, "without debian-packages: %s\n",
                 std::string(packages.status().message()).c_str());
  }
  corpora.push_back(ZipfTexts(options.quick ? 100'000 : 1'000'000));
  nlohmann::json sets = nlohmann::json::array();
  Figures last;
  for (const TextCorpus& corpus : corpora) {
    Figures figures;
    std::map<std::string, std::vector<size_t>> expected;
    for (const auto& engine : Engines(options)) {
      Measure(*engine, corpus, options, &figures, &expected);
    }
    PrintTable(json_option.table(), corpus, figures);
    nlohmann::json set = figures;
    set["set"] = corpus.name;
    set["texts"] = corpus.texts.size();
    set["tokens"] = corpus.tokens;
    for (const char* figure :
         {"or_top10", "and_top10", "phrase_top10", "index"}) {
      set["ratios"][figure] = Ratio(figures[figure]);
    }
    sets.push_back(std::move(set));
    last = figures;
    if (!options.plot.empty()) {
      if (const auto status = WritePlot(options.plot, corpus, figures);
          !status.ok()) {
        std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
        return 1;
      }
    }
  }
  // At the top: the last set, which is the largest.
  nlohmann::json result = last;
  result["processor"] = ProcessorName();
  result["sets"] = sets;
  if (!json_option.Write(result.dump(2) + "\n")) {
    std::fprintf(stderr, "cannot write %s\n", json_option.file().c_str());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace sextant

int main(int argc, char** argv) {
  CLI::App app("Text search beside SQLite FTS5 and Xapian");
  sextant::Options options;
  sextant::JsonOption json;
  app.add_option("--data", options.data, "folder of debian-packages");
  app.add_option("--tmpfs", options.tmpfs, "folder for Xapian's database");
  app.add_option("--cache", options.cache, "not used");
  app.add_option("--plot", options.plot, "folder to write plots to");
  app.add_option("--engines", options.engines, "only these")
      ->check(CLI::IsMember({"sextant", "fts5", "xapian"}));
  app.add_flag("--quick", options.quick, "a tenth of the synthetic texts");
  json.AddTo(app);
  CLI11_PARSE(app, argc, argv);
  return sextant::Run(options, json);
}
