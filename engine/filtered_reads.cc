// SPDX-License-Identifier: Apache-2.0
#include "engine/filtered_reads.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/filter_match.h"
#include "engine/limits.h"

namespace sextant {
namespace {

absl::StatusOr<uint16_t> ResolveField(const Snapshot& snapshot,
                                      const std::string& name,
                                      absl::string_view path) {
  const std::optional<uint16_t> field = snapshot.schema->FindPayloadField(name);
  if (!field.has_value()) {
    return InvalidField(
        path,
        absl::StrCat("the collection has no payload field '",
                     ShownText(name, limits::kPayloadFieldNameBytesMax), "'"));
  }
  RETURN_IF_ERROR(CheckFilled(snapshot, *field));
  return *field;
}

absl::StatusOr<BoundFilter> BindOptional(const Snapshot& snapshot,
                                         const std::optional<Filter>& filter) {
  return filter.has_value() ? BindFilterTo(snapshot, *filter)
                            : BoundFilter{BoundEverything()};
}

// A point that may be on the page; `id` points into its segment.
struct PagePoint {
  NumberKey key = 0;
  absl::string_view id;
};

// Finds the first points of an order after a position, segment by segment.
class PageFinder {
 public:
  // `field` of the order; none: by id.
  PageFinder(const PageQuery& query, std::optional<uint16_t> field)
      : field_(field),
        descending_(query.order.has_value() && query.order->descending),
        wanted_(size_t{query.limit} + 1) {
    if (query.after.has_value()) {
      after_id_ = EncodeId(query.after->id);
      after_ = {query.after->key, after_id_};
    }
  }

  void Add(const SegmentView& view, const DocumentSet& rows) {
    if (view.growing != nullptr) {
      AddGrowing(*view.growing, rows);
    } else if (!field_.has_value()) {
      AddById(*view.sealed, rows);
    } else if (const FieldColumn* column = view.sealed->column(*field_)) {
      if (descending_) {
        AddDescending(*view.sealed, *column->number(), rows);
      } else {
        AddAscending(*view.sealed, *column->number(), rows);
      }
    }
  }

  IdPage Take(size_t limit) {
    const size_t kept = std::min(points_.size(), wanted_);
    std::partial_sort(
        points_.begin(), points_.begin() + static_cast<std::ptrdiff_t>(kept),
        points_.end(), [this](const PagePoint& a, const PagePoint& b) {
          return Before(a, b);
        });
    IdPage page;
    page.more = kept > limit;
    for (size_t i = 0; i < std::min(kept, limit); ++i) {
      page.entries.push_back({std::string(points_[i].id), points_[i].key});
    }
    return page;
  }

 private:
  bool Before(const PagePoint& a, const PagePoint& b) const {
    if (a.key != b.key) {
      return descending_ ? a.key > b.key : a.key < b.key;
    }
    return a.id < b.id;
  }
  // False where it lies before the page.
  bool AddIfAfter(const PagePoint& point) {
    if (after_.has_value() && !Before(*after_, point)) {
      return false;
    }
    points_.push_back(point);
    return true;
  }

  void AddGrowing(const GrowingSegment& segment, const DocumentSet& rows) {
    rows.ForEach([&](Ordinal row) {
      PagePoint point{0, segment.id(row)};
      if (field_.has_value()) {
        const FieldValues& values = segment.values(*field_, row);
        if (values.empty()) {
          return true;
        }
        point.key =
            std::get<NumberKey>(descending_ ? values.back() : values.front());
      }
      AddIfAfter(point);
      return true;
    });
  }

  // Ordinals are in the order of ids.
  void AddById(const SealedSegment& segment, const DocumentSet& rows) {
    size_t added = 0;
    rows.ForEach([&](Ordinal row) {
      added += AddIfAfter({0, segment.id(row)}) ? 1U : 0U;
      return added < wanted_;
    });
  }

  // Entries are in the order of keys, then of ids; the first entry of a row is
  // the one that counts.
  void AddAscending(const SealedSegment& segment, const NumberColumn& column,
                    const DocumentSet& rows) {
    const std::span<const Ordinal> ordinals = column.ordinals();
    size_t added = 0;
    for (uint32_t position = after_.has_value() ? column.Rank(after_->key) : 0;
         position < column.size() && added < wanted_; ++position) {
      const Ordinal row = ordinals[position];
      if (rows.Contains(row) && column.PositionsOf(row).front() == position) {
        added +=
            AddIfAfter({column.KeyAt(position), segment.id(row)}) ? 1U : 0U;
      }
    }
  }

  // Backwards; of equal keys all are taken, since their ids ascend.
  void AddDescending(const SealedSegment& segment, const NumberColumn& column,
                     const DocumentSet& rows) {
    const std::span<const Ordinal> ordinals = column.ordinals();
    size_t added = 0;
    NumberKey last = 0;
    for (uint32_t position = after_.has_value()
                                 ? column.Range(0, after_->key).last
                                 : column.size();
         position-- > 0;) {
      const Ordinal row = ordinals[position];
      if (!rows.Contains(row) || column.PositionsOf(row).back() != position) {
        continue;
      }
      const NumberKey key = column.KeyAt(position);
      if (added >= wanted_ && key != last) {
        return;
      }
      last = key;
      added += AddIfAfter({key, segment.id(row)}) ? 1U : 0U;
    }
  }

