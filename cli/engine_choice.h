// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/engine/engine.h"
#include "core/result.h"

namespace lockstep::cli {

// The settings of an engine, by key: every key that the engine knows, with its default where none was given.
using EngineSettings = std::map<std::string, std::string>;

// An engine as a user describes it: `NAME[:key=value]...`, for example `interpreter:fusion=off`.
struct EngineChoice {
  std::string name;
  EngineSettings settings;
  std::function<std::unique_ptr<core::Engine>(core::Hart&)> make;
};

// Reads a description. `defaults` holds values for keys that the text does not name; an engine ignores those that it
// does not have. Errors begin with `option` and name the nearest word that is known.
core::Result<EngineChoice> parse_engine(const std::string& text, const std::string& option,
                                        const EngineSettings& defaults = {});

}  // namespace lockstep::cli
