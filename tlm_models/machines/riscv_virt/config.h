// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/engine/engine.h"
#include "core/hart/hart.h"

namespace lockstep::tlm_models {

namespace smmuv3 {
class SmmuDevice;
}
class InputSource;
class InputLog;

struct DriveConfig {
  std::string path;
  bool read_only = false;
  bool overlay = false;  // writes stay in memory (and in snapshots); the file is only read
};

// The SMMU and the DMA engine behind it. What is off is absent, and the ID registers say so.
struct SmmuOptions {
  bool present = false;
  bool mmu = true;        // stages 1 and 2; without them there is only bypass and abort
  bool atsu = true;       // ATS and page requests; needs mmu
  bool tlb = true;        // translations are kept, and range invalidation; without it every access walks
  bool interrupt = true;  // messages and wires; without it software looks at the queues
  bool operator==(const SmmuOptions&) const = default;
};

using HartFactory = std::function<std::unique_ptr<core::Hart>(unsigned id, core::PhysicalBus&, core::VirtualClock&)>;
using SmmuFactory = std::function<std::unique_ptr<smmuv3::SmmuDevice>(const char* name)>;
using EngineFactory = std::function<std::unique_ptr<core::Engine>(core::Hart&)>;

// A RISC-V `virt` machine. Everything that a run's result may depend on is here.
struct MachineConfig {
  unsigned harts = 1;  // 1 to 8
  uint64_t memory_bytes = uint64_t{512} << 20;
  std::string bios;    // firmware file; empty or "none": the kernel is entered in M-mode
  std::string kernel;  // ELF, Image or plain binary; may be empty when a snapshot follows
  std::string initrd;
  std::string append;  // kernel command line
  std::vector<DriveConfig> drives;
  bool user_network = false;
  bool virtio_console = false;
  SmmuOptions smmu;

  uint64_t quantum_ns = 10'000;
  uint64_t ns_per_instruction = 1;
  bool parallel = false;  // several harts run on host threads; no two runs need be the same
  bool async_io = true;
  bool numa_interleave = false;
  bool tlb_tagged = true;                             // false: every change of address space empties the TLB
  bool svadu = true;                                  // the device tree names Svadu; the hart factory must agree
  uint64_t seed = 1;                                  // of the rng device and the kernel's rng-seed
  uint64_t rtc_epoch_ns = 1'735'689'600'000'000'000;  // what the clock shows at first: 2025-01-01T00:00:00Z

  std::string description;  // kept in snapshots for whoever makes the machine anew

  HartFactory make_hart;
  EngineFactory make_engine;
  SmmuFactory make_smmu;  // in place of the model, where smmu.present; empty: the model. Such a machine is not saved

  std::function<void(std::string_view text)> console_writer;  // may be empty
  std::shared_ptr<InputSource> input;                         // may be null: no input ever comes
  std::shared_ptr<InputLog> input_log;                        // may be null
  bool pace_idle = false;                                     // idle time as long as real time; for terminals
};

}  // namespace lockstep::tlm_models
