// SPDX-License-Identifier: Apache-2.0
#include "index/vector_index_builder.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <numeric>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/status_macros.h"
#include "index/build_codes.h"
#include "index/code_choice.h"
#include "index/distance.h"
#include "index/frozen_graph.h"
#include "index/graph_cloner.h"
#include "index/graph_finish.h"
#include "index/hnsw_graph.h"
#include "index/insertion_order.h"
#include "index/parallel_nodes.h"
#include "index/recall_calibration.h"
#include "index/row_groups.h"
#include "index/vector_codes.h"

namespace sextant {
namespace {

absl::Status CheckInput(const VectorIndexInput& input) {
  if (input.shape.dimension == 0) {
    return absl::InvalidArgumentError("index build: dimension is 0");
  }
  if (input.graph.m < 2 || input.graph.m > GraphSizes::kMaxDegree / 4) {
    return absl::InvalidArgumentError(
        absl::StrCat("index build: m: expected 2 to ",
                     GraphSizes::kMaxDegree / 4, ", got ", input.graph.m));
  }
  if (input.rows.size() >= SortedBeam::kMaxNodes) {
    return absl::InvalidArgumentError(
        absl::StrCat("index build: at most ", SortedBeam::kMaxNodes - 1,
                     " rows, got ", input.rows.size()));
  }
  for (size_t row = 1; row < input.rows.size(); ++row) {
    if (input.rows[row].ordinal <= input.rows[row - 1].ordinal) {
      return absl::InvalidArgumentError(absl::StrCat(
          "index build: the ordinal of row ", row, " does not ascend"));
    }
  }
  return absl::OkStatus();
}

absl::Status NoMemory(size_t rows) {
  return absl::ResourceExhaustedError(
      absl::StrCat("index build: no memory for ", rows, " rows"));
}

// Rows of padded stride under construction.
class RowMatrix {
 public:
  RowMatrix(size_t rows, uint32_t dimension)
      : stride_bytes_(PaddedStride(dimension) * sizeof(float)),
        vector_bytes_(dimension * sizeof(float)),
        bytes_(rows * stride_bytes_) {}

  const float* vectors() const {
    return reinterpret_cast<const float*>(bytes_.data());
  }
  void Set(uint32_t row, const float* vector) {
    std::memcpy(place(row), vector, vector_bytes_);
  }
  void Copy(uint32_t from, uint32_t to) {
    std::memcpy(place(to), place(from), stride_bytes_);
  }

  // Row i becomes what row order[i] was, for the first order.size() rows; in
  // place, along the cycles of the permutation.
  void Permute(const std::vector<uint32_t>& order) {
    std::vector<bool> done(order.size(), false);
    std::vector<char> held(stride_bytes_);
    for (uint32_t start = 0; start < order.size(); ++start) {
      if (done[start]) {
        continue;
      }
      std::memcpy(held.data(), place(start), stride_bytes_);
      uint32_t row = start;
      for (; order[row] != start; row = order[row]) {
        Copy(order[row], row);
        done[row] = true;
      }
      std::memcpy(place(row), held.data(), stride_bytes_);
      done[row] = true;
    }
  }

  AlignedBytes Take() { return std::move(bytes_); }

 private:
  char* place(uint32_t row) { return bytes_.data() + row * stride_bytes_; }

  size_t stride_bytes_;
  size_t vector_bytes_;
  AlignedBytes bytes_;
};

void SetOrdinal(AlignedBytes& ordinals, uint32_t row, Ordinal ordinal) {
  std::memcpy(ordinals.data() + row * sizeof(Ordinal), &ordinal,
              sizeof(Ordinal));
}

BuiltVectorIndex BuildScanOnly(const VectorIndexInput& input) {
  BuiltVectorIndex built;
  RowMatrix matrix(input.rows.size(), input.shape.dimension);
  built.ordinals = AlignedBytes(input.rows.size() * sizeof(Ordinal));
  for (uint32_t row = 0; row < input.rows.size(); ++row) {
    matrix.Set(row, input.rows[row].vector);
    SetOrdinal(built.ordinals, row, input.rows[row].ordinal);
  }
  built.vectors = matrix.Take();
  return built;
}

// Input rows of each group, ascending.
class GroupRows {
 public:
  GroupRows(const RowGroups& groups, uint32_t rows)
      : starts_(groups.groups() + 1, 0), rows_(rows) {
    for (uint32_t row = 0; row < rows; ++row) {
      ++starts_[groups.group_of(row) + 1];
    }
    std::partial_sum(starts_.begin(), starts_.end(), starts_.begin());
    std::vector<uint32_t> next(starts_.begin(), starts_.end() - 1);
    for (uint32_t row = 0; row < rows; ++row) {
      rows_[next[groups.group_of(row)]++] = row;
    }
  }

