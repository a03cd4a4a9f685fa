// SPDX-License-Identifier: Apache-2.0
#include "engine/filter_match.h"

#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "filters/filter_window.h"
#include "filters/row_filter.h"
#include "filters/segment_filter.h"

namespace sextant {
namespace {

class GrowingRow final : public RowFields {
 public:
  explicit GrowingRow(const GrowingSegment& segment) : segment_(segment) {}

  void MoveTo(Ordinal row) { row_ = row; }
  const FieldValues& values(size_t field) const override {
    return segment_.values(field, row_);
  }
  absl::string_view id() const override { return segment_.id(row_); }

 private:
  const GrowingSegment& segment_;
  Ordinal row_ = 0;
};

absl::StatusOr<DocumentSet> MatchingGrowingRows(const BoundFilter& filter,
                                                const SegmentView& view,
                                                const RequestContext& context) {
  constexpr Ordinal kRowsBetweenChecks = 1024;
  GrowingRow row(*view.growing);
  std::vector<Ordinal> matching;
  for (Ordinal ordinal = 0; ordinal < view.rows; ++ordinal) {
    if (ordinal % kRowsBetweenChecks == 0) {
      RETURN_IF_ERROR(context.Check());
    }
    row.MoveTo(ordinal);
    if (!view.dead.Contains(ordinal) && RowMatches(filter, row)) {
      matching.push_back(ordinal);
    }
  }
  return DocumentSet::FromAscending(matching);
}

// Takes the dead out of a set: one by one from a small one.
void RemoveDead(const RowSet& dead, DocumentSet* rows) {
  constexpr uint64_t kFewRows = 4096;
  if (dead.empty() || rows->empty()) {
    return;
  }
  if (rows->count() > kFewRows) {
    rows->Subtract(DocumentSet::FromWords(dead.ToWords()));
    return;
  }
  std::vector<Ordinal> live;
  rows->ForEach([&](Ordinal row) {
    if (!dead.Contains(row)) {
      live.push_back(row);
    }
    return true;
  });
  *rows = DocumentSet::FromAscending(live);
}

// Sets the narrowest window that all matching rows lie in, if there is one.
void FindWindow(const BoundFilter& filter, const SealedSegment& segment,
                uint16_t vector_field, SegmentMatch* match) {
  if (segment.field(vector_field).scores_by_codes()) {
    return;  // The floats that score what a window holds are not in memory.
  }
  for (const size_t field : WindowFields(filter)) {
    const WindowIndex* const window = segment.window(vector_field, field);
    if (window == nullptr) {
      continue;
    }
    const std::optional<FilterWindow> split =
        SplitWindow(filter, field, /*single_valued=*/true);
    if (!split.has_value() ||
        std::holds_alternative<BoundNothing>(split->rest.node)) {
      continue;
    }
    const PositionRun run = segment.column(field)->number()->Range(
        split->window.low, split->window.high);
    if (match->window == nullptr || run.count() < match->ranks.count) {
      match->window = window;
      match->ranks = {run.first, run.count()};
      match->is_window =
          std::holds_alternative<BoundEverything>(split->rest.node);
    }
  }
}

}  // namespace

absl::Status CheckFilled(const Snapshot& snapshot, size_t field) {
  uint64_t total = 0;
  uint64_t lacking = 0;
  for (const auto& view : snapshot.segments) {
    total += view->live();
    lacking += view->has_payload_field(field) ? 0 : view->live();
  }
  if (lacking == 0) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "payload field '", snapshot.schema->payload_fields[field].name,
      "' was declared lately, and ", lacking, " of ", total,
      " points do not have its values yet; they are being filled in"));
}

absl::StatusOr<BoundFilter> BindFilterTo(const Snapshot& snapshot,
                                         const Filter& filter) {
  const Schema& schema = *snapshot.schema;
  std::vector<FilterField> fields;
  fields.reserve(schema.payload_fields.size());
  for (const PayloadFieldSchema& field : schema.payload_fields) {
    fields.push_back({field.name, field.type});
  }
  ASSIGN_OR_RETURN(
      BoundFilter bound,
      BindFilter(filter, {fields, schema.id_kind == IdKind::kNumber}));
  for (const size_t field : FieldsOf(bound)) {
    RETURN_IF_ERROR(CheckFilled(snapshot, field));
  }
  return bound;
}

absl::StatusOr<DocumentSet> MatchingRows(const BoundFilter& filter,
                                         const SegmentView& view,
                                         const RequestContext& context) {
  if (std::holds_alternative<BoundNothing>(filter.node)) {
    return DocumentSet();
  }
  if (view.growing != nullptr) {
    return MatchingGrowingRows(filter, view, context);
  }
  const SegmentFilter ready(filter, *view.sealed);
  if (ready.CountAtMost() == 0) {
    return DocumentSet();
  }
  DocumentSet rows = ready.Evaluate();
  RemoveDead(view.dead, &rows);
  return rows;
}

absl::StatusOr<uint64_t> CountMatchingRows(const BoundFilter& filter,
                                           const SegmentView& view,
                                           const RequestContext& context) {
  if (view.sealed != nullptr && view.dead.empty()) {
    const SegmentFilter ready(filter, *view.sealed);
    if (const std::optional<uint32_t> count = ready.ExactCount()) {
      return *count;
    }
  }
  ASSIGN_OR_RETURN(const DocumentSet rows, MatchingRows(filter, view, context));
  return rows.count();
}

absl::StatusOr<std::vector<SegmentMatch>> MatchSegments(
    const BoundFilter& filter, const Snapshot& snapshot,
    std::optional<uint16_t> vector_field, const RequestContext& context) {
  std::vector<SegmentMatch> matches;
  matches.reserve(snapshot.segments.size());
  for (const auto& view : snapshot.segments) {
    RETURN_IF_ERROR(context.Check());
    SegmentMatch match;
    if (vector_field.has_value() && view->sealed != nullptr) {
      FindWindow(filter, *view->sealed, *vector_field, &match);
    }
    if (!match.is_window) {
      ASSIGN_OR_RETURN(match.rows, MatchingRows(filter, *view, context));
    }
    matches.push_back(std::move(match));
  }
  return matches;
}

}  // namespace sextant
