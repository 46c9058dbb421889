// SPDX-License-Identifier: Apache-2.0
#include "cli/vm_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "cli/lockstep_run.h"
#include "cli/vm_console.h"
#include "cli/vm_debugger.h"
#include "cli/vm_observe.h"
#include "cli/vm_options.h"
#include "cli/vm_profile.h"
#include "cli/vm_shadow.h"
#include "cli/vm_trace.h"
#include "tlm_models/console/input_source.h"
#include "tlm_models/machines/riscv_virt/machine.h"

namespace lockstep::cli {

using core::Error;
using core::Result;
using core::Status;
using tlm_models::Machine;
using tlm_models::MachineExit;
using tlm_models::MachineResult;

namespace {

constexpr int kExitBadInput = 2;
constexpr int kExitInternal = 3;
constexpr int kExitLimit = 124;
constexpr uint32_t kMaxGuestCode = 125;

int exit_status(const MachineResult& result) {
  switch (result.exit) {
    case MachineExit::kGuestPass:
    case MachineExit::kQuit:
    case MachineExit::kSnapshotPoint:
      return 0;
    case MachineExit::kGuestFail:
      return static_cast<int>(std::clamp(result.code, 1u, kMaxGuestCode));
    case MachineExit::kMaxInstructions:
      return kExitLimit;
    case MachineExit::kGuestReset:
    case MachineExit::kIdle:
    case MachineExit::kStopped:
      return kExitInternal;
  }
  return kExitInternal;
}

std::string message_for(const MachineResult& result) {
  switch (result.exit) {
    case MachineExit::kGuestFail:
      return fmt::format("the guest reports failure, code {}", result.code);
    case MachineExit::kMaxInstructions:
      return "the instruction limit was reached";
    case MachineExit::kGuestReset:
      return "the guest asked for a reset";
    case MachineExit::kIdle:
      return "every hart waits and nothing can wake one: no timer is set and no input can come";
    default:
      return "";
  }
}

// False also for an engine that has no such setting.
bool is_on(const EngineChoice& engine, const std::string& key) {
  const auto found = engine.settings.find(key);
  return found != engine.settings.end() && found->second == "on";
}

// One hart has nobody to run beside.
bool runs_parallel(const VmOptions& o) { return o.parallel && o.smp > 1; }

nlohmann::json to_json(const VmOptions& o, const EngineChoice& engine, const Machine& machine,
                       const MachineResult& result, double wall_seconds, uint64_t memory_bytes, uint64_t quantum_ns) {
  return {{"exit", {{"reason", machine_exit_name(result.exit)}, {"code", result.code}}},
          {"instructions", result.instructions},
          {"virtual_time_ns", result.virtual_time_ns},
          {"wall_seconds", wall_seconds},
          {"engine", engine.name},
          {"deterministic", !runs_parallel(o)},
          {"options",
           {{"machine", o.machine},
            {"smp", o.smp},
            {"parallel", o.parallel},
            {"memory_bytes", memory_bytes},
            {"quantum_ns", quantum_ns},
            {"fusion", is_on(engine, "fusion")},
            {"block_links", is_on(engine, "block-links")},
            {"tlb", o.tlb},
            {"async_io", o.async_io == "on"},
            {"numa", o.numa == "on"},
            {"svadu", o.svadu == "on"},
            {"net", o.net},
            {"drives", o.drives.size()},
            {"seed", o.seed}}},
          {"observables",
           {{"instructions", result.instructions},
            {"console_sha256", machine.console_sha256()},
            {"state_sha256", machine.state_sha256()},
            {"memory_sha256", machine.memory_sha256()}}},
          {"message", message_for(result)}};
}

// Pieces of generated code in the --code-cache: what earlier runs left, what of it ran, what this one left.
nlohmann::json to_json(const jit::CodeArchive::Counts& counts) {
  return {{"loaded", counts.loaded}, {"used", counts.used}, {"added", counts.added}};
}

// One of EngineReport's counters, of all harts.
uint64_t counted(Machine& machine, std::string_view name) {
  uint64_t sum = 0;
  for (unsigned hart = 0; hart < machine.hart_count(); ++hart) {
    for (const core::EngineCounter& counter : machine.engine(hart).report().counters) {
      if (counter.name == name) sum += counter.value;
    }
  }
  return sum;
}

// Where the guest's console goes and what it may read.
Status connect_console(const VmOptions& o, tlm_models::MachineConfig& config, FilePtr& log) {
  if (Status screen = connect_screen(o, config, log); !screen) return screen;
  if (Status script = connect_script(o, config); !script) return script;
  if (!config.input && !o.json) {
    config.input = std::make_shared<tlm_models::LiveInput>(STDIN_FILENO);
    config.pace_idle = isatty(STDIN_FILENO) != 0;
  }
  if (!o.input_log.empty()) {
    auto input_log = tlm_models::InputLog::create(o.input_log);
    if (!input_log) return input_log.error();
    config.input_log = std::move(*input_log);
  }
  return {};
}

// Runs to the end, with a snapshot on the way where one is asked for.
Result<MachineResult> drive(const VmOptions& o, Machine& machine, bool end_at_snapshot) {
  tlm_models::RunRequest request;
  if (o.max_instructions != 0) request.max_instructions = o.max_instructions;
  if (!o.snapshot_file.empty()) {
    request.stop_at_boundary = o.snapshot_at;
    MachineResult result = machine.run(request);
    if (result.exit != MachineExit::kSnapshotPoint) {
      return Error{fmt::format("the run ended at instruction {} ({}), before the snapshot at {}", result.instructions,
                               machine_exit_name(result.exit), o.snapshot_at)};
    }
    if (Status saved = machine.save_snapshot(o.snapshot_file); !saved) return saved.error();
    if (end_at_snapshot) return result;
    request.stop_at_boundary = ~uint64_t{0};
  }
  return machine.run(request);
}

// The shadow of a machine that may have one, and the process that shows a difference again.
struct Shadowing {
  std::shared_ptr<ShadowRun> run;
  std::unique_ptr<ShadowReplay> replay;
  std::string why_no_replay;
  std::string input_log;  // of what is typed, for the other process alone

