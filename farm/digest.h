// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lockstep::farm {

// SHA-256 in lower-case hexadecimal digits.
std::string sha256_hex(std::string_view bytes);
// Of a file's content, read in pieces; none when it cannot be read. `size_bytes` gets its size.
std::optional<std::string> sha256_of_file(const std::string& path, uint64_t* size_bytes = nullptr);
// `byte_count` random bytes in hexadecimal digits.
std::string random_hex(size_t byte_count);

}  // namespace lockstep::farm
