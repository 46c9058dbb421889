// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/machines/riscv_virt/device_tree.h"

#include <fmt/format.h>

#include "core/fdt/fdt_builder.h"
#include "tlm_models/devices/clint/clint.h"
#include "tlm_models/devices/dma_engine/dma_engine.h"
#include "tlm_models/devices/plic/plic.h"
#include "tlm_models/devices/uart16550/uart16550.h"
#include "tlm_models/devices/virtio_mmio/virtio_mmio.h"
#include "tlm_models/machines/riscv_virt/memory_map.h"
#include "tlm_models/smmuv3/registers.h"

namespace lockstep::tlm_models::riscv_virt {
namespace {

constexpr uint32_t kUartClockHz = 3'686'400;
constexpr uint32_t kTimebaseHz = 10'000'000;
constexpr size_t kSeedBytes = 32;

// Interrupt numbers of the hart's local controller: bits of mip.
constexpr uint32_t kLocalMachineSoftware = 3;
constexpr uint32_t kLocalMachineTimer = 7;
constexpr uint32_t kLocalSupervisorExternal = 9;
constexpr uint32_t kLocalMachineExternal = 11;

void add_chosen(core::FdtBuilder& fdt, const MachineConfig& config, uint64_t initrd_first, uint64_t initrd_end) {
  auto node = fdt.node("chosen");
  fdt.string("bootargs", config.append);
  fdt.string("stdout-path", fmt::format("/soc/serial@{:x}", kUartBase));
  if (initrd_end > initrd_first) {
    fdt.u64("linux,initrd-start", initrd_first);
    fdt.u64("linux,initrd-end", initrd_end);
  }
  std::vector<uint8_t> seed(kSeedBytes);
  uint64_t state = config.seed;
  for (uint8_t& byte : seed) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    byte = static_cast<uint8_t>(state >> 56);
  }
  fdt.bytes("rng-seed", seed);
}

std::vector<uint32_t> add_cpus(core::FdtBuilder& fdt, const MachineConfig& config) {
  const std::string isa = fmt::format("rv64imafdc_zicsr_zifencei_zba_zbb_zbs{}", config.svadu ? "_svadu" : "");
  std::vector<uint32_t> controllers;
  auto cpus = fdt.node("cpus");
  fdt.u32("#address-cells", 1);
  fdt.u32("#size-cells", 0);
  fdt.u32("timebase-frequency", kTimebaseHz);
  for (unsigned hart = 0; hart < config.harts; ++hart) {
    auto cpu = fdt.node(fmt::format("cpu@{:x}", hart));
    fdt.string("device_type", "cpu");
    fdt.u32("reg", hart);
    fdt.string("status", "okay");
    fdt.string("compatible", "riscv");
    fdt.string("riscv,isa", isa);
    fdt.string("riscv,isa-base", "rv64i");
    if (config.svadu) {
      fdt.strings("riscv,isa-extensions",
                  {"i", "m", "a", "f", "d", "c", "zicsr", "zifencei", "zba", "zbb", "zbs", "svadu"});
    } else {
      fdt.strings("riscv,isa-extensions", {"i", "m", "a", "f", "d", "c", "zicsr", "zifencei", "zba", "zbb", "zbs"});
    }
    fdt.string("mmu-type", "riscv,sv48");
    const uint32_t controller = fdt.new_phandle();
    controllers.push_back(controller);
    auto node = fdt.node("interrupt-controller");
    fdt.u32("#interrupt-cells", 1);
    fdt.flag("interrupt-controller");
    fdt.string("compatible", "riscv,cpu-intc");
    fdt.phandle(controller);
  }
  return controllers;
}

void add_interrupts(core::FdtBuilder& fdt, uint32_t plic, uint32_t irq) {
  fdt.u32("interrupt-parent", plic);
  fdt.u32("interrupts", irq);
}

// The binding of Linux's "arm,smmu-v3". The DMA engine is the one device behind it.
void add_smmu(core::FdtBuilder& fdt, const SmmuOptions& options, uint32_t plic) {
  const uint32_t smmu = fdt.new_phandle();
  {
    auto node = fdt.node(fmt::format("iommu@{:x}", kSmmuBase));
    fdt.string("compatible", "arm,smmu-v3");
    fdt.cells64("reg", {kSmmuBase, smmuv3::kRegisterSpaceBytes});
    fdt.u32("#iommu-cells", 1);
    fdt.flag("dma-coherent");
    if (options.interrupt) {
      fdt.u32("interrupt-parent", plic);
      fdt.cells("interrupts", {kSmmuEventqIrq, kSmmuPriqIrq, kSmmuSyncIrq, kSmmuGerrorIrq});
      fdt.strings("interrupt-names", {"eventq", "priq", "cmdq-sync", "gerror"});
    }
    fdt.phandle(smmu);
  }
  auto node = fdt.node(fmt::format("dma@{:x}", kDmaEngineBase));
  fdt.string("compatible", "lockstep,dma-engine");
  fdt.cells64("reg", {kDmaEngineBase, DmaEngine::kSizeBytes});
  fdt.cells("iommus", {smmu, kDmaEngineStream});
  fdt.flag("dma-coherent");
  add_interrupts(fdt, plic, kDmaEngineIrq);
}

void add_soc(core::FdtBuilder& fdt, const MachineConfig& config, const std::vector<uint32_t>& controllers,
             uint32_t test) {
  auto soc = fdt.node("soc");
  fdt.u32("#address-cells", 2);
  fdt.u32("#size-cells", 2);
  fdt.string("compatible", "simple-bus");
  fdt.flag("ranges");
  const uint32_t plic = fdt.new_phandle();
  std::vector<uint32_t> clint_interrupts;
  std::vector<uint32_t> plic_interrupts;
  for (const uint32_t controller : controllers) {
    clint_interrupts.insert(clint_interrupts.end(),
                            {controller, kLocalMachineSoftware, controller, kLocalMachineTimer});
    plic_interrupts.insert(plic_interrupts.end(),
                           {controller, kLocalMachineExternal, controller, kLocalSupervisorExternal});
  }
  {
    auto node = fdt.node(fmt::format("test@{:x}", kFinisherBase));
    fdt.strings("compatible", {"sifive,test1", "sifive,test0", "syscon"});
    fdt.cells64("reg", {kFinisherBase, kFinisherBytes});
    fdt.phandle(test);
  }
  {
    auto node = fdt.node(fmt::format("rtc@{:x}", kRtcBase));
    fdt.string("compatible", "google,goldfish-rtc");
    fdt.cells64("reg", {kRtcBase, kRtcBytes});
    add_interrupts(fdt, plic, kRtcIrq);
  }
  {
    auto node = fdt.node(fmt::format("clint@{:x}", kClintBase));
    fdt.strings("compatible", {"sifive,clint0", "riscv,clint0"});
    fdt.cells64("reg", {kClintBase, Clint::kSizeBytes});
    fdt.cells("interrupts-extended", clint_interrupts);
  }
  {
    auto node = fdt.node(fmt::format("plic@{:x}", kPlicBase));
    fdt.strings("compatible", {"sifive,plic-1.0.0", "riscv,plic0"});
    fdt.cells64("reg", {kPlicBase, Plic::kSizeBytes});
    fdt.u32("#interrupt-cells", 1);
    fdt.u32("#address-cells", 0);
    fdt.flag("interrupt-controller");
    fdt.cells("interrupts-extended", plic_interrupts);
    fdt.u32("riscv,ndev", Plic::kSources - 1);
    fdt.phandle(plic);
  }
  {
    auto node = fdt.node(fmt::format("serial@{:x}", kUartBase));
    fdt.string("compatible", "ns16550a");
    fdt.cells64("reg", {kUartBase, Uart16550::kSizeBytes});
    fdt.u32("clock-frequency", kUartClockHz);
    add_interrupts(fdt, plic, kUartIrq);
  }
  for (unsigned slot = 0; slot < kVirtioSlots; ++slot) {
    const uint64_t base = kVirtioBase + slot * VirtioMmio::kSizeBytes;
    auto node = fdt.node(fmt::format("virtio_mmio@{:x}", base));
    fdt.string("compatible", "virtio,mmio");
    fdt.cells64("reg", {base, VirtioMmio::kSizeBytes});
    add_interrupts(fdt, plic, kFirstVirtioIrq + slot);
  }
  if (config.smmu.present) add_smmu(fdt, config.smmu, plic);
}

void add_syscon(core::FdtBuilder& fdt, const std::string& name, uint32_t test, uint32_t value) {
  auto node = fdt.node(name);
  fdt.string("compatible", "syscon-" + name);
  fdt.u32("regmap", test);
  fdt.u32("offset", 0);
  fdt.u32("value", value);
}

}  // namespace

core::Result<std::vector<uint8_t>> make_device_tree(const MachineConfig& config, uint64_t initrd_first,
                                                    uint64_t initrd_end) {
  core::FdtBuilder fdt;
  fdt.u32("#address-cells", 2);
  fdt.u32("#size-cells", 2);
  fdt.string("compatible", "riscv-virtio");
  fdt.string("model", "riscv-virtio,qemu");
  add_chosen(fdt, config, initrd_first, initrd_end);
  {
    auto node = fdt.node(fmt::format("memory@{:x}", kRamBase));
    fdt.string("device_type", "memory");
    fdt.cells64("reg", {kRamBase, config.memory_bytes});
  }
  const std::vector<uint32_t> controllers = add_cpus(fdt, config);
  const uint32_t test = fdt.new_phandle();
  add_syscon(fdt, "poweroff", test, 0x5555);
  add_syscon(fdt, "reboot", test, 0x7777);
  add_soc(fdt, config, controllers, test);
  return fdt.finish();
}

}  // namespace lockstep::tlm_models::riscv_virt
