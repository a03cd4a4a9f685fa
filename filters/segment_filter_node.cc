// SPDX-License-Identifier: Apache-2.0
#include "filters/segment_filter_node.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace sextant {
namespace {

using Node = SegmentFilter::Node;
using Kind = SegmentFilter::Node::Kind;

// Words that an operation on whole bitmaps reads, in the cost of one entry.
uint64_t BitmapCost(uint32_t rows) {
  return 1 + rows / 256;
}

// Ascending and apart, with the same values.
std::vector<ValueInterval> Normalised(std::vector<ValueInterval> intervals) {
  std::sort(intervals.begin(), intervals.end(),
            [](const ValueInterval& a, const ValueInterval& b) {
              return a.run.first < b.run.first;
            });
  std::vector<ValueInterval> result;
  for (const ValueInterval& interval : intervals) {
    if (interval.run.count() == 0) {
      continue;
    }
    if (!result.empty() && interval.run.first <= result.back().run.last) {
      ValueInterval& last = result.back();
      last.one_value = last.one_value && last.run == interval.run;
      last.run.last = std::max(last.run.last, interval.run.last);
      last.last_code = std::max(last.last_code, interval.last_code);
    } else {
      result.push_back(interval);
    }
  }
  return result;
}

// What two lists of ascending intervals share.
std::vector<ValueInterval> Shared(const std::vector<ValueInterval>& a,
                                  const std::vector<ValueInterval>& b) {
  std::vector<ValueInterval> result;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const ValueInterval both{{std::max(a[i].run.first, b[j].run.first),
                              std::min(a[i].run.last, b[j].run.last)},
                             std::max(a[i].first_code, b[j].first_code),
                             std::min(a[i].last_code, b[j].last_code),
                             a[i].one_value || b[j].one_value};
    if (both.run.first < both.run.last) {
      result.push_back(both);
    }
    if (a[i].run.last < b[j].run.last) {
      ++i;
    } else {
      ++j;
    }
  }
  return result;
}

bool Contains(const std::vector<ValueInterval>& intervals, uint32_t code) {
  const auto after =
      std::upper_bound(intervals.begin(), intervals.end(), code,
                       [](uint32_t wanted, const ValueInterval& interval) {
                         return wanted < interval.first_code;
                       });
  return after != intervals.begin() && code < std::prev(after)->last_code;
}

// Of an or: parts on the same column become one.
std::vector<Node> JoinUnions(std::vector<Node> parts) {
  std::vector<Node> joined;
  absl::flat_hash_map<const PostingTable*, std::vector<ValueInterval>> unions;
  for (Node& part : parts) {
    if (part.kind == Kind::kValues) {
      std::vector<ValueInterval>& all = unions[part.table];
      all.insert(all.end(), part.intervals.begin(), part.intervals.end());
    } else {
      joined.push_back(std::move(part));
    }
  }
  for (auto& [table, intervals] : unions) {
    joined.push_back(Node::Values(*table, std::move(intervals)));
  }
  return joined;
}

// Of an and: the same, where no row has several values.
std::vector<Node> JoinIntersections(std::vector<Node> parts) {
  std::vector<Node> joined;
  absl::flat_hash_map<const PostingTable*, size_t> places;
  for (Node& part : parts) {
    if (part.kind != Kind::kValues || !part.table->is_single()) {
      joined.push_back(std::move(part));
      continue;
    }
    const auto [place, added] = places.try_emplace(part.table, joined.size());
    if (added) {
      joined.push_back(std::move(part));
    } else if (Node& same = joined[place->second]; same.kind == Kind::kValues) {
      same = Node::Values(*part.table, Shared(same.intervals, part.intervals));
    }
  }
  return joined;
}

}  // namespace

Node Node::Nothing(uint32_t rows) {
  Node node;
  node.rows = rows;
  return node;
}

Node Node::Everything(uint32_t rows) {
  Node node;
  node.kind = Kind::kEverything;
  node.rows = rows;
  node.at_most = rows;
  node.cost = BitmapCost(rows);
  return node;
}

