// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/devices/virtio_block/virtio_block.h"

#include <algorithm>
#include <cstring>

namespace lockstep::tlm_models {
namespace {

constexpr uint64_t kFeatureSegmentMax = 1u << 2;
constexpr uint64_t kFeatureReadOnly = 1u << 5;
constexpr uint64_t kFeatureBlockSize = 1u << 6;
constexpr uint64_t kFeatureFlush = 1u << 9;

constexpr uint32_t kTypeIn = 0;
constexpr uint32_t kTypeOut = 1;
constexpr uint32_t kTypeFlush = 4;
constexpr uint32_t kTypeGetId = 8;

constexpr uint8_t kStatusOk = 0;
constexpr uint8_t kStatusIoError = 1;
constexpr uint8_t kStatusUnsupported = 2;

constexpr uint32_t kSegmentMax = 126;  // with header and status a chain then fits half of the queue
constexpr uint64_t kMaxRequests = 256;

struct RequestHeader {
  uint32_t type;
  uint32_t reserved;
  uint64_t sector;
};
static_assert(sizeof(RequestHeader) == 16);

uint64_t features_for(const DiskImage& image) {
  return kFeatureSegmentMax | kFeatureBlockSize | kFeatureFlush |
         (image.mode() == DiskImage::Mode::kReadOnly ? kFeatureReadOnly : 0);
}

}  // namespace

VirtioBlock::VirtioBlock(sc_core::sc_module_name name, TimerQueue& timers, std::unique_ptr<DiskImage> image,
                         IoWorker::Mode mode, const std::string& serial)
    : VirtioMmio(name, {.device_id = 2, .features = features_for(*image), .queues = 1, .queue_size_max = kMaxRequests}),
      timers_(timers),
      timer_(timers.add([this](uint64_t deadline_ns) { complete_due(deadline_ns); })),
      image_(std::move(image)),
      worker_(*image_, mode) {
  const uint64_t sectors = image_->sectors();
  const uint32_t block_bytes = DiskImage::kSectorBytes;
  std::memcpy(&config_[0], &sectors, sizeof(sectors));
  std::memcpy(&config_[12], &kSegmentMax, sizeof(kSegmentMax));
  std::memcpy(&config_[20], &block_bytes, sizeof(block_bytes));
  std::memcpy(serial_.data(), serial.data(), std::min(serial.size(), serial_.size()));
}

VirtioBlock::~VirtioBlock() { worker_.finish_all(); }

std::span<const uint8_t> VirtioBlock::config() const { return config_; }

bool VirtioBlock::take(Request& request) {
  RequestHeader header{};
  if (!gather(dma, request.chain, 0, {reinterpret_cast<uint8_t*>(&header), sizeof(header)})) return false;
  if (request.chain.writable_bytes() == 0) return false;  // no room for the status
  const uint64_t write_bytes = request.chain.readable_bytes() - sizeof(header);
  const uint64_t read_bytes = request.chain.writable_bytes() - 1;
  const auto inside = [&](uint64_t bytes) {
    const uint64_t count = bytes / DiskImage::kSectorBytes;
    return bytes % DiskImage::kSectorBytes == 0 && header.sector <= image_->sectors() &&
           count <= image_->sectors() - header.sector;
  };
  // A sector outside the image never gets into an operation.
  switch (header.type) {
    case kTypeIn:
      if (!inside(read_bytes)) {
        request.status = kStatusIoError;
        return true;
      }
      request.operation.kind = DiskOperation::Kind::kRead;
      request.operation.sector = header.sector;
      request.operation.data.resize(read_bytes);
      request.on_disk = true;
      return true;
    case kTypeOut:
      if (!inside(write_bytes) || image_->mode() == DiskImage::Mode::kReadOnly) {
        request.status = kStatusIoError;
        return true;
      }
      request.operation.kind = DiskOperation::Kind::kWrite;
      request.operation.sector = header.sector;
      request.operation.data.resize(write_bytes);
      request.on_disk = true;
      return gather(dma, request.chain, sizeof(header), request.operation.data);
    case kTypeFlush:
      request.operation.kind = DiskOperation::Kind::kFlush;
      request.on_disk = true;
      return true;
    case kTypeGetId:
      request.answer.assign(serial_.begin(), serial_.begin() + static_cast<std::ptrdiff_t>(
                                                                   std::min<uint64_t>(serial_.size(), read_bytes)));
      request.answers = true;
      return true;
    default:
      request.status = kStatusUnsupported;
      return true;
  }
}

void VirtioBlock::queue_notified(unsigned, uint64_t now_ns) {
  take_requests(now_ns);
  arm();
}

void VirtioBlock::take_requests(uint64_t now_ns) {
  VirtioChain chain;
  while (bytes_in_flight_ < kMaxBytesInFlight && pop(0, chain)) {
    // The ring bounds requests in flight; a driver that reuses descriptors before they return breaks that bound.
    auto request = std::make_unique<Request>();
    request->chain = std::move(chain);
    if (requests_.size() >= kMaxRequests || !take(*request)) {
      set_broken();
      return;
    }
    request->deadline_ns = std::max(now_ns + kLatencyNs + request->bytes(), last_deadline_ns_);
    last_deadline_ns_ = request->deadline_ns;
    if (request->on_disk) worker_.submit(request->operation);
    bytes_in_flight_ += request->bytes();
    requests_.push_back(std::move(request));
  }
}

void VirtioBlock::arm() { timers_.arm(timer_, requests_.empty() ? kNever : requests_.front()->deadline_ns); }

void VirtioBlock::complete_due(uint64_t now_ns) {
  // Requests may wait in the ring only while the bound is reached; they are taken as soon as it no longer is.
  const bool held_back = bytes_in_flight_ >= kMaxBytesInFlight;
  while (!requests_.empty() && requests_.front()->deadline_ns <= now_ns) {
    const auto request = std::move(requests_.front());
    requests_.pop_front();
    bytes_in_flight_ -= request->bytes();
    if (request->on_disk) worker_.finish(request->operation);
    complete(*request);
  }
  if (held_back) take_requests(now_ns);
  arm();
}

void VirtioBlock::complete(Request& request) {
  if (!running()) return;
  if (request.on_disk) {
    request.status = request.operation.succeeded ? kStatusOk : kStatusIoError;
    if (request.operation.kind == DiskOperation::Kind::kRead && request.operation.succeeded) {
      request.answer = std::move(request.operation.data);
      request.answers = true;
    }
  }
  const uint64_t status_at = request.chain.writable_bytes() - 1;
  const bool stored = (!request.answers || scatter(dma, request.chain, 0, request.answer)) &&
                      scatter(dma, request.chain, status_at, {&request.status, 1});
  if (!stored) {
    set_broken();
    return;
  }
  push(0, request.chain, static_cast<uint32_t>(request.answer.size() + 1));
}

void VirtioBlock::device_reset() {
  worker_.finish_all();
  requests_.clear();
  bytes_in_flight_ = 0;
  last_deadline_ns_ = 0;
  timers_.cancel(timer_);
}

void VirtioBlock::save_request(SnapshotSection& section, const Request& request, const std::string& prefix) const {
  std::vector<uint64_t> words = {request.chain.head,       request.on_disk,
                                 request.answers,          request.status,
                                 request.deadline_ns,      static_cast<uint64_t>(request.operation.kind),
                                 request.operation.sector, request.operation.data.size()};
  for (const VirtioSegment& segment : request.chain.segments) {
    words.insert(words.end(), {segment.address, segment.length, segment.device_writes});
  }
  put_words(section, prefix, words);
  section.put_bytes(prefix + ".answer", request.answer);
  // What a read found is read again after a restore.
  const bool keep = request.operation.kind == DiskOperation::Kind::kWrite;
  section.put_bytes(prefix + ".data", keep ? request.operation.data : std::vector<uint8_t>());
}

bool VirtioBlock::restore_request(StateReader& reader, Request& request, const std::string& prefix) {
  constexpr size_t kFixedWords = 8;
  const auto words = reader.words_up_to(prefix, kFixedWords + 3 * Virtqueue::kMaxSegments);
  request.answer = reader.bytes(prefix + ".answer", Virtqueue::kMaxChainBytes);
  request.operation.data = reader.bytes(prefix + ".data", Virtqueue::kMaxChainBytes);
  if (!reader.ok()) return false;
  const bool fits = words.size() > kFixedWords && (words.size() - kFixedWords) % 3 == 0 && words[5] <= 2 &&
                    words[7] <= Virtqueue::kMaxChainBytes && words[7] % DiskImage::kSectorBytes == 0 &&
                    words[7] / DiskImage::kSectorBytes <= image_->sectors() &&
                    words[6] <= image_->sectors() - words[7] / DiskImage::kSectorBytes;
  if (!fits) {
    reader.fail("block request '" + prefix + "' does not fit the disk image " + image_->path());
    return false;
  }
  request.chain.head = static_cast<uint16_t>(words[0]);
  request.on_disk = words[1] != 0;
  request.answers = words[2] != 0;
  request.status = static_cast<uint8_t>(words[3]);
  request.deadline_ns = words[4];
  request.operation.kind = static_cast<DiskOperation::Kind>(words[5]);
  request.operation.sector = words[6];
  request.operation.data.resize(words[7]);
  for (size_t i = kFixedWords; i < words.size(); i += 3) {
    request.chain.segments.push_back({words[i], static_cast<uint32_t>(words[i + 1]), words[i + 2] != 0});
  }
  return true;
}

void VirtioBlock::save_device(SnapshotSection& section) {
  worker_.finish_all();
  section.put("sectors", image_->sectors());
  section.put("requests", requests_.size());
  section.put("last_deadline_ns", last_deadline_ns_);
  for (size_t i = 0; i < requests_.size(); ++i) {
    save_request(section, *requests_[i], "request" + std::to_string(i));
  }
  std::vector<uint64_t> sectors;
  std::vector<uint8_t> contents;
  for (const auto& [sector, data] : image_->overlay()) {
    sectors.push_back(sector);
    contents.insert(contents.end(), data.begin(), data.end());
  }
  put_words(section, "overlay_sectors", sectors);
  section.put_bytes("overlay", contents);
}

void VirtioBlock::restore_device(StateReader& reader) {
  worker_.finish_all();
  requests_.clear();
  bytes_in_flight_ = 0;
  const uint64_t sectors = reader.word("sectors");
  const uint64_t count = reader.word("requests");
  reader.get("last_deadline_ns", last_deadline_ns_);
  if (reader.ok() && sectors != image_->sectors()) {
    reader.fail("disk image '" + image_->path() + "' has " + std::to_string(image_->sectors()) +
                " sectors, the snapshot's had " + std::to_string(sectors));
  }
  if (reader.ok() && count > kMaxRequests) reader.fail("too many block requests in flight");
  const auto overlay_sectors = reader.words_up_to("overlay_sectors", DiskImage::kMaxOverlaySectors);
  const auto contents = reader.bytes("overlay", DiskImage::kMaxOverlaySectors * DiskImage::kSectorBytes);
  if (!reader.ok()) return;
  if (contents.size() != overlay_sectors.size() * DiskImage::kSectorBytes) {
    reader.fail("the overlay's sectors and contents do not match");
    return;
  }
  std::map<uint64_t, std::vector<uint8_t>> overlay;
  for (size_t i = 0; i < overlay_sectors.size(); ++i) {
    const auto* begin = contents.data() + i * DiskImage::kSectorBytes;
    overlay[overlay_sectors[i]].assign(begin, begin + DiskImage::kSectorBytes);
  }
  image_->restore_overlay(std::move(overlay));
  for (uint64_t i = 0; i < count; ++i) {
    auto request = std::make_unique<Request>();
    if (!restore_request(reader, *request, "request" + std::to_string(i))) return;
    if (request->on_disk) worker_.submit(request->operation);
    bytes_in_flight_ += request->bytes();
    requests_.push_back(std::move(request));
  }
  arm();
}

}  // namespace lockstep::tlm_models
