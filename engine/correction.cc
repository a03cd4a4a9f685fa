// SPDX-License-Identifier: Apache-2.0
#include "engine/correction.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/errors.h"
#include "base/status_macros.h"

namespace sextant {

absl::StatusOr<Correction> Correction::Make(
    std::shared_ptr<const Normalizer> normalizer, const Snapshot& snapshot,
    const RequestContext& context) {
  Correction made;
  for (const auto& view : snapshot.segments) {
    ASSIGN_OR_RETURN(std::shared_ptr<const SegmentBias> bias,
                     normalizer->BiasOf(*view, {nullptr, context}));
    made.segments_.push_back(std::move(bias));
  }
  made.normalizer_ = std::move(normalizer);
  made.SetOpen(made.normalizer_->always_open());
  return made;
}

Correction Correction::OfCandidates(
    std::shared_ptr<const Normalizer> normalizer, Rescorer rescorer) {
  Correction made;
  made.normalizer_ = std::move(normalizer);
  made.rescorer_ = std::make_shared<const Rescorer>(std::move(rescorer));
  return made;
}

absl::Status Correction::CheckPage(const SearchQuery& query) const {
  const uint32_t page_end = query.limit + query.offset;
  const uint32_t most = CandidatesFor(page_end);
  return page_end <= most
             ? absl::OkStatus()
             : InvalidField(
                   "limit",
                   absl::StrCat("limit + offset is ", page_end, ", and ",
                                ToString(), " rescores ", most, " points"));
}

bool Correction::has_gates() const {
  return static_cast<size_t>(std::popcount(normalizer_->always_open())) <
         normalizer_->term_count();
}

void Correction::SetOpen(uint32_t open) {
  open_ = open;
  double total = 0;
  uint64_t rows = 0;
  for (const auto& segment : segments_) {
    for (size_t t = 0; t < normalizer_->term_count(); ++t) {
      total += ((open >> t) & 1U) != 0 ? segment->totals[t] : 0;
    }
    rows += segment->rows;
  }
  reference_ =
      rows == 0 ? 0 : static_cast<float>(total / static_cast<double>(rows));
}

absl::Status Correction::OpenGates(const Snapshot& snapshot,
                                   const Candidate& nearest,
                                   const RequestContext& context) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const sextant::OpenGates> gates,
                   normalizer_->GatesOf(snapshot.segments, segments_, context));
  const uint64_t key = sextant::OpenGates::Key(
      snapshot.segments[nearest.segment]->number(), nearest.row);
  uint32_t open = normalizer_->always_open();
  for (size_t t = 0; t < normalizer_->term_count(); ++t) {
    open |= (gates->points[t].contains(key) ? 1U : 0U) << t;
  }
  SetOpen(open);
  return absl::OkStatus();
}

float Correction::Of(const Snapshot& snapshot,
                     const Candidate& candidate) const {
  if (open_ == 0) {
    return 0;
  }
  const uint32_t row = snapshot.segments[candidate.segment]->vector_row(
      normalizer_->field(), candidate.row);
  return segments_[candidate.segment]->by_open[open_][row] - reference_;
}

std::string Correction::ToString() const {
  std::string text = absl::StrCat("normalizer ", normalizer_->record().name(),
                                  " ", Describe(normalizer_->spec()),
                                  " version ", normalizer_->record().version());
  if (rescorer_ != nullptr) {
    return text;
  }
  if (has_gates()) {
    absl::StrAppend(&text, ", gates ", std::popcount(open_), " of ",
                    normalizer_->term_count(), " open");
  }
  return absl::StrCat(text, ", reference ", reference_);
}

}  // namespace sextant
