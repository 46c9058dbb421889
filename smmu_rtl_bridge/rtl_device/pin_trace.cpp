// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/rtl_device/pin_trace.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <type_traits>
#include <utility>
#include <vector>

namespace lockstep::smmu_rtl_bridge {
namespace {

static_assert(std::is_trivially_copyable_v<DesignInputs>);
constexpr size_t kWordBytes = sizeof(uint64_t);
constexpr size_t kWords = (sizeof(DesignInputs) + kWordBytes - 1) / kWordBytes;
static_assert(kWords < 255, "a word's number is a byte");
using Words = std::array<uint64_t, kWords>;

constexpr uint64_t kMagic = 0x31'736e'6970'6b6c;  // "lkpins1"
constexpr size_t kNameBytes = 64;
constexpr size_t kSettingsMax = 8;

// Before the inputs of each record.
struct RecordHeader {
  uint64_t magic = kMagic;
  uint64_t interface = kDesignInterface;
  uint64_t input_bytes = sizeof(DesignInputs);
  uint64_t cycles = 0;
  uint64_t bytes = 0;  // of inputs, which follow
  uint64_t digest = 0;
  std::array<char, kNameBytes> name{};
  uint64_t settings = 0;
  std::array<std::array<char, kNameBytes>, kSettingsMax> setting_names{};
  std::array<uint64_t, kSettingsMax> setting_values{};
};

void put_text(std::array<char, kNameBytes>& to, const std::string& text) {
  std::memcpy(to.data(), text.data(), std::min(text.size(), kNameBytes - 1));
}
std::string get_text(const std::array<char, kNameBytes>& from) {
  return {from.data(), strnlen(from.data(), kNameBytes)};
}

// Each output by itself, because the bytes between them have no value.
class OutputDigest {
 public:
  void add(const DesignOutputs& out) {
    add(out.client);
    add(out.downstream);
    add(out.memory);
    mix(uint64_t{out.registers.ready} | uint64_t{out.registers.error} << 1 | uint64_t{out.registers.data} << 32);
    uint64_t wires = uint64_t{out.idle} << 8 | uint64_t{out.stopped} << 9;
    for (size_t i = 0; i < kWires; ++i) wires |= uint64_t{out.wires[i]} << i;
    mix(wires);
  }
  uint64_t value() const { return value_; }

 private:
  void mix(uint64_t word) {
    value_ = (value_ ^ word) * 0x9e3779b97f4a7c15;
    value_ ^= value_ >> 32;
  }
  void add(const AxiAddress& a) {
    mix(a.address);
    mix(a.id | uint64_t{a.length} << 32 | uint64_t{a.size} << 40 | uint64_t{a.burst} << 44 | uint64_t{a.prot} << 48 |
        uint64_t{a.type} << 52 | uint64_t{a.shareability} << 60 | uint64_t{a.valid} << 63);
  }
  void add(const AxiManagerPins& pins) {
    add(pins.ar);
    add(pins.aw);
    mix(pins.w.data);
    mix(uint64_t{pins.w.strobe} | uint64_t{pins.w.last} << 8 | uint64_t{pins.w.valid} << 9 |
        uint64_t{pins.r_ready} << 10 | uint64_t{pins.b_ready} << 11);
  }
  void add(const AxiSubordinatePins& pins) {
    mix(pins.r.data);
    mix(pins.r.id | uint64_t{pins.r.response} << 32 | uint64_t{pins.r.last} << 34 | uint64_t{pins.r.valid} << 35 |
        uint64_t{pins.ar_ready} << 36 | uint64_t{pins.aw_ready} << 37 | uint64_t{pins.w_ready} << 38);
    mix(pins.b.id | uint64_t{pins.b.response} << 32 | uint64_t{pins.b.valid} << 34);
  }
  uint64_t value_ = 0;
};

Words words_of(const DesignInputs& inputs) {
  Words words{};
  std::memcpy(words.data(), &inputs, sizeof inputs);
  return words;
}

class RecordingDesign : public Design {
 public:
  RecordingDesign(std::unique_ptr<Design> design, const std::string& name, std::string file)
      : design_(std::move(design)), file_(std::move(file)) {
    put_text(header_.name, name);
  }
  ~RecordingDesign() override { save(); }

  void clock(const DesignInputs& inputs, DesignOutputs& outputs) override {
    design_->clock(inputs, outputs);
    if (bytes_.size() > kPinRecordBytesMax) return;
    const Words now = words_of(inputs);
    // How many words changed, and for each its number and value.
    const size_t count_at = bytes_.size();
    bytes_.push_back(0);
    for (size_t i = 0; i < kWords; ++i) {
      if (now[i] == before_[i]) continue;
      ++bytes_[count_at];
      bytes_.push_back(static_cast<uint8_t>(i));
      const auto* raw = reinterpret_cast<const uint8_t*>(&now[i]);
      bytes_.insert(bytes_.end(), raw, raw + kWordBytes);
    }
    before_ = now;
    digest_.add(outputs);
    ++header_.cycles;
  }

  bool has_idle() const override { return design_->has_idle(); }
  bool set(const std::string& name, uint64_t value) override {
    if (!design_->set(name, value)) return false;
    if (header_.settings < kSettingsMax) {
      put_text(header_.setting_names[header_.settings], name);
      header_.setting_values[header_.settings++] = value;
    }
    return true;
  }
  std::string complaint() override { return design_->complaint(); }
  bool open_waveform(const std::string& path) override { return design_->open_waveform(path); }
  void record(bool on) override { design_->record(on); }
  bool write_coverage(const std::string& path) override { return design_->write_coverage(path); }

