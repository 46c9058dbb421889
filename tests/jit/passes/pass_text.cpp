// SPDX-License-Identifier: Apache-2.0
#include "tests/jit/passes/pass_text.h"

#include <gtest/gtest.h>

#include <sstream>

#include "tests/core/ir_proof/test_machine.h"

namespace lockstep::jit::passes {

namespace {

uint64_t nothing(core::Hart&, uint64_t, uint64_t, uint64_t, uint64_t) { return 0; }

constexpr core::HelperDescriptor kHelpers[] = {
    {"looks", nothing, core::kHelperReadsState, 0, core::ir::Type::kVoid},
    {"changes", nothing, core::kHelperReadsState | core::kHelperWritesState, 0, core::ir::Type::kVoid},
};

}  // namespace

Context test_context(std::string_view isa) { return {.layout = test::test_layout(isa), .helpers = kHelpers}; }

Region read_region(std::string_view text, const Context& context) {
  const core::ir::Names names{.layout = &context.layout, .helpers = context.helpers};
  constexpr std::string_view kTargets = "# targets ";
  Region region;
  for (size_t at = text.find("block "); at != text.npos;) {
    const size_t end = text.find("\nblock ", at);
    const std::string_view one = text.substr(at, end == text.npos ? end : end - at);
    auto block = core::ir::parse(one, names);
    EXPECT_TRUE(block.ok()) << block.message() << "\n" << one;
    if (!block.ok()) return {};
    RegionBlock& made = region.blocks.emplace_back();
    made.ir = std::move(*block);
    if (const size_t targets = one.find(kTargets); targets != one.npos) {
      std::istringstream numbers(std::string(one.substr(targets + kTargets.size())));
      for (uint64_t pc = 0; numbers >> std::hex >> pc;) made.targets.push_back(pc);
    }
    at = end == text.npos ? end : end + 1;
  }
  return region;
}

std::string print_region(const Region& region, const Context& context) {
  std::string out;
  for (const RegionBlock& block : region.blocks) {
    out += core::ir::print(block.ir, {.layout = &context.layout, .helpers = context.helpers});
  }
  return out;
}

std::string run_pass(bool (*pass)(Region&, const Context&), std::string_view text, std::string_view isa) {
  const Context context = test_context(isa);
  Region region = read_region(text, context);
  const std::string before = print_region(region, context);
  const bool changed = pass(region, context);
  const std::string after = print_region(region, context);
  EXPECT_EQ(changed, before != after) << before;
  for (const RegionBlock& block : region.blocks) {
    const core::Status status = core::ir::verify(block.ir, {.layout = &context.layout, .helpers = context.helpers});
    EXPECT_TRUE(status.ok()) << status.message() << "\n" << after;
  }
  EXPECT_FALSE(pass(region, context)) << "the second time it changed\n"
                                      << after << "to\n"
                                      << print_region(region, context);
  return after;
}

void expect_pass(bool (*pass)(Region&, const Context&), std::string_view before, std::string_view after,
                 std::string_view isa) {
  const Context context = test_context(isa);
  EXPECT_EQ(run_pass(pass, before, isa), print_region(read_region(after, context), context));
}

}  // namespace lockstep::jit::passes
