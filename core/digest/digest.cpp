// SPDX-License-Identifier: Apache-2.0
#include "core/digest/digest.h"

#include <openssl/evp.h>

#include <cassert>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "core/memory/backed_pages.h"

namespace lockstep::core {

namespace {

// libcrypto fails here only when it is broken or memory is out; neither leaves anything sensible to do.
void require(int ok) {
  if (ok != 1) std::abort();
}

}  // namespace

struct Sha256::Context {
  Context() : evp(EVP_MD_CTX_new()) {
    require(evp != nullptr);
    require(EVP_DigestInit_ex(evp, EVP_sha256(), nullptr));
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { EVP_MD_CTX_free(evp); }

  EVP_MD_CTX* evp;
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(std::span<const uint8_t> bytes) {
  if (!bytes.empty()) require(EVP_DigestUpdate(context_->evp, bytes.data(), bytes.size()));
}

void Sha256::update(std::string_view text) {
  if (!text.empty()) require(EVP_DigestUpdate(context_->evp, text.data(), text.size()));
}

void Sha256::update_u64(uint64_t value) {
  uint8_t bytes[8];
  for (unsigned i = 0; i < 8; ++i) bytes[i] = static_cast<uint8_t>(value >> (8 * i));
  update(bytes);
}

Sha256Bytes Sha256::digest() const {
  Context copy;
  require(EVP_MD_CTX_copy_ex(copy.evp, context_->evp));
  Sha256Bytes bytes;
  unsigned length = 0;
  require(EVP_DigestFinal_ex(copy.evp, bytes.data(), &length));
  assert(length == bytes.size());
  return bytes;
}

std::string Sha256::hex() const { return to_hex(digest()); }

std::string to_hex(std::span<const uint8_t> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string sha256_hex(std::string_view text) {
  Sha256 hash;
  hash.update(text);
  return hash.hex();
}

void add_state(Sha256& hash, const StateLayout& layout, const StateHeader& state) {
  const auto* base = reinterpret_cast<const uint8_t*>(&state);
  for (const StateField& field : layout.fields) {
    if (!field.architectural) continue;
    assert(field.offset + field.size_bytes <= layout.size_bytes);
    hash.update(std::span(base + field.offset, field.size_bytes));
  }
}

std::string state_digest(std::span<const Hart* const> harts) {
  Sha256 hash;
  for (const Hart* hart : harts) {
    hash.update_u64(hart->id());
    hash.update_u64(hart->instruction_count());
    add_state(hash, hart->layout(), hart->state());
  }
  return hash.hex();
}

bool all_zero(std::span<const uint8_t> bytes) {
  // Comparing the bytes with themselves one further lets memcmp do the work at memory speed.
  return bytes.empty() || (bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

std::string memory_digest(const GuestRam& ram) {
  Sha256 hash;
  hash.update_u64(ram.base());
  hash.update_u64(ram.size_bytes());
  const std::vector<bool> backed = backed_pages(ram);
  for (uint64_t index = 0; index < backed.size(); ++index) {
    if (!backed[index]) continue;
    const std::span page(ram.host() + index * kPageSize, kPageSize);
    if (all_zero(page)) continue;
    hash.update_u64(index);
    hash.update(page);
  }
  return hash.hex();
}

}  // namespace lockstep::core
