// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "core/engine/instrumentation.h"
#include "core/result.h"
#include "core/symbols/symbol_table.h"
#include "jit/code_archive.h"
#include "jit/install_log.h"

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
  bool gdb_jit = false;
  std::shared_ptr<const core::SymbolTable> symbols;
  std::shared_ptr<jit::CodeArchiveFolder> archives;
  std::shared_ptr<jit::InstallLog> install_log;
  std::shared_ptr<const jit::InstallList> replay;
  core::Instrumentation* instrumentation = nullptr;  // outlives the engines

  core::HartInstrumentation* instrumentation_of(const core::Hart& hart) const {
    return instrumentation == nullptr ? nullptr : &instrumentation->hart(hart.id());
  }
};

// A word that may stand behind an engine's name, with the values that it takes.
struct EngineSetting {
  std::string key;
  std::vector<std::string> values;  // the first is the default
  // Where most is not 0 the default is followed by any number from least to most.
  uint32_t least = 0;
  uint32_t most = 0;

  bool takes(const std::string& value) const;
  std::string choices() const;  // for messages
};

// An engine that descriptions can name.
struct EngineKind {
  std::string name;
  std::vector<EngineSetting> settings;
  std::unique_ptr<core::Engine> (*make)(core::Hart& hart, const EngineSettings& settings, const EngineExtras& extras);
};

// One more engine, before the command line is read; for programs that test this one.
void add_engine_kind(EngineKind kind);

// Reads a description. `defaults` holds values for keys that the text does not name; an engine ignores those that it
// does not have. Errors begin with `option` and name the nearest word that is known.
core::Result<EngineChoice> parse_engine(const std::string& text, const std::string& option,
                                        const EngineSettings& defaults = {}, const EngineExtras& extras = {});

}  // namespace lockstep::cli
