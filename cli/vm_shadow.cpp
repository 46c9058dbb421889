// SPDX-License-Identifier: Apache-2.0
#include "cli/vm_shadow.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>
#include <streambuf>

#include "cli/cosim_device.h"
#include "smmu_rtl_bridge/campaign/beside.h"
#include "smmu_rtl_bridge/campaign/stand.h"
#include "smmu_rtl_bridge/player/player.h"
#include "smmu_rtl_bridge/player/timeline.h"
#include "smmu_rtl_bridge/rtl_device/load.h"
#include "smmu_rtl_bridge/tlm_device.h"
#include "tlm_models/machines/riscv_virt/machine.h"

namespace lockstep::cli {

namespace bridge = smmu_rtl_bridge;
using bridge::ShadowDifference;

// Keeps the end of what is written, and what follows a mark for a while.
class ShadowRun::TailText : public std::streambuf {
 public:
  // Some thousand accesses before a difference, and those that follow at once.
  static constexpr size_t kBytesBefore = size_t{1} << 20, kBytesAfter = size_t{1} << 15;

  void mark() {
    if (left_ > kBytesAfter) left_ = kBytesAfter;
  }
  const std::string& text() const { return text_; }

 protected:
  int_type overflow(int_type c) override {
    const char byte = traits_type::to_char_type(c);
    xsputn(&byte, 1);
    return c;
  }
  std::streamsize xsputn(const char* bytes, std::streamsize count) override {
    const size_t taken = std::min(static_cast<size_t>(count), left_);
    text_.append(bytes, taken);
    if (left_ != kEndless) left_ -= taken;
    if (text_.size() > 2 * kBytesBefore) {
      const size_t line = text_.find('\n', text_.size() - kBytesBefore);
      text_.erase(0, line == std::string::npos ? text_.size() - kBytesBefore : line + 1);
    }
    return count;
  }

