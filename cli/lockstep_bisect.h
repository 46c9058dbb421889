// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/lockstep_pair.h"
#include "core/result.h"

namespace lockstep::cli {

// A folder under TMPDIR that goes with this object; what others have left there goes as well.
class TemporaryFolder {
 public:
  static core::Result<TemporaryFolder> make();
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder();

  const std::filesystem::path& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

// One run on the way to a difference.
struct BisectStep {
  uint64_t from = 0;         // the total at which it began: that of a snapshot, or of the user's machine
  bool snapshot = false;     // it began from a snapshot of its own
  uint64_t check_every = 0;  // instructions between its comparisons of memory, each with a snapshot
  bool differs = false;
};

struct Bisected {
  // Differs, and has frozen copies at a checkpoint before; nullptr when no run showed the difference again.
  std::unique_ptr<LockstepPair> pair;
  Divergence divergence;
  std::vector<BisectStep> steps;
};

// Repeats a run that differed from the latest snapshot at which both sides agreed, with closer snapshots, and that from
// the latest of those, until they are as close as memory can well be compared. Engines begin anew in each; a difference
// that needs what an engine did before is looked for from the beginning instead.
class Bisection {
 public:
  // `sides` are those of the run that differed; its snapshots are in `folder`, and so are those to come.
  Bisection(const VmOptions& options, const std::array<SideOptions, 2>& sides, const std::filesystem::path& folder);

  using Progress = std::function<void(const BisectStep& step)>;
  Bisected find(const Divergence& first, const Progress& progress);

 private:
  struct Base {
    std::string file;  // empty: what the user gave
    uint64_t total = 0;
  };
  // The latest snapshot of the run whose snapshots are in `folder`.
  Base latest(const std::filesystem::path& folder, const Divergence& divergence, const Base& otherwise) const;
  VmOptions options_from(const Base& base, uint64_t last) const;

  const VmOptions& options_;
  std::array<SideOptions, 2> sides_;
  std::filesystem::path folder_;
};

}  // namespace lockstep::cli
