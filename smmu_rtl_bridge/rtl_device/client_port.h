// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "smmu_rtl_bridge/observer.h"
#include "smmu_rtl_bridge/rtl_device/axi_memory.h"
#include "smmu_rtl_bridge/rtl_device/timing.h"

namespace lockstep::smmu_rtl_bridge {

// One access of a client on its way: upstream, downstream and back.
struct ClientFlight {
  ClientAccess access;
  AxiBurst burst;  // data as it is written, or as it came back
  bool forwarded = false;
  bool failed_downstream = false;
  uint8_t downstream_response = kAxiOkay;
  uint8_t response = kAxiOkay;  // upstream
};

// The clients: the manager of the design's client port. Accesses of one AXI ID are answered in order.
class ClientPort {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    // The access has its whole answer in flight.response and flight.burst.
    virtual void answered(ClientFlight& flight) = 0;
  };
  static constexpr size_t kFlightsMax = 256;

  ClientPort(Owner& owner, const PinTiming& timing);

  void reset(AxiManagerPins& pins);
  // True when the design has taken the access, which is some cycles after the first time. The next one may be offered
  // then.
  bool offer(const ClientAccess& access, uint64_t cycle);
  void update(uint64_t cycle, AxiManagerPins& pins, const AxiSubordinatePins& design);
  // The access that comes out downstream: what it is follows from what an SMMU leaves as it is, the place in the page
  // and the direction. None: nobody asked for anything like it.
  ClientFlight* find(const AxiAddress& downstream, bool write);
  ClientFlight* by_id(uint64_t id);
  bool idle() const { return flights_.empty() && !waiting_ && write_data_.empty(); }
  size_t in_flight() const { return flights_.size(); }
  // Gives every write its data, before it is offered; zero-filled otherwise.
  void set_write_data(const uint8_t* bytes) { write_bytes_ = bytes; }

 private:
  void begin(const ClientAccess& access, uint64_t cycle);
  ClientFlight* oldest(uint32_t axi_id, bool write);
  void finish(ClientFlight* flight);

  Owner& owner_;
  const PinTiming timing_;
  ChannelDice gap_, stall_, ids_;
  std::deque<std::unique_ptr<ClientFlight>> flights_;  // the oldest first
  std::unique_ptr<ClientFlight> waiting_;              // whose address the design has not taken
  uint64_t begins_at_ = 0;                             // cycle
  uint64_t taken_ = 0;                                 // the access that was taken last, until offer() has told
  std::deque<AxiWriteData> write_data_;
  uint64_t write_data_at_ = 0;  // cycle before which no beat goes
  const uint8_t* write_bytes_ = nullptr;
};

// What the bench writes and reads where a script says nothing about data: words that name their access.
uint64_t written_word(uint64_t id, unsigned beat);
uint64_t read_word(uint64_t id, unsigned beat);

}  // namespace lockstep::smmu_rtl_bridge
