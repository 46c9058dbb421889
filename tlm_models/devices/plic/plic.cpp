// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/devices/plic/plic.h"

namespace lockstep::tlm_models {

Plic::Plic(sc_core::sc_module_name name, unsigned harts) : Device(name, {4, 8}), irqs_(harts * 2) {
  registers_.add({.offset = 0, .name = "PRIORITY0", .write_mask = 0, .doc = "source 0 does not exist"});
  priority_ = registers_.add({.offset = 4,
                              .name = "PRIORITY",
                              .write_mask = kPriorityMask,
                              .count = kSources - 1,
                              .doc = "priority of source index + 1, 0 to 7; 0 never interrupts",
                              .on_write = [this](unsigned, uint64_t, uint64_t) { update(); }});
  pending_ = registers_.add(
      {.offset = 0x1000, .name = "PENDING", .write_mask = 0, .count = kWords, .doc = "one bit a source"});
  // The enables of a context are adjacent words, the contexts 0x80 apart, so each context is a row of its own.
  for (unsigned context = 0; context < irqs_.size(); ++context) {
    for (unsigned word = 0; word < kWords; ++word) {
      const RegisterId id = registers_.add({.offset = 0x2000 + context * 0x80 + word * 4,
                                            .name = "ENABLE_C" + std::to_string(context) + "_" + std::to_string(word),
                                            .write_mask = word == 0 ? 0xfffffffe : 0xffffffff,
                                            .doc = "one bit a source",
                                            .on_write = [this](unsigned, uint64_t, uint64_t) { update(); }});
      if (context == 0 && word == 0) enable_ = id;
    }
  }
  threshold_ = registers_.add({.offset = 0x200000,
                               .name = "THRESHOLD",
                               .write_mask = kPriorityMask,
                               .count = contexts(),
                               .stride_bytes = 0x1000,
                               .doc = "only sources of a higher priority interrupt the context",
                               .on_write = [this](unsigned, uint64_t, uint64_t) { update(); }});
  registers_.add({.offset = 0x200004,
                  .name = "CLAIM",
                  .write_mask = 0,
                  .count = contexts(),
                  .stride_bytes = 0x1000,
                  .doc = "reading claims the best pending source, writing completes one",
                  .on_read = [this](unsigned context, uint64_t, uint64_t) { return claim(context); },
                  .on_write = [this](unsigned context, uint64_t source, uint64_t) { complete(context, source); }});
  claimed_ = registers_.add(
      {.offset = kNoAddress, .name = "CLAIMED", .count = kWords, .doc = "sources between claim and completion"});
  input_ = registers_.add({.offset = kNoAddress, .name = "INPUT", .count = kWords, .doc = "levels of the sources"});
}

void Plic::set_bit(RegisterId id, unsigned source, bool on) {
  const uint64_t mask = uint64_t{1} << (source % 32);
  const uint64_t word = registers_.get(id, source / 32);
  registers_.set(id, on ? word | mask : word & ~mask, source / 32);
}

void Plic::set_source(unsigned source, bool level) {
  if (source == 0 || source >= kSources || (!level && edge_triggered(source))) return;
  set_bit(input_, source, level);
  set_bit(pending_, source, level && !bit(claimed_, source));
  update();
}

unsigned Plic::best(unsigned context) const {
  uint64_t best_priority = registers_.get(threshold_, context);
  unsigned best_source = 0;
  for (unsigned word = 0; word < kWords; ++word) {
    uint64_t candidates = registers_.get(pending_, word) & registers_.get(enable_ + context * kWords + word);
    while (candidates != 0) {
      const unsigned source = word * 32 + static_cast<unsigned>(__builtin_ctzll(candidates));
      candidates &= candidates - 1;
      const uint64_t priority = registers_.get(priority_, source - 1);
      if (priority > best_priority) {
        best_priority = priority;
        best_source = source;
      }
    }
  }
  return best_source;
}

uint64_t Plic::claim(unsigned context) {
  const unsigned source = best(context);
  if (source == 0) return 0;
  set_bit(pending_, source, false);
  set_bit(claimed_, source, true);
  if (edge_triggered(source)) set_bit(input_, source, false);
  update();
  return source;
}

void Plic::complete(unsigned context, uint64_t source) {
  if (source == 0 || source >= kSources) return;
  const auto number = static_cast<unsigned>(source);
  if (((registers_.get(enable_ + context * kWords + number / 32) >> (number % 32)) & 1) == 0) return;
  set_bit(claimed_, number, false);
  set_bit(pending_, number, bit(input_, number));
  update();
}

void Plic::update() {
  for (unsigned context = 0; context < irqs_.size(); ++context) irqs_[context].set(best(context) != 0);
}

void Plic::reset() {
  // Inputs are wires driven by other devices; only what the controller remembers is reset.
  std::vector<uint64_t> inputs;
  for (unsigned word = 0; word < kWords; ++word) inputs.push_back(registers_.get(input_, word));
  Device::reset();
  for (unsigned word = 0; word < kWords; ++word) {
    registers_.set(input_, inputs[word], word);
    registers_.set(pending_, inputs[word], word);
  }
  update();
}

void Plic::restore_extra(StateReader&) {
  for (unsigned context = 0; context < irqs_.size(); ++context) irqs_[context].restore(best(context) != 0);
}

}  // namespace lockstep::tlm_models
