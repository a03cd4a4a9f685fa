// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "clients/cpp/normalizer_types.h"
#include "sextant/v1/normalizer_service.pb.h"

namespace sextant::client {

Bank FromWire(const v1::Bank& wire);
Normalizer FromWire(const v1::Normalizer& wire);
void ToWire(const Normalizer& normalizer, v1::Normalizer* wire);

}  // namespace sextant::client
