// SPDX-License-Identifier: Apache-2.0
#include "cli/lockstep_side.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/guest_code.h"
#include "cli/vm_console.h"
#include "tlm_models/machines/riscv_virt/machine.h"

namespace lockstep::cli {
namespace {

using tlm_models::Machine;
using tlm_models::MachineExit;
using tlm_models::MachineResult;

// Instructions in a report's trace and in its block of IR.
constexpr unsigned kReportedInstructions = 64;
constexpr int kOrphaned = 3;
constexpr size_t kKeptSnapshots = 2;

nlohmann::json hart_json(const core::Hart& hart) {
  nlohmann::json fields = nlohmann::json::object();
  const auto* base = reinterpret_cast<const uint8_t*>(&hart.state());
  for (const core::StateField& field : hart.layout().fields) {
    uint64_t value = 0;
    std::memcpy(&value, base + field.offset, std::min<size_t>(field.size_bytes, sizeof value));
    if (field.architectural) fields[std::string(field.name)] = value;
  }
  fields["instruction count"] = hart.instruction_count();
  fields["reservation"] = hart.state().reservation_valid != 0 ? hart.state().reservation_address : 0;
  return fields;
}

class Side {
 public:
  Side(const SideOptions& options, const SideChannels& channels)
      : options_(options),
        channels_(channels),
        recorder_(options.grain, options.quantum, [this](const std::vector<LockstepRecord>& records) {
          tell(Message::kRecords, as_bytes_of(records));
        }) {}

  [[noreturn]] void run(const VmOptions& o) {
    if (core::Status made = make(o); !made) {
      tell(Message::kError, made.message());
      _exit(2);
    }
    tlm_models::RunRequest request;
    if (o.max_instructions != 0) request.max_instructions = o.max_instructions;
    max_instructions_ = request.max_instructions;
    MachineResult result;
    do {
      checkpoint();
      request.stop_at_boundary = machine_->total_instructions() + options_.check_every;
      result = machine_->run(request);
    } while (result.exit == MachineExit::kSnapshotPoint);
    tell(Message::kEnd, end_json(result).dump());
    const uint64_t parts[] = {recorder_.state_hash(), recorder_.tlb_hash()};
    recorder_.add({machine_->total_instructions(), core::quick_hash(parts, sizeof parts), 0, RecordKind::kEnd});
    recorder_.flush();
    _exit(0);
  }

 private:
  core::Status make(const VmOptions& o) {
    auto config = machine_config(o);
    if (!config) return config.error();
    if (options_.console) {
      if (core::Status screen = connect_screen(o, *config, console_log_); !screen) return screen;
      config->console_writer = [this, write = std::move(config->console_writer)](std::string_view text) {
        if (!quiet_) write(text);
      };
    }
    if (core::Status script = connect_script(o, *config); !script) return script;
    config->async_io = false;  // a copy of a process has none of its threads
    config->make_engine = [this](core::Hart& hart) { return recorder_.wrap(hart, options_.engine.make(hart)); };
    auto created = Machine::create(std::move(*config));
    if (!created) return created.error();
    machine_ = std::move(*created);
    if (!o.restore_file.empty()) {
      if (core::Status restored = machine_->restore(o.restore_file); !restored) return restored;
    }
    begun_at_ = machine_->total_instructions();
    recorder_.set_total(begun_at_);
    return {};
  }

  nlohmann::json end_json(const MachineResult& result) const {
    return {{"exit", {{"reason", machine_exit_name(result.exit)}, {"code", result.code}}},
            {"instructions", result.instructions},
            {"virtual_time_ns", result.virtual_time_ns},
            {"observables",
             {{"instructions", result.instructions},
              {"console_sha256", machine_->console_sha256()},
              {"state_sha256", machine_->state_sha256()},
              {"memory_sha256", machine_->memory_sha256()}}}};
  }

  // A side whose parent is gone has nothing left to do.
  void tell(Message message, std::string_view body) const {
    if (!send_message(channels_.records, message, body)) _exit(kOrphaned);
  }
  void answer(Message message, std::string_view body) const {
    if (!send_message(channels_.copy, message, body)) _exit(kOrphaned);
  }

  uint64_t memory_hash() const {
    const std::vector<core::PageHash> pages = core::quick_page_hashes(machine_->ram());
    return core::quick_hash(pages.data(), pages.size() * sizeof pages[0]);
  }

