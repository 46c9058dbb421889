// SPDX-License-Identifier: Apache-2.0
#include "core/loader/loader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#define ZLIB_CONST
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/loader/byte_view.h"

namespace lockstep::core {

namespace {

using loader::get;
using loader::inside;
using loader::kMiB;

constexpr size_t kImageHeaderBytes = 64;
constexpr uint64_t kImageAlignment = 2 * kMiB;
// A gzip inside a zboot inside a gzip is a joke; two layers are what exists.
constexpr unsigned kMaxLayers = 2;
// Files are read whole; the largest payload that makes sense is as large as RAM, and its packed form is smaller.
constexpr uint64_t kMaxInputBytes = uint64_t{4} << 30;

// Header of a Linux Image (Documentation/arch/{riscv,arm64}: boot image header), which both ISAs share up to the magic.
struct ImageHeader {
  uint64_t text_offset = 0;
  uint64_t image_size = 0;
  uint64_t flags = 0;
  ImageFormat format = ImageFormat::kRaw;
};

std::optional<ImageHeader> image_header(std::span<const uint8_t> file) {
  if (file.size() < kImageHeaderBytes) return std::nullopt;
  ImageHeader header{get<uint64_t>(file, 8), get<uint64_t>(file, 16), get<uint64_t>(file, 24), ImageFormat::kRaw};
  if (std::memcmp(file.data() + 56, "RSC\x05", 4) == 0) {
    header.format = ImageFormat::kRiscvImage;
  } else if (std::memcmp(file.data() + 56, "ARM\x64", 4) == 0) {
    header.format = ImageFormat::kArm64Image;
    // Images from before Linux 3.17 say no size and lie at the offset that was fixed then.
    if (header.image_size == 0) header.text_offset = 0x80000;
  } else {
    return std::nullopt;
  }
  return header;
}

Error needs(const Placement& placement, std::string_view name, uint64_t size_bytes, uint64_t address,
            const GuestRam& ram) {
  if (address < ram.base() || address - ram.base() > ram.size_bytes() + (uint64_t{1} << 40)) {
    return Error{fmt::format("{} {} goes to {:#x}, but RAM is at {:#x}..{:#x}", placement.role, name, address,
                             ram.base(), ram.base() + ram.size_bytes() - 1)};
  }
  return Error{fmt::format("{} {} needs {} MiB from {:#x} but the machine has {} MiB; ask for more with --memory",
                           placement.role, name, size_bytes / kMiB + (size_bytes % kMiB != 0), address,
                           ram.size_bytes() / kMiB)};
}

Result<LoadedImage> load_image(const ImageHeader& header, std::span<const uint8_t> file, std::string_view name,
                               const Placement& placement, GuestRam& ram) {
  const ElfMachine machine = header.format == ImageFormat::kRiscvImage ? ElfMachine::kRiscv : ElfMachine::kAarch64;
  if (machine != placement.machine) {
    return Error{fmt::format("{} {}: is a Linux Image for {}, but the machine is {}", placement.role, name,
                             machine_name(machine), machine_name(placement.machine))};
  }
  if (header.flags & 1) {
    return Error{fmt::format("{} {}: is a big-endian Linux Image; only little-endian ones run", placement.role, name)};
  }
  if (placement.image_base % kImageAlignment != 0) {
    return Error{fmt::format("{} {}: a Linux Image goes to a multiple of 2 MiB, not to {:#x}", placement.role, name,
                             placement.image_base)};
  }
  const uint64_t size_bytes = std::max<uint64_t>(header.image_size, file.size());
  const uint64_t address = placement.image_base + header.text_offset;
  if (header.text_offset > ram.size_bytes() || !ram.window().contains(address, size_bytes)) {
    return needs(placement, name, size_bytes, address, ram);
  }
  ram.write(address, file);
  std::ranges::fill(ram.bytes(address + file.size(), size_bytes - file.size()), uint8_t{0});
  ram.note_write(address + file.size(), size_bytes - file.size());
  LoadedImage image;
  image.format = header.format;
  image.entry = image.first = address;
  image.end = address + size_bytes;
  image.segments.push_back({address, address, size_bytes});
  return image;
}

// The gzip payload of an EFI zboot image: "MZ", then at 4 "zimg", the payload's offset and size, and at 24 its type.
Result<std::span<const uint8_t>> zboot_payload(std::span<const uint8_t> file, std::string_view name,
                                               const Placement& placement) {
  const auto offset = get<uint32_t>(file, 8);
  const auto size_bytes = get<uint32_t>(file, 12);
  if (std::memcmp(file.data() + 24, "gzip", 5) != 0) {
    return Error{fmt::format("{} {}: is an EFI zboot image that is not packed with gzip; unpack it to an Image first",
                             placement.role, name)};
  }
  if (!inside(offset, size_bytes, file.size())) {
    return Error{fmt::format("{} {}: is truncated: its payload of {} bytes at {} lies behind its {} bytes",
                             placement.role, name, size_bytes, offset, file.size())};
  }
  return file.subspan(offset, size_bytes);
}

bool begins(std::span<const uint8_t> file, std::string_view magic, size_t at = 0) {
  return inside(at, magic.size(), file.size()) && std::memcmp(file.data() + at, magic.data(), magic.size()) == 0;
}

Result<LoadedImage> load_layer(std::span<const uint8_t> file, std::string_view name, const Placement& placement,
                               GuestRam& ram, unsigned layer) {
  if (file.empty()) return Error{fmt::format("{} {}: is empty", placement.role, name)};
  if (begins(file,
             "\x7f"
             "ELF"))
    return load_elf(file, name, placement, ram);
  if (begins(file, "\x1f\x8b") && layer < kMaxLayers) {
    Result<std::vector<uint8_t>> unpacked = gunzip(file, name, ram.size_bytes());
    if (!unpacked) return Error{fmt::format("{} {}", placement.role, unpacked.message())};
    return load_layer(*unpacked, name, placement, ram, layer + 1);
  }
  if (begins(file, "MZ") && begins(file, "zimg", 4) && file.size() >= kImageHeaderBytes && layer < kMaxLayers) {
    Result<std::span<const uint8_t>> payload = zboot_payload(file, name, placement);
    if (!payload) return payload.error();
    return load_layer(*payload, name, placement, ram, layer + 1);
  }
  if (const std::optional<ImageHeader> header = image_header(file)) {
    return load_image(*header, file, name, placement, ram);
  }
  return load_raw(file, name, placement, ram);
}

struct Descriptor {
  explicit Descriptor(int number) : fd(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
  int fd;
};

}  // namespace

Result<LoadedImage> load_raw(std::span<const uint8_t> file, std::string_view name, const Placement& placement,
                             GuestRam& ram) {
  const uint64_t address = placement.raw_address;
  if (file.empty()) return Error{fmt::format("{} {}: is empty", placement.role, name)};
  if (!ram.window().contains(address, file.size())) return needs(placement, name, file.size(), address, ram);
  ram.write(address, file);
  LoadedImage image;
  image.entry = image.first = address;
  image.end = address + file.size();
  image.segments.push_back({address, address, file.size()});
  return image;
}

Result<LoadedImage> load_kernel(std::span<const uint8_t> file, std::string_view name, const Placement& placement,
                                GuestRam& ram) {
  return load_layer(file, name, placement, ram, 0);
}

Result<LoadedImage> load_kernel(const std::string& path, const Placement& placement, GuestRam& ram) {
  Result<std::vector<uint8_t>> file = read_file(path, kMaxInputBytes);
  if (!file) return Error{fmt::format("{} {}", placement.role, file.message())};
  return load_kernel(*file, path, placement, ram);
}

Result<AddressRange> load_initrd(const std::string& path, GuestRam& ram, uint64_t not_below, uint64_t not_above) {
  Result<std::vector<uint8_t>> file = read_file(path, kMaxInputBytes);
  if (!file) return Error{fmt::format("initrd {}", file.message())};
  if (file->empty()) return Error{fmt::format("initrd {}: is empty", path)};
  const uint64_t first = std::max(not_below, ram.base());
  const uint64_t end = std::min(not_above, ram.base() + ram.size_bytes());
  const uint64_t size_bytes = file->size();
  if (end <= first || size_bytes > end - first || ((end - size_bytes) & kPageMask) < first) {
    return Error{fmt::format("initrd {} needs {} MiB from {:#x} but the machine has {} MiB; ask for more with --memory",
                             path, (size_bytes + kMiB - 1) / kMiB, first, ram.size_bytes() / kMiB)};
  }
  const uint64_t address = (end - size_bytes) & kPageMask;
  ram.write(address, *file);
  return AddressRange{address, address + size_bytes};
}

Result<std::vector<uint8_t>> read_file(const std::string& path, uint64_t max_bytes) {
  const auto failed = [&] { return Error{fmt::format("{}: cannot be read: {}", path, std::strerror(errno))}; };
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info = {};
  if (file.fd < 0 || fstat(file.fd, &info) != 0) return failed();
  if (S_ISDIR(info.st_mode)) return Error{fmt::format("{}: is a directory, not a file", path)};
  if (static_cast<uint64_t>(info.st_size) > max_bytes) {
    return Error{fmt::format("{}: has {} bytes; at most {} are taken", path, info.st_size, max_bytes)};
  }
  // Read to the end, not to st_size, which pipes do not have and growing files change.
  std::vector<uint8_t> bytes(S_ISREG(info.st_mode) ? static_cast<size_t>(info.st_size) + 1 : 64 * 1024);
  size_t length = 0;
  for (;;) {
    if (length == bytes.size()) {
      if (length > max_bytes)
        return Error{fmt::format("{}: has more than the {} bytes that are taken", path, max_bytes)};
      bytes.resize(bytes.size() * 2);
    }
    const ssize_t got = read(file.fd, bytes.data() + length, bytes.size() - length);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed();
    if (got == 0) break;
    length += static_cast<size_t>(got);
  }
  bytes.resize(length);
  return bytes;
}

Result<std::vector<uint8_t>> gunzip(std::span<const uint8_t> packed, std::string_view name, uint64_t max_bytes) {
  constexpr int kGzipOnly = 16 + MAX_WBITS;
  constexpr size_t kStepBytes = size_t{1} << 20;
  z_stream stream = {};
  if (inflateInit2(&stream, kGzipOnly) != Z_OK) return Error{fmt::format("{}: no memory to unpack it", name)};
  std::vector<uint8_t> out;
  size_t length = 0;
  size_t taken = 0;
  int result = Z_OK;
  while (result == Z_OK && length <= max_bytes) {
    if (stream.avail_in == 0) {
      stream.next_in = packed.data() + taken;
      stream.avail_in = static_cast<uInt>(std::min<size_t>(packed.size() - taken, uInt{1} << 30));
      taken += stream.avail_in;
    }
    if (length == out.size()) out.resize(out.size() + std::max(kStepBytes, out.size() / 2));
    stream.next_out = out.data() + length;
    stream.avail_out = static_cast<uInt>(std::min<size_t>(out.size() - length, uInt{1} << 30));
    const uInt room = stream.avail_out;
    result = inflate(&stream, Z_NO_FLUSH);
    length += room - stream.avail_out;
  }
  inflateEnd(&stream);
  if (length > max_bytes) {
    return Error{fmt::format("{}: unpacks to more than {} MiB; ask for more with --memory", name, max_bytes >> 20)};
  }
  if (result == Z_BUF_ERROR) return Error{fmt::format("{}: is truncated: the gzip data ends early", name)};
  if (result != Z_STREAM_END) return Error{fmt::format("{}: its gzip data is damaged", name)};
  out.resize(length);
  return out;
}

}  // namespace lockstep::core
