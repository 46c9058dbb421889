// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "farm/coordinator/farm_state.h"
#include "farm/coordinator/journal.h"

namespace lockstep::farm {

// Where a run's journal lives. One test-suite holds for every implementation.
class Store {
 public:
  virtual ~Store() = default;
  // Makes all records durable, or none of them. They follow the last record of the journal without a gap.
  virtual core::Status commit(const std::vector<JournalRecord>& records) = 0;
  virtual core::Result<std::vector<JournalRecord>> read_journal() = 0;
};

// Rows of the projections, for checks and for reports that need no replay.
struct StoredJob {
  std::string id;
  std::string phase;
  std::string status;  // empty: no result yet
  uint64_t attempts = 0;
  bool operator==(const StoredJob&) const = default;
};

// SQLite in WAL mode with full sync; the projections jobs, attempts, results, coverage and workers change in the
// transaction of the journal records that they come from.
class SqliteStore : public Store {
 public:
  enum class Mode { kCreate, kOpen, kReadOnly };
  // kCreate: the file must not be there. kOpen and kReadOnly: it must, and be a Lockstep journal.
  static core::Result<std::unique_ptr<SqliteStore>> open(const std::string& path, Mode mode);
  ~SqliteStore() override;

  core::Status commit(const std::vector<JournalRecord>& records) override;
  core::Result<std::vector<JournalRecord>> read_journal() override;
  core::Result<std::vector<StoredJob>> read_jobs();
  // Empties the projections and builds them again from the journal.
  core::Status rebuild_projections();
  // A digest of every row of every projection.
  core::Result<std::string> projection_text();

  struct Impl;

 private:
  explicit SqliteStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Folds a journal into the state that it describes.
core::Result<FarmState> replay(const std::vector<JournalRecord>& records);

}  // namespace lockstep::farm
