// SPDX-License-Identifier: Apache-2.0
#include "engine/hybrid_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "base/status_macros.h"
#include "engine/cut_off_stage.h"
#include "engine/payload_boost.h"
#include "engine/stage_clock.h"
#include "engine/validate_query.h"

namespace sextant {
namespace {

// The order of ids, mostly by one comparison of numbers: searches number some
// hundreds of points each.
struct IdOrder {
  explicit IdOrder(absl::string_view full) : id(full) {
    for (size_t i = 0; i < sizeof(prefix); ++i) {
      prefix =
          prefix << 8U | (i < id.size() ? static_cast<uint8_t>(id[i]) : 0U);
    }
  }
  friend bool operator<(const IdOrder& a, const IdOrder& b) {
    return a.prefix != b.prefix ? a.prefix < b.prefix : a.id < b.id;
  }

  absl::string_view id;
  uint64_t prefix = 0;
};

// Scores travel as floats, and equal ones go by id: both by the same number.
float AsFloat(double score) {
  constexpr auto kMax = static_cast<double>(std::numeric_limits<float>::max());
  return static_cast<float>(std::clamp(score, -kMax, kMax));
}

// The stored point that a source searches by; null where there is none.
const PointId* SearchedBy(const Source& source) {
  if (const auto* dense = std::get_if<DenseSource>(&source)) {
    return std::get_if<PointId>(&dense->target);
  }
  if (const auto* sparse = std::get_if<SparseSource>(&source)) {
    return std::get_if<PointId>(&sparse->target);
  }
  return nullptr;
}

std::string FusionText(const Fusion& fusion) {
  std::string text =
      fusion.method == FusionMethod::kReciprocalRank
          ? absl::StrFormat("reciprocal ranks, constant %g, weights",
                            fusion.rank_constant)
          : std::string("linear, weights");
  for (const FusionInput& input : fusion.inputs) {
    absl::StrAppendFormat(&text, " %g", input.weight);
    if (fusion.method == FusionMethod::kLinear) {
      absl::StrAppend(&text, " (", FusionNormaliserName(input.normaliser), ")");
    }
  }
  return text;
}

}  // namespace

template <typename Visit>
absl::Status HybridSearch::ForEachLeaf(Node& node, const Visit& visit) {
  if (node.leaf != nullptr) {
    return visit(node);
  }
  for (Node& child : node.nodes) {
    RETURN_IF_ERROR(ForEachLeaf(child, visit));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Candidate>> HybridSearch::Run(
    std::vector<StageTiming>* stages) {
  const SearchQuery& query = search_.query;
  fuses_ = query.sources.size() > 1 || query.fusion.has_value();
  ExcludeSearchedBy(query.sources);
  RETURN_IF_ERROR(AddNodes(query.sources, "", &root_));
  if (fuses_) {
    ASSIGN_OR_RETURN(root_.fusion,
                     FusionOf(*search_.target.schema, query.sources,
                              query.fusion.value_or(FusionChoice())));
  }
  RETURN_IF_ERROR(Find(stages));
  RETURN_IF_ERROR(FillIn(stages));
  const StageClock clock;
  StageTiming timing;
  timing.name = "fusion";
  timing.candidates_in = points_.size();
  FuseInto(&root_);
  if (query.explain) {
    RankAll(&root_);
  }
  if (fuses_) {
    timing.candidates_out = static_cast<uint64_t>(
        std::count(root_.list.listed.begin(), root_.list.listed.end(), true));
    timing.seconds = clock.seconds();
    stages->push_back(std::move(timing));
  }
  return Ranked(stages);
}

// --- sources ---

void HybridSearch::ExcludeSearchedBy(const std::vector<Source>& sources) {
  for (const Source& source : sources) {
    if (const auto* group = std::get_if<SourceGroup>(&source)) {
      ExcludeSearchedBy(group->sources);
    } else if (const PointId* const id = SearchedBy(source)) {
      excluded_.push_back(EncodeId(*id));
    }
  }
}

absl::Status HybridSearch::AddNodes(const std::vector<Source>& sources,
                                    const std::string& prefix, Node* group) {
  for (size_t i = 0; i < sources.size(); ++i) {
    ASSIGN_OR_RETURN(
        Node node,
        MakeNode(sources[i], absl::StrCat(prefix, "sources[", i, "]")));
    group->nodes.push_back(std::move(node));
  }
  return absl::OkStatus();
}

absl::StatusOr<HybridSearch::Node> HybridSearch::MakeNode(
    const Source& source, const std::string& path) {
  Node node;
  node.path = path;
  const SourceShare& share = ShareOf(source);
  if (const auto* group = std::get_if<SourceGroup>(&source)) {
    node.kept = share.candidates;
    ASSIGN_OR_RETURN(node.fusion, FusionOf(*search_.target.schema,
                                           group->sources, group->fusion));
    RETURN_IF_ERROR(AddNodes(group->sources, path + ".group.", &node));
    return node;
  }
  const uint32_t page_end = search_.query.limit + search_.query.offset;
  const bool needs_more = fuses_ || !search_.query.boosts.empty();
  uint32_t candidates = share.candidates;
  if (candidates == 0) {
    candidates = RankedForCutOff(
        search_.query, needs_more ? DefaultCandidates(page_end) : page_end);
  }
  // Those that are searched by leave the list.
  candidates += static_cast<uint32_t>(excluded_.size());
  if (const auto* text = std::get_if<TextSource>(&source)) {
    ASSIGN_OR_RETURN(node.leaf,
                     MakeTextLeaf(search_, *text, candidates, path + ".text"));
  } else if (const auto* sparse = std::get_if<SparseSource>(&source)) {
    ASSIGN_OR_RETURN(node.leaf, MakeSparseLeaf(search_, *sparse, candidates,
                                               path + ".sparse"));
  } else {
    ASSIGN_OR_RETURN(node.leaf,
                     MakeDenseLeaf(search_, std::get<DenseSource>(source),
                                   candidates, path + ".dense"));
  }
  return node;
}

// --- what they find ---

absl::Status HybridSearch::Find(std::vector<StageTiming>* stages) {
  const auto find = [&](Node& node) -> absl::Status {
    RETURN_IF_ERROR(search_.context.Check());
    StageTiming timing;
    timing.name = node.leaf->name();
    ASSIGN_OR_RETURN(node.found, node.leaf->Run(&timing));
    std::erase_if(node.found, [&](const Candidate& found) {
      return std::find(excluded_.begin(), excluded_.end(), found.id) !=
             excluded_.end();
    });
    stages->push_back(std::move(timing));
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(ForEachLeaf(root_, find));
  NumberPoints();
  return absl::OkStatus();
}

// All that was found, by ascending id.
void HybridSearch::NumberPoints() {
  struct Found {
    IdOrder order;
    const Candidate* point;
    uint32_t* number;
  };
  std::vector<Found> all;
  const absl::Status collected =
      ForEachLeaf(root_, [&all](Node& node) -> absl::Status {
        node.numbers.resize(node.found.size());
        for (size_t i = 0; i < node.found.size(); ++i) {
          all.push_back(
              {IdOrder(node.found[i].id), &node.found[i], &node.numbers[i]});
        }
        return absl::OkStatus();
      });
  CHECK_OK(collected);
  std::sort(all.begin(), all.end(),
            [](const Found& a, const Found& b) { return a.order < b.order; });
  for (const Found& found : all) {
    if (points_.empty() || points_.back().id != found.point->id) {
      points_.push_back(*found.point);
    }
    *found.number = static_cast<uint32_t>(points_.size() - 1);
  }
}

size_t HybridSearch::NumberOf(absl::string_view id) const {
  const auto place =
      std::lower_bound(points_.begin(), points_.end(), id,
                       [](const Candidate& point, absl::string_view wanted) {
                         return point.id < wanted;
                       });
  return static_cast<size_t>(place - points_.begin());
}

// The list of each leaf, with the true scores of what others found.
absl::Status HybridSearch::FillIn(std::vector<StageTiming>* stages) {
  return ForEachLeaf(root_, [&](Node& node) -> absl::Status {
    node.list = ScoreList(points_.size());
    for (size_t i = 0; i < node.found.size(); ++i) {
      const uint32_t point = node.numbers[i];
      node.list.scores[point] = static_cast<double>(node.found[i].score);
      node.list.listed[point] = true;
    }
    std::vector<size_t> numbers;
    std::vector<Candidate> missing;
    for (size_t i = 0; i < points_.size(); ++i) {
      if (!node.list.listed[i]) {
        numbers.push_back(i);
        missing.push_back(points_[i]);
      }
    }
    if (missing.empty()) {
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(search_.context.Check());
    const StageClock clock;
    ASSIGN_OR_RETURN(const std::vector<double> scores,
                     node.leaf->Score(missing));
    for (size_t i = 0; i < scores.size(); ++i) {
      node.list.scores[numbers[i]] = scores[i];
    }
    StageTiming timing;
    timing.name = absl::StrCat("true scores ", node.leaf->name());
    timing.candidates_in = missing.size();
    timing.candidates_out = missing.size();
    timing.seconds = clock.seconds();
    stages->push_back(std::move(timing));
    return absl::OkStatus();
  });
}

// --- what becomes of it ---

void HybridSearch::FuseInto(Node* group) {
  std::vector<ScoreList> lists;
  for (Node& node : group->nodes) {
    if (node.leaf == nullptr) {
      FuseInto(&node);
    }
    lists.push_back(node.list);
  }
  if (group == &root_ && !fuses_) {
    group->list = std::move(lists.front());
    return;
  }
  FusedScores fused = Fuse(group->fusion, lists);
  group->list = std::move(fused.fused);
  group->parts = std::move(fused.parts);
  if (group->kept != 0) {
    KeepBestListed(group->kept, &group->list);
  }
}

void HybridSearch::RankAll(Node* node) {
  node->ranks.assign(node->list.size(), 0);
  uint32_t rank = 0;
  for (const uint32_t point : ListedBestFirst(node->list)) {
    node->ranks[point] = ++rank;
  }
  for (Node& child : node->nodes) {
    RankAll(&child);
  }
}

double HybridSearch::BoostedScore(size_t point,
                                  std::vector<BoostExplanation>* steps) const {
  double score = root_.list.scores[point];
  for (const PayloadBoost& boost : search_.query.boosts) {
    const Boosted boosted =
        BoostPoint(search_.target, boost, points_[point], score);
    score = boosted.score;
    if (steps != nullptr) {
      steps->push_back({boost.field, boosted.boost, score});
    }
  }
  return score;
}

std::vector<Candidate> HybridSearch::Ranked(std::vector<StageTiming>* stages) {
  const StageClock clock;
  std::vector<Candidate> ranked;
  for (size_t i = 0; i < points_.size(); ++i) {
    if (root_.list.listed[i]) {
      ranked.push_back(points_[i]);
      ranked.back().score = AsFloat(BoostedScore(i, nullptr));
    }
  }
  std::sort(ranked.begin(), ranked.end(), Better);
  if (!search_.query.boosts.empty()) {
    StageTiming timing;
    timing.name = "boosts";
    timing.candidates_in = ranked.size();
    timing.candidates_out = ranked.size();
    timing.seconds = clock.seconds();
    stages->push_back(std::move(timing));
  }
  return ranked;
}

// --- explanations ---

absl::StatusOr<HitExplanation> HybridSearch::Explain(
    const Candidate& point) const {
  const size_t number = NumberOf(point.id);
  HitExplanation explanation;
  RETURN_IF_ERROR(ExplainParts(root_, number, &explanation.sources));
  explanation.fused = root_.list.scores[number];
  BoostedScore(number, &explanation.boosts);
  return explanation;
}

absl::Status HybridSearch::ExplainParts(
    const Node& group, size_t point,
    std::vector<SourceExplanation>* sources) const {
  for (size_t i = 0; i < group.nodes.size(); ++i) {
    ASSIGN_OR_RETURN(SourceExplanation part,
                     ExplainNode(group.nodes[i], point));
    if (i < group.parts.size()) {
      part.weight = group.fusion.inputs[i].weight;
      part.share = group.parts[i].shares[point];
      if (group.fusion.method == FusionMethod::kLinear) {
        part.normalised = group.parts[i].values[point];
      }
    } else {
      part.weight = 1;
      part.share = group.nodes[i].list.scores[point];
    }
    sources->push_back(std::move(part));
  }
  return absl::OkStatus();
}

absl::StatusOr<SourceExplanation> HybridSearch::ExplainNode(
    const Node& node, size_t point) const {
  SourceExplanation explanation;
  explanation.source = node.path;
  explanation.kind = node.leaf == nullptr ? "group" : node.leaf->name();
  explanation.listed = node.list.listed[point];
  const double score = node.list.scores[point];
  if (!std::isnan(score)) {
    explanation.score = score;
  }
  explanation.rank = node.ranks[point];
  if (node.leaf != nullptr) {
    ASSIGN_OR_RETURN(explanation.terms, node.leaf->Terms(points_[point]));
    ASSIGN_OR_RETURN(explanation.products, node.leaf->Products(points_[point]));
  }
  RETURN_IF_ERROR(ExplainParts(node, point, &explanation.sources));
  return explanation;
}

double HybridSearch::expected_recall() const {
  double recall = 1;
  std::vector<const Node*> open = {&root_};
  while (!open.empty()) {
    const Node* const node = open.back();
    open.pop_back();
    if (node->leaf != nullptr && node->leaf->expected_recall() < 1) {
      recall = 0;
    }
    for (const Node& child : node->nodes) {
      open.push_back(&child);
    }
  }
  return recall;
}

std::string HybridSearch::PlanText() const {
  std::string text;
  const auto append = [&](const auto& self, const Node& node,
                          const std::string& indent) -> void {
    if (node.leaf != nullptr) {
      text += node.leaf->PlanText(indent);
      return;
    }
    std::string inner = indent;
    if (&node != &root_ || fuses_) {
      absl::StrAppend(&text, indent, "fusion by ", FusionText(node.fusion),
                      node.kept != 0 ? absl::StrCat(", the best ", node.kept)
                                     : std::string(),
                      "\n");
      inner += "  ";
    }
    for (const Node& child : node.nodes) {
      self(self, child, inner);
    }
  };
  append(append, root_, "  ");
  for (const PayloadBoost& boost : search_.query.boosts) {
    absl::StrAppend(&text, "  boost by ", boost.field, "\n");
  }
  return text;
}

}  // namespace sextant
