// SPDX-License-Identifier: Apache-2.0
#include "server/config/config_keys.h"

#include <algorithm>
#include <array>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

#include "engine/limits.h"
#include "server/address.h"

namespace sextant {
namespace {

// NOLINTBEGIN(bugprone-macro-parentheses): `path` is members of members
#define SEXTANT_TEXT(path) \
  static_cast<std::string* (*)(Config&)>([](Config& c) { return &c.path; })
#define SEXTANT_NUMBER(path) \
  static_cast<uint64_t* (*)(Config&)>([](Config& c) { return &c.path; })
#define SEXTANT_SWITCH(path) \
  static_cast<bool* (*)(Config&)>([](Config& c) { return &c.path; })

#define SEXTANT_SHARE(path) \
  static_cast<double* (*)(Config&)>([](Config& c) { return &c.path; })
// NOLINTEND(bugprone-macro-parentheses): see above

constexpr uint64_t kThreadsMax = 1024;
constexpr uint64_t kQueueMax = 100'000;
constexpr uint64_t kMegabytesMax = 1ULL << 24U;  // 16 TiB

const auto kKeys = std::to_array<ConfigKey>({
    {"grpc.listen", SEXTANT_TEXT(grpc.listen), "address", 0, 0,
     "Address of the gRPC API. Port 0 takes a free port, which the log names. "
     "Empty means no TCP listener, then grpc.unix_socket is required."},
    {"grpc.unix_socket", SEXTANT_TEXT(grpc.unix_socket), "", 0, 0,
     "Path of a Unix socket, of at most 107 bytes, that serves the gRPC API "
     "too, for this user only. One that a dead process left there is replaced. "
     "Empty means none."},
    {"grpc.max_message_mb", SEXTANT_NUMBER(grpc.max_message_mb), "MiB", 1, 1024,
     "Largest request taken and largest answer made."},
    {"grpc.max_concurrent_streams", SEXTANT_NUMBER(grpc.max_concurrent_streams),
     "", 1, kQueueMax, "Calls that may be open at once in one connection."},
    {"grpc.search_threads", SEXTANT_NUMBER(grpc.search_threads), "", 0,
     kThreadsMax,
     "Searches at work at once; 0 means one for each core that the server may "
     "use. Their threads also receive all calls."},
    {"grpc.search_queue", SEXTANT_NUMBER(grpc.search_queue), "", 1, kQueueMax,
     "Searches that may wait for a thread; more are answered with "
     "RESOURCE_EXHAUSTED and the advice to retry."},
    {"grpc.read_threads", SEXTANT_NUMBER(grpc.read_threads), "", 1, kThreadsMax,
     "Other reads (get, scroll, count, descriptions) at work at once."},
    {"grpc.read_queue", SEXTANT_NUMBER(grpc.read_queue), "", 1, kQueueMax,
     "Other reads that may wait."},
    {"grpc.write_threads", SEXTANT_NUMBER(grpc.write_threads), "", 1,
     kThreadsMax,
     "Writes at work at once. They mostly wait for the disk, and those that "
     "wait together share one fsync, so this is more than the cores."},
    {"grpc.write_queue", SEXTANT_NUMBER(grpc.write_queue), "", 1, kQueueMax,
     "Writes that may wait."},
    {"grpc.analysis_threads", SEXTANT_NUMBER(grpc.analysis_threads), "", 1,
     kThreadsMax,
     "Works of minutes (tuning of normalizers, hubness, mining of pairs, fits "
     "of adapters) at once. They use the threads of engine.build_threads, "
     "too."},
    {"grpc.analysis_queue", SEXTANT_NUMBER(grpc.analysis_queue), "", 1,
     kQueueMax, "Such works that may wait."},
    {"grpc.reflection", SEXTANT_TEXT(grpc.reflection), "auto|on|off", 0, 0,
     "Whether tools such as grpcurl may ask for the API's description; auto "
     "means on when only loopback addresses are served."},

    {"http.enabled", SEXTANT_SWITCH(http.enabled), "", 0, 0,
     "Serve /metrics, /healthz, /livez and /readyz over HTTP."},
    {"http.listen", SEXTANT_TEXT(http.listen), "address", 0, 0,
     "Address of the HTTP endpoints. Port 0 takes a free port."},
    {"http.collection_labels_max", SEXTANT_NUMBER(http.collection_labels_max),
     "", 0, 10'000,
     "Collections that get metrics of their own, by name; the others are "
     "summed under the label (other)."},

    {"storage.data_dir", SEXTANT_TEXT(storage.data_dir), "", 0, 0,
     "Directory of everything the server keeps; made if missing."},
    {"storage.durability", SEXTANT_TEXT(storage.durability), "sync|os", 0, 0,
     "sync: a write is on the disk (fsync) before it is acknowledged. os: it "
     "is "
     "with the kernel; faster, survives a crash of the server but not of the "
     "machine."},
    {"storage.memory_mb", SEXTANT_NUMBER(storage.memory_mb), "MiB", 8,
     kMegabytesMax, "Block cache and write buffers of the store together."},
    {"storage.max_wal_mb", SEXTANT_NUMBER(storage.max_wal_mb), "MiB", 8,
     kMegabytesMax,
     "Size of the store's write-ahead log at which it is flushed; bounds the "
     "time of a restart after a crash."},

    {"engine.default_recall_target",
     SEXTANT_SHARE(engine.default_recall_target), "", 0, 0,
     "Recall target of searches that name none: the share of the exact best "
     "that they shall find. More is slower; 1 compares with every point."},
    {"engine.default_ef", SEXTANT_NUMBER(engine.default_ef), "", 0,
     limits::kEfMax,
     "Beam width of graph searches that name neither one nor a recall target; "
     "0 means that engine.default_recall_target decides."},
    {"engine.recall_probe_every", SEXTANT_NUMBER(engine.recall_probe_every),
     "searches", 0, 1'000'000'000,
     "One of so many searches is repeated in the background and compared with "
     "the exact answer, for the recall metrics; 0 means none."},
    {"engine.recall_probe_cpu_percent",
     SEXTANT_NUMBER(engine.recall_probe_cpu_percent), "%", 1, 100,
     "Share of one core that those repeats may take."},
    {"engine.seal_rows", SEXTANT_NUMBER(engine.seal_rows), "points", 1,
     10'000'000,
     "New points are searched by exact scan until so many have come together, "
     "then a graph is built of them."},
    {"engine.seal_idle_ms", SEXTANT_NUMBER(engine.seal_idle_ms), "ms", 1,
     86'400'000,
     "A graph is also built, and what earlier merges left is merged, when "
     "nothing was written for this long."},
    {"engine.min_graph_rows", SEXTANT_NUMBER(engine.min_graph_rows), "points",
     1, 10'000'000,
     "Fewer points than this get no graph; scanning them is as fast."},
    {"engine.build_threads", SEXTANT_NUMBER(engine.build_threads), "", 0,
     kThreadsMax,
     "Threads that build graphs in the background, at low priority; 0 means "
     "one for each core."},
    {"engine.group_commit_us", SEXTANT_NUMBER(engine.group_commit_us), "us", 0,
     1'000'000,
     "How long the first of several concurrent writers waits for the others, "
     "to share one fsync."},
    {"engine.group_commit_kb", SEXTANT_NUMBER(engine.group_commit_kb), "KiB", 1,
     1ULL << 20U, "A group of writes of this size does not wait longer."},

    {"log.level", SEXTANT_TEXT(log.level), "debug|info|warning|error", 0, 0,
     "Least severity that is written to standard error."},
    {"log.format", SEXTANT_TEXT(log.format), "text|json", 0, 0,
     "One line an event: for people, or one JSON object each."},
    {"log.slow_query_ms", SEXTANT_NUMBER(log.slow_query_ms), "ms", 0,
     86'400'000,
     "A search that takes longer is logged with its plan; 0 means none."},

    {"server.drain_seconds", SEXTANT_NUMBER(server.drain_seconds), "s", 0, 3600,
     "How long a stop waits for running calls before it cancels them."},
    {"server.insecure", SEXTANT_SWITCH(server.insecure), "", 0, 0,
     "Allow addresses other than loopback although there is neither encryption "
     "nor authentication. The flag --insecure is short for it."},
});

#undef SEXTANT_TEXT
#undef SEXTANT_NUMBER
#undef SEXTANT_SWITCH
#undef SEXTANT_SHARE

std::vector<absl::string_view> Choices(const ConfigKey& key) {
  return absl::StrSplit(key.kind, '|');
}

bool HasChoices(const ConfigKey& key) {
  return absl::StrContains(key.kind, '|');
}

absl::Status SetText(const ConfigKey& key, absl::string_view text,
                     std::string* value) {
  if (absl::StrContains(text, '\0')) {
    return absl::InvalidArgumentError("contains a zero byte");
  }
  if (HasChoices(key)) {
    const std::vector<absl::string_view> choices = Choices(key);
    if (std::find(choices.begin(), choices.end(), text) == choices.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("must be one of ", absl::StrJoin(choices, ", "),
                       ", got '", text, "'"));
    }
  }
  if (key.kind == "address" && !text.empty()) {
    if (const auto address = ParseAddress(text); !address.ok()) {
      return address.status();
    }
  }
  *value = std::string(text);
  return absl::OkStatus();
}

absl::Status SetNumber(const ConfigKey& key, absl::string_view text,
                       uint64_t* value) {
  uint64_t number = 0;
  const bool digits =
      !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return absl::ascii_isdigit(static_cast<unsigned char>(c));
      });
  if (!digits || !absl::SimpleAtoi(text, &number) || number < key.lowest ||
      number > key.highest) {
    return absl::InvalidArgumentError(absl::StrCat(
        "must be a whole number from ", key.lowest, " to ", key.highest,
        key.kind.empty() ? "" : " ", key.kind, ", got '", text, "'"));
  }
  *value = number;
  return absl::OkStatus();
}