  Shadowing() = default;
  Shadowing(Shadowing&&) = default;
  Shadowing& operator=(Shadowing&&) = default;
  ~Shadowing() {
    if (!input_log.empty()) std::remove(input_log.c_str());
  }
};

// What the run of a difference is given when it is made again: the same machine, and nothing that leaves a trace.
VmOptions again(VmOptions o) {
  for (std::string& drive : o.drives)
    if (drive.find("readonly=on") == std::string::npos) drive += ",overlay=on";
  o.traces.clear();
  o.coverage.clear();
  o.console_log.clear();
  o.code_cache.clear();
  o.jit_log.clear();
  o.profile = o.perf_map = o.gdb_jit = o.count = o.json = false;
  if (!o.input_log.empty()) o.replay_input = std::exchange(o.input_log, "");
  return o;
}

Result<uint64_t> show_again(const VmOptions& options, const ShadowWindow& window) {
  const VmOptions o = again(options);
  auto extras = engine_extras(o);
  if (!extras) return extras.error();
  auto config = machine_config(o, *extras);
  if (!config) return config.error();
  if (Status script = connect_script(o, *config); !script) return script.error();
  auto shadow = ShadowRun::create(o, window);
  if (!shadow) return shadow.error();
  auto factory = ShadowRun::module_factory(*shadow);
  if (!factory) return factory.error();
  config->make_smmu = *factory;
  auto created = Machine::create(std::move(*config));
  if (!created) return created.error();
  (*shadow)->set_machine(created->get());
  const auto result = drive(o, **created, false);
  if (!result) return result.error();
  return (*shadow)->difference_cycle();
}

Result<Shadowing> make_shadow(VmOptions& o) {
  Shadowing shadowing;
  if (!o.shadow) return shadowing;
  if (o.parallel) {
    shadowing.why_no_replay = "harts beside one another make no run twice";
  } else if (!o.gdb.empty()) {
    shadowing.why_no_replay = "a debugger was there";
  } else {
    // What is typed is needed again.
    if (o.input_log.empty() && o.input.empty() && o.replay_input.empty() && !o.json && isatty(STDIN_FILENO) != 0)
      o.input_log = shadowing.input_log = o.shadow_report + ".input.txt";
    auto replay = ShadowReplay::prepare([o](const ShadowWindow& window) { return show_again(o, window); });
    if (!replay) return replay.error();
    shadowing.replay = std::move(*replay);
  }
  auto run = ShadowRun::create(o, std::nullopt);
  if (!run) return run.error();
  shadowing.run = std::move(*run);
  return shadowing;
}

// The files that show a difference, and what there is to say of them.
Result<std::string> report_shadow(const VmOptions& o, Shadowing& shadowing, nlohmann::json* json) {
  const ShadowRun& run = *shadowing.run;
  std::string text = run.summary() + "\n";
  if (json != nullptr) (*json)["shadow"] = run.json();
  if (run.differences() == 0) return text;
  const std::string timeline = o.shadow_report + ".timeline.txt", waveform = o.shadow_report + ".fst";
  if (Status written = run.write_timeline(timeline); !written) return written.error();
  Status recorded = Error{shadowing.why_no_replay};
  if (shadowing.replay) recorded = shadowing.replay->write_waveform(run.difference_cycle(), waveform);
  text += run.verdict() + "\n";
  text += recorded ? fmt::format("{} and {} (a waveform, for gtkwave) show it happen\n", timeline, waveform)
                   : fmt::format("{} shows it happen; no waveform: {}\n", timeline, recorded.message());
  if (json != nullptr) {
    nlohmann::json& shadow = (*json)["shadow"];
    shadow["timeline"] = timeline;
    shadow["waveform"] = recorded ? nlohmann::json(waveform) : nlohmann::json();
    (*json)["exit"] = {{"reason", "shadow-difference"}, {"code", kExitShadowDiffers}};
    (*json)["message"] = run.verdict();
  }
  return text;
}

Result<int> run_machine(VmOptions o, bool end_at_snapshot) {
  auto shadowing = make_shadow(o);
  if (!shadowing) return shadowing.error();
  auto observation = Observation::create(o);
  if (!observation) return observation.error();
  auto extras = engine_extras(o);
  if (!extras) return extras.error();
  extras->instrumentation = (*observation)->instrumentation();
  auto config = machine_config(o, *extras);
  if (!config) return config.error();
  FilePtr console_log(nullptr, &std::fclose);
  if (Status connected = connect_console(o, *config, console_log); !connected) return connected.error();
  if (shadowing->run) {
    auto factory = ShadowRun::module_factory(shadowing->run);
    if (!factory) return factory.error();
    config->make_smmu = *factory;
  }
  const uint64_t memory_bytes = config->memory_bytes;
  const uint64_t quantum_ns = config->quantum_ns;
  auto created = Machine::create(std::move(*config));
  if (!created) return created.error();
  Machine& machine = **created;
  if (shadowing->run) shadowing->run->set_machine(&machine);
  if (!o.restore_file.empty()) {
    if (Status restored = machine.restore(o.restore_file); !restored) return restored.error();
  }
  Tracer tracer(machine);
  for (const std::string& what : o.traces) {
    if (is_memory_trace(what)) continue;
    if (Status traced = tracer.add(what); !traced) return traced.error();
  }
  std::unique_ptr<Debugger> debugger;
  if (!o.gdb.empty()) {
    auto listening = Debugger::listen(o.gdb, machine);
    if (!listening) return listening.error();
    debugger = std::move(*listening);
    fmt::print(stderr, "lockstep: waiting for gdb: gdb-multiarch -ex 'target remote :{}'\n", debugger->port());
  }
  const auto start = std::chrono::steady_clock::now();
  auto result = drive(o, machine, end_at_snapshot);
  if (!result) return result.error();
  const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (debugger) debugger->report_exit(exit_status(*result));
  if (const uint64_t missed = counted(machine, "installs_missed"); missed > 0) {
    fmt::print(stderr, "lockstep: --jit-replay: {} regions of {} are not what this run has: it is another one\n",
               missed, o.jit_replay);
  }
  if (Status ended = end_extras(*extras); !ended) return ended.error();
  nlohmann::json shadow_json;
  std::string shadow_text;
  if (shadowing->run) {
    auto told = report_shadow(o, *shadowing, &shadow_json);
    if (!told) return told.error();
    shadow_text = *told;
  }
  if (o.json) {
    const auto engine = chosen_engine(o);
    if (!engine) return engine.error();
    nlohmann::json json = to_json(o, *engine, machine, *result, wall, memory_bytes, quantum_ns);
    if (!shadow_json.is_null()) json.update(shadow_json);
    json["engine_counters"] = counters_json(machine);
    if (o.profile) json["profile"] = profile_json(machine, *extras->symbols);
    if (extras->archives != nullptr) json["code_cache"] = to_json(extras->archives->counts());
    if (auto seen = (*observation)->finish(machine.hart(0), *extras->symbols, &json); !seen) return seen.error();
    fmt::print("{}\n", json.dump(2));
    if (std::fflush(stdout) != 0) return Error{fmt::format("--json: cannot write to stdout: {}", std::strerror(errno))};
  } else if (const std::string message = message_for(*result); !message.empty()) {
    fmt::print(stderr, "lockstep: {}\n", message);
  }
  if (!o.json) {
    if (o.profile) fmt::print(stderr, "{}", profile_text(machine, *extras->symbols));
    const auto seen = (*observation)->finish(machine.hart(0), *extras->symbols, nullptr);
    if (!seen) return seen.error();
    fmt::print(stderr, "{}{}", *seen, shadow_text);
  }
  if (shadowing->run && shadowing->run->differences() != 0) return kExitShadowDiffers;
  return exit_status(*result);
}

int finish(const VmOptions& o, bool end_at_snapshot) {
  const auto run = [&]() -> Result<int> {
    if (Status allowed = check_parallel(o); !allowed) return allowed.error();
    return o.lockstep.empty() ? run_machine(o, end_at_snapshot) : run_lockstep(o);
  };
  auto status = run();
  if (status) return *status;
  fmt::print(stderr, "lockstep: {}\n", status.message());
  if (o.json) {
    fmt::print(
        "{}\n",
        nlohmann::json{{"exit", {{"reason", "error"}, {"code", kExitBadInput}}}, {"message", status.message()}}.dump(
            2));
  }
  return kExitBadInput;
}

constexpr const char* kRunFooter =
    "Examples:\n"
    "  guests/build riscv64 && guests/build bare     make guests; --print-paths says where they are\n"
    "  lockstep vm run --kernel hello.elf            a bare-metal guest in M-mode\n"
    "  lockstep vm run --bios fw_dynamic.bin --kernel Image --initrd initramfs.cpio \\\n"
    "      --append 'console=ttyS0 lockstep.shell' --net user --drive file=disk.img\n"
    "                                                a shell on a Debian kernel; Ctrl-A X leaves\n"
    "  lockstep vm run --kernel float.elf --lockstep interpreter,jit\n"
    "                                                the same guest on both engines, compared all the way\n"
    "  lockstep vm run --kernel smmu.elf --smmu rtl --shadow\n"
    "                                                our SMMU in RTL, and the model beside it, compared all the way\n"
    "Exit status: the guest's (0 when it powered off), 2 bad usage or input, 3 reset or stuck, 124 "
    "--max-instructions,\n126 the design and its --shadow differ.\n"
    "With --lockstep: 0 the engines agree, 1 they differ, 2 bad usage or input.";

}  // namespace

void add_vm_command(CLI::App& root, int& exit_code) {
  CLI::App* vm = root.add_subcommand("vm", "Run guests, save and restore them");
  vm->require_subcommand(1);
  auto options = std::make_shared<VmOptions>();

  CLI::App* run = vm->add_subcommand("run", "Boot a guest and run it to its end");
  add_machine_options(*run, *options);
  add_run_options(*run, *options);
  auto* at = add_count_option(*run, "--snapshot-at", options->snapshot_at,
                              "Save a snapshot at the first boundary of turns at or after this count, and go on");
  run->add_option("--snapshot-file", options->snapshot_file, "Where to")->needs(at);
  at->needs("--snapshot-file");
  add_lockstep_options(*run, *options);
  add_shadow_options(*run, *options);
  run->get_option("--lockstep")->excludes(at)->excludes("--shadow");
  run->footer(kRunFooter);
  run->callback([options, &exit_code] { exit_code = finish(*options, false); });

  CLI::App* snapshot = vm->add_subcommand("snapshot", "Boot a guest, run it to a count, save it and end");
  add_machine_options(*snapshot, *options);
  add_run_options(*snapshot, *options);
  add_count_option(*snapshot, "--at", options->snapshot_at, "Instruction count, over all harts")->required();
  snapshot->add_option("--output", options->snapshot_file, "The snapshot's file")->required();
  snapshot->callback([options, &exit_code] { exit_code = finish(*options, true); });

  CLI::App* restore = vm->add_subcommand("restore", "Go on from a snapshot; its machine is made as it was");
  restore->add_option("FILE", options->restore_file, "The snapshot")->required();
  add_machine_options(*restore, *options);
  add_run_options(*restore, *options);
  add_lockstep_options(*restore, *options);
  restore->callback([options, restore, &exit_code] {
    if (Status adopted = adopt_snapshot_options(*options, *restore); !adopted) {
      fmt::print(stderr, "lockstep: {}\n", adopted.message());
      exit_code = kExitBadInput;
      return;
    }
    exit_code = finish(*options, false);
  });
}

}  // namespace lockstep::cli
