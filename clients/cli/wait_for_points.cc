// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/wait_for_points.h"

#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "base/status_macros.h"
#include "clients/cli/output.h"
#include "clients/cli/progress.h"

namespace sextant::cli {
namespace {

constexpr absl::Duration kPointsPoll = absl::Milliseconds(200);

}  // namespace

absl::StatusOr<client::CollectionInfo> WaitForPoints(
    client::Client& client, client::CollectionInfo info,
    absl::FunctionRef<std::optional<PointsDone>(const client::CollectionInfo&)>
        progress) {
  ProgressMeter meter(ErrorIsTerminal());
  while (const std::optional<PointsDone> now = progress(info)) {
    meter.Show(
        {.done = now->done, .total = now->total, .elapsed = meter.elapsed()});
    absl::SleepFor(kPointsPoll);
    ASSIGN_OR_RETURN(info, client.GetCollection(info.name));
  }
  meter.Done({.done = info.point_count,
              .total = info.point_count,
              .elapsed = meter.elapsed()});
  return info;
}

}  // namespace sextant::cli