  const std::optional<uint16_t> field_;
  const bool descending_;
  const size_t wanted_;
  std::string after_id_;
  std::optional<PagePoint> after_;
  std::vector<PagePoint> points_;
};

// Counts by value over all segments.
class ValueCounter {
 public:
  void Add(const SegmentView& view, uint16_t field, const DocumentSet& rows) {
    points_ += rows.count();
    if (view.growing != nullptr) {
      AddGrowing(*view.growing, field, rows);
      return;
    }
    const FieldColumn* column = view.sealed->column(field);
    if (column == nullptr) {
      absent_ += rows.count();
    } else if (column->keyword() != nullptr) {
      AddKeywords(*column->keyword(), rows);
    } else {
      AddNumbers(*column->number(), rows);
    }
  }

  FacetCounts Take(FieldType type, size_t limit) {
    FacetCounts result;
    result.type = type;
    result.distinct = counts_.size();
    result.points = points_;
    result.absent = absent_;
    result.values.assign(counts_.begin(), counts_.end());
    const size_t kept = std::min(limit, result.values.size());
    std::partial_sort(result.values.begin(),
                      result.values.begin() + static_cast<std::ptrdiff_t>(kept),
                      result.values.end(), [](const auto& a, const auto& b) {
                        return a.second != b.second ? a.second > b.second
                                                    : a.first < b.first;
                      });
    result.values.resize(kept);
    return result;
  }

 private:
  void AddGrowing(const GrowingSegment& segment, uint16_t field,
                  const DocumentSet& rows) {
    rows.ForEach([&](Ordinal row) {
      const FieldValues& values = segment.values(field, row);
      absent_ += values.empty() ? 1U : 0U;
      for (const FieldValue& value : values) {
        ++counts_[value];
      }
      return true;
    });
  }

  // By the numbers of terms, or the positions of keys, first.
  std::vector<uint64_t> CountCodes(const PostingTable& postings,
                                   size_t code_count, const DocumentSet& rows) {
    std::vector<uint64_t> counts(code_count);
    rows.ForEach([&](Ordinal row) {
      const std::span<const uint32_t> codes = postings.codes(row);
      absent_ += codes.empty() ? 1U : 0U;
      for (const uint32_t code : codes) {
        ++counts[code];
      }
      return true;
    });
    return counts;
  }
  void AddKeywords(const KeywordColumn& column, const DocumentSet& rows) {
    const std::vector<uint64_t> counts =
        CountCodes(column.postings(), column.term_count(), rows);
    for (uint32_t term = 0; term < counts.size(); ++term) {
      if (counts[term] > 0) {
        counts_[std::string(column.term(term))] += counts[term];
      }
    }
  }
  void AddNumbers(const NumberColumn& column, const DocumentSet& rows) {
    const std::vector<uint64_t> counts =
        CountCodes(column.postings(), column.size(), rows);
    for (uint32_t position = 0; position < counts.size(); ++position) {
      if (counts[position] > 0) {
        counts_[column.KeyAt(position)] += counts[position];
      }
    }
  }

  absl::flat_hash_map<FieldValue, uint64_t> counts_;
  uint64_t points_ = 0;
  uint64_t absent_ = 0;
};

absl::Status ValidateLimit(absl::string_view path, uint32_t limit,
                           uint32_t highest) {
  if (limit == 0 || limit > highest) {
    return InvalidField(
        path, absl::StrCat("must be 1 to ", highest, ", got ", limit));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<IdPage> FindPage(const Snapshot& snapshot,
                                const PageQuery& query,
                                const RequestContext& context) {
  const Schema& schema = *snapshot.schema;
  RETURN_IF_ERROR(
      ValidateLimit("page_size", query.limit, limits::kScrollPageMax));
  if (query.after.has_value()) {
    RETURN_IF_ERROR(ValidateId(schema.id_kind, query.after->id, "page_token"));
  }
  std::optional<uint16_t> field;
  if (query.order.has_value()) {
    ASSIGN_OR_RETURN(
        field, ResolveField(snapshot, query.order->field, "order_by.field"));
    if (schema.payload_fields[*field].type == FieldType::kKeyword) {
      return InvalidField("order_by.field",
                          "an order is by an integer, float, timestamp or "
                          "boolean field, got a keyword field");
    }
  }
  ASSIGN_OR_RETURN(const BoundFilter filter,
                   BindOptional(snapshot, query.filter));
  PageFinder finder(query, field);
  for (const auto& view : snapshot.segments) {
    RETURN_IF_ERROR(context.Check());
    ASSIGN_OR_RETURN(const DocumentSet rows,
                     MatchingRows(filter, *view, context));
    finder.Add(*view, rows);
  }
  return finder.Take(query.limit);
}

absl::StatusOr<FacetCounts> CountValues(const Snapshot& snapshot,
                                        const FacetQuery& query,
                                        const RequestContext& context) {
  RETURN_IF_ERROR(ValidateLimit("limit", query.limit, limits::kFacetsMax));
  ASSIGN_OR_RETURN(const uint16_t field,
                   ResolveField(snapshot, query.field, "field"));
  ASSIGN_OR_RETURN(const BoundFilter filter,
                   BindOptional(snapshot, query.filter));
  ValueCounter counter;
  for (const auto& view : snapshot.segments) {
    RETURN_IF_ERROR(context.Check());
    ASSIGN_OR_RETURN(const DocumentSet rows,
                     MatchingRows(filter, *view, context));
    counter.Add(*view, field, rows);
  }
  return counter.Take(snapshot.schema->payload_fields[field].type, query.limit);
}

}  // namespace sextant
