// SPDX-License-Identifier: Apache-2.0
#include "core/ir/fp_control.h"

#include <fmt/format.h>

#include <array>

namespace lockstep::core::ir {

namespace {

constexpr std::array<std::string_view, 4> kRules = {"", ".arm", ".armdn", ".x86"};
constexpr std::string_view kFlushInputs = ".daz";
constexpr std::string_view kFlushResults = ".ftz";

}  // namespace

std::string check_fp_control(uint64_t packed) {
  const FpControl control = FpControl::unpack(packed);
  if (packed >> kFpControlBits != 0 || control.rule > FpRule::kX86) {
    return fmt::format("no floating-point control {:#x}", packed);
  }
  if (control.rounding > 4 && control.rounding != kRoundDynamic) {
    return fmt::format("no rounding mode rm{}", control.rounding);
  }
  const bool flushes = control.flush_inputs || control.flush_results;
  return flushes && control.rule == FpRule::kRiscv ? "RISC-V has no flush to zero" : "";
}

std::string print_fp_control(uint64_t packed) {
  const FpControl control = FpControl::unpack(packed);
  const auto rule = static_cast<size_t>(control.rule);
  return fmt::format("rm{}{}{}{}", control.rounding, rule < kRules.size() ? kRules[rule] : "",
                     control.flush_inputs ? kFlushInputs : "", control.flush_results ? kFlushResults : "");
}

std::optional<uint64_t> parse_fp_control(std::string_view text) {
  if (text.size() < 3 || !text.starts_with("rm") || text[2] < '0' || text[2] > '9') return std::nullopt;
  FpControl control;
  control.rounding = static_cast<uint64_t>(text[2] - '0');
  text.remove_prefix(3);
  // The longest name that fits: one rule's name begins with another's.
  for (size_t rule = kRules.size() - 1; rule > 0; --rule) {
    const std::string_view name = kRules[rule];
    if (!text.starts_with(name) || (text.size() > name.size() && text[name.size()] != '.')) continue;
    control.rule = static_cast<FpRule>(rule);
    text.remove_prefix(name.size());
    break;
  }
  control.flush_inputs = text.starts_with(kFlushInputs);
  if (control.flush_inputs) text.remove_prefix(kFlushInputs.size());
  control.flush_results = text.starts_with(kFlushResults);
  if (control.flush_results) text.remove_prefix(kFlushResults.size());
  if (!text.empty()) return std::nullopt;
  return control.pack();
}

}  // namespace lockstep::core::ir