Node Node::Values(const PostingTable& table,
                  std::vector<ValueInterval> intervals) {
  Node node;
  node.intervals = Normalised(std::move(intervals));
  node.rows = table.rows();
  if (node.intervals.empty()) {
    return Nothing(node.rows);
  }
  node.kind = Kind::kValues;
  node.table = &table;
  uint64_t entries = 0;
  for (const ValueInterval& interval : node.intervals) {
    entries += interval.run.count();
  }
  const ValueInterval& first = node.intervals.front();
  const bool one = node.intervals.size() == 1;
  node.kept = one ? table.Kept(first.run) : nullptr;
  // All entries together are the rows that have the field.
  const bool whole = entries == table.size();
  node.exact = table.is_single() || whole || (one && first.one_value);
  node.at_most =
      static_cast<uint32_t>(std::min<uint64_t>(entries, table.present_count()));
  node.cost = BitmapCost(node.rows);
  if (node.kept == nullptr) {
    node.cost +=
        table.is_single() ? std::min(entries, table.size() - entries) : entries;
  }
  return node;
}

Node Node::Ordinals(std::vector<Ordinal> ordinals, uint32_t rows) {
  if (ordinals.empty()) {
    return Nothing(rows);
  }
  Node node;
  node.kind = Kind::kOrdinals;
  node.rows = rows;
  node.at_most = static_cast<uint32_t>(ordinals.size());
  node.cost = ordinals.size();
  node.ordinals = std::move(ordinals);
  return node;
}

Node Node::And(std::vector<Node> parts, uint32_t rows) {
  Node node;
  node.kind = Kind::kAnd;
  node.rows = rows;
  node.at_most = rows;
  for (Node& part : JoinIntersections(std::move(parts))) {
    if (part.kind == Kind::kNothing) {
      return Nothing(rows);
    }
    if (part.kind != Kind::kEverything) {
      node.at_most = std::min(node.at_most, part.at_most);
      node.cost += part.cost;
      node.parts.push_back(std::move(part));
    }
  }
  if (node.parts.empty()) {
    return Everything(rows);
  }
  if (node.parts.size() == 1) {
    Node part = std::move(node.parts.front());
    return part;
  }
  std::stable_sort(
      node.parts.begin(), node.parts.end(),
      [](const Node& a, const Node& b) { return a.at_most < b.at_most; });
  node.exact = node.at_most == 0;
  return node;
}

Node Node::Or(std::vector<Node> parts, uint32_t rows) {
  Node node;
  node.kind = Kind::kOr;
  node.rows = rows;
  uint64_t at_most = 0;
  for (Node& part : JoinUnions(std::move(parts))) {
    if (part.kind == Kind::kEverything) {
      return Everything(rows);
    }
    if (part.kind != Kind::kNothing) {
      at_most += part.at_most;
      node.cost += part.cost;
      node.parts.push_back(std::move(part));
    }
  }
  node.at_most = static_cast<uint32_t>(std::min<uint64_t>(at_most, rows));
  if (node.parts.empty()) {
    return Nothing(rows);
  }
  if (node.parts.size() == 1) {
    Node part = std::move(node.parts.front());
    return part;
  }
  node.exact = false;
  return node;
}

Node Node::Not(Node part) {
  if (part.kind == Kind::kNothing) {
    return Everything(part.rows);
  }
  if (part.kind == Kind::kEverything) {
    return Nothing(part.rows);
  }
  Node node;
  node.kind = Kind::kNot;
  node.rows = part.rows;
  node.exact = part.exact;
  node.at_most = part.exact ? part.rows - part.at_most : part.rows;
  node.cost = part.cost + BitmapCost(part.rows);
  node.parts.push_back(std::move(part));
  return node;
}

bool Node::Matches(Ordinal row) const {
  switch (kind) {
    case Kind::kNothing:
      return false;
    case Kind::kEverything:
      return true;
    case Kind::kValues: {
      const std::span<const uint32_t> codes = table->codes(row);
      return std::any_of(codes.begin(), codes.end(), [&](uint32_t code) {
        return Contains(intervals, code);
      });
    }
    case Kind::kOrdinals:
      return std::binary_search(ordinals.begin(), ordinals.end(), row);
    case Kind::kAnd:
      return std::all_of(parts.begin(), parts.end(),
                         [&](const Node& part) { return part.Matches(row); });
    case Kind::kOr:
      return std::any_of(parts.begin(), parts.end(),
                         [&](const Node& part) { return part.Matches(row); });
    case Kind::kNot:
      return !parts.front().Matches(row);
  }
  return false;
}

}  // namespace sextant
