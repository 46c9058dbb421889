// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "farm/coordinator/journal.h"
#include "farm/protocol/messages.h"

// Bytes to values and back. Every decode checks version, sizes and names against the bounds of messages.h and job.h,
// and says in its error what was wrong; no input makes it crash.
namespace lockstep::farm {

std::string encode(const WorkerMessage& message);
std::string encode(const CoordinatorMessage& message);
std::string encode(const JournalEvent& event);

core::Result<WorkerMessage> decode_worker_message(std::string_view bytes);
core::Result<CoordinatorMessage> decode_coordinator_message(std::string_view bytes);
core::Result<JournalEvent> decode_journal_event(std::string_view bytes);

// Letters, digits, dot, dash and underscore, 1 to kMaxWorkerNameBytes: it is also a folder's name.
bool valid_worker_name(std::string_view name);

// `text` with every byte sequence that is not UTF-8 replaced by '?', and at most `max_bytes` of its end kept.
std::string clean_utf8(std::string_view text, size_t max_bytes);

}  // namespace lockstep::farm