 private:
  void save() {
    const int file = ::open(file_.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0666);
    if (file < 0) return;
    ::flock(file, LOCK_EX);
    struct stat status {};
    header_.bytes = bytes_.size();
    header_.digest = digest_.value();
    if (::fstat(file, &status) == 0 && static_cast<uint64_t>(status.st_size) + header_.bytes <= kPinFileBytesMax) {
      const bool whole = ::write(file, &header_, sizeof header_) == static_cast<ssize_t>(sizeof header_) &&
                         ::write(file, bytes_.data(), bytes_.size()) == static_cast<ssize_t>(bytes_.size());
      // Half a record would spoil those after it.
      if (!whole && ::ftruncate(file, status.st_size) != 0) ::unlink(file_.c_str());
    }
    ::close(file);
  }

  std::unique_ptr<Design> design_;
  std::string file_;
  RecordHeader header_;
  std::vector<uint8_t> bytes_;
  Words before_{};
  OutputDigest digest_;
};

double seconds(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

struct Record {
  RecordHeader header;
  std::vector<uint8_t> bytes;
};

// Turns the words that changed into inputs, some cycles at a time, so that this is done before the clock is looked at.
class Decoder {
 public:
  static constexpr size_t kCyclesAtATime = 1024;

  explicit Decoder(const Record& record) : record_(record) {}

  // False: what the record has is no inputs.
  bool next(std::vector<DesignInputs>& inputs) {
    inputs.clear();
    const std::vector<uint8_t>& bytes = record_.bytes;
    while (inputs.size() < kCyclesAtATime && at_ < bytes.size()) {
      size_t count = bytes[at_++];
      for (; count != 0; --count, at_ += 1 + kWordBytes) {
        if (at_ + 1 + kWordBytes > bytes.size() || bytes[at_] >= kWords) return false;
        std::memcpy(&words_[bytes[at_]], &bytes[at_ + 1], kWordBytes);
      }
      std::memcpy(static_cast<void*>(&inputs.emplace_back()), words_.data(), sizeof(DesignInputs));
    }
    return true;
  }

 private:
  const Record& record_;
  size_t at_ = 0;
  Words words_{};
};

core::Result<std::unique_ptr<Design>> design_of(const RecordHeader& header, const NamedDesign& make) {
  auto design = make(get_text(header.name));
  if (!design) return design.error();
  for (uint64_t i = 0; i < header.settings; ++i)
    (*design)->set(get_text(header.setting_names[i]), header.setting_values[i]);
  return design;
}

}  // namespace

std::unique_ptr<Design> record_pins(std::unique_ptr<Design> design, std::string name, std::string file) {
  return std::make_unique<RecordingDesign>(std::move(design), name, std::move(file));
}

core::Result<PinReplay> replay_pins(const std::string& file, const NamedDesign& make, unsigned repeat) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return core::Error{file + ": the file cannot be read"};
  const core::Error bad{file + ": this is no recording of pins by this build; record it again with --record-pins"};
  std::error_code ignored;
  const uint64_t file_bytes = std::filesystem::file_size(file, ignored);
  PinReplay replay;
  std::vector<DesignInputs> inputs;
  inputs.reserve(Decoder::kCyclesAtATime);
  Record record;
  while (stream.read(reinterpret_cast<char*>(&record.header), sizeof record.header)) {
    const RecordHeader& header = record.header;
    if (header.magic != kMagic || header.interface != kDesignInterface || header.input_bytes != sizeof(DesignInputs) ||
        header.bytes > file_bytes || header.settings > kSettingsMax)
      return bad;
    record.bytes.resize(header.bytes);
    if (!stream.read(reinterpret_cast<char*>(record.bytes.data()), static_cast<std::streamsize>(header.bytes)))
      return bad;
    ++replay.records;
    replay.cycles += header.cycles;
    {
      auto design = design_of(header, make);
      if (!design) return design.error();
      OutputDigest digest;
      DesignOutputs outputs;
      Decoder decoder(record);
      do {
        if (!decoder.next(inputs)) return bad;
        for (const DesignInputs& in : inputs) {
          (*design)->clock(in, outputs);
          digest.add(outputs);
        }
      } while (!inputs.empty());
      if (digest.value() != header.digest) ++replay.differences;
    }
    double wall_s = 0, cpu_s = 0;
    for (unsigned i = 0; i < repeat; ++i) {
      auto design = design_of(header, make);
      if (!design) return design.error();
      double wall = 0, cpu = 0;
      DesignOutputs outputs;
      Decoder decoder(record);
      do {
        if (!decoder.next(inputs)) return bad;
        const double cpu_before = seconds(CLOCK_PROCESS_CPUTIME_ID), wall_before = seconds(CLOCK_MONOTONIC);
        for (const DesignInputs& in : inputs) (*design)->clock(in, outputs);
        wall += seconds(CLOCK_MONOTONIC) - wall_before;
        cpu += seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_before;
      } while (!inputs.empty());
      wall_s = i == 0 ? wall : std::min(wall_s, wall);
      cpu_s = i == 0 ? cpu : std::min(cpu_s, cpu);
    }
    replay.wall_s += wall_s;
    replay.cpu_s += cpu_s;
  }
  if (replay.records == 0) return bad;
  return replay;
}

}  // namespace lockstep::smmu_rtl_bridge
