// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "filters/segment_filter_node.h"

namespace sextant {
namespace {

using Node = SegmentFilter::Node;

ValueInterval TermInterval(const KeywordColumn& column, TermRange terms) {
  return {column.EntriesOf(terms), terms.first, terms.last,
          terms.last - terms.first == 1};
}

// In a number column codes are positions.
ValueInterval KeyInterval(const NumberColumn& column, NumberKey low,
                          NumberKey high) {
  const PositionRun run = column.Range(low, high);
  return {run, run.first, run.last, low == high};
}

class Compiler {
 public:
  explicit Compiler(const SegmentColumns& columns)
      : columns_(columns), rows_(columns.rows()) {}

  Node operator()(const BoundEverything&) const {
    return Node::Everything(rows_);
  }
  Node operator()(const BoundNothing&) const { return Node::Nothing(rows_); }
  Node operator()(const BoundAnd& node) const {
    std::vector<Node> parts;
    for (const BoundFilter& part : node.parts) {
      parts.push_back(std::visit(*this, part.node));
      if (parts.back().kind == Node::Kind::kNothing) {
        return Node::Nothing(rows_);
      }
    }
    return Node::And(std::move(parts), rows_);
  }
  Node operator()(const BoundOr& node) const {
    std::vector<Node> parts;
    for (const BoundFilter& part : node.parts) {
      parts.push_back(std::visit(*this, part.node));
    }
    return Node::Or(std::move(parts), rows_);
  }
  Node operator()(const BoundNot& node) const {
    return Node::Not(std::visit(*this, node.part.front().node));
  }
  Node operator()(const BoundKeyRange& node) const {
    const NumberColumn* column = Number(node.field);
    if (column == nullptr) {
      return Node::Nothing(rows_);
    }
    return Node::Values(column->postings(),
                        {KeyInterval(*column, node.low, node.high)});
  }
  Node operator()(const BoundKeys& node) const {
    const NumberColumn* column = Number(node.field);
    if (column == nullptr) {
      return Node::Nothing(rows_);
    }
    std::vector<ValueInterval> intervals;
    for (const NumberKey key : *node.keys) {
      const ValueInterval interval = KeyInterval(*column, key, key);
      if (interval.run.count() > 0) {
        intervals.push_back(interval);
      } else if (node.all) {
        return Node::Nothing(rows_);
      }
    }
    return Listed(column->postings(), std::move(intervals), node.all);
  }
  Node operator()(const BoundTerms& node) const {
    const KeywordColumn* column = Keyword(node.field);
    if (column == nullptr) {
      return Node::Nothing(rows_);
    }
    std::vector<ValueInterval> intervals;
    for (const std::string& text : *node.terms) {
      const std::optional<uint32_t> term = column->FindTerm(text);
      if (term.has_value()) {
        intervals.push_back(TermInterval(*column, {*term, *term + 1}));
      } else if (node.all) {
        return Node::Nothing(rows_);
      }
    }
    return Listed(column->postings(), std::move(intervals), node.all);
  }
  Node operator()(const BoundPrefix& node) const {
    const KeywordColumn* column = Keyword(node.field);
    if (column == nullptr) {
      return Node::Nothing(rows_);
    }
    return Node::Values(
        column->postings(),
        {TermInterval(*column, column->TermsWithPrefix(node.prefix))});
  }
  Node operator()(const BoundExists& node) const {
    const FieldColumn* column = columns_.column(node.field);
    if (column == nullptr) {
      return Node::Nothing(rows_);
    }
    const PostingTable& table = column->postings();
    return Node::Values(table, {{{0, table.size()}, 0, PostingTable::kAbsent}});
  }
  Node operator()(const BoundIds& node) const {
    std::vector<Ordinal> ordinals;
    for (const std::string& id : *node.ids) {
      if (const auto row = columns_.FindId(id); row.has_value()) {
        ordinals.push_back(*row);
      }
    }
    std::sort(ordinals.begin(), ordinals.end());
    return Node::Ordinals(std::move(ordinals), rows_);
  }

 private:
  const NumberColumn* Number(size_t field) const {
    const FieldColumn* column = columns_.column(field);
    return column == nullptr ? nullptr : column->number();
  }
  const KeywordColumn* Keyword(size_t field) const {
    const FieldColumn* column = columns_.column(field);
    return column == nullptr ? nullptr : column->keyword();
  }

  // Rows with a value in one of the intervals, or with one in each.
  Node Listed(const PostingTable& table, std::vector<ValueInterval> intervals,
              bool all) const {
    if (!all) {
      return Node::Values(table, std::move(intervals));
    }
    if (table.is_single() && intervals.size() > 1) {
      return Node::Nothing(rows_);
    }
    std::vector<Node> parts;
    for (const ValueInterval& interval : intervals) {
      parts.push_back(Node::Values(table, {interval}));
    }
    return Node::And(std::move(parts), rows_);
  }

  const SegmentColumns& columns_;
  uint32_t rows_;
};

}  // namespace

SegmentFilter::Node CompileFilter(const BoundFilter& filter,
                                  const SegmentColumns& columns) {
  return std::visit(Compiler(columns), filter.node);
}

}  // namespace sextant
