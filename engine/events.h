// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <functional>
#include <string>

namespace sextant {

// Takes one line for the log; `severe` = an operator should look. Called from
// any thread, also while locks are held: it must be quick and must not call
// back.
using EventSink = std::function<void(bool severe, const std::string& line)>;

}  // namespace sextant
