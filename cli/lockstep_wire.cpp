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

// The shared mappings of files in memory that this process has, by the file's inode.
std::map<uint64_t, std::vector<Mapping>> shared_memory_files() {
  std::map<uint64_t, std::vector<Mapping>> files;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> maps(std::fopen("/proc/self/maps", "re"), &std::fclose);
  char line[512];
  while (maps && std::fgets(line, sizeof line, maps.get()) != nullptr) {
    uint64_t begin = 0, end = 0, offset = 0, inode = 0;
    char flags[5] = {};
    if (std::sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*s %" SCNu64, &begin, &end, flags, &offset,
                    &inode) != 5 ||
        flags[3] != 's' || std::string_view(line).find("/memfd:") == std::string_view::npos) {
      continue;
    }
    const int protection =
        (flags[0] == 'r' ? PROT_READ : 0) | (flags[1] == 'w' ? PROT_WRITE : 0) | (flags[2] == 'x' ? PROT_EXEC : 0);
    files[inode].push_back({reinterpret_cast<uint8_t*>(begin), end - begin, offset, protection});
  }
  return files;
}

// Copies the pages that the file has; looking at others would make them.
bool copy_file(int fd, const Mapping& from) {
  const auto page_bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> resident((from.size_bytes + page_bytes - 1) / page_bytes);
  if (mincore(from.begin, from.size_bytes, resident.data()) != 0) return false;
  for (size_t page = 0; page < resident.size(); ++page) {
    if (!(resident[page] & 1)) continue;
    const size_t at = page * page_bytes;
    const size_t length = std::min(page_bytes, from.size_bytes - at);
    if (pwrite(fd, from.begin + at, length, static_cast<off_t>(from.file_offset + at)) !=
        static_cast<ssize_t>(length)) {
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
  std::set<uint64_t> copied;  // a second mapping of the same part has the same bytes
  for (const Mapping& m : mappings) {
    if (good && (m.protection & PROT_READ) && copied.insert(m.file_offset).second) good = copy_file(fd, m);
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

bool make_memory_files_private() {
  for (const auto& [inode, mappings] : shared_memory_files()) {
    if (!make_private(mappings)) return false;
  }
  return true;
}

}  // namespace lockstep::cli