absl::Status SetShare(absl::string_view text, double* value) {
  double number = 0;
  if (!absl::SimpleAtod(text, &number) || !(number > 0 && number <= 1)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "must be a number above 0 and at most 1, got '", text, "'"));
  }
  *value = number;
  return absl::OkStatus();
}

absl::Status SetSwitch(absl::string_view text, bool* value) {
  if (text != "true" && text != "false") {
    return absl::InvalidArgumentError(
        absl::StrCat("must be true or false, got '", text, "'"));
  }
  *value = text == "true";
  return absl::OkStatus();
}

size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) {
    row[j] = j;
  }
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::span<const ConfigKey> ConfigKeys() {
  return kKeys;
}

const ConfigKey* FindConfigKey(absl::string_view name) {
  for (const ConfigKey& key : kKeys) {
    if (key.name == name) {
      return &key;
    }
  }
  return nullptr;
}

absl::string_view NearestConfigKey(absl::string_view name) {
  // Keeps a huge name from costing anything.
  name = name.substr(0, 64);
  return std::min_element(kKeys.begin(), kKeys.end(),
                          [&](const ConfigKey& a, const ConfigKey& b) {
                            return EditDistance(a.name, name) <
                                   EditDistance(b.name, name);
                          })
      ->name;
}

absl::Status SetConfigValue(const ConfigKey& key, absl::string_view text,
                            Config* config) {
  if (const auto* member =
          std::get_if<std::string* (*)(Config&)>(&key.member)) {
    return SetText(key, text, (*member)(*config));
  }
  if (const auto* member = std::get_if<uint64_t* (*)(Config&)>(&key.member)) {
    return SetNumber(key, text, (*member)(*config));
  }
  if (const auto* member = std::get_if<double* (*)(Config&)>(&key.member)) {
    return SetShare(text, (*member)(*config));
  }
  return SetSwitch(text, std::get<bool* (*)(Config&)>(key.member)(*config));
}

