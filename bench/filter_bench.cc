// SPDX-License-Identifier: Apache-2.0
//
// What filters cost over the columns of one segment: ranks, counts, sets. One
// thread. With --data also a search among the points that match two keywords.
// `./dev bench filter`.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "base/check.h"
#include "bench/filter_search.h"
#include "filters/bound_filter.h"
#include "filters/filter_text.h"
#include "filters/segment_filter.h"
#include "index/columns/column_builder.h"
#include "index/columns/field_column.h"

namespace sextant {
namespace {

constexpr uint64_t kSeed = 1;

// Median of several rounds, of one call.
double Nanoseconds(int calls, absl::FunctionRef<uint64_t()> call) {
  std::vector<double> rounds;
  uint64_t kept = 0;
  for (int round = 0; round < 9; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < calls; ++i) {
      kept += call();
    }
    rounds.push_back(std::chrono::duration<double, std::nano>(
                         std::chrono::steady_clock::now() - begin)
                         .count() /
                     calls);
  }
  CHECK(kept != 1);  // so that no call is left out
  std::nth_element(rounds.begin(), rounds.begin() + 4, rounds.end());
  return rounds[4];
}

// Two keyword fields of five terms, a number that is another in every row, one
// with ties, a boolean, and tags with two values a row.
class BenchSegment : public SegmentColumns {
 public:
  explicit BenchSegment(uint32_t rows) : rows_(rows) {
    std::mt19937_64 random(kSeed);
    Add({"color", FieldType::kKeyword},
        [&] { return FieldValues{absl::StrCat("c", random() % 5)}; });
    Add({"shape", FieldType::kKeyword},
        [&] { return FieldValues{absl::StrCat("s", random() % 5)}; });
    Add({"size", FieldType::kInteger}, [&] {
      return FieldValues{KeyOfInteger(static_cast<int64_t>(random() >> 16U))};
    });
    Add({"year", FieldType::kInteger}, [&] {
      return FieldValues{
          KeyOfInteger(1950 + static_cast<int64_t>(random() % 75))};
    });
    Add({"essential", FieldType::kBoolean},
        [&] { return FieldValues{KeyOfBoolean(random() % 4 == 0)}; });
    Add({"tags", FieldType::kKeyword}, [&] {
      return FieldValues{absl::StrCat("t", random() % 1000),
                         absl::StrCat("t", random() % 1000)};
    });
  }

  FilterSchema schema() const { return {fields_, true}; }
  uint32_t rows() const override { return rows_; }
  const FieldColumn* column(size_t field) const override {
    return &columns_[field];
  }
  std::optional<Ordinal> FindId(absl::string_view) const override {
    return std::nullopt;
  }
  size_t file_bytes(size_t field) const { return columns_[field].file_bytes(); }

 private:
  void Add(FilterField field, absl::FunctionRef<FieldValues()> next) {
    ColumnBuilder builder(field.type, rows_);
    for (uint32_t row = 0; row < rows_; ++row) {
      builder.Add(row, next());
    }
    auto bytes = std::move(builder).Finish();
    CHECK_OK(bytes);
    bytes_.push_back(std::make_unique<std::string>(*std::move(bytes)));
    auto column = FieldColumn::Open(field.type, *bytes_.back(), rows_);
    CHECK_OK(column);
    columns_.push_back(*std::move(column));
    fields_.push_back(std::move(field));
  }

