// SPDX-License-Identifier: Apache-2.0
//
// Text and vectors together: how good the ten best are, and what a fused search
// costs beside its parts. Weights are tuned on odd queries, figures are those
// of even ones. `./dev bench hybrid`.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"

#include "base/check.h"
#include "base/status_macros.h"
#include "bench/hybrid_server.h"
#include "bench/json_option.h"
#include "bench/processor.h"
#include "clients/formats/vector_file.h"
#include "engine/database.h"

namespace sextant {
namespace {

constexpr uint32_t kHits = 10;
constexpr uint32_t kCandidates = 100;

struct Dataset {
  std::vector<std::string> documents;
  std::vector<std::vector<float>> vectors;
  std::vector<std::string> queries;
  std::vector<std::vector<float>> query_vectors;
  std::vector<std::set<uint64_t>> relevant;  // by query
};

absl::StatusOr<std::vector<std::vector<float>>> ReadVectors(
    const std::string& path) {
  ASSIGN_OR_RETURN(const std::unique_ptr<VectorFile> file,
                   OpenVectorFile(path));
  std::vector<std::vector<float>> rows(file->rows(),
                                       std::vector<float>(file->dimension()));
  for (size_t i = 0; i < rows.size(); ++i) {
    RETURN_IF_ERROR(file->ReadRows(i, rows[i]));
  }
  return rows;
}

absl::StatusOr<std::vector<std::string>> ReadTexts(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> texts;
  for (std::string line; std::getline(file, line);) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object() || !json.contains("text")) {
      return absl::DataLossError(absl::StrCat(path, ": no text in a line"));
    }
    texts.push_back(json["text"].get<std::string>());
  }
  return texts;
}

absl::StatusOr<Dataset> ReadCranfield(const std::string& folder) {
  Dataset data;
  ASSIGN_OR_RETURN(data.documents, ReadTexts(folder + "/docs.jsonl"));
  ASSIGN_OR_RETURN(data.queries, ReadTexts(folder + "/queries.jsonl"));
  ASSIGN_OR_RETURN(data.vectors, ReadVectors(folder + "/base.npy"));
  ASSIGN_OR_RETURN(data.query_vectors, ReadVectors(folder + "/queries.npy"));
  data.relevant.resize(data.queries.size());
  std::ifstream file(folder + "/qrels.tsv");
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    size_t query = 0;
    uint64_t document = 0;
    if (fields >> query >> document && query < data.relevant.size()) {
      // Whatever the grade: 0 marks the best match of a query.
      data.relevant[query].insert(document);
    }
  }
  if (data.documents.size() != data.vectors.size() ||
      data.queries.size() != data.query_vectors.size() ||
      data.documents.empty()) {
    return absl::DataLossError(folder + ": texts and vectors differ in number");
  }
  return data;
}

double Ndcg(const SearchResult& result, const std::set<uint64_t>& relevant) {
  double gain = 0;
  for (size_t i = 0; i < result.hits.size(); ++i) {
    if (relevant.contains(std::get<uint64_t>(result.hits[i].point.id))) {
      gain += 1 / std::log2(2 + static_cast<double>(i));
    }
  }
  double ideal = 0;
  for (size_t i = 0; i < std::min<size_t>(kHits, relevant.size()); ++i) {
    ideal += 1 / std::log2(2 + static_cast<double>(i));
  }
  return ideal == 0 ? 0 : gain / ideal;
}

class Bench {
 public:
  Bench(Dataset data, std::string folder)
      : data_(std::move(data)), folder_(std::move(folder)) {}

