// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/rtl_device/pin_bench.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <iomanip>
#include <vector>

#include "smmu_rtl_bridge/names.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

constexpr unsigned kMemoryChannel = 1, kDownstreamChannel = 2;
// A device's own accesses are told in pieces that stay inside a cache line.
constexpr uint64_t kPieceBytes = 64;

AxiMemory::Timing memory_timing(const PinTiming& timing) {
  return {timing.memory_base,          timing.memory_latency, timing.memory_stall,
          timing.memory_disorder != 0, timing.decode_errors,  timing.memory_early};
}
AxiMemory::Timing downstream_timing(const PinTiming& timing) {
  return {0, timing.downstream_latency, timing.downstream_stall, timing.downstream_disorder != 0, timing.decode_errors,
          0, timing.downstream_room};
}

Attributes attributes_of(const AxiAddress& address) {
  Attributes attributes;
  attributes.type = address.type;
  attributes.shareability = address.shareability;
  attributes.secure = !(address.prot & 2);
  return attributes;
}

// All lanes of a burst's beats, zeros at first. Most bursts are short, so not all of the longest one's.
class Lanes {
 public:
  explicit Lanes(const AxiBurst& burst) : size_(8 * (burst.beats + size_t{1})) {
    std::fill_n(bytes_.begin(), size_, uint8_t{0});
  }
  uint8_t* data() { return bytes_.data(); }
  size_t size() const { return size_; }
  uint8_t& operator[](size_t i) { return bytes_[i]; }

 private:
  size_t size_;
  std::array<uint8_t, 8 * (kBeatsMax + 1)> bytes_;
};

uint64_t end_of(const AxiBurst& burst) { return burst.first_byte(burst.beats - 1) + burst.bytes(burst.beats - 1); }

}  // namespace

PinBench::PinBench(std::unique_ptr<Design> design, const PinTiming& timing, Surroundings& surroundings)
    : design_(std::move(design)),
      timing_(timing),
      surroundings_(surroundings),
      downstream_handler_(*this),
      memory_(*this, memory_timing(timing), timing.seed, kMemoryChannel),
      downstream_(downstream_handler_, downstream_timing(timing), timing.seed, kDownstreamChannel),
      clients_(*this, timing) {
  reset();
}

void PinBench::set_waveform_window(uint64_t first_cycle, uint64_t last_cycle) {
  record_from_ = first_cycle;
  record_to_ = last_cycle;
}

void PinBench::reset() {
  in_ = {};
  clients_.reset(in_.client);
  memory_.reset();
  downstream_.reset();
  in_.reset = true;
  for (unsigned i = 0; i < kResetCycles; ++i) design_->clock(in_, out_);
  cycle_ = 0;
  client_checker_.reset();
  downstream_checker_.reset();
  memory_checker_.reset();
  registers_checker_ = {};
  in_.reset = false;
  quiet_cycles_ = 0;
  busy_ = anything_valid();
  resting_ = false;
}

void PinBench::breach(const char* rule, std::string text) {
  if (broken_) return;
  broken_ = true;
  surroundings_.broke_promise(rule, text + ", in cycle " + std::to_string(cycle_));
}

void PinBench::cycle() {
  if (record_from_ <= record_to_ && (cycle_ >= record_from_ && cycle_ <= record_to_) != recording_) {
    recording_ = !recording_;
    design_->record(recording_);
  }
  // Somebody may have asked something since, and what is asked in this cycle shows in the next.
  const bool asked = busy_ || in_.registers.select;
  resting_ = resting_ && !asked;
  design_ticks_.around([&] { design_->clock(in_, out_); });
  ++cycle_;
  if (resting_) check_rest();
  if (out_.stopped) breach("rtl.assertion", "the design says: " + design_->complaint());
  if (log_) log_cycle();
  PinBreach found;
  client_checker_.watch(in_.client, out_.client, found);
  downstream_checker_.watch(out_.downstream, in_.downstream, found);
  memory_checker_.watch(out_.memory, in_.memory, found);
  registers_checker_.watch(in_.registers, out_.registers, found);
  if (found.rule) breach(found.rule, found.text);
  if (broken_) return;
  for (size_t i = 0; i < kWires; ++i)
    if (out_.wires[i]) surroundings_.pulse(static_cast<Wire>(i));
  // Downstream before upstream: a design may answer in the cycle in which it is answered.
  downstream_.update(cycle_, out_.downstream, in_.downstream);
  memory_.update(cycle_, out_.memory, in_.memory);
  clients_.update(cycle_, in_.client, out_.client);
  busy_ = anything_valid();
  quiet_cycles_ = busy_ || in_.registers.select ? 0 : quiet_cycles_ + 1;
  resting_ = !asked && quiet_cycles_ != 0 && out_.idle && design_->has_idle();
}

