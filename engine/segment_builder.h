// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "base/context.h"
#include "base/thread_pool.h"
#include "engine/schema.h"
#include "engine/snapshot.h"
#include "engine/text_change.h"
#include "index/vector_index_builder.h"
#include "index/window_index.h"

namespace sextant {

// One sealed segment made of the live rows of several segments, in memory.
struct SegmentBuild {
  // Where a row of the new segment came from.
  struct Origin {
    uint32_t input = 0;  // position in `inputs`
    Ordinal row = 0;
  };

  std::vector<std::shared_ptr<const SegmentView>> inputs;
  std::vector<Origin> origins;  // by new ordinal; ids ascend
  std::string ids;              // IdColumn bytes
  std::vector<BuiltVectorIndex> fields;
  // FieldColumn bytes, by payload field; empty when an input has no column.
  std::vector<std::string> columns;
  struct Text {
    TextIndexId id;
    std::string bytes;  // of a TextIndex
  };
  std::vector<Text> texts;          // by Schema::text_index
  std::vector<std::string> sparse;  // SparseIndex bytes, by sparse field
  // Of each vector field and payload field with a window.
  struct Window {
    size_t vector_field = 0;
    size_t payload_field = 0;
    BuiltWindowIndex index;
  };
  std::vector<Window> windows;
  // Sections of the only input that stay as they are.
  std::vector<SegmentSection> kept;
  // Values of stored payloads that do not fit a field that was declared later;
  // they count as absent.
  uint64_t misfits = 0;

  // Sections of the segment file; views into this object.
  std::vector<SegmentSection> Sections() const;
};

// The stored payloads of points, in the order of their ids; empty where there
// is no such point.
using ReadPayloads = std::function<absl::StatusOr<std::vector<std::string>>(
    std::span<const absl::string_view> ids)>;

struct SegmentBuildOptions {
  uint32_t min_graph_rows = 2048;
  ThreadPool* pool = nullptr;  // null: the calling thread only
  // Where the values come from of payload fields that an input lacks, since its
  // rows were written before the field was declared, and the texts that it has
  // no index of. Null: such columns and indexes stay out.
  ReadPayloads payloads;
  // Count the rows whose values, or texts, were read so. May be null.
  std::atomic<uint64_t>* rows_filled = nullptr;
  std::atomic<uint64_t>* rows_analyzed = nullptr;
};

// Merges `inputs`: the graph of the largest sealed one is cloned, the rows of
// the others are inserted, dead rows are dropped. Long work; ends early with
// the context's error.
absl::StatusOr<SegmentBuild> BuildSegment(
    const Schema& schema,
    std::vector<std::shared_ptr<const SegmentView>> inputs,
    const SegmentBuildOptions& options, const RequestContext& context,
    BuildProgress* progress);

// The same rows, graphs and columns as those of a sealed segment, and columns
// and windows for the payload fields that it lacks, and the text index. Rows of
// the result have the ordinals that they had; the dead are among them. Needs
// options.payloads.
absl::StatusOr<SegmentBuild> FillSegment(
    const Schema& schema, std::shared_ptr<const SegmentView> input,
    const SegmentBuildOptions& options, const RequestContext& context);

}  // namespace sextant
