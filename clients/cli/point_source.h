// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "clients/cpp/types.h"

namespace sextant::cli {

struct SourceOptions {
  // .npy, .fvecs, or JSON lines ("-" = standard input).
  std::string path;
  // A .npy or .fvecs file whose row i belongs to line i; may be empty.
  std::string vectors_path;
  // The key of a JSON line that holds the id; lines without it get their
  // number.
  std::string id_field = "id";
  // Id of the first row of a vector file; the others follow.
  uint64_t first_id = 0;
};

// What the first point looks like, from which a collection can be made.
struct SourceShape {
  client::IdKind id_kind = client::IdKind::kNumber;
  // Name and dimension; the name is empty where the file has none.
  std::vector<std::pair<std::string, uint64_t>> fields;
  std::vector<std::string> sparse_fields;
};

// Which state of the files was read.
struct SourceIdentity {
  uint64_t size_bytes = 0;
  int64_t modified_ns = 0;
  uint64_t vectors_size_bytes = 0;
  int64_t vectors_modified_ns = 0;

  bool operator==(const SourceIdentity&) const = default;
};

// The points of a file, one after the other. Owned and used by one thread.
// Errors name the file and the line or row.
class PointSource {
 public:
  virtual ~PointSource() = default;

  // Nothing when the source has no points.
  virtual const SourceShape& shape() const = 0;
  virtual const SourceIdentity& identity() const = 0;

  // The next point; its vector is under the name "" where the file has none.
  // False at the end.
  virtual absl::StatusOr<bool> Next(client::Point* point) = 0;
  // Passes over `count` points.
  virtual absl::Status Skip(uint64_t count) = 0;

  // Where the last point came from: "a.jsonl:17", "a.npy row 16".
  virtual std::string where() const = 0;
  // Points in all, 0 = not known.
  virtual uint64_t total() const = 0;
  // The part that was read, 0 to 1, below 0 = not known.
  virtual double fraction() const = 0;
};

absl::StatusOr<std::unique_ptr<PointSource>> OpenPointSource(
    const SourceOptions& options);

}  // namespace sextant::cli
