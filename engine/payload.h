// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "engine/schema.h"
#include "index/columns/field_value.h"

namespace sextant {

// What a point has in each payload field, by position in
// Schema::payload_fields; ascending and distinct.
using PayloadValues = std::vector<FieldValues>;

// For the log: so many values of a collection's stored payloads did not fit.
std::string MisfitsText(absl::string_view collection, uint64_t misfits);

// The strings that a point has for each text field, by position in
// Schema::text_fields, in their order.
using PayloadTexts = std::vector<std::vector<std::string>>;

// Finds the values of payload fields, and the strings of text fields, in
// payloads, in one pass over the text,
// which is checked meanwhile.
//
// Immutable, thread-safe; needs the fields as long as it lives.
class PayloadReader {
 public:
  explicit PayloadReader(const std::vector<PayloadFieldSchema>& fields,
                         const std::vector<TextFieldSchema>& texts = {});

  // InvalidField when `payload` is neither empty nor a JSON object within
  // limits (size, nesting, UTF-8), naming `field` and the byte where JSON ends;
  // or when a value does not fit its field, naming `field`.size.
  // `texts` may be null.
  absl::StatusOr<PayloadValues> Read(absl::string_view payload,
                                     absl::string_view field,
                                     PayloadTexts* texts = nullptr) const;

  // Of a payload that Read() took before, maybe when other fields were
  // declared: a field where something does not fit is absent, and counts in
  // `misfits`.
  PayloadValues ReadStored(absl::string_view payload, uint64_t* misfits,
                           PayloadTexts* texts = nullptr) const;

 private:
  friend class PayloadWalk;

  static constexpr uint32_t kNowhere = 0xFFFFFFFF;

  // A key on the way to a field, or of one. Node 0 is the payload itself.
  struct Node {
    std::vector<std::pair<absl::string_view, uint32_t>> keys;
    uint32_t field = kNowhere;
    uint32_t text = kNowhere;  // of a text field
  };

  uint32_t Child(uint32_t node, absl::string_view key) const;
  uint32_t AddPath(absl::string_view name);

  const std::vector<PayloadFieldSchema>& fields_;
  std::vector<std::string> text_names_;
  std::vector<Node> nodes_;
};

}  // namespace sextant
