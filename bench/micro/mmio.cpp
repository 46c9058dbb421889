// SPDX-License-Identifier: Apache-2.0
// What an access to a device costs: transaction, router, decoding by the register table, and side effects.
#include <benchmark/benchmark.h>
#include <tlm_utils/simple_initiator_socket.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <systemc>
#include <tlm>
#include <vector>

#include "tlm_models/kernel/device.h"
#include "tlm_models/kernel/router.h"

namespace lockstep::tlm_models {
namespace {

constexpr uint64_t kDeviceBase = 0x10000;
constexpr uint64_t kDeviceBytes = 0x1000;
constexpr unsigned kRegisters = 32;
constexpr uint64_t kCounterOffset = 4 * kRegisters;

// Plain registers, and one whose reads have an effect.
class Registers : public Device {
 public:
  explicit Registers(sc_core::sc_module_name name) : Device(name, {4, 4}) {
    RegisterSpec data;
    data.name = "DATA";
    data.count = kRegisters;
    registers().add(data);
    RegisterSpec counter;
    counter.offset = kCounterOffset;
    counter.name = "COUNTER";
    counter.on_read = [this](auto, auto, auto) { return ++reads_; };
    registers().add(counter);
  }

 private:
  uint64_t reads_ = 0;
};

class Initiator : public sc_core::sc_module {
 public:
  tlm_utils::simple_initiator_socket<Initiator> socket;

  explicit Initiator(sc_core::sc_module_name name) : sc_core::sc_module(name), socket("socket") {}

  void access(tlm::tlm_command command, uint64_t address, uint32_t& value) {
    payload_.set_command(command);
    payload_.set_address(address);
    payload_.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
    payload_.set_data_length(sizeof value);
    payload_.set_streaming_width(sizeof value);
    payload_.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    socket->b_transport(payload_, delay_);
  }

 private:
  tlm::tlm_generic_payload payload_;
  sc_core::sc_time delay_;
};

// The argument is the number of devices on the bus.
struct Platform {
  Router router{"router"};
  Initiator cpu{"cpu"};
  std::vector<std::unique_ptr<Registers>> devices;

  explicit Platform(unsigned count) {
    cpu.socket.bind(router.in);
    for (unsigned i = 0; i < count; ++i) {
      devices.push_back(std::make_unique<Registers>(("device" + std::to_string(i)).c_str()));
      const auto status = router.map(devices.back()->name(), kDeviceBase + i * kDeviceBytes, kDeviceBytes,
                                     Router::Kind::kDevice, devices.back()->socket);
      if (!status.ok()) std::abort();
    }
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }
};

// SystemC has one simulation a process and cannot take it down again, so all benchmarks share the platform.
constexpr unsigned kDevices = 16;
Platform& platform() {
  static auto* const shared = new Platform(kDevices);
  return *shared;
}

void repeat(benchmark::State& state, tlm::tlm_command command, uint64_t offset) {
  Initiator& cpu = platform().cpu;
  uint32_t value = 0;
  uint64_t device = 0;
  for (auto _ : state) {
    device = (device + 1) % kDevices;
    cpu.access(command, kDeviceBase + device * kDeviceBytes + offset, value);
    benchmark::DoNotOptimize(value);
  }
  state.SetItemsProcessed(state.iterations());
}

void mmio_read(benchmark::State& state) { repeat(state, tlm::TLM_READ_COMMAND, 8); }
void mmio_write(benchmark::State& state) { repeat(state, tlm::TLM_WRITE_COMMAND, 8); }
void mmio_read_with_effect(benchmark::State& state) { repeat(state, tlm::TLM_READ_COMMAND, kCounterOffset); }
BENCHMARK(mmio_read);
BENCHMARK(mmio_write);
BENCHMARK(mmio_read_with_effect);

}  // namespace
}  // namespace lockstep::tlm_models

BENCHMARK_MAIN();
