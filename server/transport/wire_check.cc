// SPDX-License-Identifier: Apache-2.0
#include "server/transport/wire_check.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"

#include "base/errors.h"
#include "base/utf8.h"
#include "engine/limits.h"

namespace sextant {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

// Deeper nesting than any message of the API has.
constexpr int kDepthMax = 32;

absl::string_view KeyOfMapEntry(const Descriptor& entry,
                                absl::string_view bytes);

// Walks the wire format without building messages. Finds nothing when all text
// is UTF-8 or the bytes end too early.
class TextWalk {
 public:
  // The path of the first broken text field.
  std::optional<std::string> Find(const Descriptor& type,
                                  absl::string_view bytes, std::string path,
                                  int depth) {
    CodedInputStream input(reinterpret_cast<const uint8_t*>(bytes.data()),
                           static_cast<int>(bytes.size()));
    std::map<int, size_t> seen;  // repeated field -> elements so far
    while (const uint32_t tag = input.ReadTag()) {
      const FieldDescriptor* const field =
          type.FindFieldByNumber(WireFormatLite::GetTagFieldNumber(tag));
      const bool delimited = WireFormatLite::GetTagWireType(tag) ==
                             WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
      if (!delimited) {
        if (!WireFormatLite::SkipField(&input, tag)) {
          return std::nullopt;
        }
        continue;
      }
      uint32_t length = 0;
      if (!input.ReadVarint32(&length) ||
          length > static_cast<uint32_t>(input.BytesUntilTotalBytesLimit()) ||
          length >
              bytes.size() - static_cast<size_t>(input.CurrentPosition())) {
        return std::nullopt;
      }
      const absl::string_view content =
          bytes.substr(static_cast<size_t>(input.CurrentPosition()), length);
      input.Skip(static_cast<int>(length));
      if (field == nullptr) {
        continue;
      }
      if (auto found = InField(*field, content,
                               PathOf(*field, content, path, &seen), depth)) {
        return found;
      }
    }
    return std::nullopt;
  }

 private:
  std::optional<std::string> InField(const FieldDescriptor& field,
                                     absl::string_view content,
                                     std::string path, int depth) {
    if (field.type() == FieldDescriptor::TYPE_STRING) {
      if (IsValidUtf8(content)) {
        return std::nullopt;
      }
      return path;
    }
    if (field.type() != FieldDescriptor::TYPE_MESSAGE || depth >= kDepthMax) {
      return std::nullopt;
    }
    if (field.is_map()) {
      // The entry's parts are part of the path already: vectors[name].
      const FieldDescriptor* const value = field.message_type()->map_value();
      auto found =
          Find(*field.message_type(), content, std::string(), depth + 1);
      if (found.has_value()) {
        const std::string inside =
            absl::StrCat(".", value->name()) == *found || *found == "key"
                ? ""
                : *found;
        return absl::StrCat(path, inside);
      }
      return std::nullopt;
    }
    return Find(*field.message_type(), content, path + ".", depth + 1);
  }

  static std::string PathOf(const FieldDescriptor& field,
                            absl::string_view content,
                            const std::string& parent,
                            std::map<int, size_t>* seen) {
    std::string path = absl::StrCat(parent, field.name());
    if (field.is_map()) {
      absl::StrAppend(&path, "[", KeyOfMapEntry(*field.message_type(), content),
                      "]");
    } else if (field.is_repeated()) {
      absl::StrAppend(&path, "[", (*seen)[field.number()]++, "]");
    }
    return path;
  }
};

// "?" when it is missing, over-long or the broken text itself.
absl::string_view KeyOfMapEntry(const Descriptor& /*entry*/,
                                absl::string_view bytes) {
  constexpr uint32_t kKeyTag = 10;  // field 1, length-delimited
  CodedInputStream input(reinterpret_cast<const uint8_t*>(bytes.data()),
                         static_cast<int>(bytes.size()));
  uint32_t length = 0;
  if (input.ReadTag() != kKeyTag || !input.ReadVarint32(&length) ||
      length > limits::kNameBytesMax) {
    return "?";
  }
  const absl::string_view key =
      bytes.substr(static_cast<size_t>(input.CurrentPosition()), length);
  return key.size() == length && IsValidUtf8(key) ? key : "?";
}

}  // namespace

absl::Status DescribeParseFailure(const google::protobuf::Descriptor& type,
                                  absl::string_view bytes) {
  if (const auto path = TextWalk().Find(type, bytes, "", 0)) {
    return InvalidField(*path, "not valid UTF-8");
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "the request is not a ", type.full_name(), " in protobuf's wire format"));
}

}  // namespace sextant
