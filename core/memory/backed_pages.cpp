// SPDX-License-Identifier: Apache-2.0
#include "core/memory/backed_pages.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

namespace lockstep::core {

std::vector<bool> backed_pages(const GuestRam& ram) {
  constexpr uint64_t kPresent = uint64_t{1} << 63, kSwapped = uint64_t{1} << 62;
  constexpr uint64_t kPagesAtOnce = 4096;
  const uint64_t pages = ram.size_bytes() / kPageSize;
  std::vector<bool> backed(pages, true);
  // One word a page of this process's address space.
  const int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  std::vector<uint64_t> words(kPagesAtOnce);
  for (uint64_t first = 0; fd >= 0 && first < pages; first += kPagesAtOnce) {
    const uint64_t count = std::min(kPagesAtOnce, pages - first);
    const auto size = static_cast<ssize_t>(count * sizeof words[0]);
    const uint64_t address = reinterpret_cast<uintptr_t>(ram.host()) + first * kPageSize;
    if (pread(fd, words.data(), static_cast<size_t>(size), static_cast<off_t>(address / kPageSize * sizeof words[0])) !=
        size) {
      break;
    }
    for (uint64_t i = 0; i < count; ++i) backed[first + i] = (words[i] & (kPresent | kSwapped)) != 0;
  }
  if (fd >= 0) close(fd);
  return backed;
}

}  // namespace lockstep::core
