// SPDX-License-Identifier: Apache-2.0
#include "cli/vm_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <nlohmann/json.hpp>
#include <tuple>

#include "core/snapshot/snapshot.h"
#include "isa_frontends/riscv64/riscv64.h"
#include "smmu_rtl_bridge/rtl_device/load.h"
#include "smmu_rtl_bridge/rtl_module.h"

namespace lockstep::cli {

using core::Error;
using core::Result;
using core::Status;

namespace {

struct Unit {
  std::string_view suffix;
  uint64_t factor;
};

Result<uint64_t> parse_with_units(const std::string& text, const std::string& option, std::span<const Unit> units,
                                  const char* examples) {
  uint64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view suffix(end, static_cast<size_t>(text.data() + text.size() - end));
  for (const Unit& unit : units) {
    if (code != std::errc() || suffix != unit.suffix) continue;
    if (number > ~uint64_t{0} / unit.factor) break;
    return number * unit.factor;
  }
  return Error{fmt::format("{}: '{}' is not {}", option, text, examples)};
}

Result<tlm_models::DriveConfig> parse_drive(const std::string& text) {
  tlm_models::DriveConfig drive;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const std::string_view item = rest.substr(0, comma);
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    const auto equals = item.find('=');
    const std::string_view key = item.substr(0, equals);
    const std::string_view value = equals == std::string_view::npos ? "" : item.substr(equals + 1);
    const bool on = value == "on";
    if (key == "file" && !value.empty()) {
      drive.path = value;
    } else if ((key == "readonly" || key == "overlay") && (on || value == "off")) {
      (key == "readonly" ? drive.read_only : drive.overlay) = on;
    } else if (!(key == "format" && value == "raw")) {
      return Error{
          fmt::format("--drive: cannot read '{}' in '{}'; it takes file=PATH, format=raw, readonly=on|off and "
                      "overlay=on|off, with commas between",
                      item, text)};
    }
  }
  if (drive.path.empty()) return Error{fmt::format("--drive: '{}' names no file; write file=PATH", text)};
  return drive;
}

}  // namespace

Result<uint64_t> parse_size(const std::string& text, const std::string& option) {
  static constexpr Unit kUnits[] = {{"", 1},           {"K", 1u << 10},   {"M", 1u << 20},   {"G", 1u << 30},
                                    {"KiB", 1u << 10}, {"MiB", 1u << 20}, {"GiB", 1u << 30}, {"T", uint64_t{1} << 40}};
  return parse_with_units(text, option, kUnits, "a size such as 512M, 2G or 1048576");
}

Result<uint64_t> parse_duration_ns(const std::string& text, const std::string& option) {
  static constexpr Unit kUnits[] = {{"ns", 1}, {"us", 1'000}, {"ms", 1'000'000}, {"s", 1'000'000'000}};
  return parse_with_units(text, option, kUnits, "a time such as 10us, 500ns or 1ms");
}

namespace {

// CLI11 takes "-5" and numbers beyond 64 bits for other numbers.
const CLI::Validator kCount(
    [](std::string& text) {
      uint64_t number = 0;
      const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
      const bool good = code == std::errc() && end == text.data() + text.size();
      return good ? std::string() : fmt::format("'{}' is not a whole number of 0 to 2^64-1", text);
    },
    "COUNT");

}  // namespace

CLI::Option* add_count_option(CLI::App& command, const std::string& name, uint64_t& value, const std::string& text) {
  return command.add_option(name, value, text)->check(kCount)->type_name("COUNT");
}

