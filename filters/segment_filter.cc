// SPDX-License-Identifier: Apache-2.0
#include "filters/segment_filter.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "base/check.h"
#include "filters/segment_filter_node.h"

namespace sextant {
namespace {

using Node = SegmentFilter::Node;
using Kind = SegmentFilter::Node::Kind;

// Testing a row against a part, in the cost of one entry.
constexpr uint64_t kTestCost = 8;

DocumentSet EvaluateValues(const Node& node) {
  if (node.kept != nullptr) {
    return *node.kept;
  }
  std::vector<PositionRun> runs;
  runs.reserve(node.intervals.size());
  for (const ValueInterval& interval : node.intervals) {
    runs.push_back(interval.run);
  }
  return node.table->RowsOf(runs);
}

void Narrow(const Node& part, DocumentSet* set) {
  if (part.kept != nullptr) {
    set->And(*part.kept);
  } else if (part.kind == Kind::kNot) {
    const Node& inner = part.parts.front();
    if (inner.kept != nullptr) {
      set->Subtract(*inner.kept);
    } else {
      set->Subtract(inner.Evaluate());
    }
  } else {
    set->And(part.Evaluate());
  }
}

// Keeps the rows that match all parts.
DocumentSet TestEach(const DocumentSet& set, std::span<const Node> parts) {
  std::vector<Ordinal> kept;
  set.ForEach([&](Ordinal row) {
    if (std::all_of(parts.begin(), parts.end(),
                    [&](const Node& part) { return part.Matches(row); })) {
      kept.push_back(row);
    }
    return true;
  });
  return DocumentSet::FromAscending(kept);
}

DocumentSet EvaluateAnd(const Node& node) {
  const std::span<const Node> parts = node.parts;
  DocumentSet set = parts.front().Evaluate();
  for (size_t i = 1; i < parts.size(); ++i) {
    const uint64_t left = set.count();
    if (left == 0) {
      break;
    }
    uint64_t cost = 0;
    for (const Node& part : parts.subspan(i)) {
      cost += part.cost;
    }
    if (left * kTestCost * (parts.size() - i) < cost) {
      return TestEach(set, parts.subspan(i));
    }
    Narrow(parts[i], &set);
  }
  return set;
}

}  // namespace

DocumentSet Node::Evaluate() const {
  switch (kind) {
    case Kind::kNothing:
      return {};
    case Kind::kEverything:
      return DocumentSet::All(rows);
    case Kind::kValues:
      return EvaluateValues(*this);
    case Kind::kOrdinals:
      return DocumentSet::FromAscending(ordinals);
    case Kind::kAnd:
      return EvaluateAnd(*this);
    case Kind::kOr: {
      DocumentSet set = parts.front().Evaluate();
      for (const Node& part : std::span<const Node>(parts).subspan(1)) {
        set.Or(part.kept != nullptr ? *part.kept : part.Evaluate());
      }
      return set;
    }
    case Kind::kNot: {
      DocumentSet set = parts.front().Evaluate();
      set.Complement(rows);
      return set;
    }
  }
  return {};
}

SegmentFilter::SegmentFilter(const BoundFilter& filter,
                             const SegmentColumns& columns)
    : root_(std::make_unique<const Node>(CompileFilter(filter, columns))) {}
SegmentFilter::SegmentFilter(SegmentFilter&& other) noexcept = default;
SegmentFilter& SegmentFilter::operator=(SegmentFilter&& other) noexcept =
    default;
SegmentFilter::~SegmentFilter() = default;

uint32_t SegmentFilter::CountAtMost() const {
  return root_->at_most;
}

std::optional<uint32_t> SegmentFilter::ExactCount() const {
  return root_->exact ? std::optional(root_->at_most) : std::nullopt;
}

bool SegmentFilter::Matches(Ordinal row) const {
  DCHECK_LT(row, root_->rows);
  return root_->Matches(row);
}

DocumentSet SegmentFilter::Evaluate() const {
  return root_->Evaluate();
}

}  // namespace sextant