  absl::Status Fill(const std::string& language) {
    DatabaseOptions options;
    options.store.path = folder_;
    ASSIGN_OR_RETURN(database_, Database::Open(options));
    Schema schema;
    schema.vector_fields.push_back(
        {"v",
         static_cast<uint32_t>(data_.vectors.front().size()),
         Metric::kCosine,
         {}});
    schema.text_fields = {{.name = "text",
                           .analysis = {.language = language},
                           .bm25 = {0.9F, 0.4F}}};
    ASSIGN_OR_RETURN(collection_, database_->Create("docs", schema));
    std::vector<Point> points;
    for (size_t i = 0; i < data_.documents.size(); ++i) {
      // One abstract is empty and has a zero vector.
      const std::vector<float>& vector = data_.vectors[i];
      if (std::all_of(vector.begin(), vector.end(),
                      [](float x) { return x == 0; })) {
        continue;
      }
      nlohmann::json payload = {{"text", data_.documents[i]}};
      points.push_back({PointId(uint64_t{i}), {{"v", vector}}, payload.dump()});
      if (points.size() == 500 || i + 1 == data_.documents.size()) {
        RETURN_IF_ERROR(
            collection_->Upsert(std::move(points), context_).status());
        points.clear();
      }
    }
    return collection_->SealAndWait(context_);
  }

  absl::Status Close() {
    collection_.reset();
    const absl::Status closed = database_->Close();
    database_.reset();
    return closed;
  }

  // How a query is asked.
  struct Way {
    std::string name;
    double text = 0;  // weights; 0: not asked
    double dense = 0;
    FusionMethod method = FusionMethod::kReciprocalRank;
  };

  SearchQuery QueryOf(size_t i, const Way& way) const {
    SearchQuery query;
    query.limit = kHits;
    if (way.text > 0) {
      TextSource text;
      text.query.text = data_.queries[i];
      text.share = {.candidates = kCandidates, .weight = way.text};
      query.sources.emplace_back(text);
    }
    if (way.dense > 0) {
      DenseSource dense{.target = data_.query_vectors[i]};
      dense.share = {.candidates = way.text > 0 ? kCandidates : 0,
                     .weight = way.dense};
      query.sources.emplace_back(dense);
    }
    if (way.text > 0 && way.dense > 0) {
      query.fusion = FusionChoice{way.method};
    }
    return query;
  }

  // Mean nDCG@10 of the odd or the even queries.
  absl::StatusOr<double> Quality(const Way& way, bool odd) const {
    double sum = 0;
    double count = 0;
    for (size_t i = odd ? 1 : 0; i < data_.queries.size(); i += 2) {
      ASSIGN_OR_RETURN(const SearchResult result,
                       collection_->Search(QueryOf(i, way), context_));
      sum += Ndcg(result, data_.relevant[i]);
      ++count;
    }
    return sum / count;
  }

  // The best share of the text on odd queries.
  absl::StatusOr<Way> Tune(Way way) const {
    Way best = way;
    double best_quality = -1;
    for (int step = 1; step < 20; ++step) {
      way.text = step * 0.05;
      way.dense = 1 - way.text;
      ASSIGN_OR_RETURN(const double quality, Quality(way, true));
      if (quality > best_quality) {
        best_quality = quality;
        best = way;
      }
    }
    best.name = absl::StrFormat("%s, text %.2f", way.name, best.text);
    return best;
  }

  // Seconds a search, with as many hits as a fusion takes of each part.
  absl::StatusOr<double> Seconds(const Way& way, uint32_t limit) const {
    constexpr int kRounds = 5;
    double best = 0;
    for (int round = 0; round < kRounds; ++round) {
      const double begin = WallSeconds();
      for (size_t i = 0; i < data_.queries.size(); ++i) {
        SearchQuery query = QueryOf(i, way);
        query.limit = limit;
        RETURN_IF_ERROR(collection_->Search(query, context_).status());
      }
      const double seconds =
          (WallSeconds() - begin) / static_cast<double>(data_.queries.size());
      best = round == 0 ? seconds : std::min(best, seconds);
    }
    return best;
  }

 private:
  const Dataset data_;
  const std::string folder_;
  const RequestContext context_;
  std::unique_ptr<Database> database_;
  std::shared_ptr<Collection> collection_;
};

