// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "core/symbols/symbol_table.h"
#include "tlm_models/machines/riscv_virt/machine.h"

namespace lockstep::cli {

// What `vm run --profile` shows: where host time went, by guest code, and the engines' counters, of all harts together.
std::string profile_text(tlm_models::Machine& machine, const core::SymbolTable& symbols);
// The engines' counters alone, by name.
nlohmann::json counters_json(tlm_models::Machine& machine);
nlohmann::json profile_json(tlm_models::Machine& machine, const core::SymbolTable& symbols);

}  // namespace lockstep::cli
