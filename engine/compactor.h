// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"

#include "base/clock.h"
#include "base/context.h"
#include "base/mutex.h"
#include "base/thread_pool.h"
#include "engine/collection_writer.h"
#include "engine/compaction_plan.h"
#include "engine/events.h"
#include "index/vector_index_builder.h"
#include "storage/store.h"

namespace sextant {

// What all collections of a database share for background work.
struct BackgroundThreads {
  ThreadPool* merges = nullptr;  // one task a collection at a time
  ThreadPool* builds = nullptr;  // graph insertion, in parallel
  // Changes of banks and normalisers: one task a collection at a time.
  ThreadPool* changes = nullptr;
};

struct CompactorOptions {
  uint32_t seal_idle_ms = 1000;
  uint32_t min_graph_rows = 2048;
  // Above this many changes a restart would take noticeable time: seal and
  // write a checkpoint.
  uint64_t replay_changes_max = 65536;
  // Told of a segment before searches see it, to make ready what they will
  // need; and after a checkpoint. May take their time; empty: nobody is told.
  std::function<void(const std::shared_ptr<const SealedSegment>&,
                     const RequestContext&)>
      before_publish;
  std::function<void()> after_checkpoint;
};

// Turns a collection's growing segments into sealed ones and merges sealed
// ones, in the background, at most one merge of a collection at a time.
//
// Thread-safe. Owned by its collection; tasks keep the collection alive
// through `owner`. A failed merge changes nothing and is tried again later.
class Compactor {
 public:
  Compactor(Store* store, storage::CollectionRecord record,
            CollectionWriter* writer, BackgroundThreads threads,
            CompactorOptions options, EventSink events);

  // Runs merges until none is worth doing; returns at once. `owner` keeps this
  // object alive. Does nothing for a while after a failure.
  void Schedule(std::shared_ptr<const void> owner);
  // The same, also right after a failure, and with the merges of a collection
  // that nobody writes to.
  void ScheduleNow(std::shared_ptr<const void> owner);

  // Called every fraction of a second: seals what has been idle and merges what
  // is left of it, once after each write; retries.
  void Tick(MonotonicTime now, MonotonicTime last_write,
            std::shared_ptr<const void> owner);

  // Waits until no merge runs or is queued; the status of the last one.
  absl::Status WaitIdle(const RequestContext& context);

  // Cancels a running merge and prevents new ones.
  void Stop();
  // After Stop(): waits until no merge runs. One that is queued does not
  // count; it ends at once when its turn comes.
  void WaitStopped();

  bool running() const;
  const BuildProgress& progress() const { return progress_; }
  // Rows of the running merge that got the values of payload fields that were
  // declared later.
  uint64_t rows_filled() const { return rows_filled_.load(); }
  // Rows of the running merge whose texts were analysed anew.
  uint64_t rows_analyzed() const { return rows_analyzed_.load(); }

 private:
  void Run();
  absl::Status MergeAll(WriteLoad load, const RequestContext& context);
  absl::StatusOr<SegmentBuild> BuildOnce(const CollectionWriter::Merge& merge,
                                         const RequestContext& context);
  absl::Status MergeOnce(const CollectionWriter::Merge& merge,
                         const RequestContext& context);
  void ResetProgress();

  Store* const store_;
  const storage::CollectionRecord record_;
  CollectionWriter* const writer_;
  const BackgroundThreads threads_;
  const CompactorOptions options_;
  const EventSink events_;

  std::atomic<bool> stopping_{false};
  BuildProgress progress_;
  std::atomic<uint64_t> rows_filled_{0};
  std::atomic<uint64_t> rows_analyzed_{0};

  mutable Mutex mutex_;
  CondVar idle_;
  bool scheduled_ ABSL_GUARDED_BY(mutex_) = false;  // queued or running
  bool running_ ABSL_GUARDED_BY(mutex_) = false;
  bool again_ ABSL_GUARDED_BY(mutex_) = false;
  // The next run also does what is worth it when nobody writes.
  bool idle_merges_ ABSL_GUARDED_BY(mutex_) = false;
  // The last write before the idle merges that were asked for.
  MonotonicTime idle_since_ ABSL_GUARDED_BY(mutex_){};
  absl::Status last_status_ ABSL_GUARDED_BY(mutex_);
  MonotonicTime retry_at_ ABSL_GUARDED_BY(mutex_){};
};

}  // namespace sextant
