// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nlohmann/json.hpp"

#include "clients/cpp/hubness_types.h"

// The JSON of works on hubs; keys as in docs/reference/cli.md.
namespace sextant::cli {

nlohmann::json HubnessJson(const client::Hubness& hubness);
nlohmann::json HubnessReportJson(const client::HubnessReport& report);

}  // namespace sextant::cli
