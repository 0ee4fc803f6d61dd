// SPDX-License-Identifier: BSL-1.0
#include <understudy/core/random.hpp>
#include <understudy/replica/session_table.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace session_table_test {

namespace {

using namespace understudy;

bytes text(std::string_view from) {
  return bytes{from};
}

log_time at_ms(std::int64_t ms) {
  return {std::chrono::milliseconds{ms}};
}

/// A roster of nodes that entered at these indexes.
configuration roster_of(const std::vector<std::uint64_t>& entered, settings rules = {}) {
  configuration result{.cluster = {1}, .rules = rules};
  for (const auto index : entered)
    result.members.push_back({.id = {100 + index}, .entered = {index}});
  return result;
}

command request(session_id session, std::uint64_t number, std::string_view body = "body",
                std::uint64_t answered_below = 0) {
  return {session, {number}, {answered_below}, text(body)};
}

/// Carries a command out as a replica would, with a machine that counts and answers `reply`.
struct driver {
  session_table table;
  int applied = 0;

  expected<bytes> run(const command& c, std::string_view reply = "done", std::int64_t ms = 0) {
    auto what = table.decide(c);
    if (what.answer)
      return table.conclude(std::move(what), c, at_ms(ms));
    ++applied;
    return table.record(what, c, at_ms(ms), text(reply));
  }
};

errc code_of(const expected<bytes>& result) {
  return result ? errc::none : result.error().code;
}

/// A driver with one portable session, 7.
driver with_session(settings rules = {}) {
  driver d;
  d.table.follow(roster_of({1}, rules), {});
  REQUIRE(d.table.open({7}, {}));
  return d;
}

std::uint64_t seed_of_run() {
  const char* given = std::getenv("UNDERSTUDY_SEED");
  return given ? std::strtoull(given, nullptr, 10) : 20'240'703;
}

} // namespace

TEST_CASE("C6: a command is applied once, and its retry gets the stored reply") {
  auto d = with_session();
  CHECK(d.run(request({7}, 1), "first").value() == text("first"));
  CHECK(d.run(request({7}, 1), "second").value() == text("first"));
  CHECK(d.applied == 1);
}

TEST_CASE("requests are applied in any order within the window") {
  auto d = with_session({.session_window = 4});
  for (const std::uint64_t number : {3u, 1u, 4u, 2u})
    CHECK(d.run(request({7}, number), std::to_string(number)));
  CHECK(d.applied == 4);
  CHECK(d.run(request({7}, 3)).value() == text("3"));
  CHECK(code_of(d.run(request({7}, 5))) == errc::overloaded);
  CHECK(d.run(request({7}, 5, "body", 2)));
  CHECK(d.applied == 5);
}

TEST_CASE("a window is never wider than its replies can lie apart, whatever the settings say") {
  auto d = with_session({.session_window = std::numeric_limits<std::uint32_t>::max()});
  CHECK(d.run(request({7}, reply_window::span_max)));
  CHECK(code_of(d.run(request({7}, reply_window::span_max + 1))) == errc::overloaded);
  const auto most = std::numeric_limits<std::uint64_t>::max();
  CHECK(code_of(d.run(request({7}, most, "body", most))) == errc::overloaded);
  CHECK(code_of(d.table.settle({{7}, {most}}, {})) == errc::overloaded);
}

TEST_CASE("a number below what the client has answers for is not applied again") {
  auto d = with_session();
  CHECK(d.run(request({7}, 1)));
  CHECK(d.run(request({7}, 2, "body", 2)));
  CHECK(code_of(d.run(request({7}, 1))) == errc::already_answered);
  CHECK(code_of(d.run(request({7}, 0))) == errc::already_answered);
  // Even a command that contradicts itself moves the bound.
  CHECK(code_of(d.run(request({7}, 3, "body", 9))) == errc::already_answered);
  CHECK(code_of(d.run(request({7}, 8))) == errc::already_answered);
  CHECK(d.applied == 2);
}

