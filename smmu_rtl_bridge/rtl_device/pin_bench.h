// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "smmu_rtl_bridge/device.h"
#include "smmu_rtl_bridge/rtl_device/axi_memory.h"
#include "smmu_rtl_bridge/rtl_device/client_port.h"
#include "smmu_rtl_bridge/rtl_device/design.h"
#include "smmu_rtl_bridge/rtl_device/pin_checker.h"
#include "smmu_rtl_bridge/ticks.h"

namespace lockstep::smmu_rtl_bridge {

// The real bytes of clients' accesses, where a machine is around the design. Without one, data are words that name
// their access, and the bench checks that they arrive.
class ClientData {
 public:
  virtual ~ClientData() = default;
  // Downstream of the design; false is a bus error.
  virtual bool read(uint64_t id, uint64_t address, uint8_t* bytes, size_t size_bytes) = 0;
  virtual bool write(uint64_t id, uint64_t address, const uint8_t* bytes, size_t size_bytes) = 0;
  // What an access that has been read brought back.
  virtual void arrived(uint64_t id, const uint8_t* bytes, size_t size_bytes) = 0;
};

// Everything around a design, at its pins: transactors for its AXI4 and APB ports and its interrupts, and checkers on
// each. Calls of the surroundings come out of cycle().
class PinBench : AxiMemory::Handler, ClientPort::Owner {
 public:
  // Cycles without an answer of the registers port after which it counts as dead.
  static constexpr uint64_t kApbWaitMax = 20'000;
  static constexpr unsigned kResetCycles = 8;
  // Of a design without an idle output: cycles without anything at its pins after which it counts as idle.
  static constexpr unsigned kQuietCycles = 96;

  PinBench(std::unique_ptr<Design> design, const PinTiming& timing, Surroundings& surroundings);

  void set_data(ClientData* data) { data_ = data; }
  // Handshakes are written here, one a line.
  void set_log(std::ostream* log) { log_ = log; }
  // In cycles since the last reset.
  void set_waveform_window(uint64_t first_cycle, uint64_t last_cycle);

  void reset();
  void cycle();
  bool access_register(uint32_t offset, bool write, unsigned size_bytes, uint64_t& value);
  bool offer(const ClientAccess& access) { return clients_.offer(access, cycle_); }
  // The bytes of the write that is offered next; null: words that name it.
  void set_write_data(const uint8_t* bytes) { clients_.set_write_data(bytes); }
  bool idle() const;
  // After the first breach nothing of what the design does has a meaning.
  bool broken() const { return broken_; }
  // Since the last reset, so that a script is the same to the cycle wherever it is played.
  uint64_t cycles() const { return cycle_; }
  // Time inside the design, in the processor's own ticks.
  uint64_t design_ticks() const { return design_ticks_.total(); }
  Design& design() { return *design_; }

 private:
  // Downstream of the design.
  class Downstream : public AxiMemory::Handler {
   public:
    explicit Downstream(PinBench& bench) : bench_(bench) {}
    void taken(AxiBurst& burst) override;
    void read(AxiBurst& burst) override;
    void write(AxiBurst& burst) override;

   private:
    PinBench& bench_;
  };

  void taken(AxiBurst& burst) override;
  void read(AxiBurst& burst) override;
  void write(AxiBurst& burst) override;
  void answered(ClientFlight& flight) override;
  bool put_off(AxiBurst& burst);
  void breach(const char* rule, std::string text);
  bool access_word(uint32_t offset, bool write, uint32_t& word, uint8_t strobe);
  void log_cycle() const;
  bool anything_valid() const;
  void check_rest();

  std::unique_ptr<Design> design_;
  PinTiming timing_;
  Surroundings& surroundings_;
  ClientData* data_ = nullptr;
  std::ostream* log_ = nullptr;
  DesignInputs in_;
  DesignOutputs out_;
  Downstream downstream_handler_;
  AxiMemory memory_, downstream_;
  ClientPort clients_;
  AxiChecker client_checker_{"client"}, downstream_checker_{"downstream"}, memory_checker_{"memory"};
  ApbChecker registers_checker_;
  uint64_t cycle_ = 0;
  SampledTicks design_ticks_{13};
  unsigned quiet_cycles_ = 0;
  bool busy_ = false;     // something is valid or under way, the registers port apart
  bool resting_ = false;  // the design said in the last cycle that it is idle, with nothing at its pins
  bool broken_ = false;
  uint64_t record_from_ = ~uint64_t{0}, record_to_ = 0;
  bool recording_ = false;
};

}  // namespace lockstep::smmu_rtl_bridge
