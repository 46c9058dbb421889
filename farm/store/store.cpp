// SPDX-License-Identifier: Apache-2.0
#include "farm/store/store.h"

#include <sqlite3.h>

#include <filesystem>
#include <map>

#include "farm/protocol/codec.h"

namespace lockstep::farm {

using core::Error;
using core::Result;
using core::Status;

namespace {

constexpr int kApplicationId = 0x4c4f434b;  // "LOCK": tells our files from other SQLite files
constexpr int kSchemaVersion = 2;
constexpr int kBusyTimeoutMs = 5'000;  // a report reads while a run writes
constexpr const char* kDamaged = "; the file is damaged or not ours: put a copy back, or start a new run";

constexpr const char* kSchema = R"sql(
CREATE TABLE journal (sequence INTEGER PRIMARY KEY, unix_time_ms INTEGER NOT NULL, event BLOB NOT NULL) STRICT;
CREATE TRIGGER journal_is_append_only_u BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER journal_is_append_only_d BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TABLE jobs (id TEXT PRIMARY KEY, title TEXT NOT NULL, phase TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
                   lost INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE attempts (farm_id TEXT NOT NULL, epoch INTEGER NOT NULL, counter INTEGER NOT NULL, job_id TEXT NOT NULL,
                       worker TEXT NOT NULL, incarnation INTEGER NOT NULL, phase TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '',
                       PRIMARY KEY (farm_id, epoch, counter)) STRICT;
CREATE TABLE results (job_id TEXT PRIMARY KEY, epoch INTEGER NOT NULL, counter INTEGER NOT NULL, status TEXT NOT NULL,
                      message TEXT NOT NULL, exit_reason TEXT NOT NULL, instructions INTEGER, console_sha256 TEXT,
                      state_sha256 TEXT, memory_sha256 TEXT, behaviour_sha256 TEXT NOT NULL, wall_ms INTEGER NOT NULL,
                      cpu_ms INTEGER NOT NULL, peak_rss_bytes INTEGER NOT NULL) STRICT;
CREATE TABLE coverage (plan TEXT NOT NULL, point TEXT NOT NULL, hits INTEGER NOT NULL, cells INTEGER NOT NULL,
                       PRIMARY KEY (plan, point)) STRICT;
CREATE TABLE workers (name TEXT PRIMARY KEY, incarnation INTEGER NOT NULL, host TEXT NOT NULL, slots INTEGER NOT NULL) STRICT;
)sql";

class Statement {
 public:
  Statement() = default;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement() { sqlite3_finalize(handle_); }

  bool prepare(sqlite3* db, const char* sql) {
    return sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &handle_, nullptr) == SQLITE_OK;
  }
  Statement& bind(uint64_t value) {
    sqlite3_bind_int64(handle_, ++index_, static_cast<sqlite3_int64>(value));
    return *this;
  }
  Statement& bind(std::string_view value) {
    sqlite3_bind_text(handle_, ++index_, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT);
    return *this;
  }
  Statement& bind_blob(std::string_view value) {
    sqlite3_bind_blob(handle_, ++index_, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT);
    return *this;
  }
  Statement& bind_null() {
    sqlite3_bind_null(handle_, ++index_);
    return *this;
  }
  // Runs a statement that gives no rows.
  bool run() {
    const bool done = sqlite3_step(handle_) == SQLITE_DONE;
    reset();
    return done;
  }
  bool next_row() { return sqlite3_step(handle_) == SQLITE_ROW; }
  uint64_t integer(int column) { return static_cast<uint64_t>(sqlite3_column_int64(handle_, column)); }
  std::string bytes(int column) {
    const void* data = sqlite3_column_blob(handle_, column);
    const int size = sqlite3_column_bytes(handle_, column);
    return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), static_cast<size_t>(size));
  }
  int column_count() { return sqlite3_column_count(handle_); }
  void reset() {
    sqlite3_reset(handle_);
    sqlite3_clear_bindings(handle_);
    index_ = 0;
  }

 private:
  sqlite3_stmt* handle_ = nullptr;
  int index_ = 0;
};

}  // namespace

struct SqliteStore::Impl {
  sqlite3* db = nullptr;
  std::string path;
  std::map<std::string, Statement> statements;

  ~Impl() {
    statements.clear();
    sqlite3_close(db);
  }

  Error error(const std::string& what) const { return Error{path + ": " + what + ": " + sqlite3_errmsg(db)}; }

  Status execute(const char* sql) {
    if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return error("SQLite refused a statement");
    return {};
  }

  Statement* statement(const char* sql) {
    auto [it, fresh] = statements.try_emplace(sql);
    if (fresh && !it->second.prepare(db, sql)) {
      statements.erase(it);
      return nullptr;
    }
    return &it->second;
  }

  template <typename... Values>
  bool run(const char* sql, const Values&... values) {
    Statement* s = statement(sql);
    if (s == nullptr) return false;
    (s->bind(values), ...);
    return s->run();
  }

