// SPDX-License-Identifier: Apache-2.0
#include "farm/digest.h"

#include <openssl/evp.h>
#include <sys/random.h>

#include <array>
#include <cstdio>
#include <memory>
#include <vector>

namespace lockstep::farm {

namespace {

std::string to_hex(const uint8_t* data, size_t size) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(size * 2);
  for (size_t i = 0; i < size; ++i) {
    out.push_back(kDigits[data[i] >> 4]);
    out.push_back(kDigits[data[i] & 15]);
  }
  return out;
}

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }
  void add(const void* data, size_t size) { EVP_DigestUpdate(context_.get(), data, size); }
  std::string hex() {
    std::array<uint8_t, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_DigestFinal_ex(context_.get(), digest.data(), &size);
    return to_hex(digest.data(), size);
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  Sha256 sha;
  sha.add(bytes.data(), bytes.size());
  return sha.hex();
}

std::optional<std::string> sha256_of_file(const std::string& path, uint64_t* size_bytes) {
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) return std::nullopt;
  Sha256 sha;
  std::vector<char> buffer(1 << 16);
  uint64_t total = 0;
  size_t got = 0;
  while ((got = std::fread(buffer.data(), 1, buffer.size(), file.get())) > 0) {
    sha.add(buffer.data(), got);
    total += got;
  }
  if (std::ferror(file.get())) return std::nullopt;
  if (size_bytes != nullptr) *size_bytes = total;
  return sha.hex();
}

std::string random_hex(size_t byte_count) {
  std::vector<uint8_t> bytes(byte_count);
  size_t done = 0;
  while (done < byte_count) {
    const ssize_t got = getrandom(bytes.data() + done, byte_count - done, 0);
    if (got > 0) done += static_cast<size_t>(got);
  }
  return to_hex(bytes.data(), bytes.size());
}

}  // namespace lockstep::farm