TEST_CASE("a number that comes back with another command is an error") {
  auto d = with_session();
  CHECK(d.run(request({7}, 1, "a")));
  CHECK(code_of(d.run(request({7}, 1, "b"))) == errc::sequence_reused);
  CHECK(d.run(request({7}, 1, "a")));
  CHECK(d.applied == 1);
}

TEST_CASE("commands of unknown and of closed sessions are not applied") {
  auto d = with_session();
  CHECK(code_of(d.run(request({8}, 1))) == errc::session_unknown);
  CHECK(d.table.close({7}, {}));
  CHECK(code_of(d.run(request({7}, 1))) == errc::session_unknown);
  CHECK(d.applied == 0);
}

TEST_CASE("a reply over the session's limit in bytes is an error in its place") {
  auto d = with_session({.session_bytes_max = 10});
  CHECK(d.run(request({7}, 1), "12345678").has_value());
  CHECK(code_of(d.run(request({7}, 2), "123")) == errc::reply_too_large);
  CHECK(code_of(d.run(request({7}, 2), "123")) == errc::reply_too_large);
  CHECK(code_of(d.table.settle({{7}, {2}}, {})) == errc::reply_too_large);
  CHECK(d.applied == 2);
  // Once the first is forgotten there is room.
  CHECK(d.run(request({7}, 3, "body", 2), "123").has_value());
}

TEST_CASE("settling an applied request gives its reply") {
  auto d = with_session();
  CHECK(d.run(request({7}, 1), "done"));
  CHECK(d.table.settle({{7}, {1}}, {}).value() == text("done"));
}

TEST_CASE("settling a request that was not applied burns its number") {
  auto d = with_session();
  CHECK(code_of(d.table.settle({{7}, {1}}, {})) == errc::not_applied);
  CHECK(code_of(d.run(request({7}, 1))) == errc::not_applied);
  CHECK(code_of(d.table.settle({{7}, {1}}, {})) == errc::not_applied);
  CHECK(d.applied == 0);
  CHECK(d.run(request({7}, 2)));
}

TEST_CASE("settling says nothing that it can not keep") {
  auto d = with_session({.session_window = 4});
  CHECK(code_of(d.table.settle({{7}, {5}}, {})) == errc::overloaded);
  CHECK(d.run(request({7}, 5, "body", 4)));
  CHECK(code_of(d.table.settle({{7}, {3}}, {})) == errc::already_answered);
  CHECK(code_of(d.table.settle({{9}, {1}}, {})) == errc::session_unknown);
}

TEST_CASE("a closed session can be asked, and applies nothing that it was asked about") {
  auto d = with_session();
  CHECK(d.run(request({7}, 1), "done"));
  CHECK(d.table.close({7}, {}));
  CHECK(d.table.close({7}, {}).has_value());
  CHECK(d.table.settle({{7}, {1}}, {}).value() == text("done"));
  CHECK(code_of(d.table.settle({{7}, {2}}, {})) == errc::not_applied);
  CHECK(code_of(d.table.settle({{7}, {1'000'000}}, {})) == errc::not_applied);
  CHECK(code_of(d.table.close({8}, {})) == errc::session_unknown);
}

