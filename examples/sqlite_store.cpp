// SPDX-License-Identifier: BSL-1.0
//
// Another log store in the place of understudy's own: a node keeps its log in an SQLite database.
// The store is held against the suite that all stores have to pass, and then a node lives on it.

#include <understudy/storage/entry_record.hpp>
#include <understudy/testing/store_conformance.hpp>
#include <understudy/understudy.hpp>

#include <sqlite3.h>
#include <stdlib.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace fs = std::filesystem;
using understudy::errc;
using understudy::expected;

/// An open database. What fails is an error of ours that names SQLite's reason.
class database {
public:
  static expected<database> open(const fs::path& path) {
    database opened;
    sqlite3* raw = nullptr;
    const auto result = sqlite3_open(path.c_str(), &raw);
    opened.handle_.reset(raw);
    if (result != SQLITE_OK)
      return opened.failed(result);
    for (const char* statement :
         {"PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL",
          "PRAGMA locking_mode = EXCLUSIVE",
          "CREATE TABLE IF NOT EXISTS owner (id INTEGER, start INTEGER, retired INTEGER)",
          "CREATE TABLE IF NOT EXISTS ballot (term INTEGER, vote INTEGER)",
          "CREATE TABLE IF NOT EXISTS log (at INTEGER PRIMARY KEY, record BLOB)",
          "CREATE TABLE IF NOT EXISTS snapshot (at BLOB, stamp BLOB, members BLOB, image BLOB)"})
      if (auto done = opened.run(statement); !done)
        return tl::unexpected{done.error()};
    return opened;
  }

  using binder = std::function<void(sqlite3_stmt*)>;
  using reader = std::function<expected<void>(sqlite3_stmt*)>;

  /// Runs one statement, and shows each row of its result.
  expected<void> run(const std::string& statement, const binder& bind = {},
                     const reader& row = {}) const {
    sqlite3_stmt* raw = nullptr;
    if (const auto r = sqlite3_prepare_v2(handle_.get(), statement.c_str(), -1, &raw, nullptr);
        r != SQLITE_OK)
      return failed(r);
    const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> prepared{raw, sqlite3_finalize};
    if (bind)
      bind(raw);
    for (;;) {
      const auto result = sqlite3_step(raw);
      if (result == SQLITE_DONE)
        return {};
      if (result != SQLITE_ROW)
        return failed(result);
      if (row)
        if (auto done = row(raw); !done)
          return done;
    }
  }

private:
  [[nodiscard]] tl::unexpected<understudy::failure> failed(int result) const {
    const auto code = result == SQLITE_BUSY ? errc::storage_in_use : errc::storage_failed;
    return understudy::fail(code, "sqlite: " + std::string{sqlite3_errmsg(handle_.get())});
  }

  std::unique_ptr<sqlite3, int (*)(sqlite3*)> handle_{nullptr, sqlite3_close};
};

std::int64_t as_sql(std::uint64_t number) {
  return static_cast<std::int64_t>(number);
}

std::uint64_t number_at(sqlite3_stmt* row, int column) {
  return static_cast<std::uint64_t>(sqlite3_column_int64(row, column));
}

understudy::bytes bytes_at(sqlite3_stmt* row, int column) {
  const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(row, column));
  return understudy::bytes{
      std::span{data, static_cast<std::size_t>(sqlite3_column_bytes(row, column))}};
}

void bind_bytes(sqlite3_stmt* to, int place, const understudy::bytes& data) {
  sqlite3_bind_blob64(to, place, data.empty() ? "" : static_cast<const void*>(data.view().data()),
                      data.size(), SQLITE_TRANSIENT);
}

