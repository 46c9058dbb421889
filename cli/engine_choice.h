// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/engine/engine.h"
#include "core/result.h"
#include "core/symbols/symbol_table.h"

namespace lockstep::cli {

// The settings of an engine, by key: every key that the engine knows, with its default where none was given.
using EngineSettings = std::map<std::string, std::string>;

// An engine as a user describes it: `NAME[:key=value]...`, for example `interpreter:fusion=off`.
struct EngineChoice {
  std::string name;
  EngineSettings settings;
  std::function<std::unique_ptr<core::Engine>(core::Hart&)> make;
};

// What is asked of an engine beside running, by those that can: see the options of `vm run`.
struct EngineExtras {
  bool profile = false;
  bool perf_map = false;
  std::shared_ptr<const core::SymbolTable> symbols;
};

// Reads a description. `defaults` holds values for keys that the text does not name; an engine ignores those that it
// does not have. Errors begin with `option` and name the nearest word that is known.
core::Result<EngineChoice> parse_engine(const std::string& text, const std::string& option,
                                        const EngineSettings& defaults = {}, const EngineExtras& extras = {});

}  // namespace lockstep::cli
