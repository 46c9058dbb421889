// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/devices/virtio_mmio/virtqueue.h"

#include <algorithm>

namespace lockstep::tlm_models {
namespace {

constexpr uint16_t kDescriptorNext = 1;
constexpr uint16_t kDescriptorWrite = 2;
constexpr uint16_t kDescriptorIndirect = 4;
constexpr uint16_t kAvailableNoInterrupt = 1;

struct Descriptor {
  uint64_t address;
  uint32_t length;
  uint16_t flags;
  uint16_t next;
};
static_assert(sizeof(Descriptor) == 16);

struct UsedElement {
  uint32_t head;
  uint32_t length;
};

uint64_t sum(const VirtioChain& chain, bool device_writes) {
  uint64_t bytes = 0;
  for (const VirtioSegment& segment : chain.segments) {
    if (segment.device_writes == device_writes) bytes += segment.length;
  }
  return bytes;
}

// Calls transfer(address, position in the host buffer, length) for each piece of [offset, offset + size).
template <typename Transfer>
bool for_each_piece(const VirtioChain& chain, bool device_writes, uint64_t offset, uint64_t size, Transfer transfer) {
  uint64_t done = 0;
  for (const VirtioSegment& segment : chain.segments) {
    if (done == size) break;
    if (segment.device_writes != device_writes) continue;
    if (offset >= segment.length) {
      offset -= segment.length;
      continue;
    }
    const uint64_t length = std::min<uint64_t>(segment.length - offset, size - done);
    if (segment.address + offset < segment.address) return false;
    if (!transfer(segment.address + offset, done, length)) return false;
    done += length;
    offset = 0;
  }
  return done == size;
}

}  // namespace

uint64_t VirtioChain::readable_bytes() const { return sum(*this, false); }
uint64_t VirtioChain::writable_bytes() const { return sum(*this, true); }

bool gather(DmaPort& dma, const VirtioChain& chain, uint64_t offset, std::span<uint8_t> out) {
  return for_each_piece(chain, false, offset, out.size(), [&](uint64_t address, uint64_t at, uint64_t length) {
    return dma.read(address, out.subspan(at, length));
  });
}

bool scatter(DmaPort& dma, const VirtioChain& chain, uint64_t offset, std::span<const uint8_t> data) {
  return for_each_piece(chain, true, offset, data.size(), [&](uint64_t address, uint64_t at, uint64_t length) {
    return dma.write(address, data.subspan(at, length));
  });
}

bool Virtqueue::append(DmaPort& dma, uint64_t table, uint32_t table_size, uint16_t first, bool indirect_allowed,
                       VirtioChain& chain, uint64_t& bytes) const {
  uint32_t index = first;
  // A chain without a loop visits each entry of its table at most once.
  for (uint32_t visited = 0; visited < table_size; ++visited) {
    Descriptor descriptor{};
    if (index >= table_size || !dma.load(table + uint64_t{index} * sizeof(Descriptor), descriptor)) return false;
    if ((descriptor.flags & kDescriptorIndirect) != 0) {
      const bool malformed = !indirect_allowed || (descriptor.flags & kDescriptorNext) != 0 || descriptor.length == 0 ||
                             descriptor.length % sizeof(Descriptor) != 0 ||
                             descriptor.length / sizeof(Descriptor) > kMaxSegments;
      if (malformed) return false;
      return append(dma, descriptor.address, descriptor.length / sizeof(Descriptor), 0, false, chain, bytes);
    }
    const bool device_writes = (descriptor.flags & kDescriptorWrite) != 0;
    const bool out_of_order = !device_writes && !chain.segments.empty() && chain.segments.back().device_writes;
    bytes += descriptor.length;
    if (out_of_order || bytes > kMaxChainBytes || chain.segments.size() >= kMaxSegments) return false;
    chain.segments.push_back({descriptor.address, descriptor.length, device_writes});
    if ((descriptor.flags & kDescriptorNext) == 0) return true;
    index = descriptor.next;
  }
  return false;
}

Virtqueue::Pop Virtqueue::pop(DmaPort& dma, VirtioChain& chain, bool indirect) {
  chain.segments.clear();
  if (!ready) return Pop::kEmpty;
  if (size == 0 || size > kMaxSize) return Pop::kBroken;
  uint16_t available = 0;
  if (!dma.load(driver_area + 2, available)) return Pop::kBroken;
  const auto waiting = static_cast<uint16_t>(available - next_available_);
  if (waiting == 0) return Pop::kEmpty;
  if (waiting > size) return Pop::kBroken;
  uint16_t head = 0;
  if (!dma.load(driver_area + 4 + 2 * uint64_t{next_available_ % size}, head)) return Pop::kBroken;
  uint64_t bytes = 0;
  if (!append(dma, descriptors, size, head, indirect, chain, bytes)) return Pop::kBroken;
  chain.head = head;
  ++next_available_;
  return Pop::kChain;
}

bool Virtqueue::push(DmaPort& dma, uint16_t head, uint32_t written) {
  if (!ready || size == 0) return false;
  const UsedElement element{head, written};
  if (!dma.store(device_area + 4 + sizeof(UsedElement) * uint64_t{next_used_ % size}, element)) return false;
  ++next_used_;
  return dma.store(device_area + 2, next_used_);
}

bool Virtqueue::wants_interrupt(DmaPort& dma) const {
  uint16_t flags = 0;
  return !dma.load(driver_area, flags) || (flags & kAvailableNoInterrupt) == 0;
}

void Virtqueue::reset() { *this = Virtqueue{}; }

void Virtqueue::save(SnapshotSection& section, const std::string& prefix) const {
  const uint64_t words[] = {size, ready ? 1u : 0u, descriptors, driver_area, device_area, next_available_, next_used_};
  put_words(section, prefix, words);
}

void Virtqueue::restore(StateReader& reader, const std::string& prefix) {
  const auto words = reader.words(prefix, 7);
  if (!reader.ok()) return;
  if (words[0] > kMaxSize) {
    reader.fail("virtqueue of " + std::to_string(words[0]) + " entries in '" + prefix + "'");
    return;
  }
  size = static_cast<uint32_t>(words[0]);
  ready = words[1] != 0;
  descriptors = words[2];
  driver_area = words[3];
  device_area = words[4];
  next_available_ = static_cast<uint16_t>(words[5]);
  next_used_ = static_cast<uint16_t>(words[6]);
}

}  // namespace lockstep::tlm_models
