// SPDX-License-Identifier: Apache-2.0
#include <signal.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "cli/engine_choice.h"
#include "core/engine/forwarding_engine.h"

// Makes the program that this is linked into one with an engine more: `broken`, which does one thing wrong after so
// many instructions of a hart as the environment's LOCKSTEP_BROKEN_AT says. Shows that a comparison finds it.
namespace lockstep::cli {
namespace {

constexpr const char* kRegister = "x10";
// A block of this length shows the fault of the kind `block`, and no shorter run does.
constexpr uint64_t kBlockInstructions = 6;

class BrokenEngine final : public core::ForwardingEngine {
 public:
  BrokenEngine(core::Hart& hart, std::unique_ptr<core::Engine> engine, std::string fault, uint64_t at)
      : ForwardingEngine(std::move(engine)), hart_(hart), fault_(std::move(fault)), at_(at) {}

  std::string_view name() const override { return "broken"; }

  core::RunResult run(uint64_t budget) override {
    const uint64_t begun = hart_.instruction_count();
    // An engine that has not run from the beginning has nothing to remember.
    if (fault_ == "history" && !remembers_ && begun != 0) return inner().run(budget);
    remembers_ = true;
    const bool whole_block = begun + kBlockInstructions <= at_;
    if (begun >= at_ || budget < at_ - begun || (fault_ == "block" && !whole_block)) return inner().run(budget);
    const core::RunResult first = inner().run(at_ - begun);
    if (hart_.instruction_count() == at_) do_wrong();
    if (first.reason != core::StopReason::kBudget || first.executed == budget) return first;
    const core::RunResult second = inner().run(budget - first.executed);
    return {second.reason, first.executed + second.executed};
  }

  std::string describe_code(uint64_t) const override { return "code that is wrong on purpose"; }

 private:
  void do_wrong() {
    if (fault_ == "memory") {
      const core::RamWindow* ram = hart_.bus().window(0x8000'0000);
      ram->host[ram->size_bytes - 8] ^= 1;
    } else if (fault_ == "tlb") {
      hart_.tlb().flush_all();
    } else if (fault_ == "crash") {
      raise(SIGSEGV);
    } else if (fault_ == "count") {
      ++hart_.state().end_count;
    } else if (fault_ == "hang") {
      while (true) {
      }
    } else {
      auto* state = reinterpret_cast<uint8_t*>(&hart_.state());
      state[hart_.layout().find(kRegister)->offset] ^= 0x20;
    }
  }

  core::Hart& hart_;
  std::string fault_;
  uint64_t at_;
  bool remembers_ = false;
};

std::unique_ptr<core::Engine> make_broken(core::Hart& hart, const EngineSettings& settings, const EngineExtras&) {
  auto engine = parse_engine(settings.at("over"), "broken:over")->make(hart);
  const char* at = std::getenv("LOCKSTEP_BROKEN_AT");
  return std::make_unique<BrokenEngine>(hart, std::move(engine), settings.at("fault"),
                                        at == nullptr ? ~uint64_t{0} : std::strtoull(at, nullptr, 10));
}

const bool kAdded =
    (add_engine_kind({"broken",
                      {{"over", {"interpreter", "jit"}},
                       {"fault", {"register", "block", "count", "history", "memory", "tlb", "crash", "hang"}}},
                      &make_broken}),
     true);

}  // namespace
}  // namespace lockstep::cli
