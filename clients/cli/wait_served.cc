// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/wait_served.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "base/status_macros.h"
#include "clients/cli/output.h"
#include "clients/cli/progress.h"

namespace sextant::cli {
namespace {

// Small changes are made at once, great ones are asked for less often.
constexpr absl::Duration kFirstPoll = absl::Milliseconds(20);
constexpr absl::Duration kLastPoll = absl::Milliseconds(500);

const client::ChangeProgress* ProgressOf(const client::Bank& bank) {
  return bank.change.has_value() ? &bank.change->progress : nullptr;
}
const client::ChangeProgress* ProgressOf(const client::Normalizer& normalizer) {
  return normalizer.change.has_value() ? &*normalizer.change : nullptr;
}

// The one of the same name, as `list` has it now.
template <typename Item, typename List>
absl::StatusOr<Item> Wait(Item item, const List& list) {
  ProgressMeter meter(ErrorIsTerminal());
  ProgressState state{.unit = "points x passes"};
  absl::Duration poll = kFirstPoll;
  while (const client::ChangeProgress* const progress = ProgressOf(item)) {
    if (!progress->error.empty()) {
      return absl::UnavailableError(
          absl::StrCat("'", item.name, "' is not changed yet, and the server ",
                       "tries again: ", progress->error));
    }
    state.done = progress->done;
    state.total = progress->total;
    meter.Show(state);
    absl::SleepFor(poll);
    poll = std::min(kLastPoll, 2 * poll);
    ASSIGN_OR_RETURN(std::vector<Item> items, list());
    const auto found = std::ranges::find(items, item.name, &Item::name);
    if (found == items.end()) {
      return absl::NotFoundError(
          absl::StrCat("'", item.name, "' was deleted meanwhile"));
    }
    item = std::move(*found);
  }
  state.done = state.total;
  meter.Done(state);
  return item;
}

}  // namespace

absl::StatusOr<client::Bank> WaitServed(client::Client& client,
                                        const std::string& collection,
                                        client::Bank bank) {
  return Wait(std::move(bank),
              [&client, &collection] { return client.ListBanks(collection); });
}

absl::StatusOr<client::Normalizer> WaitServed(client::Client& client,
                                              const std::string& collection,
                                              client::Normalizer normalizer) {
  return Wait(std::move(normalizer), [&client, &collection] {
    return client.ListNormalizers(collection);
  });
}

std::string ChangeText(const absl::optional<client::ChangeProgress>& change) {
  if (!change.has_value()) {
    return "";
  }
  if (!change->error.empty()) {
    return absl::StrCat("failed: ", change->error);
  }
  if (change->total == 0) {
    return "waits";
  }
  return absl::StrFormat("version %d: %d %%", change->version,
                         100 * change->done / change->total);
}

}  // namespace sextant::cli
