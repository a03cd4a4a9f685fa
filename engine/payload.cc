// SPDX-License-Identifier: Apache-2.0
#include "engine/payload.h"

#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "engine/limits.h"

namespace sextant {
namespace {

// Walks the text without building a tree, so that a payload costs no memory.
class PayloadChecker final : public nlohmann::json_sax<nlohmann::json> {
 public:
  const std::string& problem() const { return problem_; }

  bool null() override { return Value(); }
  bool boolean(bool /*value*/) override { return Value(); }
  bool number_integer(number_integer_t /*value*/) override { return Value(); }
  bool number_unsigned(number_unsigned_t /*value*/) override { return Value(); }
  bool number_float(number_float_t /*value*/,
                    const string_t& /*text*/) override {
    return Value();
  }
  bool string(string_t& /*value*/) override { return Value(); }
  bool binary(binary_t& /*value*/) override { return Value(); }
  bool start_object(size_t /*elements*/) override { return Enter(); }
  bool key(string_t& /*value*/) override { return true; }
  bool end_object() override { return Leave(); }
  bool start_array(size_t /*elements*/) override {
    return depth_ == 0 ? Value() : Enter();
  }
  bool end_array() override { return Leave(); }
  bool parse_error(size_t position, const std::string& /*last_token*/,
                   const nlohmann::detail::exception& /*error*/) override {
    problem_ = absl::StrCat("not valid JSON at byte ", position);
    return false;
  }

 private:
  bool Value() {
    if (depth_ == 0) {
      problem_ = "must be a JSON object, like {\"name\": \"value\"}";
    }
    return depth_ > 0;
  }
  bool Enter() {
    if (++depth_ <= limits::kPayloadDepthMax) {
      return true;
    }
    problem_ = absl::StrCat("nested deeper than ", limits::kPayloadDepthMax,
                            " levels");
    return false;
  }
  bool Leave() {
    --depth_;
    return true;
  }

  size_t depth_ = 0;
  std::string problem_;
};

}  // namespace

absl::Status ValidatePayload(absl::string_view payload,
                             absl::string_view field) {
  if (payload.empty()) {
    return absl::OkStatus();
  }
  if (payload.size() > limits::kPayloadBytesMax) {
    return InvalidField(
        field, absl::StrCat("a payload has at most ", limits::kPayloadBytesMax,
                            " bytes, got ", payload.size()));
  }
  // The parser takes a zero byte for the end of the text.
  if (const size_t zero = payload.find('\0'); zero != absl::string_view::npos) {
    return InvalidField(field, absl::StrCat("not valid JSON at byte ", zero + 1,
                                            ": a zero byte"));
  }
  PayloadChecker checker;
  if (!nlohmann::json::sax_parse(payload.begin(), payload.end(), &checker)) {
    return InvalidField(field, checker.problem());
  }
  return absl::OkStatus();
}

}  // namespace sextant
