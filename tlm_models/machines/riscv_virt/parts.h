// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/time/virtual_clock.h"
#include "tlm_models/console/console_output.h"
#include "tlm_models/console/input_source.h"
#include "tlm_models/devices/clint/clint.h"
#include "tlm_models/devices/dma_engine/dma_engine.h"
#include "tlm_models/devices/goldfish_rtc/goldfish_rtc.h"
#include "tlm_models/devices/plic/plic.h"
#include "tlm_models/devices/test_finisher/test_finisher.h"
#include "tlm_models/devices/uart16550/uart16550.h"
#include "tlm_models/devices/virtio_mmio/virtio_mmio.h"
#include "tlm_models/kernel/memory.h"
#include "tlm_models/kernel/router.h"
#include "tlm_models/kernel/timer_queue.h"
#include "tlm_models/machines/riscv_virt/machine.h"
#include "tlm_models/smmuv3/smmu_module.h"
#include "tlm_models/vcpu/hart_scheduler.h"
#include "tlm_models/vcpu/vcpu.h"

namespace lockstep::tlm_models {

// The modules of a Machine and what ties them together.
struct Machine::Parts : SchedulerHooks {
  // Everything that can fail has been done by the caller.
  Parts(MachineConfig machine_config, core::GuestRam ram, core::GuestRam rom);

  core::Status add_virtio_devices();
  void add_smmu();
  core::Status connect();
  core::Status connect_smmu();
  void add_harts();
  // One of a machine's devices under the name that its section of a snapshot has.
  struct NamedDevice {
    std::string name;
    Device* device;
  };
  std::vector<NamedDevice> devices();

  // SchedulerHooks
  void at_boundary(uint64_t now_ns) override;
  void after_turn() override;
  uint64_t quiet_until_ns(uint64_t now_ns) const override;
  uint64_t next_input_ns() const override;
  int wait_fd() const override;
  bool guest_ended() const override;

  void page_has_code(uint64_t paddr);
  void mark_code_page(uint64_t paddr);
  uint64_t tohost() const;
  bool runs_parallel() const { return config.parallel && config.harts > 1; }
  void connect_source(IrqLine& line, unsigned source);
  void connect_hart(IrqLine& line, unsigned hart, unsigned number);

  MachineConfig config;
  core::VirtualClock clock;
  ConsoleOutput console;
  TraceSink interrupt_trace;
  std::optional<uint64_t> tohost_address;
  bool started = false;

  TimerQueue timers;
  Router router;
  Memory ram_memory;
  Memory rom_memory;
  HartScheduler scheduler;
  std::vector<std::unique_ptr<Vcpu>> vcpus;
  Uart16550 uart;
  Clint clint;
  Plic plic;
  GoldfishRtc rtc;
  TestFinisher finisher;
  std::vector<std::unique_ptr<VirtioMmio>> virtio;
  std::unique_ptr<smmuv3::SmmuDevice> smmu;  // null without --smmu on, as is the engine
  std::unique_ptr<DmaEngine> dma_engine;
};

}  // namespace lockstep::tlm_models
