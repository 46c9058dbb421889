// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

// Addresses and interrupt numbers of QEMU's RISC-V `virt` machine, on which unmodified firmware and kernels boot.
namespace lockstep::tlm_models::riscv_virt {

inline constexpr uint64_t kRomBase = 0x1000;
inline constexpr uint64_t kRomBytes = 0xf000;
inline constexpr uint64_t kFinisherBase = 0x100000;
inline constexpr uint64_t kFinisherBytes = 0x1000;
inline constexpr uint64_t kRtcBase = 0x101000;
inline constexpr uint64_t kRtcBytes = 0x1000;
inline constexpr uint64_t kClintBase = 0x2000000;
// In QEMU's range for devices that a user adds. The DMA engine is behind the SMMU and comes with it.
inline constexpr uint64_t kSmmuBase = 0x4000000;
inline constexpr uint64_t kDmaEngineBase = 0x4020000;
inline constexpr uint64_t kPlicBase = 0xc000000;
inline constexpr uint64_t kUartBase = 0x10000000;
inline constexpr uint64_t kVirtioBase = 0x10001000;
inline constexpr uint64_t kRamBase = 0x80000000;
inline constexpr uint64_t kKernelBase = 0x80200000;

inline constexpr unsigned kVirtioSlots = 8;
inline constexpr unsigned kFirstVirtioIrq = 1;
inline constexpr unsigned kUartIrq = 10;
inline constexpr unsigned kRtcIrq = 11;
inline constexpr unsigned kSmmuEventqIrq = 64;
inline constexpr unsigned kSmmuPriqIrq = 65;
inline constexpr unsigned kSmmuSyncIrq = 66;
inline constexpr unsigned kSmmuGerrorIrq = 67;
inline constexpr unsigned kDmaEngineIrq = 68;

// The stream that the DMA engine has unless software says otherwise.
inline constexpr uint32_t kDmaEngineStream = 1;

inline constexpr unsigned kMaxHarts = 8;
inline constexpr uint64_t kMinMemoryBytes = uint64_t{1} << 20;
inline constexpr uint64_t kMaxMemoryBytes = uint64_t{64} << 30;

}  // namespace lockstep::tlm_models::riscv_virt
