// SPDX-License-Identifier: Apache-2.0
#include "jit/host_features.h"

#include <asmjit/core.h>
#include <fmt/format.h>

#include <initializer_list>
#include <string>
#include <utility>

namespace lockstep::jit {

HostFeatures HostFeatures::of_this_host() {
  const asmjit::CpuInfo& cpu = asmjit::CpuInfo::host();
  if (cpu.arch() != asmjit::Arch::kX64) return {};
  const auto& x86 = cpu.features().x86();
  return {x86.hasPOPCNT(), x86.hasSSE4_1(), x86.hasSSE4_2(), x86.hasAVX(),
          x86.hasFMA(),    x86.hasBMI(),    x86.hasBMI2(),   x86.hasLZCNT()};
}

namespace {

using Need = std::pair<bool, const char*>;

core::Status require(std::initializer_list<Need> needs) {
  std::string missing;
  for (const auto& [present, name] : needs) {
    if (!present) missing += fmt::format("{}{}", missing.empty() ? "" : ", ", name);
  }
  if (missing.empty()) return {};
  return core::Error{fmt::format(
      "this host's processor lacks {}, which the code of the JIT needs: use the interpreter engine", missing)};
}

}  // namespace

core::Status HostFeatures::check() const {
  return require({{popcnt, "POPCNT"}, {sse4_1, "SSE4.1"}, {sse4_2, "SSE4.2"}});
}

core::Status HostFeatures::check_engine() const { return require({{sse4_1, "SSE4.1"}, {avx, "AVX"}}); }

HostFeatures HostFeatures::baseline() const {
  HostFeatures least;
  least.sse4_1 = sse4_1;
  least.avx = avx;
  return least;
}

}  // namespace lockstep::jit
