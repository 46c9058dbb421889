// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/vcpu/vcpu.h"

#include "core/memory/host_access.h"
#include "tlm_models/kernel/sim_time.h"
#include "tlm_models/vcpu/parallel_harts.h"

namespace lockstep::tlm_models {

namespace {
// Past so many, a hart asks for every one of them again.
constexpr size_t kMaxDevicePages = 4096;
}  // namespace

Vcpu::Vcpu(sc_core::sc_module_name name, Shared shared)
    : sc_core::sc_module(name), socket("socket"), shared_(std::move(shared)) {}

Vcpu::~Vcpu() = default;

void Vcpu::attach(std::unique_ptr<core::Hart> hart, std::unique_ptr<core::Engine> engine) {
  hart_ = std::move(hart);
  engine_ = std::move(engine);
}

void Vcpu::set_parallel(ParallelHarts* parallel) { parallel_ = parallel; }

const core::RamWindow* Vcpu::known_window(uint64_t paddr) const {
  for (const core::RamWindow& window : windows_) {
    if (window.contains(paddr)) return &window;
  }
  return nullptr;
}

const core::RamWindow* Vcpu::window(uint64_t paddr) {
  if (const core::RamWindow* known = known_window(paddr); known != nullptr) return known;
  if (parallel_ == nullptr) return ask_for_window(paddr);
  if (devices_.contains(paddr & core::kPageMask)) return nullptr;
  const core::RamWindow* found = nullptr;
  parallel_->on_machine_thread([&] { found = ask_for_window(paddr); });
  if (found != nullptr) return found;
  if (devices_.size() >= kMaxDevicePages) devices_.clear();
  devices_.insert(paddr & core::kPageMask);
  return nullptr;
}

const core::RamWindow* Vcpu::ask_for_window(uint64_t paddr) {
  tlm::tlm_dmi dmi;
  payload_.set_command(tlm::TLM_READ_COMMAND);
  payload_.set_address(paddr);
  payload_.set_extension(&window_extension_);
  const bool granted = socket->get_direct_mem_ptr(payload_, dmi);
  payload_.clear_extension(&window_extension_);
  if (!granted) return nullptr;
  windows_.push_back(window_extension_.window);
  return &windows_.back();
}

bool Vcpu::transfer(tlm::tlm_command command, uint64_t paddr, unsigned size_bytes, uint64_t& value) {
  payload_.set_command(command);
  payload_.set_address(paddr);
  payload_.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
  payload_.set_data_length(size_bytes);
  payload_.set_streaming_width(size_bytes);
  payload_.set_byte_enable_ptr(nullptr);
  payload_.set_dmi_allowed(false);
  payload_.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  // Before a machine's first turn, and in tests without a hart, the access happens at simulated time itself.
  const uint64_t lead_ns = hart_ ? hart_->executed_in_turn() * hart_->clock().ns_per_instruction() : 0;
  sc_core::sc_time delay = from_ns(lead_ns);
  socket->b_transport(payload_, delay);
  return payload_.is_response_ok();
}

bool Vcpu::read(uint64_t paddr, unsigned size_bytes, uint64_t& value) {
  value = 0;
  if (parallel_ == nullptr) return transfer(tlm::TLM_READ_COMMAND, paddr, size_bytes, value);
  bool done = false;
  parallel_->on_machine_thread([&] { done = transfer(tlm::TLM_READ_COMMAND, paddr, size_bytes, value); });
  return done;
}

bool Vcpu::write(uint64_t paddr, unsigned size_bytes, uint64_t value) {
  if (parallel_ == nullptr) return transfer(tlm::TLM_WRITE_COMMAND, paddr, size_bytes, value);
  bool done = false;
  parallel_->on_machine_thread([&] { done = transfer(tlm::TLM_WRITE_COMMAND, paddr, size_bytes, value); });
  return done;
}

void Vcpu::ram_written(uint64_t paddr, uint64_t size_bytes) {
  if (parallel_ == nullptr) return shared_.ram_written(paddr, size_bytes);
  parallel_->on_machine_thread([&] { shared_.ram_written(paddr, size_bytes); });
}

void Vcpu::page_has_code(uint64_t paddr) {
  if (parallel_ == nullptr) return shared_.page_has_code(paddr);
  // Flags of code go away only while this hart stands still.
  const core::RamWindow* known = known_window(paddr);
  if (known != nullptr && known->page_flags != nullptr &&
      (core::host_access::flags(&known->page_flags[(paddr - known->base) / core::kPageSize]) & core::kPageHasCode)) {
    return;
  }
  parallel_->on_machine_thread([&] { shared_.page_has_code(paddr); });
}

}  // namespace lockstep::tlm_models
