// SPDX-License-Identifier: Apache-2.0
#include "jit/code_archive.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <regex>
#include <utility>

namespace lockstep::jit {

namespace {

namespace fs = std::filesystem;

// A file that is still without its name after so long belongs to a process that is no more.
constexpr std::chrono::hours kSavedWithin{1};

// A file: this header, the identity filled up to eight bytes, the index, and the records at the offsets that it gives.
struct FileHeader {
  std::array<char, 8> magic;
  uint64_t checksum;  // of the rest of the header, the identity and the index
  uint64_t identity_bytes;
  uint64_t entries;
};
constexpr std::array<char, 8> kMagic = {'L', 'K', 'C', 'O', 'D', 'E', '0', '1'};
// News that are less than this part of the file are not worth writing it again.
constexpr size_t kLeastNews = 64;
constexpr size_t kWriteBytes = size_t{1} << 20;
constexpr mode_t kOthersMayWrite = S_IWGRP | S_IWOTH;
constexpr size_t kChecked = offsetof(FileHeader, identity_bytes);

constexpr size_t fill(size_t bytes) { return (bytes + 7) & ~size_t{7}; }

uint64_t hash_of(uint64_t pc, uint64_t code_key, bool is_region) {
  const uint64_t words[] = {pc, code_key, is_region ? 1u : 0u};
  return XXH3_64bits(words, sizeof words);
}

std::string reason() { return std::strerror(errno); }

// Closes what it holds.
class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }
  bool write(const void* data, size_t bytes) const {
    const auto* at = static_cast<const uint8_t*>(data);
    while (bytes > 0) {
      const ssize_t written = ::write(fd_, at, bytes);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return false;
      at += written;
      bytes -= static_cast<size_t>(written);
    }
    return true;
  }

 private:
  int fd_;
};

core::Status check_owner(const struct stat& info, const fs::path& path) {
  if (info.st_uid == ::geteuid() && (info.st_mode & kOthersMayWrite) == 0) return {};
  return core::Error{fmt::format(
      "--code-cache: {} belongs to another user or others may write to it, and it holds code that would be run: "
      "use a folder of your own",
      path.string())};
}

}  // namespace

core::Result<std::unique_ptr<CodeArchive>> CodeArchive::open(const fs::path& file, std::string_view identity,
                                                             const ArchiveLimits& limits) {
  std::unique_ptr<CodeArchive> archive(new CodeArchive(file, std::string(identity), limits));
  if (core::Status loaded = archive->load(); !loaded.ok()) return loaded.error();
  return archive;
}

CodeArchive::~CodeArchive() {
  if (map_ != nullptr) munmap(const_cast<uint8_t*>(map_), map_bytes_);
}