TEST_CASE("C9: a session expires by log time, when the log says so") {
  auto d = with_session({.session_expiry_ms = 100});
  CHECK(d.run(request({7}, 1), "done", 50));
  d.table.expire(at_ms(149));
  CHECK(d.table.open_count() == 2);
  // However late: without the entry it does not expire.
  CHECK(d.run(request({7}, 2), "done", 1'000));
  d.table.expire(at_ms(1'100));
  CHECK(code_of(d.run(request({7}, 3))) == errc::session_unknown);
  // The node's own session stays.
  CHECK(d.run(request({1}, 1)));
}

TEST_CASE("any request keeps a session open, also one that is not applied") {
  auto d = with_session({.session_expiry_ms = 100});
  CHECK(d.run(request({7}, 1), "done", 0));
  CHECK(d.run(request({7}, 1), "done", 90));
  d.table.expire(at_ms(150));
  CHECK(code_of(d.table.settle({{7}, {1}}, at_ms(180))) == errc::none);
  d.table.expire(at_ms(250));
  CHECK(d.run(request({7}, 2), "done", 250));
}

TEST_CASE("a closed session is forgotten after as long as an idle one") {
  auto d = with_session({.session_expiry_ms = 100});
  CHECK(d.run(request({7}, 1), "done"));
  CHECK(d.table.close({7}, at_ms(10)));
  d.table.expire(at_ms(109));
  CHECK(d.table.settle({{7}, {1}}, at_ms(109)));
  // Asking does not keep it.
  d.table.expire(at_ms(110));
  CHECK(code_of(d.table.settle({{7}, {1}}, at_ms(110))) == errc::session_unknown);
  CHECK(d.table.find({7}) == nullptr);
}

TEST_CASE("no open session is given up for room") {
  driver d;
  d.table.follow(roster_of({1}, {.sessions_max = 3}), {});
  CHECK(d.table.open({2}, {}));
  CHECK(d.table.open({3}, {}));
  CHECK(code_of(d.table.open({4}, {})) == errc::too_many_sessions);
  CHECK(d.run(request({2}, 1)));
  CHECK(d.run(request({3}, 1)));
  CHECK(d.table.close({2}, {}));
  CHECK(d.table.open({5}, {}));
  // A node is always let in.
  d.table.follow(roster_of({1, 6}, {.sessions_max = 3}), {});
  CHECK(d.run(request({6}, 1)));
}

TEST_CASE("of closed sessions no more are kept than may be open; the oldest goes first") {
  driver d;
  d.table.follow(roster_of({1}, {.sessions_max = 3}), {});
  for (std::uint64_t id = 2; id < 50; ++id) {
    CHECK(d.table.open({id}, {}));
    CHECK(d.table.close({id}, {}));
    CHECK(d.table.closed_count() <= 3);
  }
  CHECK(d.table.find({46}) == nullptr);
  CHECK(d.table.find({47}));
}

TEST_CASE("a node's own session lives as long as the node is in the roster") {
  driver d;
  d.table.follow(roster_of({1}), {});
  CHECK(code_of(d.run(request({5}, 1))) == errc::session_unknown);
  d.table.follow(roster_of({1, 5}), {});
  CHECK(d.run(request({5}, 1), "done"));
  // Another configuration, evicted or leaving or not: still a member.
  auto evicted = roster_of({1, 5});
  evicted.members.back().status = standing::evicted;
  d.table.follow(evicted, {});
  CHECK(d.run(request({5}, 2)));
  CHECK(code_of(d.table.close({5}, {})) == errc::rejected);
  d.table.follow(roster_of({1}), {});
  CHECK(code_of(d.run(request({5}, 3))) == errc::session_unknown);
  CHECK(d.table.settle({{5}, {1}}, {}).value() == text("done"));
  CHECK(code_of(d.table.settle({{5}, {3}}, {})) == errc::not_applied);
}

TEST_CASE("two members with one enter entry would share a session, and are a bug") {
  session_table table;
  CHECK_THROWS_AS(table.follow(roster_of({1, 1}), {}), invariant_broken);
}

TEST_CASE("deciding changes nothing") {
  auto d = with_session();
  CHECK(d.run(request({7}, 1)));
  const auto before = wire::encode(d.table);
  CHECK_FALSE(d.table.decide(request({7}, 9, "body", 5)).answer);
  CHECK(d.table.decide(request({7}, 1)).answer);
  CHECK(wire::encode(d.table) == before);
}

TEST_CASE("two tables with the same history are the same bytes, however they came to it") {
  const auto history = [](session_table& table, bool by_snapshot) {
    // A table that once was large keeps its buckets, and so another order than a fresh one.
    for (std::uint64_t id = 1; id <= 1'000; ++id) {
      CHECK(table.open({id}, {}));
      CHECK(table.close({id}, {}));
    }
    table.expire(at_ms(600'000));
    for (std::uint64_t id = 1'001; id <= 1'200; ++id)
      CHECK(table.open({id}, at_ms(600'000)));
    if (by_snapshot) {
      auto copy = wire::decode<session_table>(wire::encode(table).view());
      REQUIRE(copy);
      table = std::move(*copy);
    }
    // All expire at once, by one entry.
    table.expire(at_ms(1'200'000));
    CHECK(table.open({1'201}, at_ms(1'200'000)));
  };
  session_table by_log;
  session_table by_snapshot;
  history(by_log, false);
  history(by_snapshot, true);
  CHECK(by_log.closed_count() == 200);
  CHECK(wire::encode(by_log) == wire::encode(by_snapshot));
}

TEST_CASE("a table whose parts contradict each other is not read") {
  using ids = std::vector<session_id>;
  const session_record open{};
  const session_record shut{.open = false};
  const auto read = [](const ids& closed, const ids& all, const session_record& record) {
    return wire::decode<session_table>(wire::encode(settings{}, closed, all, record).view())
        .has_value();
  };
  CHECK(read({}, {{3}}, open));
  CHECK(read({{3}}, {{3}}, shut));
  CHECK_FALSE(read({}, {{3}}, shut));
  CHECK_FALSE(read({{3}}, {{3}}, open));
  CHECK_FALSE(read({{4}}, {{3}}, shut));
  CHECK_FALSE(read({{3}, {3}}, {{3}}, shut));
}

namespace {

/// The rules of the table once more, without a thought for speed.
class naive_table {
public:
  explicit naive_table(settings rules) : rules_{rules} {}

  struct result {
    errc code = errc::none;
    std::string reply = {};
    bool applies = false; ///< the command is to be applied and its reply stored
  };

  void open(std::uint64_t id, std::int64_t now) { sessions_[id].touched = now; }

  void close(std::uint64_t id, std::int64_t now) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end() || !found->second.open)
      return;
    found->second.open = false;
    found->second.touched = now;
  }

  void expire(std::int64_t now) {
    std::vector<std::uint64_t> forgotten;
    for (auto& [id, s] : sessions_) {
      if (now - s.touched < rules_.session_expiry_ms)
        continue;
      if (!s.open)
        forgotten.push_back(id);
      else
        s.touched = now;
      s.open = false;
    }
    for (const auto id : forgotten)
      sessions_.erase(id);
  }

  result run(const command& c, const std::string& reply, std::int64_t now) {
    const auto found = sessions_.find(c.session.value);
    if (found == sessions_.end() || !found->second.open)
      return {errc::session_unknown};
    auto& s = found->second;
    s.touched = now;
    s.below = std::max(s.below, c.answered_below.value);
    if (c.number.value < s.below)
      return {errc::already_answered};
    if (c.number.value - s.below >= rules_.session_window)
      return {errc::overloaded};
    if (const auto known = s.known.find(c.number.value); known != s.known.end()) {
      if (known->second.code == errc::not_applied || known->second.body == c.body.text())
        return {known->second.code, known->second.reply};
      return {errc::sequence_reused};
    }
    fate stored{.body = std::string{c.body.text()}};
    if (stored_bytes(s) + reply.size() > rules_.session_bytes_max)
      stored.code = errc::reply_too_large;
    else
      stored.reply = reply;
    s.known[c.number.value] = stored;
    return {stored.code, stored.reply, true};
  }

  result settle(std::uint64_t id, std::uint64_t number, std::int64_t now) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end())
      return {errc::session_unknown};
    auto& s = found->second;
    if (s.open)
      s.touched = now;
    if (number < s.below)
      return {errc::already_answered};
    if (const auto known = s.known.find(number); known != s.known.end())
      return {known->second.code, known->second.reply};
    if (s.open && number - s.below >= rules_.session_window)
      return {errc::overloaded};
    if (s.open)
      s.known[number] = {.code = errc::not_applied};
    return {errc::not_applied};
  }

private:
  struct fate {
    errc code = errc::none;
    std::string body = {};
    std::string reply = {};
  };
  struct state {
    bool open = true;
    std::int64_t touched = 0;
    std::uint64_t below = 1;
    std::map<std::uint64_t, fate> known = {};
  };

  static std::size_t stored_bytes(const state& s) {
    std::size_t total = 0;
    for (const auto& [number, known] : s.known)
      total += number >= s.below ? known.reply.size() : 0;
    return total;
  }

  settings rules_;
  std::map<std::uint64_t, state> sessions_;
};

/// One random history on the table and on the model.
class walk {
public:
  explicit walk(std::uint64_t seed) : random_{seed} { d_.table.follow(roster_of({}, rules_), {}); }

  void step() {
    now_ += static_cast<std::int64_t>(random_.below(3));
    switch (random_.below(40)) {
    case 0:
      open();
      break;
    case 1:
      close();
      break;
    case 2:
      expire();
      break;
    case 3:
      reload();
      break;
    case 4:
    case 5:
      settle();
      break;
    default:
      run();
      break;
    }
  }

private:
  std::uint64_t some_session() { return random_.below(index_ + 1); }
  std::uint64_t some_number() { return below_[current_] + random_.below(12); }

  void open() {
    ++index_;
    REQUIRE(d_.table.open({index_}, at_ms(now_)));
    model_.open(index_, now_);
  }

  void close() {
    const auto id = some_session();
    static_cast<void>(d_.table.close({id}, at_ms(now_)));
    model_.close(id, now_);
  }

  void expire() {
    d_.table.expire(at_ms(now_));
    model_.expire(now_);
  }

  void reload() {
    auto copy = wire::decode<session_table>(wire::encode(d_.table).view());
    REQUIRE(copy);
    d_.table = std::move(*copy);
  }

  void settle() {
    current_ = some_session();
    const auto number = some_number();
    const auto got = d_.table.settle({{current_}, {number}}, at_ms(now_));
    compare(got, model_.settle(current_, number, now_));
    if (code_of(got) == errc::not_applied)
      REQUIRE(applied_[{current_, number}] == 0);
  }

  void run() {
    current_ = some_session();
    const auto number = some_number();
    auto& below = below_[current_];
    if (random_.below(4) == 0)
      below = std::min(number, below + random_.below(4));
    const auto body = "body " + std::to_string(number + random_.below(10) / 9);
    const auto reply = std::string(random_.below(12), 'r') + std::to_string(now_);
    const auto c = request({current_}, number, body, random_.below(2) ? below : 0);
    const auto applied_before = d_.applied;
    const auto got = d_.run(c, reply, now_);
    const auto wanted = model_.run(c, reply, now_);
    compare(got, wanted);
    REQUIRE((d_.applied > applied_before) == wanted.applies);
    if (wanted.applies)
      REQUIRE(++applied_[{current_, number}] == 1);
  }

  void compare(const expected<bytes>& got, const naive_table::result& wanted) {
    REQUIRE(code_of(got) == wanted.code);
    if (got)
      REQUIRE(got->text() == wanted.reply);
    ++seen_[wanted.code];
  }

  random_source random_;
  settings rules_{.session_expiry_ms = 60, .session_window = 8, .session_bytes_max = 40};
  driver d_;
  naive_table model_{rules_};
  std::uint64_t index_ = 0;
  std::uint64_t current_ = 0;
  std::int64_t now_ = 0;
  std::map<std::uint64_t, std::uint64_t> below_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, int> applied_; ///< how often, by name

public:
  std::map<errc, int> seen_;
};

} // namespace

TEST_CASE(
    "C6: on random histories the table does what the rules say, and nothing is applied twice") {
  const auto seed = seed_of_run();
  CAPTURE(seed);
  std::map<errc, int> seen;
  for (std::uint64_t run = 0; run < 150; ++run) {
    CAPTURE(run);
    walk one{seed + run};
    for (int step = 0; step < 600; ++step)
      one.step();
    for (const auto& [code, count] : one.seen_)
      seen[code] += count;
  }
  for (const auto code :
       {errc::none, errc::session_unknown, errc::already_answered, errc::overloaded,
        errc::sequence_reused, errc::not_applied, errc::reply_too_large}) {
    CAPTURE(code);
    CHECK(seen[code] > 0);
  }
}

} // namespace session_table_test
