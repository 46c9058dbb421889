// SPDX-License-Identifier: Apache-2.0
#include "cli/lockstep_bisect.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <system_error>

namespace lockstep::cli {
namespace {

// Each run keeps so many snapshots where the one before kept one.
constexpr uint64_t kFiner = 16;
// Memory is compared as a whole with each: more often costs more than looking on with copies.
constexpr uint64_t kFinest = 100'000;

constexpr std::string_view kFolderName = "lockstep-compare-";

// Folders of comparisons that were ended from outside; their names tell the process.
void remove_orphans(const std::filesystem::path& parent) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(parent, ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kFolderName)) continue;
    const pid_t pid = std::atoi(name.c_str() + kFolderName.size());
    struct stat status {};
    const bool ours = lstat(entry.path().c_str(), &status) == 0 && status.st_uid == geteuid();
    if (pid > 0 && ours && kill(pid, 0) != 0 && errno == ESRCH) std::filesystem::remove_all(entry.path(), ignored);
  }
}

}  // namespace

core::Result<TemporaryFolder> TemporaryFolder::make() {
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::temp_directory_path(error);
  if (!error) remove_orphans(parent);
  std::string path = (parent / fmt::format("{}{}-XXXXXX", kFolderName, getpid())).string();
  if (error || mkdtemp(path.data()) == nullptr) {
    return core::Error{fmt::format("--lockstep: {}: no folder can be made there ({}); TMPDIR names another place", path,
                                   error ? error.message() : std::strerror(errno))};
  }
  return TemporaryFolder(path);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

Bisection::Bisection(const VmOptions& options, const std::array<SideOptions, 2>& sides,
                     const std::filesystem::path& folder)
    : options_(options), sides_(sides), folder_(folder) {
  for (SideOptions& side : sides_) side.console = false;
}

Bisection::Base Bisection::latest(const std::filesystem::path& folder, const Divergence& divergence,
                                  const Base& otherwise) const {
  Base best = otherwise;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::filesystem::path& path = entry.path();
    if (path.extension() != ".snapshot") continue;
    const uint64_t total = std::strtoull(path.stem().c_str(), nullptr, 10);
    if (total <= divergence.checkpoint && total > best.total) best = {path.string(), total};
  }
  return best;
}

VmOptions Bisection::options_from(const Base& base, uint64_t last) const {
  VmOptions o = options_;
  if (!base.file.empty()) o.restore_file = base.file;
  if (last != 0) o.max_instructions = o.max_instructions == 0 ? last : std::min(o.max_instructions, last);
  return o;
}

Bisected Bisection::find(const Divergence& first, const Progress& progress) {
  Bisected result;
  result.divergence = first;
  const auto run = [&](const Base& base, uint64_t check_every, uint64_t last, const std::string& snapshots) {
    result.steps.push_back({base.total, !base.file.empty(), check_every, false});
    progress(result.steps.back());
    std::array<SideOptions, 2> sides = sides_;
    for (SideOptions& side : sides) {
      side.check_every = check_every;
      side.copies = snapshots.empty();
      side.snapshots.clear();
    }
    sides[0].snapshots = snapshots;
    auto pair = std::make_unique<LockstepPair>(options_from(base, last), sides);
    const PairResult compared = pair->compare([](uint64_t) {});
    if (!compared.divergence) return std::unique_ptr<LockstepPair>();
    result.steps.back().differs = true;
    result.divergence = *compared.divergence;
    return pair;
  };

  uint64_t check = sides_[0].check_every;
  Base base = latest(folder_ / "0", first, {"", first.beginning});
  // A side that hangs costs a minute each time.
  for (unsigned level = 1; !first.hung && check > kFinest; ++level) {
    const uint64_t finer = std::max(check / kFiner, kFinest);
    const std::filesystem::path folder = folder_ / std::to_string(level);
    std::error_code ignored;
    std::filesystem::create_directory(folder, ignored);
    if (run(base, finer, result.divergence.seen + 1, folder.string()) == nullptr) break;
    check = finer;
    base = latest(folder, result.divergence, base);
  }
  result.pair = run(base, check, result.divergence.seen + 1, "");
  // Whatever the engines did from the beginning is done again.
  if (result.pair == nullptr) result.pair = run({"", first.beginning}, sides_[0].check_every, 0, "");
  return result;
}

}  // namespace lockstep::cli
