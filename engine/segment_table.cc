// SPDX-License-Identifier: Apache-2.0
#include "engine/segment_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/check.h"

namespace sextant {

SegmentTable::SegmentTable(const Schema* schema, uint32_t seal_rows)
    : schema_(schema), seal_rows_(seal_rows), ids_(schema->id_kind) {
  StartGrowing(0);
}

absl::Status SegmentTable::Load(
    std::vector<std::shared_ptr<const SegmentView>> sealed,
    uint32_t next_number, Sequence covered_seq) {
  slots_.clear();
  ids_ = IdMap(schema_->id_kind);
  next_number_ = next_number;
  uint64_t live = 0;
  for (const auto& view : sealed) {
    live += view->live();
  }
  ids_.Reserve(live);
  for (auto& view : sealed) {
    for (Ordinal row = 0; row < view->rows; ++row) {
      if (view->dead.Contains(row)) {
        continue;
      }
      if (ids_.Set(view->id(row), {view->number(), row}).has_value()) {
        return absl::DataLossError(absl::StrCat(
            "segment ", view->number(), " repeats an id of another segment"));
      }
    }
    slots_.push_back({std::move(view), {}});
  }
  StartGrowing(covered_seq);
  return absl::OkStatus();
}

bool SegmentTable::Contains(absl::string_view id) const {
  return ids_.Find(id).has_value();
}

void SegmentTable::Upsert(absl::string_view id,
                          std::span<const FieldVector> vectors,
                          Sequence covered_seq, const RowContent& content) {
  if (growing_->full()) {
    StartGrowing(covered_seq);
  } else if (growing_->rows() == 0) {
    // Deletes since it was made lie in dead rows; a checkpoint may have
    // trimmed them from the change log.
    growing_->StartAt(covered_seq);
  }
  const Ordinal row = growing_->Append(id, vectors, content);
  if (const auto old = ids_.Set(id, {growing_->number(), row})) {
    MarkDead(*old);
  }
}

bool SegmentTable::Delete(absl::string_view id) {
  const std::optional<Location> old = ids_.Remove(id);
  if (old.has_value()) {
    MarkDead(*old);
  }
  return old.has_value();
}

void SegmentTable::Freeze(Sequence covered_seq) {
  if (growing_->rows() > 0) {
    StartGrowing(covered_seq);
  }
}

void SegmentTable::Declare(const Schema* schema, Sequence covered_seq) {
  schema_ = schema;
  if (growing_->rows() == 0) {
    slots_.pop_back();
  }
  StartGrowing(covered_seq);
}

void SegmentTable::SelectTexts(const Schema* schema,
                               std::span<const size_t> numbers,
                               Sequence covered_seq) {
  Declare(schema, covered_seq);
  // All but the new one, in which nothing is to be left out.
  for (size_t i = 0; i + 1 < slots_.size(); ++i) {
    Refresh(&slots_[i]);
    auto view = std::make_shared<SegmentView>(*slots_[i].view);
    view->text = view->text.Select(numbers);
    slots_[i].view = std::move(view);
  }
}

void SegmentTable::Replace(const SegmentBuild& build,
                           std::shared_ptr<const SealedSegment> built) {
  std::vector<std::shared_ptr<const SegmentView>> inputs;  // as of now
  for (const auto& input : build.inputs) {
    Slot& slot = Find(input->number());
    Refresh(&slot);
    inputs.push_back(slot.view);
  }
  auto view = std::make_shared<SegmentView>();
  if (built != nullptr) {
    std::vector<Ordinal> died;
    for (Ordinal row = 0; row < build.origins.size(); ++row) {
      const SegmentBuild::Origin& origin = build.origins[row];
      if (inputs[origin.input]->dead.Contains(origin.row)) {
        died.push_back(row);
      } else {
        ids_.Set(built->id(row), {built->number(), row});
      }
    }
    view->rows = built->rows();
    view->dead = RowSet().With(died, built->rows());
    view->sealed = std::move(built);
    view->text = view->sealed->Text(*schema_, view->dead);
    view->sparse = view->sealed->Sparse();
  }
  // The new segment stands where the oldest of its inputs stood.
  const auto is_input = [&](const Slot& slot) {
    return std::find(inputs.begin(), inputs.end(), slot.view) != inputs.end();
  };
  auto place = std::find_if(slots_.begin(), slots_.end(), is_input);
  CHECK(place != slots_.end());
  if (view->sealed != nullptr) {
    place = slots_.insert(place, Slot{std::move(view), {}}) + 1;
  }
  slots_.erase(std::remove_if(place, slots_.end(), is_input), slots_.end());
}

std::vector<std::shared_ptr<const SegmentView>> SegmentTable::Views() {
  std::vector<std::shared_ptr<const SegmentView>> views;
  views.reserve(slots_.size());
  for (Slot& slot : slots_) {
    Refresh(&slot);
    if (slot.view->rows > 0) {
      views.push_back(slot.view);
    }
  }
  return views;
}

std::vector<std::shared_ptr<const SegmentView>> SegmentTable::FrozenViews() {
  std::vector<std::shared_ptr<const SegmentView>> views = SlotViews(false);
  CHECK(!views.empty());
  views.pop_back();  // the one that grows
  return views;
}

std::vector<std::shared_ptr<const SegmentView>> SegmentTable::SealedViews() {
  return SlotViews(true);
}

Sequence SegmentTable::SealedSeq(Sequence applied_seq) const {
  for (const Slot& slot : slots_) {
    const GrowingSegment* growing = slot.view->growing.get();
    if (growing != nullptr && growing->rows() > 0) {
      return growing->start_seq();
    }
  }
  return applied_seq;
}

bool SegmentTable::has_frozen() const {
  return std::any_of(slots_.begin(), slots_.end(), [&](const Slot& slot) {
    return slot.view->growing != nullptr && slot.view->growing != growing_;
  });
}

bool SegmentTable::has_unfilled() const {
  return std::any_of(slots_.begin(), slots_.end(), [&](const Slot& slot) {
    return slot.view->sealed != nullptr && !slot.view->has_fields_of(*schema_);
  });
}

bool SegmentTable::has_all_texts() const {
  return std::all_of(slots_.begin(), slots_.end(), [&](const Slot& slot) {
    return slot.view->has_texts_of(*schema_);
  });
}

uint64_t SegmentTable::GrowingBytes() const {
  uint64_t size = 0;
  for (const Slot& slot : slots_) {
    if (slot.view->growing != nullptr) {
      size += slot.view->growing->size_bytes();
    }
  }
  return size;
}

SegmentTable::Slot& SegmentTable::Find(uint32_t number) {
  // Newest first: most overwritten points were written lately.
  const auto slot =
      std::find_if(slots_.rbegin(), slots_.rend(), [&](const Slot& candidate) {
        return candidate.view->number() == number;
      });
  CHECK(slot != slots_.rend()) << "no segment " << number;
  return *slot;
}

void SegmentTable::MarkDead(Location location) {
  Find(location.segment).died.push_back(location.row);
}

void SegmentTable::StartGrowing(Sequence start_seq) {
  if (!slots_.empty()) {
    Refresh(&slots_.back());
  }
  growing_ = std::make_shared<GrowingSegment>(*schema_, next_number_++,
                                              start_seq, seal_rows_);
  auto view = std::make_shared<SegmentView>();
  view->growing = growing_;
  view->field_rows.resize(schema_->vector_fields.size());
  view->text = TextSegment({}, schema_->text_index_count(), RowSet());
  view->sparse = growing_->Sparse();
  slots_.push_back({std::move(view), {}});
}

// Makes the slot's view current: rows appended and rows died since.
void SegmentTable::Refresh(Slot* slot) {
  const GrowingSegment* growing = slot->view->growing.get();
  const bool appended =
      growing != nullptr && growing->rows() != slot->view->rows;
  if (!appended && slot->died.empty()) {
    return;
  }
  auto view = std::make_shared<SegmentView>(*slot->view);
  if (appended) {
    view->rows = growing->rows();
    for (size_t i = 0; i < growing->field_count(); ++i) {
      view->field_rows[i] = growing->field(i).rows();
    }
    view->sparse = growing->Sparse();
  }
  if (!slot->died.empty()) {
    view->dead = view->dead.With(slot->died, view->rows);
  }
  if (view->text.fields() > 0) {
    view->text =
        view->text.Advance(appended ? growing->Text() : view->text.parts(),
                           slot->died, view->dead);
  }
  slot->died.clear();
  slot->view = std::move(view);
}

std::vector<std::shared_ptr<const SegmentView>> SegmentTable::SlotViews(
    bool sealed) {
  std::vector<std::shared_ptr<const SegmentView>> views;
  for (Slot& slot : slots_) {
    if ((slot.view->sealed != nullptr) == sealed) {
      Refresh(&slot);
      views.push_back(slot.view);
    }
  }
  return views;
}

}  // namespace sextant
