// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/rtl_device/client_port.h"

#include <algorithm>
#include <cstring>

namespace lockstep::smmu_rtl_bridge {
namespace {

constexpr unsigned kGapChannel = 40, kStallChannel = 41, kIdChannel = 42;
constexpr uint64_t kPageOffset = 4095;

// The burst of an access: narrow where one beat will do, of whole lanes otherwise.
AxiAddress burst_of(const ClientAccess& access, uint32_t axi_id) {
  AxiAddress address;
  address.valid = true;
  address.id = axi_id;
  address.address = access.address;
  address.size = 3;
  for (uint8_t log2 = 0; log2 < 3; ++log2)
    if (access.size_bytes == 1u << log2 && access.address % access.size_bytes == 0) address.size = log2;
  const uint64_t bytes = uint64_t{1} << address.size;
  const uint64_t first = access.address & ~(bytes - 1);
  address.length = static_cast<uint8_t>((access.address + access.size_bytes - 1 - first) / bytes);
  address.prot = static_cast<uint8_t>((access.privileged ? 1 : 0) | (access.attributes.secure ? 0 : 2) |
                                      (access.instruction ? 4 : 0));
  address.type = access.attributes.type;
  address.shareability = access.attributes.shareability;
  address.stream_id = access.stream_id;
  address.substream_id = access.substream_id;
  address.substream_valid = access.substream_valid;
  address.translated = access.translated;
  address.atomic = access.atomic;
  return address;
}

uint64_t word_of(uint64_t id, unsigned beat, uint64_t salt) {
  uint64_t value = (id << 8 | beat) * 0x9e3779b97f4a7c15 + salt;
  value ^= value >> 29;
  return value | 1;
}

}  // namespace

uint64_t written_word(uint64_t id, unsigned beat) { return word_of(id, beat, 0x57); }
uint64_t read_word(uint64_t id, unsigned beat) { return word_of(id, beat, 0xd5000000); }

ClientPort::ClientPort(Owner& owner, const PinTiming& timing)
    : owner_(owner),
      timing_(timing),
      gap_(timing.seed, kGapChannel),
      stall_(timing.seed, kStallChannel),
      ids_(timing.seed, kIdChannel) {}

void ClientPort::reset(AxiManagerPins& pins) {
  flights_.clear();
  waiting_.reset();
  write_data_.clear();
  taken_ = 0;
  pins = {};
}

bool ClientPort::offer(const ClientAccess& access, uint64_t cycle) {
  if (taken_ == access.id && taken_ != 0) {
    taken_ = 0;
    return true;
  }
  if (waiting_ || flights_.size() >= kFlightsMax) return false;
  // Two that look alike downstream are not under way together: nobody could tell which is which.
  const bool write = access.write;
  for (const auto& flight : flights_)
    if (flight->access.write == write && ((flight->access.address ^ access.address) & kPageOffset) == 0) return false;
  begin(access, cycle);
  return false;
}

void ClientPort::begin(const ClientAccess& access, uint64_t cycle) {
  waiting_ = std::make_unique<ClientFlight>();
  waiting_->access = access;
  waiting_->burst =
      AxiBurst(burst_of(access, static_cast<uint32_t>(ids_.up_to(timing_.client_ids - 1, access.id))), access.write);
  AxiBurst& burst = waiting_->burst;
  begins_at_ = cycle + gap_.up_to(timing_.client_gap, access.id);
  if (!access.write) return;
  for (unsigned beat = 0; beat < burst.beats; ++beat) {
    AxiWriteData data;
    data.valid = true;
    data.last = beat + 1 == burst.beats;
    data.data = write_bytes_ ? 0 : written_word(access.id, beat);
    const uint64_t end = access.address + access.size_bytes;
    for (unsigned lane = 0; lane < 8; ++lane) {
      const uint64_t at = burst.word(beat) + lane;
      if (at < std::max(access.address, burst.first_byte(beat)) || at >= end ||
          at >= burst.first_byte(beat) + burst.bytes(beat))
        continue;
      data.strobe |= static_cast<uint8_t>(1u << lane);
      if (write_bytes_) data.data |= uint64_t{write_bytes_[at - access.address]} << (8 * lane);
    }
    burst.data[beat] = data.data;
    burst.strobe[beat] = data.strobe;
    write_data_.push_back(data);
  }
  write_data_at_ = begins_at_ + gap_.up_to(timing_.client_gap, access.id ^ 0x5555);
}

void ClientPort::update(uint64_t cycle, AxiManagerPins& pins, const AxiSubordinatePins& design) {
  // What the design took in the cycle that has just ended.
  const auto take = [&](AxiAddress& channel, bool ready) {
    if (!channel.valid || !ready) return;
    channel = {};
    taken_ = waiting_->access.id;
    flights_.push_back(std::move(waiting_));
  };
  take(pins.ar, design.ar_ready);
  take(pins.aw, design.aw_ready);
  if (pins.w.valid && design.w_ready) {
    pins.w = {};
    write_data_at_ = std::max(write_data_at_, cycle + gap_.up_to(timing_.client_gap, cycle));
  }
  if (design.r.valid && pins.r_ready) {
    // An answer that nobody waits for is the checker's business.
    if (ClientFlight* flight = oldest(design.r.id, false)) {
      AxiBurst& burst = flight->burst;
      if (burst.done < burst.beats) burst.data[burst.done++] = design.r.data;
      if (design.r.response != kAxiOkay) flight->response = design.r.response;
      if (design.r.last) finish(flight);
    }
  }
  if (design.b.valid && pins.b_ready) {
    if (ClientFlight* flight = oldest(design.b.id, true)) {
      flight->response = design.b.response;
      finish(flight);
    }
  }
  // The next cycle.
  if (waiting_ && begins_at_ <= cycle) (waiting_->access.write ? pins.aw : pins.ar) = waiting_->burst.address;
  if (!pins.w.valid && !write_data_.empty() && write_data_at_ <= cycle) {
    pins.w = write_data_.front();
    write_data_.pop_front();
  }
  constexpr uint64_t kChannels = 2;
  pins.r_ready = !stall_.chance(timing_.client_stall, cycle * kChannels);
  pins.b_ready = !stall_.chance(timing_.client_stall, cycle * kChannels + 1);
}

ClientFlight* ClientPort::oldest(uint32_t axi_id, bool write) {
  for (const auto& flight : flights_)
    if (flight->access.write == write && flight->burst.address.id == axi_id) return flight.get();
  return nullptr;
}

void ClientPort::finish(ClientFlight* flight) {
  const auto found = std::find_if(flights_.begin(), flights_.end(), [&](const auto& f) { return f.get() == flight; });
  const std::unique_ptr<ClientFlight> done = std::move(*found);
  flights_.erase(found);
  owner_.answered(*done);
}

ClientFlight* ClientPort::find(const AxiAddress& downstream, bool write) {
  ClientFlight* forwarded_already = nullptr;
  ClientFlight* only = nullptr;
  size_t others = 0;
  const auto look = [&](ClientFlight& flight) -> bool {
    if (flight.access.write != write) return false;
    if (((flight.access.address ^ downstream.address) & kPageOffset) == 0) {
      if (!flight.forwarded) return true;
      forwarded_already = &flight;
    } else if (!flight.forwarded) {
      only = &flight;
      ++others;
    }
    return false;
  };
  for (const auto& flight : flights_)
    if (look(*flight)) return flight.get();
  // A design may be so quick that it sends on what it takes in the same cycle.
  if (waiting_ && look(*waiting_)) return waiting_.get();
  if (forwarded_already) return forwarded_already;
  // It went to a wrong place, and it is clear which one it is.
  return others == 1 ? only : nullptr;
}

ClientFlight* ClientPort::by_id(uint64_t id) {
  for (const auto& flight : flights_)
    if (flight->access.id == id) return flight.get();
  if (waiting_ && waiting_->access.id == id) return waiting_.get();
  return nullptr;
}

}  // namespace lockstep::smmu_rtl_bridge
