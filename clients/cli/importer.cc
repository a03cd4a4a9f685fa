// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/importer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"

#include "base/status_macros.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/output.h"
#include "clients/cli/text.h"

namespace sextant::cli {
namespace {

constexpr size_t kBatchBytes = size_t{4} << 20U;
constexpr size_t kBatchPointsMax = 10'000;  // of the API
constexpr absl::Duration kSaveEvery = absl::Milliseconds(200);

size_t SizeBytes(const client::Point& point) {
  size_t bytes = point.payload.size() + 16;
  for (const auto& [field, vector] : point.vectors) {
    bytes += field.size() + vector.size() * sizeof(float);
  }
  for (const auto& [field, vector] : point.sparse_vectors) {
    // Indices as varints.
    bytes += field.size() + vector.indices.size() * (5 + sizeof(float));
  }
  return bytes;
}

std::string FieldNames(const client::CollectionSchema& schema) {
  return absl::StrJoin(schema.vector_fields, ", ",
                       [](std::string* out, const client::VectorField& field) {
                         absl::StrAppend(out, "'", field.name, "'");
                       });
}

}  // namespace

absl::Status Importer::ChooseField() {
  const auto& fields = info_.schema.vector_fields;
  if (!options_.field.empty()) {
    for (const client::VectorField& field : fields) {
      if (field.name == options_.field) {
        field_ = field.name;
        return absl::OkStatus();
      }
    }
    return UsageError(absl::StrCat("--field: collection '", info_.name,
                                   "' has no vector field '", options_.field,
                                   "', only ", FieldNames(info_.schema)));
  }
  if (fields.size() == 1) {
    field_ = fields[0].name;
  }
  return absl::OkStatus();
}

absl::Status Importer::CheckVector(const std::string& field,
                                   size_t size) const {
  for (const client::VectorField& known : info_.schema.vector_fields) {
    if (known.name != field) {
      continue;
    }
    if (known.dimension != size) {
      return absl::InvalidArgumentError(absl::StrCat(
          "vector of ", size, " numbers, field '", field, "' of collection '",
          info_.name, "' takes ", known.dimension));
    }
    return absl::OkStatus();
  }
  if (field.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("vector without a name, and collection '", info_.name,
                     "' has several fields; name one with --field: ",
                     FieldNames(info_.schema)));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("collection '", info_.name, "' has no vector field '", field,
                   "', only ", FieldNames(info_.schema)));
}

absl::Status Importer::Prepare(client::Point* point) const {
  if (!field_.empty()) {
    auto unnamed = point->vectors.extract("");
    if (!unnamed.empty()) {
      unnamed.key() = field_;
      point->vectors.insert(std::move(unnamed));
    }
  }
  if (point->vectors.empty() && point->sparse_vectors.empty()) {
    return absl::InvalidArgumentError(
        "has no vector: put it under \"vector\", or join a file with "
        "--vectors");
  }
  for (const auto& [field, vector] : point->vectors) {
    RETURN_IF_ERROR(CheckVector(field, vector.size()));
  }
  const bool is_text = std::holds_alternative<std::string>(point->id);
  if (is_text != (info_.schema.id_kind == client::IdKind::kString)) {
    return absl::InvalidArgumentError(
        absl::StrCat("id ", is_text ? "'" : "", client::ToString(point->id),
                     is_text ? "'" : "", " is a ",
                     is_text ? "string" : "number", ", collection '",
                     info_.name, "' takes ", is_text ? "numbers" : "strings"));
  }
  return absl::OkStatus();
}

ProgressState Importer::Progress() const {
  return {.done = state_.points_done,
          .total = source_.total(),
          .fraction = source_.fraction(),
          .elapsed = {},
          .skipped = skipped_};
}

void Importer::SaveState(bool now) {
  const uint64_t done = skipped_ + stream_->acknowledged().points;
  const absl::Time time = absl::Now();
  if (done == state_.points_done || options_.state_path.empty() ||
      !state_works_ || (!now && time - saved_at_ < kSaveEvery)) {
    state_.points_done = done;
    return;
  }
  state_.points_done = done;
  saved_at_ = time;
  const absl::Status saved = SaveImportState(options_.state_path, state_);
  if (!saved.ok()) {
    state_works_ = false;  // the import goes on
    Note(absl::StrCat("sextant: --resume will not work: ", saved.message()));
  }
}

absl::Status Importer::SendBatch() {
  if (batch_.empty()) {
    return absl::OkStatus();
  }
  absl::Status sent = stream_->Send(batch_);
  batch_.clear();
  batch_bytes_ = 0;
  SaveState(/*now=*/!sent.ok());
  meter_.Show(Progress());
  return sent;
}

absl::Status Importer::SendAll() {
  const size_t points_max =
      options_.batch_points == 0 ? kBatchPointsMax : options_.batch_points;
  client::Point point;
  while (true) {
    absl::StatusOr<bool> more = source_.Next(&point);
    if (!more.ok()) {
      // What was read before goes out, so that --resume starts here.
      RETURN_IF_ERROR(SendBatch());
      return InputError(more.status());
    }
    if (!*more) {
      break;
    }
    const absl::Status prepared = Prepare(&point);
    if (!prepared.ok()) {
      RETURN_IF_ERROR(SendBatch());
      return InputError(WithContext(prepared, source_.where()));
    }
    const size_t bytes = SizeBytes(point);
    if (batch_bytes_ + bytes > kBatchBytes) {
      RETURN_IF_ERROR(SendBatch());
    }
    batch_bytes_ += bytes;
    batch_.push_back(std::move(point));
    if (batch_.size() == points_max) {
      RETURN_IF_ERROR(SendBatch());
    }
  }
  return SendBatch();
}

absl::Status Importer::SkipDone() {
  state_ = {.collection = info_.name,
            .collection_created_ns = absl::ToUnixNanos(info_.create_time),
            .source = source_.identity(),
            .points_done = 0};
  if (!options_.resume) {
    return absl::OkStatus();
  }
  const absl::optional<ImportState> earlier =
      LoadImportState(options_.state_path);
  if (!earlier.has_value()) {
    Note("sextant: nothing to resume, starting at the first point");
    return absl::OkStatus();
  }
  if (!state_.Continues(*earlier)) {
    Note(
        "sextant: the file or the collection has changed since, starting at "
        "the first point");
    return absl::OkStatus();
  }
  Note(absl::StrCat("sextant: resuming after ",
                    WithCommas(earlier->points_done), " points"));
  skipped_ = earlier->points_done;
  state_.points_done = skipped_;
  return InputError(source_.Skip(skipped_));
}

absl::StatusOr<ImportSummary> Importer::Run(
    const client::CollectionInfo& info) {
  info_ = info;
  RETURN_IF_ERROR(ChooseField());
  RETURN_IF_ERROR(SkipDone());
  stream_ = client_.OpenUpsertStream(info_.name, {.window = options_.window});
  absl::Status status = SendAll();
  if (ExitCodeOf(status) == ExitCode::kOk ||
      ExitCodeOf(status) == ExitCode::kInput) {
    const absl::Status finished = stream_->Finish();
    status = status.ok() ? finished : status;
  }
  SaveState(/*now=*/true);
  meter_.Done(Progress());
  if (!status.ok()) {
    return status;
  }
  if (!options_.state_path.empty()) {
    RemoveImportState(options_.state_path);
  }
  const client::UpsertProgress& sent = stream_->acknowledged();
  return ImportSummary{.points = sent.points,
                       .inserted = sent.inserted,
                       .updated = sent.updated,
                       .skipped = skipped_,
                       .time = meter_.elapsed()};
}

}  // namespace sextant::cli