  std::span<const uint32_t> of(uint32_t group) const {
    return {rows_.data() + starts_[group], starts_[group + 1] - starts_[group]};
  }

 private:
  std::vector<uint32_t> starts_;
  std::vector<uint32_t> rows_;
};

// A build with a graph, step by step.
class GraphBuild {
 public:
  GraphBuild(const VectorIndexInput& input, const BuildRun& run)
      : input_(input),
        run_(run),
        rows_(static_cast<uint32_t>(input.rows.size())),
        groups_(input),
        matrix_(rows_, input.shape.dimension) {}

  absl::StatusOr<BuiltVectorIndex> Run() {
    RETURN_IF_ERROR(PlanNodes());
    RETURN_IF_ERROR(BuildGraph());
    LinkUnreachable(*graph_);
    return Freeze();
  }

 private:
  // Decides which node each group becomes: cloned nodes first, in the order of
  // their graph, then the new ones in the order of insertion.
  absl::Status PlanNodes() {
    if (GraphCloner::CanClone(input_)) {
      cloner_ = std::make_unique<GraphCloner>(input_, groups_);
      if (!cloner_->worthwhile()) {
        cloner_ = nullptr;
      }
    }
    std::vector<bool> is_cloned(groups_.groups(), false);
    if (cloner_ != nullptr) {
      group_of_node_ = cloner_->kept_groups();
      for (const uint32_t group : group_of_node_) {
        is_cloned[group] = true;
      }
    }
    cloned_nodes_ = static_cast<uint32_t>(group_of_node_.size());
    std::vector<uint32_t> new_rows;
    for (uint32_t group = 0; group < groups_.groups(); ++group) {
      if (!is_cloned[group]) {
        new_rows.push_back(groups_.first_row(group));
      }
    }
    RETURN_IF_ERROR(OrderForInsertion(input_, run_, new_rows));
    for (const uint32_t row : new_rows) {
      group_of_node_.push_back(groups_.group_of(row));
    }
    for (uint32_t node = 0; node < group_of_node_.size(); ++node) {
      matrix_.Set(node,
                  input_.rows[groups_.first_row(group_of_node_[node])].vector);
    }
    return absl::OkStatus();
  }

  absl::Status BuildGraph() {
    RETURN_IF_ERROR(ChooseCodesOfBuild());
    graph_ = std::make_unique<HnswGraph>(
        input_.shape, input_.graph,
        HnswGraph::Rows{groups_.groups(), matrix_.vectors(),
                        codes_view_ ? &*codes_view_ : nullptr});
    if (cloner_ != nullptr) {
      RETURN_IF_ERROR(cloner_->Clone(run_, *graph_));
    }
    return ForEachNode(run_, cloned_nodes_, groups_.groups(),
                       [this](uint32_t node) { return Insert(node); });
  }