  void checkpoint() {
    const uint64_t parts[] = {recorder_.state_hash(), recorder_.tlb_hash(), memory_hash()};
    recorder_.add({recorder_.total(), core::quick_hash(parts, sizeof parts), 0, RecordKind::kCheckpoint});
    recorder_.flush();
    Frame go;
    if (!receive_message(channels_.control, go)) _exit(kOrphaned);
    // Who goes on from a snapshot does so with empty TLBs.
    if (machine_->total_instructions() != begun_at_) empty_tlbs();
    if (!options_.snapshots.empty()) keep_snapshot();
    if (options_.copies) leave_copy();
  }

  void empty_tlbs() {
    for (core::Hart* hart : recorder_.harts()) hart->tlb().flush_all();
  }

  void keep_snapshot() {
    const uint64_t total = machine_->total_instructions();
    if (total == begun_at_) return;  // the user has what the run began with
    // What has its name is complete.
    const std::filesystem::path path = std::filesystem::path(options_.snapshots) / agreed_snapshot_name(total);
    const std::string part = path.string() + ".part";
    std::error_code error;
    core::Status saved = machine_->save_snapshot(part);
    if (saved) std::filesystem::rename(part, path, error);
    if (!saved || error) {
      tell(Message::kError,
           fmt::format("--lockstep: {}: no snapshot can be kept there ({}); TMPDIR names another folder", part,
                       saved ? error.message() : saved.message()));
      _exit(2);
    }
    kept_.push_back(path);
    if (kept_.size() <= kKeptSnapshots) return;
    std::filesystem::remove(kept_.front(), error);
    kept_.pop_front();
  }

  void leave_copy() {
    if (copy_ > 0) {
      kill(copy_, SIGKILL);
      waitpid(copy_, nullptr, 0);
    }
    int ready[2];
    if (pipe(ready) != 0) fail("pipe");
    copy_ = fork();
    if (copy_ < 0) fail("fork");
    if (copy_ == 0) {
      quiet_ = true;
      const bool good = make_shared_memory_private();
      close(ready[0]);
      close(ready[1]);  // the running side goes on now
      if (!good) _exit(kOrphaned);
      freeze();
    }
    close(ready[1]);
    char nothing;
    while (read(ready[0], &nothing, 1) > 0) {
    }
    close(ready[0]);
  }

  [[noreturn]] void fail(const char* what) const {
    tell(Message::kError, fmt::format("--lockstep: cannot keep a copy of the machine ({}: {}); give more instructions "
                                      "between copies with --lockstep-check, or more memory",
                                      what, std::strerror(errno)));
    _exit(2);
  }

  // In the copy. serve() comes back in copies of it only, each with a target.
  [[noreturn]] void freeze() {
    // The parent sees the running side end when nobody else has these.
    close(channels_.records);
    close(channels_.control);
    serve();
    while (true) {
      // Stops where the running side does, because turns are cut there.
      tlm_models::RunRequest request{max_instructions_, machine_->total_instructions() + options_.check_every};
      if (snapshot_) request.stop_at_boundary = snapshot_->first.boundary;
      const MachineResult result = ended_ ? MachineResult{} : machine_->run(request);
      if (snapshot_) save(result);
      if (result.exit == MachineExit::kSnapshotPoint) {
        empty_tlbs();
        continue;
      }
      ended_ = true;
      recorder_.end_probe();
      arrive();
    }
  }

  [[noreturn]] void save(const MachineResult& result) {
    std::string failure;
    if (result.exit != MachineExit::kSnapshotPoint) {
      failure = "the machine ended before";
    } else if (core::Status saved = machine_->save_snapshot(snapshot_->second); !saved) {
      failure = saved.message();
    }
    answer(Message::kSnapshot, std::string(as_bytes_of(result.instructions)) + failure);
    _exit(0);
  }

  void arrive() {
    alarm(0);
    ProbeAnswer found;
    found.total = recorder_.total();
    found.state = recorder_.state_hash();
    found.tlb = recorder_.tlb_hash();
    found.memory = memory_hash();
    found.boundary = recorder_.boundary();
    found.hart = recorder_.last_hart();
    found.ended = ended_ ? 1 : 0;
    answer(Message::kProbe, as_bytes_of(found));
    serve();
  }

