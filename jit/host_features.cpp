// SPDX-License-Identifier: Apache-2.0
#include "jit/host_features.h"

#include <asmjit/core.h>
#include <fmt/format.h>

#include <string>

namespace lockstep::jit {

HostFeatures HostFeatures::of_this_host() {
  const asmjit::CpuInfo& cpu = asmjit::CpuInfo::host();
  if (cpu.arch() != asmjit::Arch::kX64) return {};
  const auto& x86 = cpu.features().x86();
  return {x86.hasPOPCNT(), x86.hasSSE4_1(), x86.hasSSE4_2()};
}

core::Status HostFeatures::check() const {
  std::string missing;
  const auto need = [&](bool present, const char* name) {
    if (!present) missing += fmt::format("{}{}", missing.empty() ? "" : ", ", name);
  };
  need(popcnt, "POPCNT");
  need(sse4_1, "SSE4.1");
  need(sse4_2, "SSE4.2");
  if (missing.empty()) return {};
  return core::Error{fmt::format(
      "this host's processor lacks {}, which the code of the JIT needs: use the interpreter engine", missing)};
}

}  // namespace lockstep::jit
