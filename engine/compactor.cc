// SPDX-License-Identifier: Apache-2.0
#include "engine/compactor.h"

#include <chrono>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "base/crash_point.h"
#include "base/free_memory.h"
#include "base/status_macros.h"
#include "engine/payload.h"
#include "engine/sealed_segment.h"
#include "engine/segment_builder.h"

namespace sextant {
namespace {

constexpr std::chrono::seconds kRetryDelay{10};
constexpr std::chrono::milliseconds kWaitPoll{20};

// What a build did to a segment that stays as it is.
std::string FilledText(const SegmentBuild& build) {
  return build.texts.empty() ? "filled in payload fields in"
                             : "indexed texts anew in";
}

}  // namespace

Compactor::Compactor(Store* store, storage::CollectionRecord record,
                     CollectionWriter* writer, BackgroundThreads threads,
                     CompactorOptions options, EventSink events)
    : store_(store),
      record_(std::move(record)),
      writer_(writer),
      threads_(threads),
      options_(std::move(options)),
      events_(std::move(events)) {}

void Compactor::Schedule(std::shared_ptr<const void> owner) {
  {
    MutexLock lock(&mutex_);
    if (stopping_ || std::chrono::steady_clock::now() < retry_at_) {
      return;
    }
    if (scheduled_) {
      again_ = true;
      return;
    }
    scheduled_ = true;
  }
  const bool queued =
      threads_.merges->TrySchedule([this, kept = std::move(owner)] { Run(); });
  if (!queued) {
    MutexLock lock(&mutex_);
    scheduled_ = false;
    idle_.NotifyAll();
  }
}

void Compactor::ScheduleNow(std::shared_ptr<const void> owner) {
  {
    MutexLock lock(&mutex_);
    retry_at_ = {};
    idle_merges_ = true;
  }
  Schedule(std::move(owner));
}

void Compactor::Tick(MonotonicTime now, MonotonicTime last_write,
                     std::shared_ptr<const void> owner) {
  const bool idle =
      now - last_write >= std::chrono::milliseconds(options_.seal_idle_ms);
  {
    MutexLock lock(&mutex_);
    if (scheduled_ || now < retry_at_) {
      return;
    }
    if (!last_status_.ok()) {
      last_status_ = absl::OkStatus();
      again_ = true;  // retry below
    }
    if (idle && idle_since_ != last_write) {
      idle_since_ = last_write;
      idle_merges_ = true;
      again_ = true;
    }
  }
  const bool worth_sealing =
      idle && writer_->growing_rows() >= options_.min_graph_rows;
  const bool long_replay =
      writer_->changes_to_replay() > options_.replay_changes_max;
  if (worth_sealing || long_replay) {
    writer_->Freeze();
    Schedule(std::move(owner));
    return;
  }
  // Left full, or without a field, by a restart or by a failed merge.
  bool retry = writer_->has_frozen() || writer_->has_unfilled() ||
               writer_->changes_text();
  {
    MutexLock lock(&mutex_);
    retry = std::exchange(again_, false) || retry;
  }
  if (retry) {
    Schedule(std::move(owner));
  }
}

absl::Status Compactor::WaitIdle(const RequestContext& context) {
  MutexLock lock(&mutex_);
  while (scheduled_) {
    RETURN_IF_ERROR(context.Check());
    idle_.WaitFor(&mutex_, kWaitPoll);
  }
  return last_status_;
}

void Compactor::Stop() {
  stopping_ = true;
}

void Compactor::WaitStopped() {
  MutexLock lock(&mutex_);
  while (running_) {
    idle_.WaitFor(&mutex_, kWaitPoll);
  }
}

bool Compactor::running() const {
  MutexLock lock(&mutex_);
  return scheduled_;
}

void Compactor::Run() {
  RequestContextOptions options;
  options.is_cancelled = [this] { return stopping_.load(); };
  const RequestContext context(std::move(options));
  {
    MutexLock lock(&mutex_);
    running_ = true;
  }
  while (true) {
    WriteLoad load = WriteLoad::kBusy;
    {
      MutexLock lock(&mutex_);
      if (std::exchange(idle_merges_, false)) {
        load = WriteLoad::kIdle;
      }
    }
    const absl::Status status = MergeAll(load, context);
    progress_.rows_done = 0;
    progress_.rows_total = 0;
    ResetProgress();
    // A merge frees several times the size of its segment: the build's own
    // structures and the segments that it replaced. Kept by the heap, that is
    // memory which whoever runs the server cannot use for anything else.
    ReleaseFreeMemory();
    MutexLock lock(&mutex_);
    last_status_ = status;
    // Made up for by the next run.
    idle_merges_ = idle_merges_ || (!status.ok() && load == WriteLoad::kIdle);
    if (!status.ok() && !stopping_) {
      retry_at_ = std::chrono::steady_clock::now() + kRetryDelay;
      events_(true, absl::StrCat("collection '", record_.name(),
                                 "': building a segment failed, trying again "
                                 "later: ",
                                 status.ToString()));
    }
    if (stopping_ || !status.ok() || !std::exchange(again_, false)) {
      scheduled_ = false;
      running_ = false;
      idle_.NotifyAll();
      return;
    }
  }
}

absl::Status Compactor::MergeAll(WriteLoad load,
                                 const RequestContext& context) {
  bool merged = false;
  absl::Status text_change;
  while (true) {
    RETURN_IF_ERROR(context.Check());
    // Merges go on where it fails: they may make the room that it lacks.
    text_change = writer_->FinishTextChange();
    const std::optional<CollectionWriter::Merge> merge =
        writer_->NextMerge(load);
    if (!merge.has_value()) {
      break;
    }
    RETURN_IF_ERROR(MergeOnce(*merge, context));
    merged = true;
  }
  RETURN_IF_ERROR(text_change);
  const bool long_replay =
      writer_->changes_to_replay() > options_.replay_changes_max;
  return merged || !long_replay ? absl::OkStatus() : writer_->WriteCheckpoint();
}

void Compactor::ResetProgress() {
  rows_filled_ = 0;
  rows_analyzed_ = 0;
}

absl::StatusOr<SegmentBuild> Compactor::BuildOnce(
    const CollectionWriter::Merge& merge, const RequestContext& context) {
  const SegmentBuildOptions options = {
      .min_graph_rows = options_.min_graph_rows,
      .pool = threads_.builds,
      .payloads =
          [this](std::span<const absl::string_view> ids) {
            return writer_->ReadPayloads(ids);
          },
      .rows_filled = &rows_filled_,
      .rows_analyzed = &rows_analyzed_};
  ResetProgress();
  return merge.fill ? FillSegment(*merge.schema, merge.inputs.front(), options,
                                  context)
                    : BuildSegment(*merge.schema, merge.inputs, options,
                                   context, &progress_);
}

absl::Status Compactor::MergeOnce(const CollectionWriter::Merge& merge,
                                  const RequestContext& context) {
  const auto start = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(const SegmentBuild build, BuildOnce(merge, context));
  std::shared_ptr<const SealedSegment> segment;
  if (!build.origins.empty()) {
    const std::vector<SegmentSection> sections = build.Sections();
    ASSIGN_OR_RETURN(const storage::SegmentRecord written,
                     store_->segments().Write(record_, merge.number,
                                              build.origins.size(), sections));
    ASSIGN_OR_RETURN(std::shared_ptr<const SegmentFile> file,
                     store_->segments().Open(record_, written));
    ASSIGN_OR_RETURN(
        segment, SealedSegment::Open(*merge.schema, written, std::move(file)));
  }
  if (segment != nullptr && options_.before_publish != nullptr) {
    options_.before_publish(segment, context);
  }
  CRASH_POINT("merge:before_publish");
  writer_->FinishMerge(build, std::move(segment));
  ResetProgress();
  CRASH_POINT("merge:before_checkpoint");
  RETURN_IF_ERROR(writer_->WriteCheckpoint());
  if (options_.after_checkpoint != nullptr) {
    options_.after_checkpoint();
  }
  if (build.misfits > 0) {
    events_(true, MisfitsText(record_.name(), build.misfits));
  }
  const std::chrono::duration<double> seconds =
      std::chrono::steady_clock::now() - start;
  events_(false, absl::StrFormat(
                     "collection '%s': %s segment %d of %d points in "
                     "%.2f s",
                     record_.name(),
                     merge.fill ? FilledText(build)
                                : absl::StrFormat("merged %d segments into",
                                                  merge.inputs.size()),
                     merge.number, build.origins.size(), seconds.count()));
  return absl::OkStatus();
}

}  // namespace sextant