// A design that is idle does nothing until somebody asks it something.
void PinBench::check_rest() {
  const bool wire = std::any_of(out_.wires.begin(), out_.wires.end(), [](bool on) { return on; });
  const char* what = wire                                                                              ? "a wire"
                     : out_.memory.ar.valid || out_.memory.aw.valid || out_.memory.w.valid             ? "its memory"
                     : out_.downstream.ar.valid || out_.downstream.aw.valid || out_.downstream.w.valid ? "downstream"
                     : out_.client.r.valid || out_.client.b.valid                                      ? "its clients"
                     : !out_.idle ? "its idle output"
                                  : nullptr;
  if (what) breach("pins.idle", std::string("the design was idle, nobody asked anything, and it moves ") + what);
}

// Of many bits, few of which can be foretold: without a branch for each.
bool PinBench::anything_valid() const {
  const auto asks = [](const AxiManagerPins& pins) {
    return static_cast<unsigned>(pins.ar.valid) | static_cast<unsigned>(pins.aw.valid) |
           static_cast<unsigned>(pins.w.valid);
  };
  const auto answers = [](const AxiSubordinatePins& pins) {
    return static_cast<unsigned>(pins.r.valid) | static_cast<unsigned>(pins.b.valid);
  };
  return (asks(in_.client) | asks(out_.downstream) | asks(out_.memory) | answers(out_.client) |
          answers(in_.downstream) | answers(in_.memory)) != 0 ||
         !memory_.idle() || !downstream_.idle();
}

bool PinBench::idle() const {
  if (broken_) return true;
  if (!design_->has_idle()) return quiet_cycles_ >= kQuietCycles;
  return out_.idle && quiet_cycles_ > 0;
}

// ---- registers

bool PinBench::access_word(uint32_t offset, bool write, uint32_t& word, uint8_t strobe) {
  ApbRequest& request = in_.registers;
  request.select = true;
  request.enable = false;
  request.write = write;
  request.address = offset;
  request.data = word;
  request.strobe = strobe;
  cycle();
  request.enable = true;
  bool done = false;
  for (uint64_t waited = 0; waited < kApbWaitMax && !broken_ && !done; ++waited) {
    cycle();
    done = out_.registers.ready;
  }
  request = {};
  if (broken_) return true;
  if (!done) {
    breach("pins.apb", "registers port: no PREADY for " + std::to_string(kApbWaitMax) + " cycles at offset " +
                           std::to_string(offset));
    return true;
  }
  word = out_.registers.data;
  return !out_.registers.error;
}

bool PinBench::access_register(uint32_t offset, bool write, unsigned size_bytes, uint64_t& value) {
  if (broken_) {
    if (!write) value = 0;
    return true;
  }
  const unsigned lane = offset & 3;
  const unsigned size = std::min(size_bytes, 8u);
  const auto strobe = static_cast<uint8_t>(size >= 4 ? 0xf : ((1u << size) - 1) << lane & 0xf);
  auto word = static_cast<uint32_t>(value << (8 * lane));
  bool good = access_word(offset & ~3u, write, word, strobe);
  if (!write) value = word >> (8 * lane) & (size >= 4 ? 0xffffffffu : (1u << (8 * size)) - 1);
  if (size != 8) return good;
  auto high = static_cast<uint32_t>(value >> 32);
  good = access_word((offset & ~3u) + 4, write, high, 0xf) && good;
  if (!write) value |= uint64_t{high} << 32;
  return good;
}

// ---- the device's own memory accesses

void PinBench::taken(AxiBurst& burst) { burst.early = put_off(burst); }

// True where memory is slow there.
bool PinBench::put_off(AxiBurst& burst) {
  const uint64_t cycles = surroundings_.extra_cycles(burst.address.address);
  burst.ready_at += cycles;
  burst.slow = cycles != 0;
  return burst.slow;
}