  bool project(const EpochStarted&) { return true; }
  bool project(const PlanCompleted&) { return true; }
  bool project(const JobAdded& e) {
    return run("INSERT INTO jobs (id, title, phase) VALUES (?, ?, 'queued')", e.job.id, e.job.title);
  }
  bool project(const WorkerJoined& e) {
    return run(
        "INSERT INTO workers VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET incarnation = excluded.incarnation, "
        "host = excluded.host, slots = excluded.slots",
        e.worker, e.incarnation, e.host, uint64_t{e.slots});
  }
  bool project(const LeaseGranted& e) {
    return run("INSERT INTO attempts (farm_id, epoch, counter, job_id, worker, incarnation, phase) VALUES (?, ?, ?, ?, "
               "?, ?, 'leased')",
               e.attempt.farm_id, e.attempt.epoch, e.attempt.counter, e.job_id, e.worker, e.incarnation) &&
           run("UPDATE jobs SET phase = 'leased', attempts = attempts + 1 WHERE id = ?", e.job_id);
  }
  bool end_attempt(const AttemptId& attempt, std::string_view phase, std::string_view reason) {
    return run("UPDATE attempts SET phase = ?, reason = ? WHERE farm_id = ? AND epoch = ? AND counter = ?", phase,
               reason, attempt.farm_id, attempt.epoch, attempt.counter);
  }
  bool project(const AttemptLost& e) {
    return end_attempt(e.attempt, "lost", e.reason) &&
           run("UPDATE jobs SET phase = 'queued', lost = lost + 1 WHERE id = ?", e.job_id);
  }
  bool project(const AttemptFailed& e) {
    return end_attempt(e.attempt, "failed", e.result.message) &&
           run("UPDATE jobs SET phase = 'queued', failed = failed + 1 WHERE id = ?", e.job_id);
  }
  bool add_coverage(const PlanCoverage& coverage) {
    for (const auto& [point, hits] : coverage.hits) {
      if (!run("INSERT INTO coverage VALUES (?, ?, ?, 1) ON CONFLICT (plan, point) DO UPDATE SET hits = hits + "
               "excluded.hits, cells = cells + 1",
               coverage.plan, point, hits))
        return false;
    }
    return true;
  }
  bool project(const ResultRecorded& e) {
    const JobResult& r = e.result;
    Statement* s = statement("INSERT INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    if (s == nullptr) return false;
    s->bind(e.job_id)
        .bind(e.attempt.epoch)
        .bind(e.attempt.counter)
        .bind(to_string(r.status))
        .bind(r.message)
        .bind(r.exit_reason);
    if (r.observables) {
      s->bind(r.observables->instructions).bind(r.observables->console_sha256);
      s->bind(r.observables->state_sha256).bind(r.observables->memory_sha256);
    } else {
      s->bind_null().bind_null().bind_null().bind_null();
    }
    s->bind(r.behaviour_sha256).bind(r.wall_ms).bind(r.cpu_ms).bind(r.peak_rss_bytes);
    return s->run() && (!r.coverage || add_coverage(*r.coverage)) &&
           run("UPDATE attempts SET phase = 'superseded' WHERE job_id = ? AND phase = 'leased'", e.job_id) &&
           (e.attempt.epoch == 0 || end_attempt(e.attempt, "recorded", "")) &&
           run("UPDATE jobs SET phase = 'recorded' WHERE id = ?", e.job_id);
  }

  bool project_event(const JournalEvent& event) {
    return std::visit([this](const auto& e) { return project(e); }, event);
  }

  Status rollback(const std::string& what) {
    Error failure = error(what);
    sqlite3_exec(db, "ROLLBACK", nullptr, nullptr, nullptr);
    return failure;
  }
};

SqliteStore::SqliteStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SqliteStore::~SqliteStore() = default;

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::string& path, Mode mode) {
  std::error_code ignored;
  const bool there = std::filesystem::exists(path, ignored);
  if (mode == Mode::kCreate && there) return Error{path + " is already there; `lockstep farm resume` goes on with it"};
  if (mode != Mode::kCreate && !there) return Error{path + " is not there; `lockstep farm run` makes one"};
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  const int flags = mode == Mode::kReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  if (sqlite3_open_v2(path.c_str(), &impl->db, flags, nullptr) != SQLITE_OK) return impl->error("cannot open it");
  sqlite3_busy_timeout(impl->db, kBusyTimeoutMs);
  if (mode == Mode::kCreate) {
    Status status = impl->execute("PRAGMA journal_mode = WAL");
    if (status.ok()) status = impl->execute("BEGIN");
    if (status.ok()) status = impl->execute(kSchema);
    if (status.ok()) status = impl->execute(("PRAGMA application_id = " + std::to_string(kApplicationId)).c_str());
    if (status.ok()) status = impl->execute(("PRAGMA user_version = " + std::to_string(kSchemaVersion)).c_str());
    if (status.ok()) status = impl->execute("COMMIT");
    if (!status.ok()) return status.error();
  }
  uint64_t application = 0, version = 0;
  {
    Statement s;
    if (s.prepare(impl->db, "PRAGMA application_id") && s.next_row()) application = s.integer(0);
  }
  {
    Statement s;
    if (s.prepare(impl->db, "PRAGMA user_version") && s.next_row()) version = s.integer(0);
  }
  if (application != kApplicationId) return Error{path + " is not a Lockstep farm journal" + kDamaged};
  if (version != kSchemaVersion) {
    return Error{path + " has schema version " + std::to_string(version) + ", this program knows version " +
                 std::to_string(kSchemaVersion) + "; use the lockstep that made it, or start a new run"};
  }
  if (mode != Mode::kReadOnly) {
    Status status = impl->execute("PRAGMA synchronous = FULL");
    if (!status.ok()) return status.error();
  }
  return Result<std::unique_ptr<SqliteStore>>(std::unique_ptr<SqliteStore>(new SqliteStore(std::move(impl))));
}