core::Status CodeArchive::load() {
  const File file(::open(file_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.fd() < 0) {
    if (errno == ENOENT) return {};
    return core::Error{fmt::format("--code-cache: cannot read {}: {}", file_.string(), reason())};
  }
  struct stat info = {};
  if (fstat(file.fd(), &info) != 0) {
    return core::Error{fmt::format("--code-cache: cannot look at {}: {}", file_.string(), reason())};
  }
  if (core::Status owned = check_owner(info, file_); !owned.ok()) return owned;
  if (!S_ISREG(info.st_mode) || static_cast<size_t>(info.st_size) < sizeof(FileHeader)) return {};
  map_bytes_ = static_cast<size_t>(info.st_size);
  // Records are checked once and believed later: files are replaced and not written to.
  void* map = mmap(nullptr, map_bytes_, PROT_READ, MAP_PRIVATE, file.fd(), 0);
  if (map == MAP_FAILED) return core::Error{fmt::format("--code-cache: cannot map {}: {}", file_.string(), reason())};
  map_ = static_cast<const uint8_t*>(map);
  if (!read_index()) index_ = {};
  states_ = std::make_unique<std::atomic<uint8_t>[]>(index_.size());
  return {};
}

bool CodeArchive::read_index() {
  FileHeader header;
  std::memcpy(&header, map_, sizeof header);
  const size_t behind = map_bytes_ - sizeof header;
  if (header.magic != kMagic || header.identity_bytes != identity_.size() || fill(identity_.size()) > behind)
    return false;
  const size_t room = behind - fill(identity_.size());
  if (header.entries > room / sizeof(Entry)) return false;
  const uint8_t* identity = map_ + sizeof header;
  const size_t checked = sizeof header - kChecked + fill(identity_.size()) + header.entries * sizeof(Entry);
  if (header.checksum != XXH3_64bits(map_ + kChecked, checked)) return false;
  if (std::memcmp(identity, identity_.data(), identity_.size()) != 0) return false;
  index_ = {reinterpret_cast<const Entry*>(identity + fill(identity_.size())), header.entries};
  return true;
}

std::pair<size_t, size_t> CodeArchive::range(uint64_t hash) const {
  const auto found = std::ranges::equal_range(index_, hash, {}, &Entry::hash);
  const auto at = [&](auto it) { return static_cast<size_t>(it - index_.begin()); };
  return {at(found.begin()), at(found.end())};
}

std::optional<ArchivedUnit> CodeArchive::read(size_t index) {
  const Entry& entry = index_[index];
  std::atomic<uint8_t>& state = states_[index];
  if (state == kUnread) {
    const bool inside = entry.offset % 8 == 0 && entry.offset <= map_bytes_ && entry.bytes <= map_bytes_ - entry.offset;
    const bool whole = inside && entry.checksum == XXH3_64bits(map_ + entry.offset, entry.bytes) &&
                       read_record(record(index), limits_).has_value();
    state |= whole ? kGood : kDamaged;
  }
  if (state & kDamaged) return std::nullopt;
  return view_record(record(index));
}

std::optional<ArchivedUnit> CodeArchive::find(uint64_t pc, uint64_t code_key, bool is_region,
                                              const std::function<bool(const ArchivedUnit&)>& fits) {
  for (auto [k, end] = range(hash_of(pc, code_key, is_region)); k < end; ++k) {
    const auto unit = read(k);
    if (!unit || unit->pc != pc || unit->code_key != code_key || (unit->is_region != 0) != is_region) continue;
    if (!fits(*unit)) continue;
    states_[k] |= kUsed;
    return unit;
  }
  return std::nullopt;
}

bool CodeArchive::has(uint64_t pc, uint64_t code_key, bool is_region) const {
  const auto [begin, end] = range(hash_of(pc, code_key, is_region));
  return begin != end;
}

void CodeArchive::add(const ArchivedUnit& unit) {
  const auto from_same = [&](const std::optional<ArchivedUnit>& other) {
    return other && std::ranges::equal(other->guest, unit.guest) && other->pc == unit.pc &&
           other->code_key == unit.code_key && other->is_region == unit.is_region;
  };
  const uint64_t hash = hash_of(unit.pc, unit.code_key, unit.is_region != 0);
  for (auto [k, end] = range(hash); k < end; ++k) {
    if (from_same(read(k))) states_[k] |= kReplaced;
  }
  std::vector<uint8_t> record = write_record(unit);
  const std::lock_guard lock(mutex_);
  const auto [begin, end] = added_.equal_range(hash);
  const auto known = std::find_if(begin, end, [&](const auto& one) { return from_same(view_record(one.second)); });
  if (known != end) {
    added_bytes_ -= known->second.size();
    added_.erase(known);
  }
  if (added_bytes_ + record.size() > kMaxBytes / 2) return;
  added_bytes_ += record.size();
  added_.emplace(hash, std::move(record));
}

// What is new has half of the room; the rest is for what was used lately.
std::vector<CodeArchive::Kept> CodeArchive::kept() const {
  std::vector<Kept> kept;
  for (size_t k = 0; k < index_.size(); ++k) {
    const uint8_t state = states_[k];
    if (state & (kReplaced | kDamaged)) continue;
    // What was not looked at is copied as it is, with its checksum: it has its place in the file, or it is dropped.
    if (index_[k].offset > map_bytes_ || index_[k].bytes > map_bytes_ - index_[k].offset) continue;
    kept.push_back({index_[k].hash, index_[k].checksum, record(k), state & kUsed ? 0 : index_[k].idle_runs + 1});
  }
  std::ranges::stable_sort(kept, {}, &Kept::idle_runs);
  size_t bytes = 0;
  const auto behind = std::ranges::find_if(kept, [&](const Kept& one) {
    bytes += one.record.size();
    return bytes > kMaxBytes / 2;
  });
  kept.erase(behind, kept.end());
  for (const auto& [hash, record] : added_) {
    kept.push_back({hash, XXH3_64bits(record.data(), record.size()), record, 0});
  }
  std::ranges::stable_sort(kept, {}, &Kept::hash);
  return kept;
}

core::Status CodeArchive::save() {
  const std::lock_guard lock(mutex_);
  if (added_bytes_ == 0 || added_bytes_ < map_bytes_ / kLeastNews) return {};
  const std::vector<Kept> kept = this->kept();
  std::vector<uint8_t> front(sizeof(FileHeader) + fill(identity_.size()) + kept.size() * sizeof(Entry));
  std::memcpy(front.data() + sizeof(FileHeader), identity_.data(), identity_.size());
  uint8_t* to = front.data() + sizeof(FileHeader) + fill(identity_.size());
  uint64_t offset = front.size();
  for (const Kept& one : kept) {
    const Entry entry{one.hash, one.checksum, offset, static_cast<uint32_t>(one.record.size()), one.idle_runs};
    std::memcpy(to, &entry, sizeof entry);
    to += sizeof entry;
    offset += one.record.size();
  }
  FileHeader header{kMagic, 0, identity_.size(), kept.size()};
  std::memcpy(front.data(), &header, sizeof header);
  header.checksum = XXH3_64bits(front.data() + kChecked, front.size() - kChecked);
  std::memcpy(front.data(), &header, sizeof header);

  std::string name = file_.string() + ".XXXXXX";
  const File file(mkostemp(name.data(), O_CLOEXEC));
  bool written = file.fd() >= 0 && file.write(front.data(), front.size());
  std::vector<uint8_t> waiting;
  for (const Kept& one : kept) {
    waiting.insert(waiting.end(), one.record.begin(), one.record.end());
    if (waiting.size() < kWriteBytes) continue;
    written = written && file.write(waiting.data(), waiting.size());
    waiting.clear();
  }
  written = written && file.write(waiting.data(), waiting.size());
  if (!written || ::rename(name.c_str(), file_.c_str()) != 0) {
    const std::string why = reason();
    if (file.fd() >= 0) ::unlink(name.c_str());
    return core::Error{fmt::format("--code-cache: cannot write {}: {}", file_.string(), why)};
  }
  return {};
}

CodeArchive::Counts CodeArchive::counts() const {
  const std::lock_guard lock(mutex_);
  uint64_t used = 0;
  for (size_t k = 0; k < index_.size(); ++k) used += (states_[k] & kUsed) != 0 ? 1 : 0;
  return {index_.size(), used, added_.size()};
}

core::Result<std::shared_ptr<CodeArchiveFolder>> CodeArchiveFolder::open(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) {
    if (fs::path parent = folder.parent_path(); !parent.empty()) fs::create_directories(parent, error);
    if (::mkdir(folder.c_str(), S_IRWXU) != 0) {
      return core::Error{fmt::format("--code-cache: cannot make {}: {}", folder.string(), reason())};
    }
  }
  struct stat info = {};
  if (::stat(folder.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    return core::Error{fmt::format("--code-cache: {} is not a folder", folder.string())};
  }
  if (core::Status owned = check_owner(info, folder); !owned.ok()) return owned.error();
  return std::shared_ptr<CodeArchiveFolder>(new CodeArchiveFolder(folder));
}

core::Result<std::shared_ptr<CodeArchive>> CodeArchiveFolder::archive(const std::string& identity,
                                                                      const ArchiveLimits& limits) {
  std::shared_ptr<CodeArchive>& shared = archives_[identity];
  if (shared == nullptr) {
    const XXH128_hash_t hash = XXH3_128bits(identity.data(), identity.size());
    auto archive =
        CodeArchive::open(folder_ / fmt::format("{:016x}{:016x}.code", hash.high64, hash.low64), identity, limits);
    if (!archive) return archive.error();
    shared = std::move(*archive);
  }
  return shared;
}

core::Status CodeArchiveFolder::save() {
  for (const auto& [identity, archive] : archives_) {
    if (core::Status saved = archive->save(); !saved.ok()) return saved;
  }
  remove_old();
  return {};
}

// Best effort: another process may do the same.
void CodeArchiveFolder::remove_old() const {
  static const std::regex archive("[0-9a-f]{32}\\.code(\\.[A-Za-z0-9]{6})?");
  const auto long_ago = fs::file_time_type::clock::now() - kSavedWithin;
  std::error_code error;
  std::vector<std::pair<fs::file_time_type, fs::path>> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_, error)) {
    const std::string name = entry.path().filename();
    std::smatch match;
    if (!std::regex_match(name, match, archive)) continue;
    if (!match[1].matched) {
      files.emplace_back(entry.last_write_time(error), entry.path());
    } else if (entry.last_write_time(error) < long_ago) {
      fs::remove(entry.path(), error);  // of a process that ended while it saved
    }
  }
  std::sort(files.rbegin(), files.rend());
  for (size_t k = kMaxFiles; k < files.size(); ++k) fs::remove(files[k].second, error);
}

CodeArchive::Counts CodeArchiveFolder::counts() const {
  CodeArchive::Counts sum;
  for (const auto& [identity, archive] : archives_) {
    const CodeArchive::Counts one = archive->counts();
    sum.loaded += one.loaded;
    sum.used += one.used;
    sum.added += one.added;
  }
  return sum;
}

}  // namespace lockstep::jit
