// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/vm_options.h"
#include "core/engine/instrumentation.h"
#include "core/result.h"
#include "core/symbols/symbol_table.h"

namespace lockstep::cli {

// What the options --coverage, --count and `--trace mem` ask of a run: made before the machine, whose engines it
// watches, and written when the run has ended.
class Observation {
 public:
  // Nothing asked for gives one that watches nothing. Errors name the option.
  static core::Result<std::unique_ptr<Observation>> create(const VmOptions& options);
  ~Observation();
  Observation(const Observation&) = delete;
  Observation& operator=(const Observation&) = delete;

  // For MachineConfig; nullptr where engines are not to be watched.
  core::Instrumentation* instrumentation() { return instrumentation_.get(); }

  // Writes the files, and answers what a person reads at the end; empty where nothing was asked for. `hart` names
  // instructions. `json`, where there is one, is given the same as objects "coverage", "counts" and "memory_trace".
  core::Result<std::string> finish(const core::Hart& hart, const core::SymbolTable& symbols, nlohmann::json* json);

 private:
  explicit Observation(const VmOptions& options) : options_(options) {}
  core::Status open_memory_trace();
  void write_accesses(unsigned hart, unsigned privilege, std::span<const core::MemoryRecord> records);

  struct Range {
    uint64_t first = 0, last = ~uint64_t{0};
  };
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  const VmOptions& options_;
  std::unique_ptr<core::Instrumentation> instrumentation_;
  std::FILE* trace_ = nullptr;
  std::unique_ptr<std::FILE, Closer> trace_file_;
  std::vector<Range> ranges_;
  int privilege_ = -1;  // the only one whose accesses are wanted; -1: all
  uint64_t limit_bytes_ = 0, written_bytes_ = 0;
  uint64_t accesses_ = 0, skipped_ = 0;
  std::string text_;
};

// True for an item of --trace that asks for memory accesses rather than for one of Tracer's.
bool is_memory_trace(const std::string& what);

}  // namespace lockstep::cli
