// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

#include "server/config/config_keys.h"
#include "server/config/config_load.h"

namespace sextant {
namespace {

absl::string_view SectionOf(const ConfigKey& key) {
  return key.name.substr(0, key.name.find('.'));
}

absl::string_view KeyOf(const ConfigKey& key) {
  return key.name.substr(key.name.find('.') + 1);
}

// Text is always quoted, so that no value can be taken for something else.
std::string YamlValue(const ConfigKey& key, const Config& config) {
  std::string text = ConfigValueText(key, config);
  if (!std::holds_alternative<std::string* (*)(Config&)>(key.member)) {
    return text;
  }
  return absl::StrCat(
      "\"",
      absl::StrReplaceAll(
          text, {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}, {"\t", "\\t"}}),
      "\"");
}

std::string DefaultCell(const ConfigKey& key) {
  const std::string text = ConfigValueText(key, Config());
  return text.empty() ? "(empty)" : absl::StrCat("`", text, "`");
}

constexpr absl::string_view kReferenceHead = R"(# Configuration

<!-- Made by `sextantd --print-config-reference`; a test keeps it current. -->

One name for each setting in all three places; a later one wins:

1. a YAML file, named by `--config FILE`: `section:` with `key: value` below it;
2. the environment: `SEXTANT__SECTION__KEY=value`;
3. flags: `--section.key value`.

An unknown key is an error that names the nearest known one, wherever it stands.
`sextantd --print-config` prints the effective values, each with its source, as
a file that `--config` takes.

```yaml
grpc:
  listen: 127.0.0.1:6350
storage:
  data_dir: /var/lib/sextant
```

`SEXTANT_SIMD=scalar|avx2|avx512` is for support, not configuration: it lowers
the instruction set that the distance kernels use.
)";

}  // namespace

std::string PrintConfig(const LoadedConfig& loaded) {
  std::string text;
  absl::string_view section;
  for (const ConfigKey& key : ConfigKeys()) {
    if (SectionOf(key) != section) {
      absl::StrAppend(&text, section.empty() ? "" : "\n", SectionOf(key),
                      ":\n");
      section = SectionOf(key);
    }
    const std::string line =
        absl::StrCat("  ", KeyOf(key), ": ", YamlValue(key, loaded.config));
    const auto origin = loaded.origins.find(std::string(key.name));
    absl::StrAppendFormat(
        &text, "%-40s # %s\n", line,
        origin == loaded.origins.end() ? "default" : origin->second);
  }
  return text;
}

std::string PrintConfigReference() {
  std::string text(kReferenceHead);
  absl::string_view section;
  for (const ConfigKey& key : ConfigKeys()) {
    if (SectionOf(key) != section) {
      section = SectionOf(key);
      absl::StrAppend(&text, "\n## ", section,
                      "\n\n| key | value | default | meaning |\n"
                      "|---|---|---|---|\n");
    }
    absl::StrAppend(&text, "| `", key.name, "` | ", ConfigTypeText(key), " | ",
                    DefaultCell(key), " | ", key.help, " |\n");
  }
  return text;
}

}  // namespace sextant