void add_machine_options(CLI::App& command, VmOptions& o) {
  const auto on_off = CLI::IsMember({"on", "off"});
  command.add_option("--machine", o.machine, "The machine: riscv-virt (QEMU's RISC-V `virt` addresses)")
      ->check(CLI::IsMember({"riscv-virt"}))
      ->capture_default_str();
  command.add_option("--kernel", o.kernel, "Kernel: ELF, RISC-V Image (also gzipped) or plain binary");
  command.add_option("--bios", o.bios, "Firmware such as OpenSBI's fw_dynamic.bin; none enters the kernel in M-mode")
      ->capture_default_str();
  command.add_option("--initrd", o.initrd, "Initial RAM disk");
  command.add_option("--append", o.append, "Kernel command line");
  command
      .add_option("--drive", o.drives,
                  "A virtio block device: file=PATH[,readonly=on][,overlay=on]; overlay keeps writes in memory")
      ->type_name("SPEC");
  command.add_option("--net", o.net, "Network: user (NAT in this process, gateway 10.0.2.2) or none")
      ->check(CLI::IsMember({"user", "none"}))
      ->capture_default_str();
  command.add_option("--virtio-console", o.virtio_console, "A virtio console beside the UART")
      ->check(on_off)
      ->capture_default_str();
  command
      .add_option("--smmu", o.smmu,
                  "An SMMUv3, and a DMA engine behind it: on or tlm is the model, rtl a design at its pins")
      ->check(CLI::IsMember({"on", "off", "tlm", "rtl"}))
      ->capture_default_str();
  command.add_option("--smmu-rtl", o.smmu_rtl, "The design of --smmu rtl, as `lockstep cosim smmu --rtl` has it")
      ->capture_default_str();
  const std::tuple<const char*, std::string&, const char*> parts[] = {
      {"--smmu-mmu", o.smmu_mmu, "Its stages of translation; off leaves bypass and abort"},
      {"--smmu-atsu", o.smmu_atsu, "Its ATS and page requests; counts with --smmu-mmu on"},
      {"--smmu-tlb", o.smmu_tlb, "What it keeps of translations and configuration; off looks everything up each time"},
      {"--smmu-interrupt", o.smmu_interrupt, "Its interrupts; off leaves software to look at the queues"}};
  for (const auto& [name, value, text] : parts)
    command.add_option(name, value, text)->check(on_off)->capture_default_str();
  command.add_option("--smp", o.smp, "Harts")->check(CLI::Range(1u, kMaxHarts))->capture_default_str();
  command.add_option("--memory", o.memory, "Guest RAM")->capture_default_str();
  command.add_flag("--parallel", o.parallel,
                   "Run the harts of --smp on threads of the host, beside one another: faster, and no two runs are the "
                   "same. A debugger makes them take turns");
  add_count_option(command, "--seed", o.seed, "Seed of the guest's random number devices")->capture_default_str();

  const auto engine = "Engine";
  command
      .add_option("--engine", o.engine,
                  "What runs the harts: interpreter[:fusion=on|off][:block-links=on|off] or "
                  "jit[:tier=2][:threshold=16000][:threads=1][:links=on|off][:cache=64M][:host=native|baseline]; "
                  "what is left out comes from the options below")
      ->check([](const std::string& text) {
        const auto choice = parse_engine(text, "--engine");
        // The parser of the command line puts the option's name in front itself.
        return choice ? std::string() : choice.error().message.substr(std::string_view("--engine: ").size());
      })
      ->type_name("NAME[:KEY=VALUE]...")
      ->group(engine)
      ->capture_default_str();
  command.add_option("--jit-tier", o.jit_tier, "1: translate blocks; 2: and regions of blocks that ran often")
      ->check(CLI::Range(1, 2))
      ->group(engine)
      ->capture_default_str();
  command.add_option("--jit-threshold", o.jit_threshold, "Executions of a block after which a region is made from it")
      ->check(CLI::Range(1, 1'000'000'000))
      ->group(engine)
      ->capture_default_str();
  command
      .add_option("--jit-threads", o.jit_threads,
                  "Threads that translate regions beside the guest; with 0 the guest waits for them")
      ->check(CLI::Range(0, 64))
      ->group(engine)
      ->capture_default_str();
  command
      .add_flag("--jit-sync", o.jit_sync, "Every region begins to run at the same count in every run: --jit-threads 0")
      ->group(engine);
  command
      .add_option("--code-cache", o.code_cache,
                  "Keep generated code in this folder and begin with what earlier runs left there; a build, a host and "
                  "a guest only take what is theirs (jit)")
      ->type_name("DIR")
      ->group(engine);
  auto* log =
      command.add_option("--jit-log", o.jit_log, "Write when each region began to run, and of what it was made")
          ->type_name("FILE")
          ->group(engine);
  auto* replay = command.add_option("--jit-replay", o.jit_replay, "Regions begin to run when and as such a log says")
                     ->type_name("FILE")
                     ->group(engine);
  // What comes from the cache has no plan to write down.
  command.get_option("--code-cache")->excludes(log)->excludes(replay);
  command.add_flag("--profile", o.profile, "Show at the end where host time went, by guest code (jit)")->group(engine);
  command.add_flag("--perf-map", o.perf_map, "Name generated code for perf, in /tmp/perf-PID.map (jit)")->group(engine);
  command
      .add_flag("--gdb-jit", o.gdb_jit,
                "Describe generated code to a gdb that debugs this program, with guest symbols (jit)")
      ->group(engine);
  command
      .add_option("--symbols", o.symbols,
                  "Names for what is shown of guest code: an ELF or a System.map, beside what --kernel and --bios have")
      ->type_name("FILE")
      ->group(engine);
  command.add_option("--fusion", o.fusion, "Fold common pairs of operations into one")
      ->check(on_off)
      ->group(engine)
      ->capture_default_str();
  command.add_option("--block-links", o.block_links, "Go from block to block without a look-up")
      ->check(on_off)
      ->group(engine)
      ->capture_default_str();
  command.add_option("--tlb", o.tlb, "asid keeps translations across address spaces, flush drops them at each switch")
      ->check(CLI::IsMember({"asid", "flush"}))
      ->group(engine)
      ->capture_default_str();
  command.add_option("--async-io", o.async_io, "Read and write disks on a thread of their own")
      ->check(on_off)
      ->group(engine)
      ->capture_default_str();
  command.add_option("--numa", o.numa, "Spread guest RAM over the host's NUMA nodes")
      ->check(on_off)
      ->group(engine)
      ->capture_default_str();
  command.add_option("--svadu", o.svadu, "Offer hardware updating of accessed and dirty bits (Svadu)")
      ->check(on_off)
      ->group(engine)
      ->capture_default_str();
  command.add_option("--quantum", o.quantum, "How far a hart runs ahead in virtual time; several harts: 32ns at least")
      ->group(engine)
      ->capture_default_str();
}

void add_run_options(CLI::App& command, VmOptions& o) {
  const auto run = "Run";
  add_count_option(command, "--max-instructions", o.max_instructions,
                   "Stop after this many, over all harts (exit status 124)")
      ->group(run);
  command.add_option("--trace", o.traces, "exec, irq, mmio or mem, each with :FILE to go there instead of stderr")
      ->type_name("WHAT[:FILE]")
      ->group(run);
  command.add_option("--trace-range", o.trace_ranges, "Only memory accesses that touch these virtual addresses")
      ->type_name("FIRST..LAST")
      ->group(run);
  command.add_option("--trace-mode", o.trace_mode, "Only memory accesses of this privilege mode")
      ->check(CLI::IsMember({"all", "user", "supervisor", "machine"}))
      ->group(run)
      ->capture_default_str();
  command.add_option("--trace-limit", o.trace_limit, "How much text of memory accesses is written at most")
      ->type_name("SIZE")
      ->group(run)
      ->capture_default_str();
  auto* coverage =
      command.add_option("--coverage", o.coverage, "Write here which guest code ran, by block and function")
          ->type_name("FILE")
          ->group(run);
  command.add_flag("--coverage-counts", o.coverage_counts, "And how often")->needs(coverage)->group(run);
  command
      .add_option("--coverage-format", o.coverage_format,
                  "text, or drcov for viewers such as Lighthouse, which has no counts")
      ->check(CLI::IsMember({"text", "drcov"}))
      ->needs(coverage)
      ->group(run)
      ->capture_default_str();
  command.add_flag("--count", o.count, "Show at the end how often each kind of instruction began")->group(run);
  command.add_option("--gdb", o.gdb, "Wait for gdb on this loopback port before the first instruction")
      ->type_name("[HOST]:PORT")
      ->group(run);
  command.add_option("--console-log", o.console_log, "Write the guest's console to this file too")->group(run);
  command.add_option("--input", o.input, "Type this file at the guest's console, as fast as it reads")->group(run);
  command.add_option("--input-log", o.input_log, "Log live input with its virtual time, for --replay-input")
      ->group(run);
  command.add_option("--replay-input", o.replay_input, "Replay such a log")->group(run)->excludes("--input");
  command.add_flag("--json", o.json, "One JSON object on stdout at the end; the console goes to stderr")->group(run);
}

void add_shadow_options(CLI::App& command, VmOptions& o) {
  const auto group = "Shadow";
  auto* shadow = command
                     .add_flag("--shadow", o.shadow,
                               "With --smmu rtl: the model stands beside the design and makes each access and register "
                               "access too; both are judged and compared, and the first difference stops the machine "
                               "(exit status 126; docs/cosim.md)")
                     ->group(group);
  command.add_flag("--shadow-go-on", o.shadow_go_on, "Tell of differences and go on")->needs(shadow)->group(group);
  command
      .add_option("--shadow-report", o.shadow_report,
                  "What led to the first difference: NAME.timeline.txt, and NAME.fst (a waveform) where the design is "
                  "built with them")
      ->type_name("NAME")
      ->needs(shadow)
      ->group(group)
      ->capture_default_str();
}

void add_lockstep_options(CLI::App& command, VmOptions& o) {
  const auto group = "Lockstep";
  auto* lockstep =
      command
          .add_option("--lockstep", o.lockstep,
                      "Run the machine on two engines at once and compare them to the end; on a difference, find the "
                      "instruction (exit status: 0 equal, 1 different)")
          ->check([](const std::string& text) {
            const auto comma = text.find(',');
            if (comma == std::string::npos || text.find(',', comma + 1) != std::string::npos) {
              return fmt::format("'{}' is not two engines with a comma between, such as interpreter,jit", text);
            }
            for (const std::string& name : {text.substr(0, comma), text.substr(comma + 1)}) {
              const auto engine = parse_engine(name, "");
              if (!engine) return engine.error().message.substr(std::string_view(": ").size());
            }
            return std::string();
          })
          ->type_name("ENGINE,ENGINE")
          ->group(group);
  for (const char* other : {"--engine", "--gdb", "--trace", "--input-log", "--profile", "--perf-map", "--coverage",
                            "--count", "--gdb-jit", "--code-cache", "--jit-log", "--jit-replay"})
    lockstep->excludes(other);
  command
      .add_option("--lockstep-grain", o.lockstep_grain,
                  "Compare the state after each instruction, after windows of 1 to 24,000 of them (block), or after "
                  "each --quantum")
      ->check(CLI::IsMember({"instruction", "block", "quantum"}))
      ->needs(lockstep)
      ->group(group)
      ->capture_default_str();
  add_count_option(command, "--lockstep-check", o.lockstep_check,
                   "Compare memory, and keep a snapshot to find a difference from, so often")
      ->needs(lockstep)
      ->group(group)
      ->capture_default_str();
  command
      .add_option("--lockstep-save", o.lockstep_save,
                  "On a difference, write a snapshot from before it here; lockstep-COUNT.snapshot where this is left "
                  "out, and none writes none")
      ->needs(lockstep)
      ->type_name("FILE|none")
      ->group(group);
}

Status check_parallel(const VmOptions& o) {
  if (!o.parallel) return {};
  const auto refuse = [](const char* option, const char* reason) {
    return Error{fmt::format("--parallel and {} exclude each other: {}; leave one of them out", option, reason)};
  };
  if (!o.lockstep.empty()) return refuse("--lockstep", "two engines are compared by what both do alike");
  if (!o.replay_input.empty()) return refuse("--replay-input", "the log's times are those of a run that is repeated");
  if (!o.code_cache.empty()) return refuse("--code-cache", "what it keeps is code for harts that take turns");
  if (!o.jit_log.empty())
    return refuse("--jit-log", "the counts at which regions begin to run are those of one run alone");
  if (!o.jit_replay.empty()) return refuse("--jit-replay", "regions cannot begin to run at the same counts again");
  for (const std::string& trace : o.traces) {
    if (trace.starts_with("exec"))
      return refuse("--trace exec", "one list of instructions needs harts that take turns");
  }
  return {};
}

Result<tlm_models::MachineConfig> machine_config(const VmOptions& o, const EngineExtras& extras) {
  tlm_models::MachineConfig config;
  config.harts = o.smp;
  config.parallel = o.parallel;
  auto memory = parse_size(o.memory, "--memory");
  if (!memory) return memory.error();
  config.memory_bytes = *memory;
  auto quantum = parse_duration_ns(o.quantum, "--quantum");
  if (!quantum) return quantum.error();
  config.quantum_ns = *quantum;
  if (o.kernel.empty() && o.restore_file.empty()) {
    return Error{"no --kernel; `guests/build --help` makes some, and `lockstep vm run --help` shows how to boot them"};
  }
  config.kernel = o.kernel;
  config.bios = o.bios;
  config.initrd = o.initrd;
  config.append = o.append;
  for (const std::string& text : o.drives) {
    auto drive = parse_drive(text);
    if (!drive) return drive.error();
    config.drives.push_back(*drive);
  }
  config.user_network = o.net == "user";
  config.virtio_console = o.virtio_console == "on";
  config.smmu.present = o.smmu != "off";
  if (o.smmu == "rtl") {
    smmu_rtl_bridge::RtlModuleOptions options;
    options.design.file = smmu_rtl_bridge::design_path(o.smmu_rtl, "plain");
    options.complain = [](const std::string& rule, const std::string& text) {
      fmt::print(stderr, "lockstep: --smmu rtl: {}: {}\n", rule, text);
    };
    const auto factory = smmu_rtl_bridge::make_rtl_module_factory(options);
    if (!factory) return core::Error{"--smmu rtl: " + factory.message()};
    config.make_smmu = *factory;
  }
  config.smmu.mmu = o.smmu_mmu == "on";
  config.smmu.atsu = o.smmu_atsu == "on" && config.smmu.mmu;
  config.smmu.tlb = o.smmu_tlb == "on" && config.smmu.mmu;
  config.smmu.interrupt = o.smmu_interrupt == "on";
  config.async_io = o.async_io == "on";
  config.numa_interleave = o.numa == "on";
  config.tlb_tagged = o.tlb == "asid";
  config.svadu = o.svadu == "on";
  config.seed = o.seed;
  config.description = snapshot_options(o);

  const isa::riscv64::HartOptions hart_options{.svadu = config.svadu};
  config.make_hart = [hart_options](unsigned id, core::PhysicalBus& bus, core::VirtualClock& clock) {
    return isa::riscv64::make_hart(id, bus, clock, hart_options);
  };
  auto engine = chosen_engine(o, extras);
  if (!engine) return engine.error();
  config.make_engine = engine->make;
  return config;
}

namespace {

// Of --symbols, and of --kernel and --bios where those are ELFs that have some.
Result<std::shared_ptr<const core::SymbolTable>> guest_symbols(const VmOptions& o) {
  auto table = std::make_shared<core::SymbolTable>();
  if (!o.profile && !o.perf_map && !o.gdb_jit && o.coverage.empty())
    return std::shared_ptr<const core::SymbolTable>(table);
  for (const std::string& file : o.symbols) {
    if (Status status = table->add_file(file, true); !status) return Error{"--symbols " + status.message()};
  }
  for (const std::string& file : {o.kernel, o.bios}) {
    if (file.empty() || file == "none") continue;
    if (Status status = table->add_file(file, false); !status) return Error{status.message()};
  }
  return std::shared_ptr<const core::SymbolTable>(table);
}

}  // namespace

Result<EngineExtras> engine_extras(const VmOptions& o) {
  EngineExtras extras;
  extras.profile = o.profile;
  extras.perf_map = o.perf_map;
  extras.gdb_jit = o.gdb_jit;
  auto symbols = guest_symbols(o);
  if (!symbols) return symbols.error();
  extras.symbols = std::move(*symbols);
  if (!o.code_cache.empty()) {
    auto folder = jit::CodeArchiveFolder::open(o.code_cache);
    if (!folder) return folder.error();
    extras.archives = std::move(*folder);
  }
  if (!o.jit_replay.empty()) {
    auto installs = jit::read_installs(o.jit_replay);
    if (!installs) return installs.error();
    extras.replay = std::move(*installs);
  }
  if (!o.jit_log.empty()) {
    auto log = jit::InstallLog::create(o.jit_log);
    if (!log) return log.error();
    extras.install_log = std::move(*log);
  }
  return extras;
}

Status end_extras(const EngineExtras& extras) {
  if (extras.archives != nullptr) {
    // A cache that cannot be kept makes the next run slower and this one no worse.
    if (Status saved = extras.archives->save(); !saved) fmt::print(stderr, "lockstep: {}\n", saved.message());
  }
  return extras.install_log != nullptr ? extras.install_log->flush() : Status();
}

Result<EngineChoice> chosen_engine(const VmOptions& o, const EngineExtras& extras) {
  return parse_engine(o.engine, "--engine",
                      {{"fusion", o.fusion},
                       {"block-links", o.block_links},
                       {"tier", std::to_string(o.jit_tier)},
                       {"threshold", std::to_string(o.jit_threshold)},
                       {"threads", std::to_string(o.jit_sync ? 0 : o.jit_threads)}},
                      extras);
}

std::string snapshot_options(const VmOptions& o) {
  return nlohmann::json{{"smp", o.smp},
                        {"memory", o.memory},
                        {"quantum", o.quantum},
                        {"drives", o.drives},
                        {"net", o.net},
                        {"virtio_console", o.virtio_console},
                        {"svadu", o.svadu},
                        {"seed", o.seed},
                        {"smmu", o.smmu},
                        {"smmu_mmu", o.smmu_mmu},
                        {"smmu_atsu", o.smmu_atsu},
                        {"smmu_tlb", o.smmu_tlb},
                        {"smmu_interrupt", o.smmu_interrupt}}
      .dump();
}

Status adopt_snapshot_options(VmOptions& o, const CLI::App& command) {
  for (const char* name : {"--kernel", "--bios", "--initrd", "--append"}) {
    if (command.count(name) > 0) {
      return Error{fmt::format("vm restore takes no {}: what it loaded is in the memory of the snapshot", name)};
    }
  }
  auto reader = core::SnapshotReader::open(o.restore_file);
  if (!reader) return reader.error();
  auto machine = reader->section("machine");
  if (!machine) return machine.error();
  auto description = (*machine)->string("description");
  if (!description) return description.error();
  const auto json = nlohmann::json::parse(*description, nullptr, false);
  // An option of the shape may be repeated, with the value that it had.
  std::string disagreement;
  const auto adopt = [&](const char* key, const char* option, auto& value) {
    const auto given = value;
    value = json.at(key);
    if (command.count(option) > 0 && given != value && disagreement.empty()) {
      disagreement = fmt::format("{} {}: the snapshot '{}' is of a machine with {} {}, which cannot change", option,
                                 given, o.restore_file, option, value);
    }
  };
  try {
    adopt("smp", "--smp", o.smp);
    adopt("memory", "--memory", o.memory);
    adopt("quantum", "--quantum", o.quantum);
    adopt("net", "--net", o.net);
    adopt("virtio_console", "--virtio-console", o.virtio_console);
    adopt("svadu", "--svadu", o.svadu);
    // Snapshots from before there was one.
    if (json.contains("smmu")) {
      adopt("smmu", "--smmu", o.smmu);
      adopt("smmu_mmu", "--smmu-mmu", o.smmu_mmu);
      adopt("smmu_atsu", "--smmu-atsu", o.smmu_atsu);
      adopt("smmu_tlb", "--smmu-tlb", o.smmu_tlb);
      adopt("smmu_interrupt", "--smmu-interrupt", o.smmu_interrupt);
    }
    adopt("seed", "--seed", o.seed);
    if (command.count("--drive") == 0) o.drives = json.at("drives").get<std::vector<std::string>>();
    if (!disagreement.empty()) return Error{disagreement};
  } catch (const nlohmann::json::exception&) {
    return Error{fmt::format("cannot restore '{}': it does not say how its machine was made", o.restore_file)};
  }
  return {};
}

}  // namespace lockstep::cli