void PinBench::read(AxiBurst& burst) {
  Lanes bytes(burst);
  const uint64_t base = burst.word(0);
  for (uint64_t at = burst.address.address; at < end_of(burst);) {
    const uint64_t end = std::min(end_of(burst), (at / kPieceBytes + 1) * kPieceBytes);
    if (surroundings_.read(at, bytes.data() + (at - base), end - at, attributes_of(burst.address)) !=
        MemoryAnswer::kDone)
      burst.failed = true;
    at = end;
  }
  for (unsigned beat = 0; beat < burst.beats; ++beat)
    std::memcpy(&burst.data[beat], bytes.data() + (burst.word(beat) - base), sizeof burst.data[beat]);
}

void PinBench::write(AxiBurst& burst) {
  Lanes bytes(burst);
  std::vector<bool> written(bytes.size() + 1);
  const uint64_t base = burst.word(0);
  for (unsigned beat = 0; beat < burst.beats; ++beat)
    for (unsigned lane = 0; lane < 8; ++lane) {
      if (!(burst.strobe[beat] >> lane & 1)) continue;
      const uint64_t at = burst.word(beat) - base + lane;
      bytes[at] = static_cast<uint8_t>(burst.data[beat] >> (8 * lane));
      written[at] = true;
    }
  for (size_t at = 0; at < bytes.size();) {
    if (!written[at]) {
      ++at;
      continue;
    }
    size_t end = at;
    while (written[end] && (end == at || (base + end) % kPieceBytes != 0)) ++end;
    if (surroundings_.write(base + at, bytes.data() + at, end - at, attributes_of(burst.address)) !=
        MemoryAnswer::kDone)
      burst.failed = true;
    at = end;
  }
}

// ---- what clients reach

void PinBench::Downstream::taken(AxiBurst& burst) {
  ClientFlight* flight = bench_.clients_.find(burst.address, burst.write);
  if (!flight) {
    bench_.breach("pins.unasked", "downstream port: an access to " + std::to_string(burst.address.address) +
                                      " that no client has made");
    return;
  }
  bench_.put_off(burst);
  burst.owner = flight->access.id;
  flight->forwarded = true;
  ForwardedAccess forwarded;
  forwarded.id = flight->access.id;
  forwarded.address = burst.address.address;
  forwarded.privileged = burst.address.prot & 1;
  forwarded.instruction = burst.address.prot & 4;
  forwarded.attributes = attributes_of(burst.address);
  burst.failed = bench_.surroundings_.forward(forwarded) != MemoryAnswer::kDone;
  if (burst.address.length != flight->burst.address.length || burst.address.size != flight->burst.address.size)
    bench_.breach("pins.changed", "downstream port: access " + std::to_string(burst.owner) +
                                      " has another length or size than its client gave it");
}

void PinBench::Downstream::read(AxiBurst& burst) {
  ClientFlight* flight = bench_.clients_.by_id(burst.owner);
  if (bench_.data_ && flight && !burst.failed) {
    Lanes bytes(burst);
    const uint64_t base = burst.word(0);
    burst.failed = !bench_.data_->read(burst.owner, burst.address.address,
                                       bytes.data() + (burst.address.address - base), flight->access.size_bytes);
    for (unsigned beat = 0; beat < burst.beats; ++beat)
      std::memcpy(&burst.data[beat], bytes.data() + (burst.word(beat) - base), sizeof burst.data[beat]);
  } else {
    for (unsigned beat = 0; beat < burst.beats; ++beat) burst.data[beat] = read_word(burst.owner, beat);
  }
  if (flight && burst.failed) flight->failed_downstream = true;
  bench_.surroundings_.finished_downstream(burst.owner);
}

void PinBench::Downstream::write(AxiBurst& burst) {
  ClientFlight* flight = bench_.clients_.by_id(burst.owner);
  if (!flight) return;
  if (bench_.data_) {
    Lanes bytes(burst);
    const uint64_t base = burst.word(0);
    for (unsigned beat = 0; beat < burst.beats; ++beat)
      std::memcpy(bytes.data() + (burst.word(beat) - base), &burst.data[beat], sizeof burst.data[beat]);
    if (!burst.failed)
      burst.failed = !bench_.data_->write(burst.owner, burst.address.address,
                                          bytes.data() + (burst.address.address - base), flight->access.size_bytes);
  } else {
    for (unsigned beat = 0; beat < burst.beats; ++beat) {
      uint64_t mask = 0;
      for (unsigned lane = 0; lane < 8; ++lane)
        if (burst.strobe[beat] >> lane & 1) mask |= uint64_t{0xff} << (8 * lane);
      if (burst.strobe[beat] != flight->burst.strobe[beat] ||
          ((burst.data[beat] ^ flight->burst.data[beat]) & mask) != 0)
        bench_.breach("pins.data",
                      "downstream port: write " + std::to_string(burst.owner) + " has not its client's data");
    }
  }
  if (burst.failed) flight->failed_downstream = true;
  bench_.surroundings_.finished_downstream(burst.owner);
}