  uint32_t rows_;
  std::vector<FilterField> fields_;
  std::vector<std::unique_ptr<std::string>> bytes_;
  std::vector<FieldColumn> columns_;
};

void MeasureRank(const BenchSegment& segment) {
  const NumberColumn& column = *segment.column(2)->number();
  std::mt19937_64 random(kSeed);
  std::vector<NumberKey> keys(1U << 16U);
  for (NumberKey& key : keys) {
    key = KeyOfInteger(static_cast<int64_t>(random() >> 16U));
  }
  size_t i = 0;
  absl::PrintF("rank among %u random keys: %.0f ns\n", column.size(),
               Nanoseconds(200000, [&] {
                 return column.Rank(keys[i++ % keys.size()]);
               }));
}

void MeasureFilter(const BenchSegment& segment, const std::string& text) {
  const auto filter = ParseFilter(text);
  CHECK_OK(filter);
  const auto bound = BindFilter(*filter, segment.schema());
  CHECK_OK(bound);
  const SegmentFilter compiled(*bound, segment);
  const double bind = Nanoseconds(2000, [&] {
    return BindFilter(*filter, segment.schema()).ok() ? 2U : 0U;
  });
  const double compile = Nanoseconds(
      2000, [&] { return SegmentFilter(*bound, segment).CountAtMost() + 2U; });
  const double evaluate =
      Nanoseconds(50, [&] { return compiled.Evaluate().count() + 2; });
  absl::PrintF("%-58s %8u rows%s  bind %6.2f  ready %6.2f  set %9.2f us\n",
               text, compiled.Evaluate().count(),
               compiled.ExactCount().has_value() ? " (known)" : "        ",
               bind / 1000, compile / 1000, evaluate / 1000);
}

// A search among the 4 % that match two independent keywords, finding them
// included, beside a search of all.
int MeasureSearch(const std::string& folder, const std::string& cache) {
  const auto dataset = ReadAnnDataset(folder, 10, 0);
  if (!dataset.ok()) {
    std::fprintf(stderr, "filter_bench: %s\n",
                 dataset.status().ToString().c_str());
    return 1;
  }
  const BenchSegment segment(dataset->rows);
  const auto filter = ParseFilter("color = 'c1' and shape = 's2'");
  CHECK_OK(filter);
  const absl::Status status =
      MeasureFilteredSearch(*dataset, {.cache_folder = cache}, [&] {
        const auto bound = BindFilter(*filter, segment.schema());
        CHECK_OK(bound);
        return SegmentFilter(*bound, segment).Evaluate().ToOrdinals();
      });
  if (!status.ok()) {
    std::fprintf(stderr, "filter_bench: %s\n", status.ToString().c_str());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace sextant

int main(int argc, char** argv) {
  CLI::App app("Filters over the columns of one segment.");
  std::vector<uint32_t> sizes = {338000, 1000000};
  std::vector<std::string> filters = {
      "color = 'c1' and shape = 's2'",
      "color = 'nowhere'",
      "color = 'c1' and tags = 'nowhere'",
      "color in ('c1', 'c2')",
      "tags = 't7'",
      "tags = 't7' and color = 'c1'",
      "year = 1984",
      "1980 <= year < 1990",
      "size < 140737488355",
      "size < 140737488355328",
      "size < 140737488355328 and essential",
      "not essential",
      "color = 'c1' and size < 140737488355 and not essential",
      "year < 1955 or size < 140737488355 or tags starts with 't99'"};
  app.add_option("--rows", sizes, "Rows of the segments");
  app.add_option("--filter", filters, "Filters instead of those built in");
  std::string data;
  std::string cache = "build/bench-cache";
  app.add_option("--data", data,
                 "Folder of a data set: measure a filtered search of it, too")
      ->check(CLI::ExistingDirectory);
  app.add_option("--cache", cache, "Where built indexes go")
      ->capture_default_str();
  app.footer(
      "\nexamples:\n  ./dev bench filter\n"
      "  ./dev bench filter --data ../shared/data/glove-100d\n"
      "  ./dev bench filter --rows 1000000 --filter \"year = 1984\"\n");
  CLI11_PARSE(app, argc, argv);
  for (const uint32_t rows : sizes) {
    const sextant::BenchSegment segment(rows);
    absl::PrintF("%u rows; bytes a row:", rows);
    for (size_t field = 0; field < segment.schema().fields.size(); ++field) {
      absl::PrintF(" %s %.1f", segment.schema().fields[field].name,
                   static_cast<double>(segment.file_bytes(field)) / rows);
    }
    absl::PrintF("\n");
    sextant::MeasureRank(segment);
    for (const std::string& text : filters) {
      sextant::MeasureFilter(segment, text);
    }
  }
  return data.empty() ? 0 : sextant::MeasureSearch(data, cache);
}