/// Models `understudy::node_store`. Everything between two syncs is one transaction.
class sqlite_store {
public:
  static expected<sqlite_store> open(const fs::path& path, const understudy::store_wish& wish) {
    auto opened = database::open(path);
    if (!opened)
      return tl::unexpected{opened.error()};
    sqlite_store store{std::move(*opened)};
    bool retired = wish.anew;
    bool owned = false;
    auto done = store.database_.run("SELECT id, start, retired FROM owner", {},
                                    [&](sqlite3_stmt* row) -> expected<void> {
                                      store.self_ = {{number_at(row, 0)}, number_at(row, 1)};
                                      retired = retired || number_at(row, 2) != 0;
                                      owned = true;
                                      return {};
                                    });
    if (done && owned && retired)
      return set_aside(std::move(store), path, wish);
    if (done && !owned)
      done = store.make_owner(wish.newcomer);
    if (!done)
      return tl::unexpected{done.error()};
    return store;
  }

  expected<void> write(const understudy::store_write& what) {
    auto done = begin();
    if (done && what.base)
      done = restart_from(*what.base);
    if (done && what.keep)
      done = database_.run("DELETE FROM log WHERE at > ?", [&](sqlite3_stmt* to) {
        sqlite3_bind_int64(to, 1, as_sql(what.keep->value));
      });
    for (std::size_t i = 0; done && i < what.entries.size(); ++i)
      done = append(what.entries[i]);
    if (done && what.vote)
      done = database_.run("DELETE FROM ballot");
    if (done && what.vote)
      done = database_.run("INSERT INTO ballot VALUES (?, ?)", [&](sqlite3_stmt* to) {
        sqlite3_bind_int64(to, 1, as_sql(what.vote->term.value));
        sqlite3_bind_int64(to, 2, as_sql(what.vote->vote.value));
      });
    return done;
  }

  expected<void> sync() {
    return std::exchange(writing_, false) ? database_.run("COMMIT") : expected<void>{};
  }

  expected<understudy::recovered_state> recover() {
    understudy::recovered_state found;
    auto done = database_.run("SELECT term, vote FROM ballot", {},
                              [&](sqlite3_stmt* row) -> expected<void> {
                                found.vote = {{number_at(row, 0)}, {number_at(row, 1)}};
                                return {};
                              });
    if (done)
      done = database_.run("SELECT at, stamp, members, image FROM snapshot", {},
                           [&](sqlite3_stmt* row) { return read_snapshot(row, found); });
    if (done)
      done = database_.run("SELECT record FROM log ORDER BY at", {},
                           [&](sqlite3_stmt* row) -> expected<void> {
                             auto read = understudy::storage::entry_from(bytes_at(row, 0));
                             if (!read)
                               return tl::unexpected{read.error()};
                             found.entries.push_back(std::move(*read));
                             return {};
                           });
    if (!done)
      return tl::unexpected{done.error()};
    return found;
  }

  understudy::node_identity identity() const { return self_; }

  expected<void> close() {
    auto done = sync();
    database_ = {};
    return done;
  }

  expected<void> retire() {
    auto done = sync();
    return done ? database_.run("UPDATE owner SET retired = 1") : done;
  }

private:
  explicit sqlite_store(database opened) : database_{std::move(opened)} {}

  /// What an earlier life left is kept under another name.
  static expected<sqlite_store> set_aside(sqlite_store old, const fs::path& path,
                                          understudy::store_wish wish) {
    static_cast<void>(old.close());
    auto aside = path;
    for (int n = 1; fs::exists(aside); ++n)
      aside = path.string() + ".aside-" + std::to_string(n);
    std::error_code failed;
    fs::rename(path, aside, failed);
    if (failed)
      return understudy::fail(errc::storage_failed, aside.string() + ": " + failed.message());
    wish.anew = false;
    return open(path, wish);
  }

  expected<void> make_owner(const understudy::node_identity& self) {
    self_ = self;
    return database_.run("INSERT INTO owner VALUES (?, ?, 0)", [&](sqlite3_stmt* to) {
      sqlite3_bind_int64(to, 1, as_sql(self.id.value));
      sqlite3_bind_int64(to, 2, as_sql(self.start));
    });
  }

  expected<void> begin() {
    return std::exchange(writing_, true) ? expected<void>{} : database_.run("BEGIN");
  }

