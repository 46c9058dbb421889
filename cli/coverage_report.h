// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/engine/instrumentation.h"
#include "core/result.h"
#include "core/symbols/symbol_table.h"

namespace lockstep::cli {

// Instructions that lie behind one another and ran one after another: up to one after which something else may follow,
// and, where counts are known, as long as they are equal.
struct CoveredBlock {
  uint64_t pc = 0;
  uint64_t size_bytes = 0;
  uint64_t instructions = 0;
  uint64_t count = 0;
};

// A guest symbol with what ran of it.
struct CoveredFunction {
  uint64_t pc = 0;
  std::string name;
  uint64_t size_bytes = 0;  // 0: not known
  uint64_t covered_bytes = 0;
  uint64_t blocks = 0;
  uint64_t entered = 0;  // how often its first instruction began; 1 where counts are not known
};

struct CoverageReport {
  std::vector<CoveredBlock> blocks;        // by address
  std::vector<CoveredFunction> functions;  // by address: all that the symbols call functions, and others that ran
  uint64_t instructions = 0;               // addresses at which one began
  uint64_t functions_covered = 0;
};

// `executed`: as Instrumentation::executed() gives it.
CoverageReport make_report(const std::vector<core::ExecutedInstruction>& executed, const core::SymbolTable& symbols,
                           bool counted);

// The file formats of --coverage; docs/observing.md says what they hold.
std::string coverage_text(const CoverageReport& report, const core::SymbolTable& symbols, bool counted);

// An image of code that drcov viewers know by the name of its file.
struct CodeModule {
  std::string path;
  uint64_t first = 0, end = 0;  // addresses
};
// The modules of those files that are ELFs.
std::vector<CodeModule> code_modules(const std::vector<std::string>& files);
// Code outside of the modules belongs to modules of its own, one for each 4 GiB.
std::string coverage_drcov(const CoverageReport& report, std::vector<CodeModule> modules);

}  // namespace lockstep::cli