 private:
  static constexpr size_t kEndless = ~size_t{0};
  std::string text_;
  size_t left_ = kEndless;
};

ShadowRun::~ShadowRun() = default;

core::Result<std::shared_ptr<ShadowRun>> ShadowRun::create(const VmOptions& options,
                                                           const std::optional<ShadowWindow>& window) {
  if (options.smmu != "rtl")
    return core::Error{"--shadow wants a design in the machine to stand beside: give --smmu rtl as well"};
  std::shared_ptr<ShadowRun> run(new ShadowRun);
  run->design_.file = bridge::design_path(options.smmu_rtl, window ? "trace" : "plain");
  const auto factory = bridge::make_rtl_factory(run->design_);
  if (!factory) return core::Error{"--smmu rtl: " + factory.message()};
  bridge::Player nobody{{}};
  const auto device = (*factory)({}, nobody);
  if (!device) return core::Error{"--smmu rtl: " + device.message()};
  auto shadow = bridge::Shadow::make(bridge::id_registers_of(**device), bridge::make_core_device);
  if (!shadow) return core::Error{"--shadow: " + options.smmu_rtl + ": " + shadow.message()};
  run->shadow_ = std::move(*shadow);
  run->stops_ = !options.shadow_go_on;
  run->tail_ = std::make_unique<TailText>();
  run->text_ = std::make_unique<std::ostream>(run->tail_.get());
  run->design_.pins = run->text_.get();
  if (window) {
    run->design_.waveform = window->file;
    run->design_.waveform_from = window->from;
    run->design_.waveform_to = window->to;
    // What follows is another run's.
    run->stops_ = true;
  }
  auto notes = std::make_unique<bridge::Notes>(*run->text_, &run->shadow_->judge(), &run->shadow_->model_answers());
  run->timeline_ = std::make_unique<bridge::Timeline>(*run->text_);
  run->notes_ = std::move(notes);
  run->observers_ = {run->timeline_.get(), run->shadow_.get(), run->notes_.get()};
  run->shadow_->on_difference([raw = run.get()](const ShadowDifference& difference) { raw->found(difference); });
  return run;
}

core::Result<bridge::RtlModuleFactory> ShadowRun::module_factory(const std::shared_ptr<ShadowRun>& run) {
  bridge::RtlModuleOptions options;
  options.design = run->design_;
  options.watcher = run;
  options.complain = [raw = run.get()](const std::string& rule, const std::string& text) {
    ++raw->broken_promises_;
    // Nothing that the design does from here on has a meaning.
    raw->stops_ = true;
    raw->found({rule, text, raw->shadow_->during(), raw->shadow_->counts().accesses});
  };
  return bridge::make_rtl_module_factory(options);
}

void ShadowRun::connected(ReadPage read_page, std::function<uint64_t()> cycles) {
  shadow_->set_memory(std::move(read_page));
  cycles_ = std::move(cycles);
}

void ShadowRun::found(const ShadowDifference& difference) {
  if (differences_.empty()) difference_cycle_ = cycles_ ? cycles_() : 0;
  *text_ << "  DIFFERENCE: " << difference.rule << ": " << difference.text << "\n";
  tail_->mark();
  if (differences_.size() < bridge::Shadow::kDifferencesKept) {
    differences_.push_back(difference);
    if (!stops_)
      fmt::print(stderr, "lockstep: --shadow: {}: {} (during {})\n", difference.rule, difference.text,
                 difference.during);
  }
  if (stops_ && machine_ != nullptr) machine_->stop();
}

uint64_t ShadowRun::differences() const { return shadow_->counts().differences + broken_promises_; }

std::string ShadowRun::verdict() const {
  if (differences_.empty()) return {};
  const ShadowDifference& first = differences_.front();
  return fmt::format("the design and its shadow differ: {}: {} (during {}, in cycle {}, after {} accesses)", first.rule,
                     first.text, first.during, difference_cycle_, first.access);
}

std::string ShadowRun::summary() const {
  const bridge::ShadowCounts counts = shadow_->counts();
  return fmt::format(
      "--shadow: {} accesses compared ({} bit by bit: neither side had a choice), {} register reads and {} writes, "
      "{} events, {} commands, {} interrupts, {} messages; {} differences",
      counts.accesses, counts.no_choice, counts.register_reads, counts.register_writes, counts.events, counts.commands,
      counts.interrupts, counts.messages, differences());
}

nlohmann::json ShadowRun::json() const {
  const bridge::ShadowCounts counts = shadow_->counts();
  nlohmann::json told = nlohmann::json::array();
  for (const ShadowDifference& difference : differences_)
    told.push_back({{"rule", difference.rule},
                    {"text", difference.text},
                    {"during", difference.during},
                    {"accesses_before", difference.access}});
  return {{"accesses", counts.accesses},
          {"accesses_without_choice", counts.no_choice},
          {"register_reads", counts.register_reads},
          {"register_writes", counts.register_writes},
          {"events", counts.events},
          {"commands", counts.commands},
          {"interrupts", counts.interrupts},
          {"messages", counts.messages},
          {"cycles", cycles_ ? cycles_() : 0},
          {"differences", differences()},
          {"first_differences", told},
          {"cycle", difference_cycle_}};
}

core::Status ShadowRun::write_timeline(const std::string& file) const {
  std::ofstream out(file);
  out << tail_->text();
  if (!out.flush()) return core::Error{file + ": the timeline cannot be written"};
  return {};
}

// ---- the run again

core::Result<std::unique_ptr<ShadowReplay>> ShadowReplay::prepare(Run run) {
  std::unique_ptr<ShadowReplay> replay(new ShadowReplay);
  int to_child[2], from_child[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, to_child) != 0 || pipe(from_child) != 0)
    return core::Error{fmt::format("--shadow: cannot make channels: {}", std::strerror(errno))};
  std::fflush(nullptr);
  replay->child_ = fork();
  if (replay->child_ < 0) return core::Error{fmt::format("--shadow: cannot start a process: {}", std::strerror(errno))};
  if (replay->child_ == 0) {
    close(to_child[1]);
    close(from_child[0]);
    uint64_t cycle = 0;
    size_t name_bytes = 0;
    // The other side closes its end when there is nothing to do.
    if (read(to_child[0], &cycle, sizeof cycle) != sizeof cycle) _exit(0);
    if (read(to_child[0], &name_bytes, sizeof name_bytes) != sizeof name_bytes || name_bytes > 4096) _exit(1);
    std::string file(name_bytes, '\0');
    if (read(to_child[0], file.data(), name_bytes) != static_cast<ssize_t>(name_bytes)) _exit(1);
    if (const int nothing = open("/dev/null", O_RDWR); nothing >= 0) {
      for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(nothing, fd);
    }
    const auto shown = run({cycle > kWaveformBefore ? cycle - kWaveformBefore : 0, cycle + kWaveformAfter, file});
    const std::string answer = !shown ? shown.message()
                               : *shown == cycle
                                   ? std::string()
                                   : "the run did not repeat itself: something from outside reaches the machine";
    const ssize_t written = write(from_child[1], answer.data(), answer.size());
    _exit(written == static_cast<ssize_t>(answer.size()) ? 0 : 1);
  }
  close(to_child[0]);
  close(from_child[1]);
  replay->to_child_ = to_child[1];
  replay->from_child_ = from_child[0];
  return replay;
}

ShadowReplay::~ShadowReplay() {
  for (const int fd : {to_child_, from_child_})
    if (fd >= 0) close(fd);
  if (child_ > 0) waitpid(child_, nullptr, 0);
}

core::Status ShadowReplay::write_waveform(uint64_t cycle, const std::string& file) {
  const size_t name_bytes = file.size();
  // Where the other side is gone, this process has still to tell what differs: no signal.
  const auto tell = [this](const void* data, size_t size_bytes) {
    return send(to_child_, data, size_bytes, MSG_NOSIGNAL) == static_cast<ssize_t>(size_bytes);
  };
  if (!tell(&cycle, sizeof cycle) || !tell(&name_bytes, sizeof name_bytes) || !tell(file.data(), name_bytes))
    return core::Error{"the process for the waveform has ended"};
  std::string answer;
  char buffer[512];
  for (ssize_t got = 0; (got = read(from_child_, buffer, sizeof buffer)) > 0;)
    answer.append(buffer, static_cast<size_t>(got));
  int status = 0;
  waitpid(child_, &status, 0);
  child_ = -1;
  if (!answer.empty()) return core::Error{answer};
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return core::Error{"the process for the waveform crashed"};
  return {};
}

}  // namespace lockstep::cli
