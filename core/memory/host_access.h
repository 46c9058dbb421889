// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>

// Accesses to guest RAM that other harts' threads may touch at the same time. Each is one access of the host, so that
// an aligned one is never seen in halves and a byte is never written twice; a library's memcpy promises neither.
namespace lockstep::core::host_access {

using Any16 __attribute__((may_alias, aligned(1))) = uint16_t;
using Any32 __attribute__((may_alias, aligned(1))) = uint32_t;
using Any64 __attribute__((may_alias, aligned(1))) = uint64_t;

// What guests race for, ThreadSanitizer need not see.
#define LOCKSTEP_GUEST_RACE __attribute__((no_sanitize("thread")))

// Between guest RAM and `value`, in the host's byte order. Sizes that no host access has are copied in pieces.
LOCKSTEP_GUEST_RACE inline void load(const uint8_t* host, uint64_t size_bytes, void* value) {
  switch (size_bytes) {
    case 1: {
      const uint8_t v = *static_cast<const volatile uint8_t*>(host);
      std::memcpy(value, &v, sizeof v);
      return;
    }
    case 2: {
      const uint16_t v = *reinterpret_cast<const volatile Any16*>(host);
      std::memcpy(value, &v, sizeof v);
      return;
    }
    case 4: {
      const uint32_t v = *reinterpret_cast<const volatile Any32*>(host);
      std::memcpy(value, &v, sizeof v);
      return;
    }
    case 8: {
      const uint64_t v = *reinterpret_cast<const volatile Any64*>(host);
      std::memcpy(value, &v, sizeof v);
      return;
    }
    default:
      std::memcpy(value, host, size_bytes);
  }
}

LOCKSTEP_GUEST_RACE inline void store(uint8_t* host, uint64_t size_bytes, const void* value) {
  switch (size_bytes) {
    case 1:
      *static_cast<volatile uint8_t*>(host) = *static_cast<const uint8_t*>(value);
      return;
    case 2: {
      uint16_t v;
      std::memcpy(&v, value, sizeof v);
      *reinterpret_cast<volatile Any16*>(host) = v;
      return;
    }
    case 4: {
      uint32_t v;
      std::memcpy(&v, value, sizeof v);
      *reinterpret_cast<volatile Any32*>(host) = v;
      return;
    }
    case 8: {
      uint64_t v;
      std::memcpy(&v, value, sizeof v);
      *reinterpret_cast<volatile Any64*>(host) = v;
      return;
    }
    default:
      std::memcpy(host, value, size_bytes);
  }
}

// `host` is aligned to `size_bytes`: 1, 2, 4 or 8. Writes `desired` where `expected` is found; otherwise `expected`
// becomes what was found. A full barrier either way.
inline bool compare_exchange(uint8_t* host, unsigned size_bytes, uint64_t& expected, uint64_t desired) {
  const auto as = [&]<typename T>(T) {
    auto wanted = static_cast<T>(expected);
    const bool done = __atomic_compare_exchange_n(reinterpret_cast<T*>(host), &wanted, static_cast<T>(desired), false,
                                                  __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    expected = wanted;
    return done;
  };
  switch (size_bytes) {
    case 1:
      return as(uint8_t{});
    case 2:
      return as(uint16_t{});
    case 4:
      return as(uint32_t{});
    default:
      return as(uint64_t{});
  }
}

// A page's flags are read by every hart and changed by the machine.
inline uint8_t flags(const uint8_t* page_flags) { return __atomic_load_n(page_flags, __ATOMIC_RELAXED); }
inline void set_flags(uint8_t* page_flags, int flags) {
  __atomic_store_n(page_flags, static_cast<uint8_t>(flags), __ATOMIC_RELAXED);
}

}  // namespace lockstep::core::host_access
