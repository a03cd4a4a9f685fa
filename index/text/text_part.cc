// SPDX-License-Identifier: Apache-2.0
#include "index/text/text_part.h"

#include <utility>

#include "base/check.h"
#include "index/text/text_tail.h"

namespace sextant {

TextLengths TextPart::lengths(size_t field) const {
  return tail != nullptr ? tail->lengths(field, rows)
                         : fields[field]->lengths();
}

TextPart TextPart::Select(std::span<const size_t> numbers) const {
  TextPart part;
  part.first_row = first_row;
  part.rows = rows;
  if (tail != nullptr) {
    part.tail = tail->Select(numbers);
    return part;
  }
  for (const size_t number : numbers) {
    part.fields.push_back(fields[number]);
  }
  return part;
}

TextParts SealedTextParts(
    std::vector<std::shared_ptr<const TextIndex>> fields) {
  TextPart part;
  part.rows = fields.empty() ? 0 : fields.front()->rows();
  for (const auto& field : fields) {
    CHECK_EQ(field->rows(), part.rows) << "fields of one segment";
  }
  part.fields = std::move(fields);
  return {std::move(part)};
}

}  // namespace sextant