Status SqliteStore::commit(const std::vector<JournalRecord>& records) {
  if (records.empty()) return {};
  Status status = impl_->execute("BEGIN IMMEDIATE");
  if (!status.ok()) return status;
  for (const JournalRecord& record : records) {
    Statement* s = impl_->statement("INSERT INTO journal VALUES (?, ?, ?)");
    if (s == nullptr) return impl_->rollback("cannot prepare the journal's insert");
    s->bind(record.sequence).bind(record.unix_time_ms).bind_blob(encode(record.event));
    if (!s->run()) return impl_->rollback("cannot append journal record " + std::to_string(record.sequence));
    if (!impl_->project_event(record.event)) {
      return impl_->rollback("cannot apply journal record " + std::to_string(record.sequence));
    }
  }
  status = impl_->execute("COMMIT");
  if (!status.ok()) sqlite3_exec(impl_->db, "ROLLBACK", nullptr, nullptr, nullptr);
  return status;
}

Result<std::vector<JournalRecord>> SqliteStore::read_journal() {
  std::vector<JournalRecord> records;
  Statement s;
  if (!s.prepare(impl_->db, "SELECT sequence, unix_time_ms, event FROM journal ORDER BY sequence")) {
    return Error{impl_->error("cannot read the journal").message + kDamaged};
  }
  while (s.next_row()) {
    auto event = decode_journal_event(s.bytes(2));
    if (!event.ok()) {
      return Error{impl_->path + ": journal record " + std::to_string(s.integer(0)) + ": " + event.message()};
    }
    records.push_back(JournalRecord{s.integer(0), s.integer(1), std::move(*event)});
  }
  if (sqlite3_errcode(impl_->db) != SQLITE_DONE && sqlite3_errcode(impl_->db) != SQLITE_OK) {
    return Error{impl_->error("cannot read the journal").message + kDamaged};
  }
  return Result<std::vector<JournalRecord>>(std::move(records));
}

Result<std::vector<StoredJob>> SqliteStore::read_jobs() {
  std::vector<StoredJob> jobs;
  Statement s;
  if (!s.prepare(impl_->db,
                 "SELECT id, phase, coalesce(status, ''), attempts FROM jobs LEFT JOIN results ON job_id = id ORDER BY "
                 "jobs.rowid")) {
    return impl_->error("cannot read the jobs");
  }
  while (s.next_row()) jobs.push_back(StoredJob{s.bytes(0), s.bytes(1), s.bytes(2), s.integer(3)});
  return Result<std::vector<StoredJob>>(std::move(jobs));
}

Status SqliteStore::rebuild_projections() {
  auto records = read_journal();
  if (!records.ok()) return records.error();
  Status status = impl_->execute(
      "BEGIN IMMEDIATE; DELETE FROM jobs; DELETE FROM attempts; DELETE FROM results; DELETE FROM coverage; DELETE FROM "
      "workers;");
  if (!status.ok()) return status;
  for (const JournalRecord& record : *records) {
    if (!impl_->project_event(record.event)) {
      return impl_->rollback("cannot apply journal record " + std::to_string(record.sequence));
    }
  }
  return impl_->execute("COMMIT");
}

Result<std::string> SqliteStore::projection_text() {
  std::string text;
  for (const char* sql : {"SELECT * FROM jobs ORDER BY id", "SELECT * FROM attempts ORDER BY farm_id, epoch, counter",
                          "SELECT * FROM results ORDER BY job_id", "SELECT * FROM coverage ORDER BY plan, point",
                          "SELECT * FROM workers ORDER BY name"}) {
    Statement s;
    if (!s.prepare(impl_->db, sql)) return impl_->error("cannot read a projection");
    while (s.next_row()) {
      for (int column = 0; column < s.column_count(); ++column) text += s.bytes(column) + "|";
      text += "\n";
    }
    text += "--\n";
  }
  return Result<std::string>(std::move(text));
}

Result<FarmState> replay(const std::vector<JournalRecord>& records) {
  FarmState state;
  for (const JournalRecord& record : records) {
    Status status = state.apply(record);
    if (!status.ok()) return status.error();
  }
  return Result<FarmState>(std::move(state));
}

}  // namespace lockstep::farm