absl::Status Measure(const Dataset& data, const std::string& language,
                     std::FILE* out, nlohmann::json* json) {
  const std::string folder =
      std::filesystem::temp_directory_path() / "sextant-hybrid-bench";
  std::filesystem::remove_all(folder);
  Bench bench(data, folder);
  RETURN_IF_ERROR(bench.Fill(language));
  std::vector<Bench::Way> ways = {
      {"text", 1, 0},
      {"vectors", 0, 1},
      {"reciprocal ranks", 1, 1},
      {"linear, equal weights", 0.5, 0.5, FusionMethod::kLinear}};
  ASSIGN_OR_RETURN(Bench::Way ranks, bench.Tune({"reciprocal ranks"}));
  ways.push_back(std::move(ranks));
  ASSIGN_OR_RETURN(
      Bench::Way linear,
      bench.Tune({.name = "linear", .method = FusionMethod::kLinear}));
  ways.push_back(std::move(linear));
  const std::string analysis = language.empty() ? "no stemming" : language;
  std::fprintf(out, "cranfield, %s: nDCG@10 of even queries\n",
               analysis.c_str());
  for (const Bench::Way& way : ways) {
    ASSIGN_OR_RETURN(const double quality, bench.Quality(way, false));
    std::fprintf(out, "  %-34s %.4f\n", way.name.c_str(), quality);
    (*json)["quality"][analysis][way.name] = quality;
  }
  ASSIGN_OR_RETURN(const double text, bench.Seconds(ways[0], kCandidates));
  ASSIGN_OR_RETURN(const double dense, bench.Seconds(ways[1], kCandidates));
  ASSIGN_OR_RETURN(const double both, bench.Seconds(ways[2], kHits));
  std::fprintf(
      out,
      "  engine: text %.1f us, vectors %.1f us, fused %.1f us: %.3f of the "
      "sum\n",
      text * 1e6, dense * 1e6, both * 1e6, both / (text + dense));
  (*json)["cost"][analysis] = {{"text_seconds", text},
                               {"dense_seconds", dense},
                               {"fused_seconds", both},
                               {"ratio", both / (text + dense)}};
  RETURN_IF_ERROR(bench.Close());
  for (const uint32_t part_limit : {kCandidates, kHits}) {
    ASSIGN_OR_RETURN(
        const HybridSeconds served,
        MeasureHybridServer(folder, data.queries, data.query_vectors,
                            kCandidates, kHits, part_limit));
    std::fprintf(out,
                 "  over gRPC, parts of %d hits: text %.1f us, vectors %.1f "
                 "us, fused %.1f us: %.3f of the sum\n",
                 part_limit, served.text * 1e6, served.dense * 1e6,
                 served.fused * 1e6, served.ratio());
    (*json)["grpc_cost"][analysis][absl::StrCat("parts_of_", part_limit)] = {
        {"text_seconds", served.text},
        {"dense_seconds", served.dense},
        {"fused_seconds", served.fused},
        {"ratio", served.ratio()}};
  }
  std::filesystem::remove_all(folder);
  return absl::OkStatus();
}

int Run(int argc, char** argv) {
  CLI::App app("Quality and cost of searches by text and vectors together");
  std::string data = "../shared/data/cranfield";
  bool quick = false;
  std::string cache;  // taken, as by the other benchmarks; not needed
  JsonOption json;
  app.add_option("--data", data, "the folder of Cranfield");
  app.add_flag("--quick", quick, "without stemming only");
  app.add_option("--cache", cache);
  json.AddTo(app);
  CLI11_PARSE(app, argc, argv);
  const auto dataset = ReadCranfield(data);
  if (!dataset.ok()) {
    std::fprintf(stderr, "%s\n", dataset.status().ToString().c_str());
    return 1;
  }
  nlohmann::json figures;
  for (const std::string& language :
       quick ? std::vector<std::string>{""}
             : std::vector<std::string>{"", "english"}) {
    const absl::Status status =
        Measure(*dataset, language, json.table(), &figures);
    if (!status.ok()) {
      std::fprintf(stderr, "%s\n", status.ToString().c_str());
      return 1;
    }
  }
  return json.Write(figures.dump(2) + "\n") ? 0 : 1;
}

}  // namespace
}  // namespace sextant

int main(int argc, char** argv) {
  return sextant::Run(argc, argv);
}
