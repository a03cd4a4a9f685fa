// SPDX-License-Identifier: Apache-2.0
#include "engine/find_bank.h"

#include "absl/strings/str_cat.h"

#include "base/errors.h"

namespace sextant {

absl::StatusOr<std::shared_ptr<const Bank>> FindBankOf(
    const NormalizerCatalog& catalog, const VectorFieldSchema& field,
    absl::string_view name, absl::string_view path) {
  absl::StatusOr<std::shared_ptr<const Bank>> bank = catalog.FindBank(name);
  if (!bank.ok()) {
    return InvalidField(path, bank.status().message());
  }
  if ((*bank)->record.field() != field.name) {
    return InvalidField(
        path, absl::StrCat("a bank of field '", (*bank)->record.field(), "'"));
  }
  return bank;
}

}  // namespace sextant