  /// The snapshot replaces the log up to its index; what follows stays only where it follows on.
  expected<void> restart_from(const understudy::snapshot& base) {
    bool follows = false;
    const auto at
        = [&](sqlite3_stmt* to) { sqlite3_bind_int64(to, 1, as_sql(base.at.index.value)); };
    auto done = database_.run("SELECT record FROM log WHERE at = ?", at,
                              [&](sqlite3_stmt* row) -> expected<void> {
                                const auto read = understudy::storage::entry_from(bytes_at(row, 0));
                                follows = read && read->position() == base.at;
                                return {};
                              });
    if (done)
      done = follows ? database_.run("DELETE FROM log WHERE at <= ?", at)
                     : database_.run("DELETE FROM log");
    if (done)
      done = database_.run("DELETE FROM snapshot");
    if (!done)
      return done;
    namespace wire = understudy::wire;
    return database_.run("INSERT INTO snapshot VALUES (?, ?, ?, ?)", [&](sqlite3_stmt* to) {
      bind_bytes(to, 1, wire::encode(base.at));
      bind_bytes(to, 2, wire::encode(base.stamp, base.digest));
      bind_bytes(to, 3, wire::encode(base.members.index, *base.members.content));
      bind_bytes(to, 4, base.image);
    });
  }

  static expected<void> read_snapshot(sqlite3_stmt* row, understudy::recovered_state& found) {
    namespace wire = understudy::wire;
    auto base = std::make_shared<understudy::snapshot>();
    understudy::configuration members;
    auto done = wire::decode_into(bytes_at(row, 0).view(), "at", base->at);
    if (done)
      done = wire::decode_into(bytes_at(row, 1).view(), "stamp", base->stamp, base->digest);
    if (done)
      done = wire::decode_into(bytes_at(row, 2).view(), "members", base->members.index, members);
    base->members.content = std::make_shared<understudy::configuration>(std::move(members));
    base->image = bytes_at(row, 3);
    found.base = std::move(base);
    return done;
  }

  expected<void> append(const understudy::entry& e) {
    const understudy::storage::entry_record image{e};
    std::vector<std::byte> record(image.size_bytes());
    image.write(record.data());
    return database_.run("INSERT INTO log VALUES (?, ?)", [&](sqlite3_stmt* to) {
      sqlite3_bind_int64(to, 1, as_sql(e.index.value));
      bind_bytes(to, 2, understudy::bytes{record});
    });
  }

  database database_;
  understudy::node_identity self_;
  bool writing_ = false;
};

struct notes {
  struct add {
    using reply = int;
    std::string text;
    template <class Archive> void serialize(Archive& archive) { archive(text); }
  };
  using commands = understudy::commands<add>;
  using queries = understudy::queries<>;

  int apply(const add&) { return ++count; }

  int count = 0;
  template <class Archive> void serialize(Archive& archive) { archive(count); }
};
UNDERSTUDY_MESSAGES(notes_messages, notes::add)

understudy::store_opener sqlite_in(const fs::path& path) {
  return [path](const understudy::store_wish& wish) {
    return understudy::open_any(sqlite_store::open(path, wish));
  };
}

int main() {
  using namespace std::chrono_literals;
  std::string made = fs::temp_directory_path() / "understudy_XXXXXX";
  if (!::mkdtemp(made.data()))
    return std::cerr << "there is no room for a directory\n", 1;
  const fs::path directory = made;

  const auto complaint
      = understudy::testing::check_store(sqlite_in(directory / "trial.db"), {.lives = 8});
  if (!complaint.empty())
    return std::cerr << complaint << '\n', 1;
  std::cout << "the store conforms\n";

  understudy::config config;
  caf::actor_system system{config};
  for (int life = 1; life <= 2; ++life) {
    const auto node = understudy::spawn_node<notes>(
        system, {.name = "a", .found = true, .store = sqlite_in(directory / "node.db")});
    if (!node)
      return std::cerr << node.error() << '\n', 1;
    const auto count = node->submit(notes::add{"remember this"}).get();
    if (!count)
      return std::cerr << count.error() << '\n', 1;
    std::cout << "life " << life << ": " << *count << " notes\n";
    node->stop().wait();
  }
  fs::remove_all(directory);
}
