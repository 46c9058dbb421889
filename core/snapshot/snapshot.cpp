// SPDX-License-Identifier: Apache-2.0
#include "core/snapshot/snapshot.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cassert>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "core/digest/digest.h"
#include "core/loader/loader.h"
#include "core/memory/backed_pages.h"

namespace lockstep::core {

namespace {

constexpr std::string_view kMagic("LOCKSNAP", 8);
constexpr size_t kDigestBytes = 32;
constexpr uint64_t kLastPage = ~uint64_t{0};

enum ValueKind : uint8_t { kU64 = 0, kBytes = 1 };

class Out {
 public:
  explicit Out(std::vector<uint8_t>& bytes) : bytes_(&bytes) {}

  template <typename T>
  void number(T value) {
    for (size_t i = 0; i < sizeof(T); ++i) bytes_->push_back(static_cast<uint8_t>(uint64_t{value} >> (8 * i)));
  }
  void raw(std::span<const uint8_t> value) { bytes_->insert(bytes_->end(), value.begin(), value.end()); }
  void name(const std::string& value) {
    number(static_cast<uint16_t>(value.size()));
    raw({reinterpret_cast<const uint8_t*>(value.data()), value.size()});
  }

 private:
  std::vector<uint8_t>* bytes_;
};

// Takes values off a file; after the first one that is not all there, everything reads as zero and ok() is false.
class In {
 public:
  In(std::span<const uint8_t> bytes, size_t at) : bytes_(bytes), at_(at) {}

  bool ok() const { return ok_; }
  size_t at() const { return at_; }
  void fail() { ok_ = false; }

