// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/engine_choice.h"
#include "core/result.h"
#include "tlm_models/machines/riscv_virt/config.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace lockstep::cli {

// What `lockstep vm run`, `snapshot` and `restore` take on the command line, as text where it needs reading.
struct VmOptions {
  std::string machine = "riscv-virt";
  std::string kernel, bios = "none", initrd, append;
  std::vector<std::string> drives;  // file=PATH[,readonly=on|off][,overlay=on|off]
  std::string net = "none";
  unsigned smp = 1;
  bool parallel = false;
  std::string memory = "512M";

  std::string engine = "interpreter";
  unsigned jit_tier = 2, jit_threshold = 16000, jit_threads = 1;
  bool jit_sync = false;
  bool profile = false, perf_map = false, gdb_jit = false;
  std::string code_cache, jit_log, jit_replay;
  std::vector<std::string> symbols;
  std::string fusion = "on", block_links = "on", tlb = "asid", async_io = "on", numa = "off", svadu = "off";
  std::string virtio_console = "off";
  std::string smmu = "off", smmu_rtl = "smmu", smmu_mmu = "on", smmu_atsu = "on", smmu_tlb = "on",
              smmu_interrupt = "on";
  bool shadow = false, shadow_go_on = false;
  std::string shadow_report = "smmu-shadow";
  std::string quantum = "10us";
  uint64_t seed = 1;

  uint64_t max_instructions = 0;  // 0: no limit
  std::vector<std::string> traces;
  std::vector<std::string> trace_ranges;  // FIRST..LAST, of memory accesses
  std::string trace_mode = "all", trace_limit = "1G";
  std::string coverage, coverage_format = "text";
  bool coverage_counts = false, count = false;
  std::string gdb;
  std::string console_log, input, input_log, replay_input;
  uint64_t snapshot_at = 0;
  std::string snapshot_file;
  bool json = false;

  std::string lockstep;  // two engines to compare, with a comma between; or nothing
  std::string lockstep_grain = "block";
  uint64_t lockstep_check = 100'000'000;
  std::string lockstep_save;

  std::string restore_file;  // `vm restore` only
};

// Bounds on what a user may ask for.
inline constexpr unsigned kMaxHarts = 8;

// Declares the options of a machine and its engine, and those of a run.
void add_machine_options(CLI::App& command, VmOptions& options);
void add_run_options(CLI::App& command, VmOptions& options);
// The options of a comparison; `command` has those of a run already.
void add_lockstep_options(CLI::App& command, VmOptions& options);
// The options of a shadow, for runs that begin with the machine.
void add_shadow_options(CLI::App& command, VmOptions& options);
// An option that takes a number of 0 or more, and refuses "-5".
CLI::Option* add_count_option(CLI::App& command, const std::string& name, uint64_t& value, const std::string& text);

// "512M", "2G", "65536K" or plain bytes.
core::Result<uint64_t> parse_size(const std::string& text, const std::string& option);
// "10us", "5ms", "1000ns", "1s".
core::Result<uint64_t> parse_duration_ns(const std::string& text, const std::string& option);

// What needs two runs to be the same cannot be had of harts that run beside one another.
core::Status check_parallel(const VmOptions& options);

// The machine that the options describe, without console and input, its engines with `extras`.
core::Result<tlm_models::MachineConfig> machine_config(const VmOptions& options, const EngineExtras& extras = {});
// What --profile, --code-cache and their like ask for: files are opened, and kept after the run with end_extras(),
// which fails where a log is not whole.
core::Result<EngineExtras> engine_extras(const VmOptions& options);
core::Status end_extras(const EngineExtras& extras);

// --engine, with --fusion and --block-links for what its description leaves out.
core::Result<EngineChoice> chosen_engine(const VmOptions& options, const EngineExtras& extras = {});

// Takes over from a snapshot's own record how its machine was made: harts, memory, quantum, devices, and the drives
// where the command line names none. Fails when the command line asks for another machine, or for something to load.
core::Status adopt_snapshot_options(VmOptions& options, const CLI::App& command);

// The options that a snapshot keeps for adopt_snapshot_options().
std::string snapshot_options(const VmOptions& options);

}  // namespace lockstep::cli