void PinBench::answered(ClientFlight& flight) {
  const uint64_t id = flight.access.id;
  const bool error = flight.response != kAxiOkay;
  AccessEnd end = AccessEnd::kDone;
  if (error) {
    end = flight.failed_downstream ? AccessEnd::kFailed : AccessEnd::kAborted;
  } else if (!flight.forwarded) {
    end = AccessEnd::kZero;
  } else if (flight.failed_downstream) {
    breach("pins.data", "client port: access " + std::to_string(id) + " failed downstream and is answered OKAY");
  }
  if (!error && !flight.access.write) {
    const uint64_t from = flight.access.address, to = from + flight.access.size_bytes;
    Lanes bytes(flight.burst);
    const uint64_t base = flight.burst.word(0);
    for (unsigned beat = 0; beat < flight.burst.beats; ++beat) {
      const uint64_t expected = flight.forwarded ? read_word(id, beat) : 0;
      for (unsigned lane = 0; lane < 8; ++lane) {
        const uint64_t at = flight.burst.word(beat) + lane;
        if (at < std::max(from, flight.burst.first_byte(beat)) || at >= to ||
            at >= flight.burst.first_byte(beat) + flight.burst.bytes(beat))
          continue;
        bytes[at - base] = static_cast<uint8_t>(flight.burst.data[beat] >> (8 * lane));
        if (!data_ && bytes[at - base] != static_cast<uint8_t>(expected >> (8 * lane)))
          return breach("pins.data", "client port: read " + std::to_string(id) +
                                         (flight.forwarded ? " has not the data that memory gave"
                                                           : " went nowhere and has data that are not zero"));
      }
    }
    if (data_) data_->arrived(id, bytes.data() + (from - base), flight.access.size_bytes);
  }
  surroundings_.answered(id, end);
}

// ---- the log of handshakes

void PinBench::log_cycle() const {
  const auto line = [&](const char* port, const char* channel) -> std::ostream& {
    return *log_ << "    cycle " << std::dec << cycle_ << " " << port << "." << channel;
  };
  const auto address = [&](const char* port, const char* channel, const AxiAddress& a) {
    line(port, channel) << " id " << a.id << " 0x" << std::hex << a.address << std::dec << " beats " << a.length + 1u
                        << " size " << unsigned{a.size} << " prot " << unsigned{a.prot} << " type 0x" << std::hex
                        << unsigned{a.type} << std::dec << " sh " << unsigned{a.shareability} << "\n";
  };
  const auto port = [&](const char* name, const AxiManagerPins& manager, const AxiSubordinatePins& subordinate) {
    if (manager.ar.valid && subordinate.ar_ready) address(name, "AR", manager.ar);
    if (manager.aw.valid && subordinate.aw_ready) address(name, "AW", manager.aw);
    if (manager.w.valid && subordinate.w_ready)
      line(name, "W") << " 0x" << std::hex << manager.w.data << " strobe 0x" << unsigned{manager.w.strobe} << std::dec
                      << (manager.w.last ? " last" : "") << "\n";
    if (subordinate.r.valid && manager.r_ready)
      line(name, "R") << " id " << subordinate.r.id << " 0x" << std::hex << subordinate.r.data << std::dec
                      << " response " << unsigned{subordinate.r.response} << (subordinate.r.last ? " last" : "")
                      << "\n";
    if (subordinate.b.valid && manager.b_ready)
      line(name, "B") << " id " << subordinate.b.id << " response " << unsigned{subordinate.b.response} << "\n";
  };
  port("client", in_.client, out_.client);
  port("downstream", out_.downstream, in_.downstream);
  port("memory", out_.memory, in_.memory);
  const ApbRequest& request = in_.registers;
  if (request.select && request.enable && out_.registers.ready)
    line("registers", request.write ? "write" : "read")
        << " 0x" << std::hex << request.address << " 0x" << (request.write ? request.data : out_.registers.data)
        << std::dec << (out_.registers.error ? " error" : "") << "\n";
  for (size_t i = 0; i < kWires; ++i)
    if (out_.wires[i]) line("wire", name_of(static_cast<Wire>(i))) << "\n";
}

}  // namespace lockstep::smmu_rtl_bridge