  std::span<const uint8_t> raw(uint64_t length) {
    if (!ok_ || length > bytes_.size() - at_) {
      ok_ = false;
      return {};
    }
    const auto result = bytes_.subspan(at_, length);
    at_ += length;
    return result;
  }
  template <typename T>
  T number() {
    uint64_t value = 0;
    const std::span<const uint8_t> bytes = raw(sizeof(T));
    for (size_t i = 0; i < bytes.size(); ++i) value |= uint64_t{bytes[i]} << (8 * i);
    return static_cast<T>(value);
  }
  std::string name() {
    const auto length = number<uint16_t>();
    if (length > kMaxSnapshotNameBytes) fail();
    const std::span<const uint8_t> bytes = raw(ok_ ? length : 0);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

 private:
  std::span<const uint8_t> bytes_;
  size_t at_;
  bool ok_ = true;
};

struct PageRecord {
  uint64_t index = kLastPage;
  std::span<const uint8_t> stored;
};

PageRecord read_page(In& in) {
  PageRecord page;
  page.index = in.number<uint64_t>();
  if (page.index == kLastPage) return page;
  const auto length = in.number<uint16_t>();
  if (length == 0 || length > kPageSize) in.fail();
  page.stored = in.raw(length);
  return page;
}

void append_ram(const std::string& name, const GuestRam& ram, std::vector<uint8_t>& bytes) {
  Out out(bytes);
  out.name(name);
  out.number(ram.base());
  out.number(ram.size_bytes());
  uint8_t packed[kPageSize];
  const std::vector<bool> backed = backed_pages(ram);
  for (uint64_t index = 0; index < backed.size(); ++index) {
    if (!backed[index]) continue;
    const std::span<const uint8_t> page(ram.host() + index * kPageSize, kPageSize);
    if (all_zero(page)) continue;
    // A page that does not shrink is stored as it is: its length says so.
    uLongf length = sizeof(packed) - 1;
    const bool shrunk = compress2(packed, &length, page.data(), page.size(), Z_BEST_SPEED) == Z_OK;
    out.number(index);
    out.number(static_cast<uint16_t>(shrunk ? length : kPageSize));
    out.raw(shrunk ? std::span<const uint8_t>(packed, length) : page);
  }
  out.number(kLastPage);
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

bool write_all(int fd, std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(fd, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(done));
  }
  return true;
}

}  // namespace

void SnapshotSection::put(const std::string& key, uint64_t value) { values_.insert_or_assign(key, value); }

void SnapshotSection::put_bytes(const std::string& key, std::span<const uint8_t> value) {
  values_.insert_or_assign(key, std::vector<uint8_t>(value.begin(), value.end()));
}

void SnapshotSection::put_string(const std::string& key, std::string_view value) {
  put_bytes(key, {reinterpret_cast<const uint8_t*>(value.data()), value.size()});
}

Result<uint64_t> SnapshotSection::u64(const std::string& key) const {
  const auto found = values_.find(key);
  if (found == values_.end()) {
    return Error{
        fmt::format("the snapshot's section '{}' has no value '{}'; it was taken by another version", name_, key)};
  }
  const auto* value = std::get_if<uint64_t>(&found->second);
  if (value == nullptr) return Error{fmt::format("the snapshot's value '{}.{}' is not a number", name_, key)};
  return *value;
}

Result<uint64_t> SnapshotSection::u64_at_most(const std::string& key, uint64_t max) const {
  Result<uint64_t> value = u64(key);
  if (value && *value > max) {
    return Error{fmt::format("the snapshot's value '{}.{}' is {}, more than {}", name_, key, *value, max)};
  }
  return value;
}

Result<std::vector<uint8_t>> SnapshotSection::bytes(const std::string& key) const {
  const auto found = values_.find(key);
  if (found == values_.end()) {
    return Error{
        fmt::format("the snapshot's section '{}' has no value '{}'; it was taken by another version", name_, key)};
  }
  const auto* value = std::get_if<std::vector<uint8_t>>(&found->second);
  if (value == nullptr) return Error{fmt::format("the snapshot's value '{}.{}' is a number, not bytes", name_, key)};
  return *value;
}

Result<std::vector<uint8_t>> SnapshotSection::bytes(const std::string& key, size_t size_bytes) const {
  Result<std::vector<uint8_t>> value = bytes(key);
  if (value && value->size() != size_bytes) {
    return Error{
        fmt::format("the snapshot's value '{}.{}' has {} bytes instead of {}", name_, key, value->size(), size_bytes)};
  }
  return value;
}

Result<std::string> SnapshotSection::string(const std::string& key) const {
  Result<std::vector<uint8_t>> value = bytes(key);
  if (!value) return value.error();
  return std::string(value->begin(), value->end());
}

SnapshotSection& SnapshotWriter::section(const std::string& name) {
  for (SnapshotSection& section : sections_) {
    if (section.name() == name) return section;
  }
  return sections_.emplace_back(name);
}

Result<std::vector<uint8_t>> SnapshotWriter::serialise() const {
  if (sections_.size() > kMaxSnapshotSections || rams_.size() > kMaxSnapshotSections) {
    return Error{fmt::format("a snapshot holds at most {} sections", kMaxSnapshotSections)};
  }
  std::vector<uint8_t> bytes(kMagic.begin(), kMagic.end());
  Out out(bytes);
  out.number(kSnapshotVersion);
  out.number(static_cast<uint32_t>(sections_.size()));
  out.number(static_cast<uint32_t>(rams_.size()));
  for (const SnapshotSection& section : sections_) {
    if (section.name().size() > kMaxSnapshotNameBytes || section.values_.size() > kMaxSnapshotValues) {
      return Error{fmt::format("the snapshot's section '{}' is too large", section.name())};
    }
    out.name(section.name());
    out.number(static_cast<uint32_t>(section.values_.size()));
    for (const auto& [key, value] : section.values_) {
      if (key.size() > kMaxSnapshotNameBytes) {
        return Error{fmt::format("the snapshot's key '{}.{}' is too long", section.name(), key)};
      }
      out.name(key);
      if (const auto* number = std::get_if<uint64_t>(&value)) {
        out.number(kU64);
        out.number(*number);
      } else {
        const auto& content = std::get<std::vector<uint8_t>>(value);
        out.number(kBytes);
        out.number(static_cast<uint64_t>(content.size()));
        out.raw(content);
      }
    }
  }
  for (const auto& [name, ram] : rams_) append_ram(name, *ram, bytes);
  Sha256 hash;
  hash.update(bytes);
  out.raw(hash.digest());
  return bytes;
}

Status SnapshotWriter::write(const std::string& path) const {
  Result<std::vector<uint8_t>> bytes = serialise();
  if (!bytes) return bytes.error();
  std::string temporary = path + ".XXXXXX";
  const Descriptor file(mkostemp(temporary.data(), O_CLOEXEC));
  const auto failed = [&] {
    const int reason = errno;
    if (file.fd >= 0) unlink(temporary.c_str());
    return Error{fmt::format("snapshot {}: cannot be written: {}", path, std::strerror(reason))};
  };
  // mkostemp makes files private; a snapshot is an ordinary file that its folder protects.
  if (file.fd < 0 || fchmod(file.fd, 0644) != 0 || !write_all(file.fd, *bytes) || fsync(file.fd) != 0) return failed();
  if (rename(temporary.c_str(), path.c_str()) != 0) return failed();
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor directory(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.fd >= 0) fsync(directory.fd);
  return {};
}

Result<SnapshotReader> SnapshotReader::open(const std::string& path) {
  Result<std::vector<uint8_t>> file = read_file(path, kMaxSnapshotFileBytes);
  if (!file) return Error{fmt::format("snapshot {}", file.message())};
  return parse(std::move(file).value(), path);
}

Result<SnapshotReader> SnapshotReader::parse(std::vector<uint8_t> file, const std::string& name) {
  if (file.size() < kMagic.size() || std::memcmp(file.data(), kMagic.data(), kMagic.size()) != 0) {
    return Error{fmt::format("snapshot {}: is not a snapshot", name)};
  }
  In head(file, kMagic.size());
  const auto version = head.number<uint32_t>();
  if (head.ok() && version != kSnapshotVersion) {
    return Error{fmt::format("snapshot {}: has format {}, this program reads format {}; take it anew", name, version,
                             kSnapshotVersion)};
  }
  if (!head.ok() || file.size() < head.at() + kDigestBytes) {
    return Error{fmt::format("snapshot {}: is truncated", name)};
  }
  const size_t content_bytes = file.size() - kDigestBytes;
  const std::span<const uint8_t> content(file.data(), content_bytes);
  Sha256 hash;
  hash.update(content);
  if (std::memcmp(hash.digest().data(), file.data() + content_bytes, kDigestBytes) != 0) {
    return Error{fmt::format("snapshot {}: is truncated or was changed: its SHA-256 does not match", name)};
  }

  const auto broken = [&](std::string_view what) {
    return Error{fmt::format("snapshot {}: {} makes no sense", name, what)};
  };
  SnapshotReader reader;
  In in(content, head.at());
  const auto section_count = in.number<uint32_t>();
  const auto ram_count = in.number<uint32_t>();
  if (section_count > kMaxSnapshotSections || ram_count > kMaxSnapshotSections) return broken("its section count");
  for (uint32_t i = 0; i < section_count && in.ok(); ++i) {
    SnapshotSection section(in.name());
    const auto value_count = in.number<uint32_t>();
    if (value_count > kMaxSnapshotValues) return broken("the size of section '" + section.name() + "'");
    for (uint32_t j = 0; j < value_count && in.ok(); ++j) {
      const std::string key = in.name();
      const auto kind = in.number<uint8_t>();
      if (kind == kU64) {
        section.put(key, in.number<uint64_t>());
      } else if (kind == kBytes) {
        section.put_bytes(key, in.raw(in.number<uint64_t>()));
      } else {
        return broken("the kind of value '" + key + "'");
      }
    }
    const std::string section_name = section.name();
    if (!reader.sections_.emplace(section_name, std::move(section)).second) {
      return broken("its second section '" + section_name + "'");
    }
  }
  for (uint32_t i = 0; i < ram_count && in.ok(); ++i) {
    const std::string ram_name = in.name();
    Ram ram{in.number<uint64_t>(), in.number<uint64_t>(), in.at()};
    uint64_t next_index = 0;
    for (;;) {
      const PageRecord page = read_page(in);
      if (!in.ok() || page.index == kLastPage) break;
      if (page.index < next_index || page.index >= ram.size_bytes / kPageSize) return broken("a page's index");
      next_index = page.index + 1;
    }
    if (!reader.rams_.emplace(ram_name, ram).second) return broken("its second RAM '" + ram_name + "'");
  }
  if (!in.ok() || in.at() != content_bytes) return broken("its length");
  reader.file_name_ = name;
  reader.file_ = std::move(file);
  return reader;
}

bool SnapshotReader::has_section(const std::string& name) const { return sections_.contains(name); }

Result<const SnapshotSection*> SnapshotReader::section(const std::string& name) const {
  const auto found = sections_.find(name);
  if (found == sections_.end()) {
    return Error{fmt::format("snapshot {}: has no section '{}'; it was taken from another machine or version",
                             file_name_, name)};
  }
  return &found->second;
}

Status SnapshotReader::restore_ram(const std::string& name, GuestRam& ram) const {
  const auto found = rams_.find(name);
  if (found == rams_.end()) return Error{fmt::format("snapshot {}: has no RAM '{}'", file_name_, name)};
  const Ram& saved = found->second;
  if (saved.base != ram.base() || saved.size_bytes != ram.size_bytes()) {
    return Error{fmt::format("snapshot {}: was taken with {} MiB of RAM at {:#x}, but the machine has {} MiB at {:#x}",
                             file_name_, saved.size_bytes >> 20, saved.base, ram.size_bytes() >> 20, ram.base())};
  }
  constexpr uint8_t kZeroPage[kPageSize] = {};
  In in(file_, saved.pages_at);
  uint64_t next = 0;
  // Pages that the snapshot leaves out are zero; only those that are not zero now are touched.
  const std::vector<bool> backed = backed_pages(ram);
  const auto clear_until = [&](uint64_t index) {
    for (; next < index; ++next) {
      if (backed[next] && !all_zero({ram.host() + next * kPageSize, kPageSize}))
        ram.write(ram.base() + next * kPageSize, kZeroPage);
    }
  };
  for (;;) {
    const PageRecord page = read_page(in);
    assert(in.ok());
    if (page.index == kLastPage) break;
    clear_until(page.index);
    uint8_t unpacked[kPageSize];
    std::span<const uint8_t> content = page.stored;
    if (content.size() < kPageSize) {
      uLongf length = sizeof(unpacked);
      if (uncompress(unpacked, &length, content.data(), content.size()) != Z_OK || length != kPageSize) {
        return Error{fmt::format("snapshot {}: page {} of RAM '{}' cannot be unpacked", file_name_, page.index, name)};
      }
      content = unpacked;
    }
    ram.write(ram.base() + page.index * kPageSize, content);
    next = page.index + 1;
  }
  clear_until(ram.size_bytes() / kPageSize);
  return {};
}

}  // namespace lockstep::core