  absl::Status ChooseCodesOfBuild() {
    // To encode all nodes costs as much as to insert a few of them.
    constexpr uint32_t kNodesPerNew = 32;
    const uint32_t nodes = groups_.groups();
    if (nodes - cloned_nodes_ < nodes / kNodesPerNew) {
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(codes_,
                     ChooseBuildCodes(input_.shape, matrix_.vectors(), nodes,
                                      input_.graph.ef_construction, run_));
    if (codes_.size() > 0) {
      ASSIGN_OR_RETURN(codes_view_,
                       VectorCodes::Open(input_.shape, nodes, codes_));
    }
    return absl::OkStatus();
  }

  // On a thread of the pool, which an exception would end.
  absl::Status Insert(uint32_t node) {
    try {
      graph_->Insert(node);
      return absl::OkStatus();
    } catch (const std::bad_alloc&) {
      return NoMemory(rows_);
    }
  }

  GraphSizes Sizes(const std::vector<uint32_t>& order) const {
    GraphSizes sizes;
    sizes.rows = rows_;
    sizes.nodes = groups_.groups();
    sizes.levels = graph_->level(order[0]);
    constexpr uint32_t kLineIds = 16;
    sizes.level0_ids =
        (graph_->max_links(0) + kLineIds - 1) / kLineIds * kLineIds;
    sizes.upper_ids = graph_->max_links(1);
    sizes.m = input_.graph.m;
    sizes.ef_construction = input_.graph.ef_construction;
    for (const uint32_t node : order) {
      for (uint32_t level = 0; level < graph_->level(node); ++level) {
        ++sizes.nodes_at[level];
      }
    }
    return sizes;
  }

  absl::StatusOr<BuiltVectorIndex> Freeze() {
    const std::vector<uint32_t> order = OrderForLocality(*graph_);
    GraphSizes sizes = Sizes(order);
    BuiltVectorIndex built;
    built.ordinals = AlignedBytes(rows_ * sizeof(Ordinal));
    std::vector<uint32_t> repeated;  // nodes of more than one row
    std::vector<uint32_t> first_rows;
    matrix_.Permute(order);
    FreezeRows(order, built.ordinals, repeated, first_rows);
    sizes.duplicate_groups = static_cast<uint32_t>(repeated.size());
    FrozenGraphWriter writer(sizes);
    std::vector<uint32_t> new_number(order.size());
    for (uint32_t node = 0; node < order.size(); ++node) {
      new_number[order[node]] = node;
    }
    for (uint32_t node = 0; node < order.size(); ++node) {
      for (uint32_t level = 0; level <= graph_->level(order[node]); ++level) {
        std::ranges::transform(
            graph_->links(level, order[node]),
            writer.links(level, node).begin(),
            [&new_number](uint32_t link) { return new_number[link]; });
      }
    }
    writer.SetDuplicates(repeated, first_rows);
    built.graph = writer.Take();
    built.vectors = matrix_.Take();
    if (codes_.size() > 0) {
      codes_ = ReorderCodes(codes_, order);
    }
    ASSIGN_OR_RETURN(built.codes,
                     ChooseCodes({input_.shape, input_.rows.back().ordinal + 1,
                                  input_.encoding, sizes.nodes},
                                 built.view(), std::move(codes_), run_));
    return built;
  }

  // Ordinals of all rows, and the rows past the nodes: those that repeat.
  void FreezeRows(const std::vector<uint32_t>& order, AlignedBytes& ordinals,
                  std::vector<uint32_t>& repeated,
                  std::vector<uint32_t>& first_rows) {
    const GroupRows rows_of(groups_, rows_);
    auto next_row = static_cast<uint32_t>(order.size());
    for (uint32_t node = 0; node < order.size(); ++node) {
      const auto rows = rows_of.of(group_of_node_[order[node]]);
      SetOrdinal(ordinals, node, input_.rows[rows[0]].ordinal);
      if (rows.size() > 1) {
        repeated.push_back(node);
        first_rows.push_back(next_row);
      }
      for (const uint32_t row : rows.subspan(1)) {
        matrix_.Copy(node, next_row);
        SetOrdinal(ordinals, next_row++, input_.rows[row].ordinal);
      }
    }
    CHECK_EQ(next_row, rows_);
    first_rows.push_back(next_row);
  }

  const VectorIndexInput& input_;
  const BuildRun& run_;
  const uint32_t rows_;
  const RowGroups groups_;
  RowMatrix matrix_;
  std::unique_ptr<GraphCloner> cloner_;  // null: the graph is built anew
  uint32_t cloned_nodes_ = 0;
  std::vector<uint32_t> group_of_node_;
  AlignedBytes codes_;  // of the build's searches; empty: they read floats
  std::optional<VectorCodes> codes_view_;
  std::unique_ptr<HnswGraph> graph_;
};

absl::Status Calibrate(const VectorIndexInput& input, const BuildRun& run,
                       BuiltVectorIndex& built) {
  ASSIGN_OR_RETURN(
      const std::unique_ptr<VectorIndex> index,
      VectorIndex::Open(input.shape, input.rows.back().ordinal + 1,
                        built.view(), Placement::kInPlace, input.scoring));
  ASSIGN_OR_RETURN(const std::optional<RecallCurve> curve,
                   RecallCalibration::Run(*index, run));
  if (curve.has_value()) {
    built.calibration = AlignedBytes::Copy(curve->Encode());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<BuiltVectorIndex> BuildVectorIndex(const VectorIndexInput& input,
                                                  ThreadPool* pool,
                                                  const RequestContext& context,
                                                  BuildProgress* progress) {
  RETURN_IF_ERROR(CheckInput(input));
  RETURN_IF_ERROR(context.Check());
  if (progress != nullptr) {
    progress->rows_total.store(input.rows.size(), std::memory_order_relaxed);
  }
  try {
    if (input.rows.empty() || input.rows.size() < input.min_graph_rows) {
      return BuildScanOnly(input);
    }
    const BuildRun run{pool, context, progress};
    ASSIGN_OR_RETURN(BuiltVectorIndex built, GraphBuild(input, run).Run());
    RETURN_IF_ERROR(Calibrate(input, run, built));
    return built;
  } catch (const std::bad_alloc&) {
    return NoMemory(input.rows.size());
  }
}

}  // namespace sextant
