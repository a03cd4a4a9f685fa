// SPDX-License-Identifier: Apache-2.0
#include "bench/synthetic_dataset.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <numeric>
#include <random>
#include <span>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "base/status_macros.h"
#include "base/thread_pool.h"
#include "bench/normal_pair.h"
#include "index/distance.h"
#include "index/scan.h"

namespace sextant {
namespace {

constexpr uint32_t kTruthDepth = 100;
constexpr double kNoise = 0.02;  // of each number, before unit length
constexpr double kSpread = 0.6;  // of the centres, against 1 for the surfaces
constexpr double kCurvature = 0.5;

class NormalSource {
 public:
  explicit NormalSource(uint64_t seed) : random_(seed) {}

  double Next() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    double next = 0;
    std::tie(next, spare_) = NormalPair(random_);
    has_spare_ = true;
    return next;
  }
  uint64_t Below(uint64_t limit) { return random_() % limit; }

 private:
  std::mt19937_64 random_;
  double spare_ = 0;
  bool has_spare_ = false;
};

using Numbers = std::vector<float>;

Numbers Normals(NormalSource& source, size_t count, double scale) {
  Numbers numbers(count);
  for (float& number : numbers) {
    number = static_cast<float>(scale * source.Next());
  }
  return numbers;
}

// The surface of one cluster.
struct Surface {
  Surface(NormalSource& source, const SyntheticShape& shape)
      : intrinsic(shape.intrinsic_dimension) {
    const double per_column = 1 / std::sqrt(intrinsic);
    centre = Normals(source, shape.dimension, kSpread);
    // A's rows, then the columns of B and of C.
    bend = Normals(source, size_t{intrinsic} * intrinsic, per_column);
    straight = Normals(source, size_t{intrinsic} * shape.dimension, per_column);
    curved = Normals(source, size_t{intrinsic} * shape.dimension,
                     kCurvature * per_column);
  }

  void Sample(NormalSource& source, std::span<float> out) const {
    std::copy(centre.begin(), centre.end(), out.begin());
    const Numbers z = Normals(source, intrinsic, 1);
    for (uint32_t i = 0; i < intrinsic; ++i) {
      const float* row = &bend[size_t{i} * intrinsic];
      const float bent =
          std::sin(2 * std::inner_product(z.begin(), z.end(), row, 0.0F));
      const float* line = &straight[size_t{i} * out.size()];
      const float* curve = &curved[size_t{i} * out.size()];
      for (size_t j = 0; j < out.size(); ++j) {
        out[j] += z[i] * line[j] + bent * curve[j];
      }
    }
    for (float& number : out) {
      number += static_cast<float>(kNoise * source.Next());
    }
    Normalize(out);
  }

  uint32_t intrinsic;
  Numbers centre;
  Numbers bend;
  Numbers straight;
  Numbers curved;
};

// Rows in blocks with a random source each, so that the number of threads does
// not matter.
constexpr size_t kBlockRows = 4096;

void SampleRows(const std::vector<Surface>& surfaces, uint64_t seed,
                size_t dimension, ThreadPool& pool, Numbers& rows) {
  const size_t count = rows.size() / dimension;
  const size_t blocks = (count + kBlockRows - 1) / kBlockRows;
  pool.ParallelFor(blocks, pool.threads(), [&](size_t block) {
    NormalSource source(seed + block);
    const size_t end = std::min(count, (block + 1) * kBlockRows);
    for (size_t row = block * kBlockRows; row < end; ++row) {
      surfaces[source.Below(surfaces.size())].Sample(
          source, std::span(rows).subspan(row * dimension, dimension));
    }
  });
}

double Dot(const float* a, const float* b, size_t dimension) {
  double sum = 0;
  for (size_t i = 0; i < dimension; ++i) {
    sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  }
  return sum;
}

// The best scores of `queries`, best first: our own scan finds the rows, and
// double precision scores them.
absl::StatusOr<Numbers> ExactScores(const Numbers& base, const Numbers& queries,
                                    uint32_t dimension, ThreadPool& pool) {
  const size_t rows = base.size() / dimension;
  const size_t count = queries.size() / dimension;
  std::vector<Ordinal> ordinals(rows);
  std::iota(ordinals.begin(), ordinals.end(), Ordinal{0});
  Numbers scores(count * kTruthDepth);
  // A group of queries meets a block of rows while it is in the cache.
  constexpr size_t kGroup = 50;
  constexpr size_t kScanRows = 1024;
  std::vector<absl::Status> errors((count + kGroup - 1) / kGroup);
  pool.ParallelFor(errors.size(), pool.threads(), [&](size_t group) {
    const size_t first = group * kGroup;
    const size_t end = std::min(count, first + kGroup);
    std::vector<TopK> best(end - first, TopK(kTruthDepth));
    const RowSet none;
    const RequestContext context;
    SearchWork work;
    for (size_t row = 0; row < rows; row += kScanRows) {
      const RowBlock block{
          &base[row * dimension], &ordinals[row],
          static_cast<uint32_t>(std::min(kScanRows, rows - row))};
      for (size_t query = first; query < end; ++query) {
        const ScanRequest request{
            {Metric::kInnerProduct, dimension},
            std::span(queries).subspan(query * dimension, dimension),
            none,
            context};
        errors[group].Update(
            ScanBlock(request, block, best[query - first], work));
      }
    }
    for (size_t query = first; query < end; ++query) {
      float* out = &scores[query * kTruthDepth];
      size_t place = 0;
      for (const ScoredRow& row : best[query - first].TakeSorted()) {
        out[place++] = static_cast<float>(
            Dot(&queries[query * dimension], &base[size_t{row.row} * dimension],
                dimension));
      }
      std::sort(out, out + kTruthDepth, std::greater<>());
    }
  });
  for (const absl::Status& error : errors) {
    RETURN_IF_ERROR(error);
  }
  return scores;
}

absl::Status WriteNpy(const std::filesystem::path& path, const Numbers& numbers,
                      size_t columns) {
  std::string header = absl::StrFormat(
      "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }",
      numbers.size() / columns, columns);
  // Magic, version and length take 10 bytes; numbers start at a multiple of 64.
  header.append(63 - (header.size() + 10) % 64, ' ');
  header += '\n';
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) {
    return absl::InternalError(absl::StrCat("cannot write ", path.string()));
  }
  const std::string start =
      absl::StrCat(absl::string_view("\x93NUMPY\x01\x00", 8),
                   std::string{static_cast<char>(header.size() % 256),
                               static_cast<char>(header.size() / 256)},
                   header);
  bool ok = std::fwrite(start.data(), 1, start.size(), file) == start.size() &&
            std::fwrite(numbers.data(), sizeof(float), numbers.size(), file) ==
                numbers.size();
  ok = std::fclose(file) == 0 && ok;
  return ok ? absl::OkStatus()
            : absl::InternalError(absl::StrCat("cannot write ", path.string()));
}

