// SPDX-License-Identifier: Apache-2.0
// Our design with something wrong between it and its pins, as a design of its own: --smmu-rtl PATH/spoiled_smmu.so.
// LOCKSTEP_SPOIL names what: "address", "answer", "event", "interrupt", "consumer" or "asserts"; nothing else is wrong.
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "smmu_rtl_bridge/rtl_device/design.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

constexpr uint32_t kCommandsConsumed = 0x9c;
// Accesses and commands that go right before something goes wrong.
constexpr unsigned kGoodAccesses = 100, kGoodReads = 20;
constexpr unsigned kEventRecordBeats = 4;

class Spoiled : public Design {
 public:
  Spoiled(std::unique_ptr<Design> good, std::string spoil) : good_(std::move(good)), spoil_(std::move(spoil)) {}

  bool has_idle() const override { return good_->has_idle(); }
  bool set(const std::string& name, uint64_t value) override { return good_->set(name, value); }
  std::string complaint() override { return spoil_ == "asserts" ? "planted" : good_->complaint(); }
  bool open_waveform(const std::string& path) override { return good_->open_waveform(path); }
  void record(bool on) override { good_->record(on); }

  void clock(const DesignInputs& in, DesignOutputs& out) override {
    good_->clock(in, out);
    if (in.reset) return;
    AxiManagerPins& down = out.downstream;
    if (spoil_ == "address" && accesses_ >= kGoodAccesses) {
      down.ar.address ^= down.ar.valid ? 0x1000 : 0;
      down.aw.address ^= down.aw.valid ? 0x1000 : 0;
    }
    if ((down.ar.valid && in.downstream.ar_ready) || (down.aw.valid && in.downstream.aw_ready)) ++accesses_;
    if (spoil_ == "answer" && accesses_ >= kGoodAccesses && out.client.r.valid) out.client.r.response = 2;
    if (out.memory.aw.valid) in_record_ = out.memory.aw.length + 1u == kEventRecordBeats;
    if (spoil_ == "event" && in_record_ && out.memory.w.valid && out.memory.w.last) out.memory.w.data ^= 0x8000;
    if (spoil_ == "interrupt") out.wires[0] = false;
    if (spoil_ == "asserts" && accesses_ >= kGoodAccesses) out.stopped = true;
    const bool reads = in.registers.select && in.registers.enable && !in.registers.write && out.registers.ready &&
                       in.registers.address == kCommandsConsumed;
    if (reads && ++reads_ > kGoodReads && spoil_ == "consumer") out.registers.data -= 1;
  }

 private:
  std::unique_ptr<Design> good_;
  std::string spoil_;
  unsigned accesses_ = 0, reads_ = 0;
  bool in_record_ = false;
};

Design* make_spoiled() {
  void* library = dlopen(LOCKSTEP_GOOD_DESIGN, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    std::abort();
  }
  const auto* file = static_cast<const DesignFile*>(dlsym(library, "lockstep_rtl_design"));
  const char* spoil = std::getenv("LOCKSTEP_SPOIL");
  return new Spoiled(std::unique_ptr<Design>(file->make()), spoil == nullptr ? "" : spoil);
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge

extern "C" const lockstep::smmu_rtl_bridge::DesignFile lockstep_rtl_design = {
    lockstep::smmu_rtl_bridge::kDesignInterface, "spoiled_smmu", "plain", &lockstep::smmu_rtl_bridge::make_spoiled};
