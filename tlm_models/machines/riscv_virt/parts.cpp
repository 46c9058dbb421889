// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/machines/riscv_virt/parts.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/memory/host_access.h"
#include "tlm_models/devices/virtio_block/virtio_block.h"
#include "tlm_models/devices/virtio_console/virtio_console.h"
#include "tlm_models/devices/virtio_net/virtio_net.h"
#include "tlm_models/devices/virtio_rng/virtio_rng.h"
#include "tlm_models/machines/riscv_virt/memory_map.h"
#include "tlm_models/machines/riscv_virt/smmu.h"

namespace lockstep::tlm_models {
namespace {

using namespace riscv_virt;

// Interrupt inputs of a hart: bits of mip.
constexpr unsigned kMachineSoftware = 3;
constexpr unsigned kMachineTimer = 7;
constexpr unsigned kSupervisorExternal = 9;
constexpr unsigned kMachineExternal = 11;

constexpr VirtioNet::MacAddress kMac = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

EndReason to_reason(FinishKind kind) {
  switch (kind) {
    case FinishKind::kPass:
      return EndReason::kGuestPass;
    case FinishKind::kFail:
      return EndReason::kGuestFail;
    case FinishKind::kReset:
      return EndReason::kGuestReset;
  }
  return EndReason::kGuestFail;
}

}  // namespace

Machine::Parts::Parts(MachineConfig machine_config, core::GuestRam ram, core::GuestRam rom)
    : config(std::move(machine_config)),
      clock(config.ns_per_instruction),
      timers("timers"),
      router("router"),
      ram_memory("ram", std::move(ram), Memory::Access::kReadWrite),
      rom_memory("rom", std::move(rom), Memory::Access::kReadOnly),
      scheduler("scheduler", clock, timers, {config.quantum_ns, config.pace_idle, config.parallel}, *this),
      uart("uart", [this](uint8_t byte) { console.put(byte); }),
      clint("clint", timers, clock, config.harts),
      plic("plic", config.harts),
      rtc("rtc", timers, config.rtc_epoch_ns),
      finisher("finisher", [this](FinishKind kind, uint32_t code) { scheduler.request_end(to_reason(kind), code); }) {
  console.set_writer(config.console_writer);
  clock.set_concurrent(runs_parallel());
}

void Machine::Parts::add_harts() {
  for (unsigned id = 0; id < config.harts; ++id) {
    auto vcpu = std::make_unique<Vcpu>(
        fmt::format("vcpu{}", id).c_str(),
        Vcpu::Shared{[this](uint64_t paddr, uint64_t size_bytes) { ram_memory.ram().note_write(paddr, size_bytes); },
                     [this](uint64_t paddr) { page_has_code(paddr); }});
    auto hart = config.make_hart(id, *vcpu, clock);
    hart->set_concurrent(runs_parallel());
    hart->reset();
    hart->state().pc = kRomBase;
    hart->tlb().set_tagged(config.tlb_tagged);
    hart->state_restored();
    auto engine = config.make_engine(*hart);
    vcpu->attach(std::move(hart), std::move(engine));
    vcpu->socket.bind(router.in);
    scheduler.add(*vcpu);
    vcpus.push_back(std::move(vcpu));
  }
  ram_memory.ram().set_code_write_guard([this](const std::function<void()>& work) { scheduler.exclusive(work); });
  ram_memory.ram().add_code_write_listener([this](uint64_t paddr, uint64_t size_bytes) {
    bool remains = false;
    for (const auto& vcpu : vcpus) remains |= vcpu->engine().invalidate_code(paddr, size_bytes);
    return remains;
  });
}

void Machine::Parts::page_has_code(uint64_t paddr) {
  scheduler.exclusive([&] { mark_code_page(paddr); });
}

void Machine::Parts::mark_code_page(uint64_t paddr) {
  for (Memory* memory : {&ram_memory, &rom_memory}) {
    const core::RamWindow& window = memory->ram().window();
    if (!window.contains(paddr)) continue;
    uint8_t& flags = window.page_flags[(paddr - window.base) / core::kPageSize];
    if (flags & core::kPageHasCode) return;  // no fast store entry was made since
    flags |= core::kPageHasCode;
  }
  // Harts are added one after another; the first ones translate nothing before all are there.
  for (const auto& vcpu : vcpus) vcpu->hart().tlb().drop_fast_stores(paddr & core::kPageMask);
}

core::Status Machine::Parts::add_virtio_devices() {
  for (const DriveConfig& drive : config.drives) {
    const auto mode = drive.read_only ? DiskImage::Mode::kReadOnly
                      : drive.overlay ? DiskImage::Mode::kOverlay
                                      : DiskImage::Mode::kReadWrite;
    auto image = DiskImage::open(drive.path, mode);
    if (!image.ok()) return image.error();
    const size_t number = virtio.size();
    virtio.push_back(std::make_unique<VirtioBlock>(
        fmt::format("block{}", number).c_str(), timers, std::move(*image),
        config.async_io ? IoWorker::Mode::kThread : IoWorker::Mode::kInCaller, fmt::format("lockstep-{}", number)));
  }
  if (config.user_network) virtio.push_back(std::make_unique<VirtioNet>("net", timers, kMac));
  if (config.virtio_console) {
    virtio.push_back(std::make_unique<VirtioConsole>("hvc", [this](uint8_t byte) { console.put(byte); }));
  }
  virtio.push_back(std::make_unique<VirtioRng>("rng", config.seed));
  if (virtio.size() > kVirtioSlots) {
    return core::Error{fmt::format("{} virtio devices do not fit the {} slots of riscv-virt; give fewer --drive",
                                   virtio.size(), kVirtioSlots)};
  }
  for (size_t slot = virtio.size(); slot < kVirtioSlots; ++slot) {
    virtio.push_back(std::make_unique<VirtioMmio>(fmt::format("empty{}", slot).c_str()));
  }
  return {};
}

void Machine::Parts::add_smmu() {
  if (!config.smmu.present) return;
  if (config.make_smmu) {
    smmu = config.make_smmu("smmu");
  } else {
    smmu = std::make_unique<smmuv3::SmmuModule>("smmu", smmu_config(config.smmu));
  }
  dma_engine = std::make_unique<DmaEngine>("dma_engine", timers, kDmaEngineStream);
}

core::Status Machine::Parts::connect_smmu() {
  if (!smmu) return {};
  smmu->set_listener(0, dma_engine.get());
  dma_engine->dma.bind(smmu->upstream(0));
  smmu->downstream.bind(router.in);
  const std::pair<IrqLine*, unsigned> wires[] = {{&smmu->eventq_irq, kSmmuEventqIrq},
                                                 {&smmu->priq_irq, kSmmuPriqIrq},
                                                 {&smmu->cmdq_sync_irq, kSmmuSyncIrq},
                                                 {&smmu->gerror_irq, kSmmuGerrorIrq}};
  for (const auto& [line, source] : wires) {
    plic.make_edge_triggered(source);
    connect_source(*line, source);
  }
  connect_source(dma_engine->irq, kDmaEngineIrq);
  const auto mapped =
      router.map("smmu", kSmmuBase, smmuv3::SmmuModule::kSizeBytes, Router::Kind::kDevice, smmu->socket);
  if (!mapped.ok()) return mapped;
  return router.map("dma_engine", kDmaEngineBase, DmaEngine::kSizeBytes, Router::Kind::kDevice, dma_engine->socket);
}

void Machine::Parts::connect_source(IrqLine& line, unsigned source) {
  line.connect([this, source](bool level) {
    if (interrupt_trace) interrupt_trace(fmt::format("source {} {}", source, level ? "high" : "low"));
    plic.set_source(source, level);
  });
}

void Machine::Parts::connect_hart(IrqLine& line, unsigned hart, unsigned number) {
  line.connect([this, hart, number](bool level) {
    if (interrupt_trace) interrupt_trace(fmt::format("hart {} mip bit {} {}", hart, number, level ? "set" : "clear"));
    scheduler.set_interrupt(hart, number, level);
  });
}

core::Status Machine::Parts::connect() {
  struct Mapping {
    const char* name;
    uint64_t base;
    uint64_t size_bytes;
    Router::Kind kind;
    tlm::tlm_target_socket<>& socket;
  };
  const Mapping mappings[] = {
      {"ram", kRamBase, config.memory_bytes, Router::Kind::kMemory, ram_memory.socket},
      {"rom", kRomBase, kRomBytes, Router::Kind::kMemory, rom_memory.socket},
      {"finisher", kFinisherBase, kFinisherBytes, Router::Kind::kDevice, finisher.socket},
      {"rtc", kRtcBase, kRtcBytes, Router::Kind::kDevice, rtc.socket},
      {"clint", kClintBase, Clint::kSizeBytes, Router::Kind::kDevice, clint.socket},
      {"plic", kPlicBase, Plic::kSizeBytes, Router::Kind::kDevice, plic.socket},
      {"uart", kUartBase, Uart16550::kSizeBytes, Router::Kind::kDevice, uart.socket},
  };
  for (const Mapping& mapping : mappings) {
    const auto mapped = router.map(mapping.name, mapping.base, mapping.size_bytes, mapping.kind, mapping.socket);
    if (!mapped.ok()) return mapped;
  }
  for (unsigned slot = 0; slot < kVirtioSlots; ++slot) {
    VirtioMmio& device = *virtio[slot];
    const auto mapped = router.map(device.name(), kVirtioBase + slot * VirtioMmio::kSizeBytes, VirtioMmio::kSizeBytes,
                                   Router::Kind::kDevice, device.socket);
    if (!mapped.ok()) return mapped;
    device.dma.socket.bind(router.in);
    connect_source(device.irq, kFirstVirtioIrq + slot);
  }
  if (const auto connected = connect_smmu(); !connected.ok()) return connected;
  connect_source(uart.irq, kUartIrq);
  connect_source(rtc.irq, kRtcIrq);
  for (unsigned hart = 0; hart < config.harts; ++hart) {
    connect_hart(clint.software_irq(hart), hart, kMachineSoftware);
    connect_hart(clint.timer_irq(hart), hart, kMachineTimer);
    connect_hart(plic.context_irq(2 * hart), hart, kMachineExternal);
    connect_hart(plic.context_irq(2 * hart + 1), hart, kSupervisorExternal);
  }
  return {};
}

std::vector<Machine::Parts::NamedDevice> Machine::Parts::devices() {
  std::vector<NamedDevice> all = {
      {"uart", &uart}, {"clint", &clint}, {"plic", &plic}, {"rtc", &rtc}, {"finisher", &finisher}};
  for (const auto& device : virtio) all.push_back({device->name(), device.get()});
  if (smmu) {
    all.push_back({"smmu", smmu.get()});
    all.push_back({"dma_engine", dma_engine.get()});
  }
  return all;
}

void Machine::Parts::at_boundary(uint64_t now_ns) {
  console.flush();
  if (!config.input) return;
  std::vector<uint8_t> bytes;
  const size_t space = uart.receive_space();
  config.input->poll(now_ns, space, uart.receive_empty() && uart.wants_input(), bytes);
  if (config.input->quit_requested()) scheduler.request_end(EndReason::kQuit);
  if (bytes.empty()) return;
  if (config.input_log) config.input_log->record(now_ns, scheduler.total_instructions(), bytes);
  for (const uint8_t byte : bytes) uart.receive(byte);
}

uint64_t Machine::Parts::tohost() const {
  uint64_t value = 0;
  const core::RamWindow& ram = ram_memory.ram().window();
  if (tohost_address) core::host_access::load(ram.host + (*tohost_address - ram.base), sizeof(value), &value);
  return value;
}

bool Machine::Parts::guest_ended() const { return (tohost() & 1) != 0; }

void Machine::Parts::after_turn() {
  const uint64_t value = tohost();
  if ((value & 1) == 0) return;
  // Bit 0 says that the run is over; the rest is the exit code, of which zero means passed.
  const uint64_t code = value >> 1;
  if (code == 0) {
    scheduler.request_end(EndReason::kGuestPass);
  } else {
    scheduler.request_end(EndReason::kGuestFail, static_cast<uint32_t>(code));
  }
}

uint64_t Machine::Parts::quiet_until_ns(uint64_t now_ns) const {
  // Harts that run beside one another look at tohost themselves, and have no exact times at which input comes.
  if (!runs_parallel() && (tohost_address || (config.input && config.input->follows_guest()))) return now_ns;
  return next_input_ns();
}

uint64_t Machine::Parts::next_input_ns() const { return config.input ? config.input->next_time_ns() : kNever; }

int Machine::Parts::wait_fd() const { return config.input ? config.input->wait_fd() : -1; }

}  // namespace lockstep::tlm_models
