// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"

namespace lockstep::tlm_models {

// A raw disk image in a host file, in sectors of 512 bytes. With an overlay the file is only read and what the guest
// writes stays in memory (and in snapshots). Not thread-safe: one user at a time.
class DiskImage {
 public:
  static constexpr uint64_t kSectorBytes = 512;
  // Sectors that an overlay holds in memory, 8 GiB; a write beyond that is an I/O error for the guest.
  static constexpr uint64_t kMaxOverlaySectors = uint64_t{1} << 24;
  enum class Mode { kReadWrite, kReadOnly, kOverlay };

  // Fails when the file cannot be opened in this mode, or is not a file or block device of whole sectors.
  static core::Result<std::unique_ptr<DiskImage>> open(const std::string& path, Mode mode);
  ~DiskImage();
  DiskImage(const DiskImage&) = delete;
  DiskImage& operator=(const DiskImage&) = delete;

  const std::string& path() const { return path_; }
  Mode mode() const { return mode_; }
  uint64_t sectors() const { return sectors_; }

  // Whole sectors inside the image. False on a host I/O error.
  bool read(uint64_t sector, std::span<uint8_t> data);
  bool write(uint64_t sector, std::span<const uint8_t> data);
  // True when everything written is on the host's disk. Also true where the file is only read.
  bool flush();

  // What the guest wrote, where it is not in the file.
  const std::map<uint64_t, std::vector<uint8_t>>& overlay() const { return overlay_; }
  void restore_overlay(std::map<uint64_t, std::vector<uint8_t>> overlay) { overlay_ = std::move(overlay); }

 private:
  DiskImage() = default;

  std::string path_;
  Mode mode_ = Mode::kReadOnly;
  int fd_ = -1;
  uint64_t sectors_ = 0;
  std::map<uint64_t, std::vector<uint8_t>> overlay_;
};

}  // namespace lockstep::tlm_models