std::string ConfigValueText(const ConfigKey& key, const Config& config) {
  Config copy = config;  // members are reached through a mutable Config
  return std::visit(
      [&](auto member) -> std::string {
        const auto& value = *member(copy);
        using Value = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, bool>) {
          return value ? "true" : "false";
        } else {
          return absl::StrCat(value);
        }
      },
      key.member);
}

std::string ConfigTypeText(const ConfigKey& key) {
  if (std::holds_alternative<bool* (*)(Config&)>(key.member)) {
    return "`true` or `false`";
  }
  if (std::holds_alternative<uint64_t* (*)(Config&)>(key.member)) {
    return absl::StrCat("number, ", key.lowest, " to ", key.highest,
                        key.kind.empty() ? "" : " ", key.kind);
  }
  if (std::holds_alternative<double* (*)(Config&)>(key.member)) {
    return "number above 0, at most 1";
  }
  if (HasChoices(key)) {
    return absl::StrCat("`", absl::StrJoin(Choices(key), "`, `"), "`");
  }
  return key.kind == "address" ? "host:port" : "text";
}

std::string EnvironmentName(const ConfigKey& key) {
  return absl::StrCat("SEXTANT__", absl::AsciiStrToUpper(absl::StrReplaceAll(
                                       key.name, {{".", "__"}})));
}

}  // namespace sextant
