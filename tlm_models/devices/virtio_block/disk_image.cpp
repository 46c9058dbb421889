// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/devices/virtio_block/disk_image.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace lockstep::tlm_models {

core::Result<std::unique_ptr<DiskImage>> DiskImage::open(const std::string& path, Mode mode) {
  std::unique_ptr<DiskImage> image(new DiskImage);
  image->path_ = path;
  image->mode_ = mode;
  // Not blocking, because opening a pipe that nobody writes to would wait for ever; files do not heed it.
  image->fd_ = ::open(path.c_str(), (mode == Mode::kReadWrite ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
  if (image->fd_ < 0) {
    const char* hint = mode == Mode::kReadWrite && (errno == EACCES || errno == EROFS) ? "; add readonly=on" : "";
    return core::Error{fmt::format("cannot open disk image '{}': {}{}", path, std::strerror(errno), hint)};
  }
  struct stat info {};
  if (fstat(image->fd_, &info) != 0 || (!S_ISREG(info.st_mode) && !S_ISBLK(info.st_mode))) {
    return core::Error{fmt::format("disk image '{}' is neither a file nor a block device", path)};
  }
  const off_t size_bytes = lseek(image->fd_, 0, SEEK_END);
  if (size_bytes <= 0 || static_cast<uint64_t>(size_bytes) % kSectorBytes != 0) {
    return core::Error{fmt::format("disk image '{}' has {} bytes; a raw image is a whole number of 512-byte sectors",
                                   path, static_cast<int64_t>(size_bytes))};
  }
  image->sectors_ = static_cast<uint64_t>(size_bytes) / kSectorBytes;
  return image;
}

DiskImage::~DiskImage() {
  if (fd_ >= 0) close(fd_);
}

bool DiskImage::read(uint64_t sector, std::span<uint8_t> data) {
  size_t done = 0;
  while (done < data.size()) {
    const ssize_t got =
        pread(fd_, data.data() + done, data.size() - done, static_cast<off_t>(sector * kSectorBytes + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    done += static_cast<size_t>(got);
  }
  if (mode_ == Mode::kOverlay) {
    const uint64_t count = data.size() / kSectorBytes;
    for (auto it = overlay_.lower_bound(sector); it != overlay_.end() && it->first < sector + count; ++it) {
      std::memcpy(&data[(it->first - sector) * kSectorBytes], it->second.data(), kSectorBytes);
    }
  }
  return true;
}

bool DiskImage::write(uint64_t sector, std::span<const uint8_t> data) {
  if (mode_ == Mode::kReadOnly) return false;
  if (mode_ == Mode::kOverlay) {
    for (uint64_t i = 0; i < data.size() / kSectorBytes; ++i) {
      if (overlay_.size() >= kMaxOverlaySectors && !overlay_.contains(sector + i)) return false;
      const auto piece = data.subspan(i * kSectorBytes, kSectorBytes);
      overlay_[sector + i].assign(piece.begin(), piece.end());
    }
    return true;
  }
  size_t done = 0;
  while (done < data.size()) {
    const ssize_t put =
        pwrite(fd_, data.data() + done, data.size() - done, static_cast<off_t>(sector * kSectorBytes + done));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    done += static_cast<size_t>(put);
  }
  return true;
}

bool DiskImage::flush() { return mode_ != Mode::kReadWrite || fdatasync(fd_) == 0; }

}  // namespace lockstep::tlm_models
