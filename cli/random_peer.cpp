// SPDX-License-Identifier: Apache-2.0
#include "cli/random_peer.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <system_error>

#include "farm/worker/process.h"

namespace lockstep::cli {
namespace {

namespace rv = isa::riscv64::random;

// A batch takes a second or two and one program less; what takes far longer does not come to its end.
constexpr uint64_t kBatchWallMs = 120'000, kSingleWallMs = 40'000;

// Room for a second hart makes QEMU's atomic operations one access each, as their faults must be.
constexpr const char* kQemuArguments[] = {"-machine", "virt",     "-smp",  "1,maxcpus=2", "-m",
                                          "256M",     "-display", "none",  "-monitor",    "none",
                                          "-serial",  "stdio",    "-bios", "none",        "-kernel"};
// What the programs may use, and nothing else that would show.
constexpr const char* kQemuCpu = "rv64,h=false,v=false,zba=true,zbb=true,zbc=false,zbs=true,sstc=false";

// The same of Spike, which is built from its sources and has no usual place.
constexpr const char* kSpikeArguments[] = {"--isa=rv64imafdc_zicsr_zifencei_zicntr_zicclsm_zihintpause_zba_zbb_zbs",
                                           "--priv=msu", "--pmpregions=16", "-m0x80000000:0x10000000"};
constexpr const char* kSpikeVariable = "LOCKSTEP_SPIKE";

uint64_t now_ms() {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
          .count());
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

core::Result<std::unique_ptr<RandomPeer>> RandomPeer::make(const std::string& name, const std::string& program) {
  std::unique_ptr<RandomPeer> peer(new RandomPeer);
  if (name == "qemu") {
    peer->command_ = {program.empty() ? "qemu-system-riscv64" : program, "-cpu", kQemuCpu};
    for (const char* argument : kQemuArguments) peer->command_.push_back(argument);
  } else if (name == "spike") {
    const char* named = std::getenv(kSpikeVariable);
    peer->command_ = {!program.empty() ? program : named != nullptr && *named != 0 ? named : "spike"};
    for (const char* argument : kSpikeArguments) peer->command_.push_back(argument);
  } else if (name == "vm") {
    peer->command_ = {program.empty() ? "/proc/self/exe" : program, "vm", "run", "--bios", "none", "--kernel"};
  } else {
    return core::Error{fmt::format("--against {}: it is qemu, spike or vm", name)};
  }
  std::string folder = (std::filesystem::temp_directory_path() / "lockstep-random-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) {
    return core::Error{fmt::format("{}: no folder can be made there: set TMPDIR", folder)};
  }
  peer->folder_ = folder;
  // Spike tells its version with its options, as an error.
  const bool is_spike = name == "spike";
  const auto version = peer->output_of({peer->command_[0], is_spike ? "--help" : "--version"}, kSingleWallMs, is_spike);
  if (!version) {
    return core::Error{fmt::format("--against {}: {}{}", name, version.message(),
                                   is_spike ? fmt::format("; --peer-program or {} names it", kSpikeVariable) : "")};
  }
  peer->version_ = version->substr(0, version->find('\n'));
  return peer;
}

RandomPeer::~RandomPeer() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

core::Result<std::string> RandomPeer::output_of(const std::vector<std::string>& argv, uint64_t wall_ms, bool as_error) {
  farm::Process::Request request;
  request.argv = argv;
  request.folder = folder_.string();
  request.stdout_path = (folder_ / "stdout").string();
  request.stderr_path = (folder_ / "stderr").string();
  request.limits.wall_ms = wall_ms;
  auto process = farm::Process::start(request, now_ms());
  if (!process) return process.error();
  pollfd ended{process->fd(), POLLIN, 0};
  while (poll(&ended, 1, 100) == 0) process->on_time(now_ms());
  const farm::ProcessOutcome outcome = process->reap(now_ms());
  if (as_error && outcome.signal == 0 && std::filesystem::file_size(request.stderr_path) > 0) {
    return text_of(request.stderr_path);
  }
  // What it printed until it was ended says which program it did not finish.
  if (!outcome.wall_limit_hit && (outcome.exit_code != 0 || outcome.signal != 0)) {
    return core::Error{fmt::format("{} ended with {} {}: {}", argv[0], outcome.signal != 0 ? "signal" : "status",
                                   outcome.signal != 0 ? outcome.signal : outcome.exit_code,
                                   text_of(request.stderr_path))};
  }
  return text_of(request.stdout_path);
}

core::Result<std::vector<uint64_t>> RandomPeer::run(std::span<const rv::RandomProgram> programs, rv::Print print) {
  const std::filesystem::path path = folder_ / "programs.elf";
  const std::vector<uint8_t> image = rv::make_image(programs, print);
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(image.data()), static_cast<std::streamsize>(image.size()));
  if (!file.flush()) return core::Error{fmt::format("{}: the file cannot be written", path.string())};
  file.close();
  std::vector<std::string> argv = command_;
  argv.push_back(path.string());
  const auto console = output_of(argv, programs.size() > 1 ? kBatchWallMs : kSingleWallMs);
  if (!console) return console.error();
  return rv::printed_words(*console);
}

}  // namespace lockstep::cli