  // Answers the parent for as long as this process stands still.
  void serve() {
    Frame frame;
    while (receive_message(channels_.copy, frame)) {
      switch (frame.message) {
        case Message::kQuit:
          _exit(0);
        case Message::kProbe:
        case Message::kSnapshot:
          if (copied()) {
            if (frame.message == Message::kSnapshot) {
              const auto request = frame.as<SnapshotRequest>();
              snapshot_.emplace(request, frame.body.substr(sizeof request));
              recorder_.probe({.target = ~uint64_t{0}}, [] {});
            } else {
              const auto request = frame.as<ProbeRequest>();
              alarm(static_cast<unsigned>(request.limit_s));
              if (request.trace) trace();
              recorder_.probe(request, [this] { arrive(); });
            }
            return;
          }
          break;
        case Message::kReport:
          answer(Message::kReport, report(known_hart(frame.as<uint64_t>())));
          break;
        case Message::kTrace:
          answer(Message::kTrace, trace_.dump());
          break;
        case Message::kCode: {
          const auto wanted = frame.as<CodeRequest>();
          const unsigned hart = known_hart(wanted.hart);
          answer(Message::kCode, nlohmann::json{{"host", machine_->engine(hart).describe_code(wanted.pc)},
                                                {"ir", ir_at(machine_->hart(hart), wanted.pc, kReportedInstructions)}}
                                     .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
          break;
        }
        case Message::kPages: {
          const std::vector<core::PageHash> pages = core::quick_page_hashes(machine_->ram());
          answer(Message::kPages, as_bytes_of(pages));
          break;
        }
        case Message::kPage: {
          core::GuestRam& ram = machine_->ram();
          const auto bytes = ram.bytes(ram.base() + frame.as<uint64_t>() * core::kPageSize, core::kPageSize);
          answer(Message::kPage, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
          break;
        }
        default:
          _exit(kOrphaned);
      }
    }
    _exit(0);
  }

  // True in a copy of this process. This one waits until the copy has ended, and says so where it did not do so itself.
  bool copied() {
    const pid_t probe = fork();
    if (probe == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (!make_shared_memory_private()) _exit(kOrphaned);
      return true;
    }
    int status = kOrphaned << 8;
    if (probe > 0) waitpid(probe, &status, 0);
    if (status != 0) answer(Message::kDied, as_bytes_of(status));
    return false;
  }

  // Notes what is executed from now on.
  void trace() {
    const auto note = [](void* self, core::Hart& hart) {
      nlohmann::json& lines = static_cast<Side*>(self)->trace_;
      if (lines.size() >= kReportedInstructions) return;
      unsigned length = 0;
      const GuestInstruction instruction = instruction_at(hart, hart.state().pc, length);
      lines.push_back({{"pc", instruction.pc}, {"bytes", instruction.bytes}, {"text", instruction.text}});
    };
    for (unsigned i = 0; i < machine_->hart_count(); ++i) machine_->engine(i).set_instruction_hook(note, this);
  }

  unsigned known_hart(uint64_t index) const {
    return static_cast<unsigned>(std::min<uint64_t>(index, machine_->hart_count() - 1));
  }

  std::string report(unsigned index) {
    nlohmann::json harts = nlohmann::json::array();
    for (const core::Hart* hart : recorder_.harts()) harts.push_back(hart_json(*hart));
    return nlohmann::json{
        {"pc", machine_->hart(index).state().pc}, {"harts", harts}, {"ram_base", machine_->ram().base()}}
        .dump();
  }

  SideOptions options_;
  SideChannels channels_;
  WindowRecorder recorder_;
  FilePtr console_log_{nullptr, &std::fclose};
  std::unique_ptr<Machine> machine_;
  uint64_t max_instructions_ = ~uint64_t{0};
  nlohmann::json trace_ = nlohmann::json::array();
  uint64_t begun_at_ = 0;
  std::deque<std::filesystem::path> kept_;
  bool quiet_ = false;  // in copies
  bool ended_ = false;
  pid_t copy_ = -1;
  std::optional<std::pair<SnapshotRequest, std::string>> snapshot_;
};

}  // namespace

std::string agreed_snapshot_name(uint64_t total) { return fmt::format("{}.snapshot", total); }

void run_side(const VmOptions& options, const SideOptions& side, const SideChannels& channels) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  Side(side, channels).run(options);
}

}  // namespace lockstep::cli
