// SPDX-License-Identifier: Apache-2.0
#include "cli/lockstep_wire.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace lockstep::cli {
namespace {

struct Header {
  Message message;
  uint32_t size_bytes;
};

bool write_all(int fd, const void* data, size_t size_bytes) {
  const auto* at = static_cast<const uint8_t*>(data);
  while (size_bytes > 0) {
    const ssize_t done = write(fd, at, size_bytes);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    at += done;
    size_bytes -= static_cast<size_t>(done);
  }
  return true;
}

bool read_all(int fd, void* data, size_t size_bytes) {
  auto* at = static_cast<uint8_t*>(data);
  while (size_bytes > 0) {
    const ssize_t done = read(fd, at, size_bytes);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    at += done;
    size_bytes -= static_cast<size_t>(done);
  }
  return true;
}

struct Mapping {
  uint8_t* begin;
  size_t size_bytes;
  uint64_t file_offset;
  int protection;
};

// The shared mappings of this process that can be written through one of them, by the device and inode of what they
// map.
std::map<std::string, std::vector<Mapping>> shared_mappings() {
  std::map<std::string, std::vector<Mapping>> all;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> maps(std::fopen("/proc/self/maps", "re"), &std::fclose);
  char line[512];
  while (maps && std::fgets(line, sizeof line, maps.get()) != nullptr) {
    uint64_t begin = 0, end = 0, offset = 0;
    char flags[5] = {}, device[16] = {}, inode[24] = {};
    if (std::sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %15s %23s", &begin, &end, flags, &offset, device,
                    inode) != 6 ||
        flags[3] != 's') {
      continue;
    }
    const int protection =
        (flags[0] == 'r' ? PROT_READ : 0) | (flags[1] == 'w' ? PROT_WRITE : 0) | (flags[2] == 'x' ? PROT_EXEC : 0);
    all[std::string(device) + " " + inode].push_back(
        {reinterpret_cast<uint8_t*>(begin), end - begin, offset, protection});
  }
  std::erase_if(all, [](const auto& entry) {
    return std::ranges::none_of(entry.second, [](const Mapping& m) { return (m.protection & PROT_WRITE) != 0; });
  });
  return all;
}

// Copies the pages that the memory has, those in `copied` apart; a look at others would make them.
bool copy_pages(int fd, const Mapping& from, std::set<uint64_t>& copied) {
  const auto page_bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> resident(from.size_bytes / page_bytes);
  if (mincore(from.begin, from.size_bytes, resident.data()) != 0) return false;
  for (size_t page = 0; page < resident.size(); ++page) {
    const uint64_t at = from.file_offset + page * page_bytes;
    if (!(resident[page] & 1) || !copied.insert(at).second) continue;
    if (pwrite(fd, from.begin + page * page_bytes, page_bytes, static_cast<off_t>(at)) !=
        static_cast<ssize_t>(page_bytes)) {
      return false;
    }
  }
  return true;
}

bool make_private(const std::vector<Mapping>& mappings) {
  const int fd = memfd_create("lockstep-copy", MFD_CLOEXEC);
  if (fd < 0) return false;
  uint64_t size_bytes = 0;
  for (const Mapping& m : mappings) size_bytes = std::max(size_bytes, m.file_offset + m.size_bytes);
  bool good = ftruncate(fd, static_cast<off_t>(size_bytes)) == 0;
  std::set<uint64_t> copied;
  for (const Mapping& m : mappings) {
    if (good && (m.protection & PROT_READ)) good = copy_pages(fd, m, copied);
  }
  for (const Mapping& m : mappings) {
    good = good && mmap(m.begin, m.size_bytes, m.protection, MAP_SHARED | MAP_FIXED, fd,
                        static_cast<off_t>(m.file_offset)) != MAP_FAILED;
  }
  close(fd);
  return good;
}

}  // namespace

bool send_message(int fd, Message message, std::string_view body) {
  const Header header{message, static_cast<uint32_t>(body.size())};
  return write_all(fd, &header, sizeof header) && write_all(fd, body.data(), body.size());
}

bool receive_message(int fd, Frame& frame) {
  Header header{};
  if (!read_all(fd, &header, sizeof header)) return false;
  frame.message = header.message;
  frame.body.resize(header.size_bytes);
  return read_all(fd, frame.body.data(), frame.body.size());
}

bool make_shared_memory_private() {
  for (const auto& [what, mappings] : shared_mappings()) {
    if (!make_private(mappings)) return false;
  }
  return true;
}

}  // namespace lockstep::cli
