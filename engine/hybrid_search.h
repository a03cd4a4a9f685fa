// SPDX-License-Identifier: Apache-2.0
//
// Searches by several sources: each finds its best points, what one did not
// find is scored all the same, and the lists become one.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "engine/candidate.h"
#include "engine/leaf_search.h"
#include "engine/search_query.h"
#include "engine/search_result.h"
#include "ranking/fusion.h"
#include "ranking/score_list.h"

namespace sextant {

// One search by the sources of a checked query, with their fusion and its
// boosts. Owned by one search; refers to the query, the target and the matches.
class HybridSearch {
 public:
  explicit HybridSearch(const LeafContext& search) : search_(search) {}

  // All points that a source found, best first, without those that are searched
  // by. Appends the timings of its stages. Once.
  absl::StatusOr<std::vector<Candidate>> Run(std::vector<StageTiming>* stages);

  // After Run() of a query with `explain`: why a point of its answer has its
  // score.
  absl::StatusOr<HitExplanation> Explain(const Candidate& point) const;
  // The sources' lines of the plan.
  std::string PlanText() const;
  // 1 when every source was exact, else 0: not known.
  double expected_recall() const;

 private:
  // A source, or a group of them.
  struct Node {
    std::string path;
    // Of a leaf.
    std::unique_ptr<LeafSearch> leaf;
    std::vector<Candidate> found;
    std::vector<uint32_t> numbers;  // of found, in points_
    // Of a group.
    std::vector<Node> nodes;
    Fusion fusion;
    uint32_t kept = 0;              // 0: all
    std::vector<FusionPart> parts;  // by node
    // By number of the point in points_.
    ScoreList list;
    // Ranks in it from 1, 0 = not listed; only when they are to be explained.
    std::vector<uint32_t> ranks;
  };

  absl::StatusOr<Node> MakeNode(const Source& source, const std::string& path);
  absl::Status AddNodes(const std::vector<Source>& sources,
                        const std::string& prefix, Node* group);
  void ExcludeSearchedBy(const std::vector<Source>& sources);
  template <typename Visit>
  static absl::Status ForEachLeaf(Node& node, const Visit& visit);

  absl::Status Find(std::vector<StageTiming>* stages);
  void NumberPoints();
  absl::Status FillIn(std::vector<StageTiming>* stages);
  void FuseInto(Node* group);
  static void RankAll(Node* node);
  std::vector<Candidate> Ranked(std::vector<StageTiming>* stages);
  double BoostedScore(size_t point, std::vector<BoostExplanation>* steps) const;
  size_t NumberOf(absl::string_view id) const;
  absl::StatusOr<SourceExplanation> ExplainNode(const Node& node,
                                                size_t point) const;
  absl::Status ExplainParts(const Node& group, size_t point,
                            std::vector<SourceExplanation>* sources) const;

  const LeafContext search_;
  Node root_;
  bool fuses_ = false;  // else the root has one node, whose scores count
  std::vector<std::string> excluded_;  // encoded ids
  std::vector<Candidate> points_;      // by ascending id
};

}  // namespace sextant