absl::Status MakeFolder(const std::filesystem::path& folder,
                        const SyntheticShape& shape, int threads) {
  NormalSource source(shape.seed);
  std::vector<Surface> surfaces;
  for (uint32_t i = 0; i < shape.clusters; ++i) {
    surfaces.emplace_back(source, shape);
  }
  ThreadPool pool({.name = "synthetic", .threads = threads});
  std::fprintf(stderr, "synthetic: making %u x %u rows\n", shape.rows,
               shape.dimension);
  Numbers base(size_t{shape.rows} * shape.dimension);
  SampleRows(surfaces, shape.seed + 1, shape.dimension, pool, base);
  Numbers queries(size_t{shape.queries} * shape.dimension);
  SampleRows(surfaces, shape.seed + 1'000'000, shape.dimension, pool, queries);
  std::fprintf(stderr, "synthetic: exact answers of %u queries\n",
               shape.queries);
  ASSIGN_OR_RETURN(const Numbers scores,
                   ExactScores(base, queries, shape.dimension, pool));
  RETURN_IF_ERROR(WriteNpy(folder / "base.npy", base, shape.dimension));
  RETURN_IF_ERROR(WriteNpy(folder / "queries.npy", queries, shape.dimension));
  return WriteNpy(folder / "gt_scores.npy", scores, kTruthDepth);
}

}  // namespace

absl::StatusOr<std::string> SyntheticFolder(const std::string& cache_folder,
                                            const SyntheticShape& shape,
                                            int threads) {
  if (shape.rows < kTruthDepth ||
      shape.dimension != PaddedStride(shape.dimension)) {
    return absl::InvalidArgumentError(
        absl::StrCat("synthetic data: expected at least ", kTruthDepth,
                     " rows and a dimension that 16 divides, got ", shape.rows,
                     " x ", shape.dimension));
  }
  const std::filesystem::path parent(cache_folder);
  const std::filesystem::path folder =
      parent / absl::StrCat("synthetic-", shape.rows, "x", shape.dimension,
                            "-s", shape.seed);
  std::error_code error;
  if (std::filesystem::exists(folder, error)) {
    return folder.string();
  }
  // Whole or not at all.
  const std::filesystem::path unfinished = folder.string() + ".new";
  std::filesystem::remove_all(unfinished, error);
  std::filesystem::create_directories(unfinished, error);
  if (error) {
    return absl::InternalError(absl::StrCat("cannot make ", unfinished.string(),
                                            ": ", error.message()));
  }
  RETURN_IF_ERROR(MakeFolder(unfinished, shape, threads));
  std::filesystem::rename(unfinished, folder, error);
  if (error) {
    return absl::InternalError(
        absl::StrCat("cannot make ", folder.string(), ": ", error.message()));
  }
  return folder.string();
}

absl::StatusOr<AnnDataset> ReadDataset(const DataSource& source) {
  if (source.data != kSynthetic) {
    return ReadAnnDataset(source.data, source.k, source.max_rows);
  }
  ASSIGN_OR_RETURN(const std::string folder,
                   SyntheticFolder(source.cache_folder, {}, source.threads));
  ASSIGN_OR_RETURN(AnnDataset dataset,
                   ReadAnnDataset(folder, source.k, source.max_rows));
  dataset.name = kSynthetic;
  return dataset;
}

}  // namespace sextant
