// SPDX-License-Identifier: Apache-2.0
#include "engine/payload.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "engine/limits.h"
#include "index/columns/timestamp.h"

namespace sextant {
namespace {

// For messages.
constexpr size_t kShownBytes = 40;

// A JSON value that is neither an object nor a list.
using Scalar = std::variant<bool, int64_t, uint64_t, double, absl::string_view>;

std::string Shown(const Scalar& value) {
  if (const auto* boolean = std::get_if<bool>(&value)) {
    return *boolean ? "true" : "false";
  }
  if (const auto* text = std::get_if<absl::string_view>(&value)) {
    return absl::StrCat("\"", ShownText(*text, kShownBytes), "\"");
  }
  return std::visit([](const auto& number) { return absl::StrCat(number); },
                    value);
}

absl::string_view Wanted(FieldType type) {
  switch (type) {
    case FieldType::kInteger:
      return "a 64-bit integer";
    case FieldType::kFloat:
      return "a number";
    case FieldType::kTimestamp:
      return "a moment like \"2024-05-01T12:00:00Z\" or integer microseconds "
             "since 1970";
    case FieldType::kBoolean:
      return "true or false";
    case FieldType::kKeyword:
      return "a string";
  }
  return "";
}

std::optional<int64_t> IntegerOf(const Scalar& value) {
  if (const auto* number = std::get_if<int64_t>(&value)) {
    return *number;
  }
  if (const auto* number = std::get_if<uint64_t>(&value)) {
    return *number <= uint64_t{std::numeric_limits<int64_t>::max()}
               ? std::optional<int64_t>(*number)
               : std::nullopt;
  }
  // Some languages write 3 as 3.0. Above 2^53 that would be a guess.
  constexpr double kExact = 9007199254740992;
  if (const auto* number = std::get_if<double>(&value)) {
    return std::abs(*number) <= kExact && std::trunc(*number) == *number
               ? std::optional<int64_t>(static_cast<int64_t>(*number))
               : std::nullopt;
  }
  return std::nullopt;
}

std::optional<double> FloatOf(const Scalar& value) {
  if (const auto* number = std::get_if<double>(&value)) {
    return std::isfinite(*number) ? std::optional<double>(*number)
                                  : std::nullopt;
  }
  if (const auto* number = std::get_if<int64_t>(&value)) {
    return static_cast<double>(*number);
  }
  if (const auto* number = std::get_if<uint64_t>(&value)) {
    return static_cast<double>(*number);
  }
  return std::nullopt;
}

// Nothing when the value is of another type.
std::optional<FieldValue> ValueOf(FieldType type, const Scalar& value) {
  switch (type) {
    case FieldType::kTimestamp:
      if (const auto* text = std::get_if<absl::string_view>(&value)) {
        const std::optional<int64_t> moment = ParseTimestamp(*text);
        return moment.has_value()
                   ? std::optional<FieldValue>(KeyOfInteger(*moment))
                   : std::nullopt;
      }
      [[fallthrough]];
    case FieldType::kInteger: {
      const std::optional<int64_t> number = IntegerOf(value);
      return number.has_value()
                 ? std::optional<FieldValue>(KeyOfInteger(*number))
                 : std::nullopt;
    }
    case FieldType::kFloat: {
      const std::optional<double> number = FloatOf(value);
      return number.has_value() ? std::optional<FieldValue>(KeyOfFloat(*number))
                                : std::nullopt;
    }
    case FieldType::kBoolean:
      if (const auto* boolean = std::get_if<bool>(&value)) {
        return KeyOfBoolean(*boolean);
      }
      return std::nullopt;
    case FieldType::kKeyword:
      if (const auto* text = std::get_if<absl::string_view>(&value)) {
        return std::string(*text);
      }
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

// One walk over one payload, without building a tree: what no field names costs
// no memory.
class PayloadWalk final : public nlohmann::json_sax<nlohmann::json> {
 public:
  // `strict`: the first value that does not fit ends the walk.
  PayloadWalk(const PayloadReader& reader, bool strict)
      : reader_(reader),
        strict_(strict),
        values_(reader.fields_.size()),
        texts_(reader.text_names_.size()) {}

  const std::string& problem() const { return problem_; }
  // Of the payload field with the problem; empty: the payload's own.
  const std::string& problem_field() const { return problem_field_; }

  PayloadValues TakeValues() && {
    for (FieldValues& values : values_) {
      if (values.size() > 1) {
        std::ranges::sort(values);
        values.erase(std::unique(values.begin(), values.end()), values.end());
      }
    }
    return std::move(values_);
  }
  PayloadTexts TakeTexts() && { return std::move(texts_); }
  // How many fields something did not fit; they have no values.
  uint64_t DropMisfits() {
    for (const uint32_t field : misfits_) {
      values_[field].clear();
    }
    for (const uint32_t text : text_misfits_) {
      texts_[text].clear();
    }
    return misfits_.size() + text_misfits_.size();
  }

  bool null() override { return InObject(); }
  bool boolean(bool value) override { return Take(value); }
  bool number_integer(number_integer_t value) override { return Take(value); }
  bool number_unsigned(number_unsigned_t value) override {
    return Take(uint64_t{value});
  }
  bool number_float(number_float_t value, const string_t& /*text*/) override {
    return Take(value);
  }
  bool string(string_t& value) override {
    return Take(absl::string_view(value));
  }
  bool binary(binary_t& /*value*/) override { return InObject(); }
  bool start_object(size_t /*elements*/) override {
    const uint32_t node = depth_ == 0 ? 0 : Place();
    return CheckNoField(node, "an object") && CheckNoText(node, "an object") &&
           Enter(false, node);
  }
  bool key(string_t& value) override {
    Frame& frame = frames_[depth_ - 1];
    frame.place = reader_.Child(frame.node, value);
    return true;
  }
  bool end_object() override { return Leave(); }
  bool start_array(size_t /*elements*/) override {
    if (!InObject()) {
      return false;
    }
    const uint32_t node = Place();
    return (!frames_[depth_ - 1].list ||
            (CheckNoField(node, "a list in a list") &&
             CheckNoText(node, "a list in a list"))) &&
           Enter(true, node);
  }
  bool end_array() override { return Leave(); }
  bool parse_error(size_t position, const std::string& /*last_token*/,
                   const nlohmann::detail::exception& /*error*/) override {
    problem_ = absl::StrCat("not valid JSON at byte ", position);
    return false;
  }

 private:
  // An open object or list.
  struct Frame {
    bool list = false;
    uint32_t node = PayloadReader::kNowhere;   // where it lies
    uint32_t place = PayloadReader::kNowhere;  // where its next value lies
  };

  uint32_t Place() const { return frames_[depth_ - 1].place; }

  bool InObject() {
    if (depth_ == 0) {
      problem_ = "must be a JSON object, like {\"name\": \"value\"}";
    }
    return depth_ > 0;
  }
  bool Enter(bool list, uint32_t node) {
    if (depth_ == limits::kPayloadDepthMax) {
      problem_ = absl::StrCat("nested deeper than ", limits::kPayloadDepthMax,
                              " levels");
      return false;
    }
    // What is in a list lies where the list lies.
    frames_[depth_++] = {list, node, list ? node : PayloadReader::kNowhere};
    return true;
  }
  bool Leave() {
    --depth_;
    return true;
  }

  uint32_t FieldAt(uint32_t node) const {
    return node == PayloadReader::kNowhere ? node : reader_.nodes_[node].field;
  }

  uint32_t TextAt(uint32_t node) const {
    return node == PayloadReader::kNowhere ? node : reader_.nodes_[node].text;
  }

  bool TakeText(const Scalar& value) {
    const uint32_t text = TextAt(Place());
    if (text == PayloadReader::kNowhere) {
      return true;
    }
    const auto* string = std::get_if<absl::string_view>(&value);
    if (string == nullptr) {
      return TextMisfit(text,
                        absl::StrCat("must be a string, got ", Shown(value)));
    }
    if (texts_[text].size() == limits::kTextValuesMax) {
      return TextMisfit(text, absl::StrCat("at most ", limits::kTextValuesMax,
                                           " strings in a point, got more"));
    }
    texts_[text].emplace_back(*string);
    return true;
  }

  bool CheckNoText(uint32_t node, absl::string_view got) {
    const uint32_t text = TextAt(node);
    return text == PayloadReader::kNowhere ||
           TextMisfit(text, absl::StrCat("must be a string, got ", got));
  }

  bool TextMisfit(uint32_t text, std::string problem) {
    if (strict_) {
      problem_ = std::move(problem);
      problem_field_ = reader_.text_names_[text];
      return false;
    }
    if (std::ranges::find(text_misfits_, text) == text_misfits_.end()) {
      text_misfits_.push_back(text);
    }
    return true;
  }

  bool Take(const Scalar& value) {
    if (!InObject()) {
      return false;
    }
    return TakeText(value) && TakeValue(value);
  }

  bool TakeValue(const Scalar& value) {
    const uint32_t field = FieldAt(Place());
    if (field == PayloadReader::kNowhere) {
      return true;
    }
    const PayloadFieldSchema& schema = reader_.fields_[field];
    std::optional<FieldValue> taken = ValueOf(schema.type, value);
    if (!taken.has_value()) {
      return Misfit(field, absl::StrCat("must be ", Wanted(schema.type),
                                        ", got ", Shown(value)));
    }
    const auto* text = std::get_if<std::string>(&*taken);
    if (text != nullptr && text->size() > limits::kKeywordBytesMax) {
      return Misfit(field, absl::StrCat("a keyword has at most ",
                                        limits::kKeywordBytesMax,
                                        " bytes, got ", text->size()));
    }
    const size_t count_max = schema.window ? 1 : limits::kFieldValuesMax;
    if (values_[field].size() == count_max) {
      return Misfit(field, schema.window
                               ? std::string("a field with a window has one "
                                             "value in a point, got more")
                               : absl::StrCat("at most ", count_max,
                                              " values in a point, got more"));
    }
    values_[field].push_back(*std::move(taken));
    return true;
  }

  bool CheckNoField(uint32_t node, absl::string_view got) {
    const uint32_t field = FieldAt(node);
    return field == PayloadReader::kNowhere ||
           Misfit(field,
                  absl::StrCat("must be ", Wanted(reader_.fields_[field].type),
                               ", got ", got));
  }

  bool Misfit(uint32_t field, std::string problem) {
    if (strict_) {
      problem_ = std::move(problem);
      problem_field_ = reader_.fields_[field].name;
      return false;
    }
    if (std::ranges::find(misfits_, field) == misfits_.end()) {
      misfits_.push_back(field);
    }
    return true;
  }

  const PayloadReader& reader_;
  const bool strict_;
  std::array<Frame, limits::kPayloadDepthMax> frames_;
  size_t depth_ = 0;
  PayloadValues values_;
  PayloadTexts texts_;
  std::vector<uint32_t> misfits_;
  std::vector<uint32_t> text_misfits_;
  std::string problem_;
  std::string problem_field_;
};

std::string MisfitsText(absl::string_view collection, uint64_t misfits) {
  return absl::StrCat("collection '", collection, "': ", misfits,
                      " values of payload fields are not of the field's type "
                      "and count as absent");
}

PayloadReader::PayloadReader(const std::vector<PayloadFieldSchema>& fields,
                             const std::vector<TextFieldSchema>& texts)
    : fields_(fields), nodes_(1) {
  for (uint32_t field = 0; field < fields.size(); ++field) {
    // Evaluated first: it moves the nodes.
    const uint32_t node = AddPath(fields[field].name);
    nodes_[node].field = field;
  }
  for (uint32_t text = 0; text < texts.size(); ++text) {
    const uint32_t node = AddPath(texts[text].name);
    nodes_[node].text = text;
    text_names_.push_back(texts[text].name);
  }
}

// The node of a path. Keys are views of the schema's names.
uint32_t PayloadReader::AddPath(absl::string_view name) {
  uint32_t node = 0;
  for (const absl::string_view key : absl::StrSplit(name, '.')) {
    uint32_t child = Child(node, key);
    if (child == kNowhere) {
      child = static_cast<uint32_t>(nodes_.size());
      nodes_[node].keys.emplace_back(key, child);
      nodes_.emplace_back();
    }
    node = child;
  }
  return node;
}

uint32_t PayloadReader::Child(uint32_t node, absl::string_view key) const {
  if (node != kNowhere) {
    for (const auto& [name, child] : nodes_[node].keys) {
      if (name == key) {
        return child;
      }
    }
  }
  return kNowhere;
}

absl::StatusOr<PayloadValues> PayloadReader::Read(absl::string_view payload,
                                                  absl::string_view field,
                                                  PayloadTexts* texts) const {
  if (texts != nullptr) {
    texts->assign(text_names_.size(), {});
  }
  if (payload.empty()) {
    return PayloadValues(fields_.size());
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
  PayloadWalk walk(*this, true);
  if (nlohmann::json::sax_parse(payload.begin(), payload.end(), &walk)) {
    if (texts != nullptr) {
      *texts = std::move(walk).TakeTexts();
    }
    return std::move(walk).TakeValues();
  }
  return InvalidField(walk.problem_field().empty()
                          ? std::string(field)
                          : absl::StrCat(field, ".", walk.problem_field()),
                      walk.problem());
}

PayloadValues PayloadReader::ReadStored(absl::string_view payload,
                                        uint64_t* misfits,
                                        PayloadTexts* texts) const {
  if (texts != nullptr) {
    texts->assign(text_names_.size(), {});
  }
  if (payload.empty() || (fields_.empty() && text_names_.empty())) {
    return PayloadValues(fields_.size());
  }
  PayloadWalk walk(*this, false);
  if (!nlohmann::json::sax_parse(payload.begin(), payload.end(), &walk)) {
    *misfits += fields_.size() + text_names_.size();
    return PayloadValues(fields_.size());
  }
  *misfits += walk.DropMisfits();
  if (texts != nullptr) {
    *texts = std::move(walk).TakeTexts();
  }
  return std::move(walk).TakeValues();
}

}  // namespace sextant
