// SPDX-License-Identifier: BSL-1.0
#include <understudy/core/random.hpp>
#include <understudy/replica/replica.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace replica_test {

namespace {

using namespace understudy;
using std::chrono::milliseconds;

/// What an application could bring; some of its requests misbehave on demand.
struct inventory {
  struct restock {
    using reply = int;
    std::string sku;
    int by = 0;
    template <class Archive> void serialize(Archive& archive) { archive(sku, by); }
  };
  struct misbehave {
    using reply = std::string;
    int how = 0;
    template <class Archive> void serialize(Archive& archive) { archive(how); }
  };
  struct in_stock {
    using reply = int;
    std::string sku;
    template <class Archive> void serialize(Archive& archive) { archive(sku); }
  };
  using commands = understudy::commands<restock, misbehave>;
  using queries = understudy::queries<in_stock, misbehave>;

  int apply(const restock& c) { return stock[c.sku] += c.by; }
  std::string apply(const misbehave& c) const { return query(c); }
  int query(const in_stock& q) const {
    const auto found = stock.find(q.sku);
    return found == stock.end() ? 0 : found->second;
  }
  std::string query(const misbehave& q) const {
    switch (q.how) {
    case 1:
      throw std::runtime_error{"out of luck"};
    case 2:
      throw std::bad_alloc{};
    case 3:
      throw 3;
    default:
      return "well";
    }
  }

  static constexpr std::uint32_t machine_version = 2;
  void use_version(std::uint32_t version) {
    if (refuses_versions)
      throw std::runtime_error{"conservative"};
    told.push_back(version);
    stock_when_told = query(in_stock{"apple"});
  }

  std::map<std::string, int> stock = {};
  int not_replicated = 0; ///< given by the node, in no snapshot
  bool refuses_to_be_written = false;
  bool refuses_versions = false;
  std::vector<std::uint32_t> told = {}; ///< versions that were to be used
  int stock_when_told = 0;

  template <class Archive> void serialize(Archive& archive) {
    if (refuses_to_be_written)
      throw std::runtime_error{"shy"};
    archive(stock);
  }
};

static_assert(component<replica<inventory>>);

instant at_ms(std::int64_t ms) {
  return instant{milliseconds{ms}};
}

log_time stamp_ms(std::int64_t ms) {
  return {milliseconds{ms}};
}

configuration_ptr roster_of(const std::vector<std::uint64_t>& entered, settings rules = {}) {
  configuration result{.cluster = {1}, .rules = rules};
  for (const auto index : entered)
    result.members.push_back({.id = {100 + index}, .entered = {index}});
  return std::make_shared<const configuration>(std::move(result));
}

/// A log that grows; the first entry is the founding configuration.
class log_book {
public:
  log_book() { add(roster_of({1})); }

  template <class T> log_index add(T what, std::int64_t ms = 0) {
    const log_index index{entries_.size() + 1};
    entries_.push_back({index, {1}, stamp_ms(ms), share<payload>(std::move(what))});
    return index;
  }

  /// A command of the founder's own session.
  template <class C> log_index add_command(const C& what, std::uint64_t session = 1) {
    const request_number number{++numbers_[session]};
    return add(command{{session}, number, {1}, encode_command<inventory>(what)});
  }

  log_index restock(const std::string& sku, int by) {
    return add_command(inventory::restock{sku, by});
  }

  /// The entries from `first` to `last`, both included.
  [[nodiscard]] apply_entries part(std::size_t first, std::size_t last, bool answer = false,
                                   std::uint32_t copies = 1) const {
    return {.entries = {entries_.begin() + static_cast<std::ptrdiff_t>(first) - 1,
                        entries_.begin() + static_cast<std::ptrdiff_t>(last)},
            .answer = answer,
            .copies = copies};
  }

  [[nodiscard]] apply_entries all(bool answer = false) const {
    return part(1, entries_.size(), answer);
  }

  [[nodiscard]] log_index last() const { return {entries_.size()}; }
  [[nodiscard]] const entry& at(std::size_t index) const { return entries_[index - 1]; }

private:
  std::vector<entry> entries_;
  std::map<std::uint64_t, std::uint64_t> numbers_;
};

/// A replica, and what it has told.
struct bench {
  replica<inventory> component;
  std::vector<sibling_message> told = {};
  std::optional<instant> wake_at = {};

  explicit bench(inventory machine = {}, applied_hook hook = {})
      : component{std::move(machine), std::move(hook)} {}

  template <class N> void give(N notice, std::int64_t ms = 0) {
    outbox out;
    component.on(notice, at_ms(ms), out);
    collect(out);
  }

  void settle() {
    outbox out;
    component.settle({}, out);
    collect(out);
  }

  void wake(std::int64_t ms) {
    wake_at.reset();
    outbox out;
    component.wake(at_ms(ms), out);
    collect(out);
  }

  void ask(std::uint64_t id, const bytes& body, log_index at_least, std::int64_t until_ms = 1'000,
           std::int64_t now_ms = 0) {
    give(ask_replica{{id}, body, at_least, at_ms(until_ms)}, now_ms);
  }

  /// All that was told of one kind, taken away.
  template <class N> std::vector<N> take() {
    std::vector<N> found;
    std::vector<sibling_message> rest;
    for (auto& message : told) {
      if (auto* one = std::get_if<N>(&message))
        found.push_back(std::move(*one));
      else
        rest.push_back(std::move(message));
    }
    told = std::move(rest);
    return found;
  }

  /// The state as a snapshot for other nodes.
  std::shared_ptr<const snapshot> write_snapshot() {
    give(take_snapshot{});
    auto taken = take<snapshot_taken>();
    REQUIRE(taken.size() == 1);
    return std::make_shared<const snapshot>(snapshot{.at = taken[0].at,
                                                     .stamp = taken[0].stamp,
                                                     .image = taken[0].image,
                                                     .digest = digest_of(taken[0].image.view())});
  }

private:
  void collect(outbox& out) {
    CHECK(out.letters.empty());
    for (auto& notice : out.notices)
      told.push_back(std::move(notice));
    if (out.wake_at && (!wake_at || *out.wake_at < *wake_at))
      wake_at = out.wake_at;
  }
};

bytes stock_query(const std::string& sku) {
  return encode_query<inventory>(inventory::in_stock{sku});
}

int stock_reply(const replica_answer& answer) {
  REQUIRE(answer.result);
  return decode_reply<inventory::in_stock>(*answer.result).value();
}

std::uint64_t seed_of_run() {
  const char* given = std::getenv("UNDERSTUDY_SEED");
  return given ? std::strtoull(given, nullptr, 10) : 20'240'704;
}

} // namespace

TEST_CASE("entries are applied in order, and one notice tells how far") {
  log_book log;
  log.restock("apple", 3);
  log.restock("apple", 4);
  bench b;
  b.give(log.part(1, 2));
  b.give(log.part(3, 3));
  CHECK(b.told.empty());
  b.settle();
  const auto through = b.take<applied_through>();
  REQUIRE(through.size() == 1);
  CHECK(through[0].index == log_index{3});
  CHECK(b.told.empty());
  CHECK(b.component.applied() == log_index{3});
  CHECK(b.component.machine().stock.at("apple") == 7);
  b.settle();
  CHECK(b.told.empty());
}

TEST_CASE("outcomes are told where entries are to be answered, all at once and in order") {
  log_book log;
  log.add(no_op{});
  log.restock("apple", 3);
  log.add(open_session{});
  log.add(close_session{{4}});
  log.add(close_session{{77}});
  log.restock("apple", 4);
  bench b;
  b.give(log.part(1, 2, false));
  b.give(log.part(3, 4, true));
  b.give(log.part(5, 7, true));
  b.settle();
  const auto told = b.take<applied_outcomes>();
  REQUIRE(told.size() == 1);
  const auto& batch = told[0].batch;
  REQUIRE(batch.size() == 5);
  CHECK(batch[0].index == log_index{3});
  CHECK(decode_reply<inventory::restock>(batch[0].result.value()).value() == 3);
  CHECK(wire::decode<session_id>(batch[1].result.value().view()).value() == session_id{4});
  CHECK(batch[2].result.value().empty());
  CHECK(batch[3].result.error().code == errc::session_unknown);
  CHECK(batch[4].index == log_index{7});
}

TEST_CASE("outcomes with another number of copies are told apart") {
  log_book log;
  log.restock("apple", 1);
  log.restock("apple", 1);
  log.restock("apple", 1);
  bench b;
  b.give(log.part(1, 2, true, 1));
  b.give(log.part(3, 3, true, 2));
  b.give(log.part(4, 4, true, 2));
  b.settle();
  const auto told = b.take<applied_outcomes>();
  REQUIRE(told.size() == 2);
  CHECK(told[0].copies == 1);
  CHECK(told[0].batch.size() == 2);
  CHECK(told[1].copies == 2);
  CHECK(told[1].batch.size() == 2);
}

TEST_CASE("C10: entries that come again are not applied again") {
  log_book log;
  log.restock("apple", 1);
  log.restock("apple", 1);
  log.restock("apple", 1);
  bench b;
  b.give(log.part(1, 3));
  b.give(log.part(2, 4));
  b.give(log.part(1, 4));
  CHECK(b.component.machine().stock.at("apple") == 3);
  CHECK(b.component.applied() == log_index{4});
}

TEST_CASE("a gap between entries is a bug, and so is log time that goes back") {
  log_book log;
  log.restock("apple", 1);
  log.restock("apple", 1);
  bench b;
  b.give(log.part(1, 1));
  CHECK_THROWS_AS(b.give(log.part(3, 3)), invariant_broken);
  apply_entries torn{.entries = {log.at(1), log.at(3)}};
  CHECK_THROWS_AS(b.give(torn), invariant_broken);

  log_book backwards;
  backwards.add(no_op{}, 20);
  backwards.add(no_op{}, 10);
  CHECK_THROWS_AS(bench{}.give(backwards.all()), invariant_broken);
}

TEST_CASE("C6: a retry is answered from the table and does not reach the machine") {
  log_book log;
  log.restock("apple", 3);
  const auto again = *log.at(2).as<command>();
  log.add(again);
  std::vector<applied_command> seen;
  bench b{{}, [&](const applied_command& c) { seen.push_back(c); }};
  b.give(log.all(true));
  b.settle();
  const auto told = b.take<applied_outcomes>();
  REQUIRE(told.size() == 1);
  REQUIRE(told[0].batch.size() == 3);
  CHECK(told[0].batch[1].result == told[0].batch[2].result);
  CHECK(b.component.machine().stock.at("apple") == 3);
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].index == log_index{2});
  CHECK(seen[0].session == session_id{1});
  CHECK(seen[0].number == request_number{1});
  CHECK(seen[0].body == again.body);
  CHECK(decode_reply<inventory::restock>(seen[0].reply).value() == 3);
}

TEST_CASE("C6: the session table is in the snapshot, so a retry behind it is not applied again") {
  log_book log;
  log.restock("apple", 3);
  const auto again = *log.at(2).as<command>();
  bench first;
  first.give(log.all());
  const auto image = first.write_snapshot();
  log.add(again);

  bench second;
  second.give(restore_snapshot{image});
  second.settle();
  REQUIRE(second.take<applied_through>().size() == 1);
  second.give(log.part(3, 3, true));
  second.settle();
  const auto told = second.take<applied_outcomes>();
  REQUIRE(told.size() == 1);
  CHECK(decode_reply<inventory::restock>(told[0].batch[0].result.value()).value() == 3);
  CHECK(second.component.machine().stock.at("apple") == 3);
}

TEST_CASE("C9: sessions expire by the stamps of entries, wherever and whenever they are applied") {
  log_book log;
  log.add(open_session{}, 0);
  log.add_command(inventory::restock{"apple", 1}, 2);
  log.add(expire_sessions{}, 599'999);
  log.add_command(inventory::restock{"apple", 1}, 2);
  bench early;
  early.give(log.part(1, 4), 0);
  CHECK(early.component.sessions().open_count() == 2);
  bench late;
  late.give(log.part(1, 4), 1'000'000'000);
  CHECK(late.component.digest() == early.component.digest());
}

TEST_CASE("a request is settled through the log") {
  log_book log;
  log.restock("apple", 3);
  log.add(settle{{1}, {1}});
  log.add(settle{{1}, {2}});
  log.restock("apple", 4);
  bench b;
  b.give(log.all(true));
  b.settle();
  const auto batch = b.take<applied_outcomes>().at(0).batch;
  CHECK(batch[1].result == batch[2].result);
  CHECK(batch[3].result.error().code == errc::not_applied);
  CHECK(batch[4].result.error().code == errc::not_applied);
  CHECK(b.component.machine().stock.at("apple") == 3);
}

TEST_CASE("a machine that throws stops before that entry, once and for good") {
  for (const int how : {1, 2, 3}) {
    CAPTURE(how);
    log_book log;
    log.restock("apple", 3);
    log.add_command(inventory::misbehave{how});
    log.restock("apple", 4);
    bench b;
    b.ask(1, stock_query("apple"), {4});
    b.give(log.all(true));
    b.give(log.part(3, 4));
    b.settle();

    const auto failed = b.take<machine_failed>();
    REQUIRE(failed.size() == 1);
    CHECK(failed[0].index == log_index{3});
    CHECK(failed[0].why.find("apply threw") != std::string::npos);
    CHECK(b.take<applied_through>().at(0).index == log_index{2});
    CHECK(b.take<applied_outcomes>().at(0).batch.size() == 2);
    CHECK(b.component.applied() == log_index{2});

    // A query that waited for more is told at once; those that need no more go on.
    const auto waited = b.take<replica_answer>();
    REQUIRE(waited.size() == 1);
    CHECK(waited[0].result.error().code == errc::machine_stopped);
    b.ask(2, stock_query("apple"), {3});
    CHECK(b.take<replica_answer>().at(0).result.error().code == errc::machine_stopped);
    b.ask(3, stock_query("apple"), {2});
    CHECK(stock_reply(b.take<replica_answer>().at(0)) == 3);
  }
}

TEST_CASE("a stopped machine takes no snapshot, neither out nor in") {
  log_book log;
  log.restock("apple", 3);
  bench healthy;
  healthy.give(log.all());
  const auto image = healthy.write_snapshot();

  log_book bad;
  bad.add_command(inventory::misbehave{1});
  bench b;
  b.give(bad.all());
  REQUIRE(b.take<machine_failed>().size() == 1);
  b.give(take_snapshot{});
  b.give(restore_snapshot{std::make_shared<snapshot>(*image)});
  CHECK(b.take<snapshot_taken>().empty());
  CHECK(b.component.applied() == log_index{1});
}

TEST_CASE("a command that can not be read stops the machine, and leaves the session as it was") {
  log_book log;
  log.restock("apple", 3);
  bench before;
  before.give(log.all());
  log.add(command{{1}, {2}, {2}, bytes{std::string_view{"\x07what"}}});
  bench b;
  b.give(log.all());
  const auto failed = b.take<machine_failed>();
  REQUIRE(failed.size() == 1);
  CHECK(failed[0].index == log_index{3});
  CHECK(failed[0].why == "before entry 3: command: tag 7, and this version knows 2");
  CHECK(b.component.digest() == before.component.digest());
}

TEST_CASE("U5: the machine is told of a new version where the log says so, and once") {
  log_book log;
  const auto used = [&](std::uint32_t version) {
    configuration next{.cluster = {1}, .machine_version = version};
    next.members.push_back({.id = {101}, .entered = {1}, .machine_version = 2});
    return log.add(std::make_shared<const configuration>(std::move(next)));
  };
  log.restock("apple", 3);
  const auto at = used(2);
  log.restock("apple", 4);
  used(2); // a change of something else
  bench b;
  b.give(log.part(1, 2));
  CHECK(b.component.machine().told.empty());
  b.give(log.all());
  CHECK(b.component.machine().told == std::vector<std::uint32_t>{2});
  CHECK(b.component.machine().stock_when_told == 3); // between the two
  CHECK(at == log_index{3});

  // Before a snapshot is read that was written behind that place, too.
  auto image = *b.write_snapshot();
  image.members = {b.component.applied(), *log.at(5).as<configuration_ptr>()};
  bench second;
  second.give(restore_snapshot{std::make_shared<const snapshot>(image)});
  CHECK(second.component.machine().told == std::vector<std::uint32_t>{2});
  CHECK(second.component.machine().stock_when_told == 0);
  used(2);
  second.give(log.all());
  CHECK(second.component.machine().told == std::vector<std::uint32_t>{2});
  CHECK(second.component.applied() == log_index{6});
}

TEST_CASE("U6: a node that meets a version it does not know stops before it, and skips nothing") {
  log_book log;
  log.restock("apple", 3);
  const auto newer = std::make_shared<const configuration>(
      configuration{.cluster = {1}, .members = {{.id = {101}}}, .machine_version = 3});
  log.add(configuration_ptr{newer});
  log.restock("apple", 4);
  bench b;
  b.give(log.all());
  auto failed = b.take<machine_failed>();
  REQUIRE(failed.size() == 1);
  CHECK(failed[0].index == log_index{3});
  CHECK(failed[0].why
        == "before entry 3: the cluster uses version 3 of the machine, and this build knows 2");
  CHECK(b.component.applied() == log_index{2});
  CHECK(b.component.machine().stock.at("apple") == 3);

  bench source;
  source.give(log.part(1, 2));
  auto image = *source.write_snapshot();
  image.members = {{2}, newer};
  bench second;
  second.give(restore_snapshot{std::make_shared<const snapshot>(image)});
  failed = second.take<machine_failed>();
  REQUIRE(failed.size() == 1);
  CHECK(
      failed[0].why.ends_with("the cluster uses version 3 of the machine, and this build knows 2"));
  CHECK(second.component.applied() == log_index{});
}

TEST_CASE("a machine that can not go on with a version stops before it") {
  log_book log;
  configuration next{.cluster = {1}, .machine_version = 2};
  next.members.push_back({.id = {101}, .entered = {1}, .machine_version = 2});
  log.add(std::make_shared<const configuration>(std::move(next)));
  bench b{{.refuses_versions = true}};
  b.give(log.all());
  const auto failed = b.take<machine_failed>();
  REQUIRE(failed.size() == 1);
  CHECK(failed[0].why == "before entry 2: use_version threw: conservative");
  CHECK(b.component.applied() == log_index{1});
}

TEST_CASE("a snapshot brings the whole state, and leaves what is not replicated as it was given") {
  log_book log;
  log.restock("apple", 3);
  log.add(open_session{}, 40);
  bench first;
  first.give(log.all());
  const auto image = first.write_snapshot();
  CHECK(image->at == log_position{{3}, {1}});
  CHECK(image->stamp == stamp_ms(40));

  bench second{{.stock = {{"pear", 9}}, .not_replicated = 5}};
  second.ask(1, stock_query("apple"), {3});
  second.give(restore_snapshot{image});
  CHECK(stock_reply(second.take<replica_answer>().at(0)) == 3);
  CHECK(second.component.machine().stock == std::map<std::string, int>{{"apple", 3}});
  CHECK(second.component.machine().not_replicated == 5);
  CHECK(second.component.sessions().find({3}));
  CHECK(second.component.digest() == first.component.digest());
  second.settle();
  CHECK(second.take<applied_through>().at(0).index == log_index{3});
}

TEST_CASE("a snapshot of what is applied already changes nothing") {
  log_book log;
  log.restock("apple", 3);
  bench b;
  b.give(log.all());
  const auto image = b.write_snapshot();
  log.restock("apple", 4);
  b.give(log.part(3, 3));
  b.give(restore_snapshot{image});
  CHECK(b.component.applied() == log_index{3});
  CHECK(b.component.machine().stock.at("apple") == 7);
}

TEST_CASE("a snapshot that is damaged, or is not what it says, stops the machine as it is") {
  log_book log;
  log.restock("apple", 3);
  bench source;
  source.give(log.all());
  const auto good = *source.write_snapshot();
  const auto sealed = [&](bytes image) {
    auto result = good;
    result.image = std::move(image);
    result.digest = digest_of(result.image.view());
    return result;
  };
  std::vector<snapshot> bad(4, good);
  bad[0].digest += 1;
  bad[1] = sealed(good.image.part(0, good.image.size() - 1));
  bad[2].at.index = {9};
  bad[3] = sealed(wire::encode(std::uint32_t{99}));

  for (const auto& image : bad) {
    bench b;
    b.give(log.part(1, 1));
    b.give(restore_snapshot{std::make_shared<const snapshot>(image)});
    const auto failed = b.take<machine_failed>();
    REQUIRE(failed.size() == 1);
    CHECK(failed[0].index == image.at.index);
    CHECK(failed[0].why.find("snapshot") != std::string::npos);
    CHECK(b.component.applied() == log_index{1});
    CHECK(b.component.sessions().find({1}));
    CHECK(b.component.machine().stock.empty());
  }
}

TEST_CASE("a machine that can be frozen goes on while it is written down, as the same bytes") {
  struct shelf : inventory {
    [[nodiscard]] inventory freeze() const { return *this; }
  };
  static_assert(freezable<shelf>);
  log_book log;
  log.restock("apple", 3);
  bench plain;
  plain.give(log.all());
  const auto expected_image = plain.write_snapshot();

  replica<shelf> frozen;
  outbox out;
  auto all = log.all();
  frozen.on(all, {}, out);
  take_snapshot order;
  frozen.on(order, {}, out);
  auto what = std::get<write_down>(std::move(out.notices.back()));
  const auto applied = frozen.applied();
  log.restock("apple", 4);
  auto more = log.all();
  frozen.on(more, {}, out);
  CHECK(frozen.machine().stock.at("apple") == 7);
  CHECK(what.at.index == applied);
  CHECK(what.image() == expected_image->image);
}

TEST_CASE("a frozen state that can not be written down stops the machine") {
  bench b;
  log_book log;
  log.restock("apple", 3);
  b.give(log.all());
  b.give(not_written{"shy"});
  const auto failed = b.take<machine_failed>();
  REQUIRE(failed.size() == 1);
  CHECK(failed[0].why.find("shy") != std::string::npos);
}

TEST_CASE("a machine that can not be written stops, and says so instead of a snapshot") {
  log_book log;
  bench b{{.refuses_to_be_written = true}};
  b.give(log.all());
  b.give(take_snapshot{});
  CHECK(b.take<snapshot_taken>().empty());
  const auto failed = b.take<machine_failed>();
  REQUIRE(failed.size() == 1);
  CHECK(failed[0].why.find("shy") != std::string::npos);
}

TEST_CASE("a query waits until what it needs is applied") {
  log_book log;
  log.restock("apple", 3);
  bench b;
  b.ask(1, stock_query("apple"), {0});
  CHECK(stock_reply(b.take<replica_answer>().at(0)) == 0);
  b.ask(2, stock_query("apple"), {2}, 500);
  CHECK(b.told.empty());
  REQUIRE(b.wake_at);
  CHECK(*b.wake_at == at_ms(500));
  b.give(log.part(1, 1));
  CHECK(b.told.empty());
  b.give(log.part(2, 2));
  const auto answered = b.take<replica_answer>();
  REQUIRE(answered.size() == 1);
  CHECK(answered[0].id == ticket{2});
  CHECK(answered[0].applied == log_index{2});
  CHECK(stock_reply(answered[0]) == 3);
}

TEST_CASE("a query whose time is up is not waited for, and the next one is woken for") {
  bench b;
  b.ask(1, stock_query("apple"), {2}, 100);
  b.ask(2, stock_query("apple"), {9}, 300);
  b.ask(3, stock_query("apple"), {5}, 200);
  b.wake(99);
  CHECK(b.told.empty());
  CHECK(*b.wake_at == at_ms(100));
  b.wake(200);
  const auto expired = b.take<replica_answer>();
  REQUIRE(expired.size() == 2);
  for (const auto& answer : expired)
    CHECK(answer.result.error().code == errc::timed_out);
  CHECK(*b.wake_at == at_ms(300));
  b.ask(4, stock_query("apple"), {2}, 100, 100);
  CHECK(b.take<replica_answer>().at(0).result.error().code == errc::timed_out);
}

TEST_CASE("only so many queries wait") {
  bench b;
  for (std::size_t i = 0; i < replica<inventory>::waiting_max; ++i)
    b.ask(i + 1, stock_query("apple"), {1});
  CHECK(b.told.empty());
  b.ask(9'999, stock_query("apple"), {1});
  CHECK(b.take<replica_answer>().at(0).result.error().code == errc::overloaded);
  b.give(log_book{}.all());
  CHECK(b.take<replica_answer>().size() == replica<inventory>::waiting_max);
  b.ask(10'000, stock_query("apple"), {2});
  CHECK(b.told.empty());
}

TEST_CASE("a query that throws, or is none, fails alone") {
  log_book log;
  bench b;
  b.give(log.all());
  for (const int how : {1, 2, 3}) {
    b.ask(1, encode_query<inventory>(inventory::misbehave{how}), {1});
    const auto answer = b.take<replica_answer>().at(0);
    CHECK(answer.result.error().code == errc::machine_stopped);
    CHECK(answer.result.error().detail.find("the query threw") != std::string::npos);
  }
  b.ask(2, bytes{std::string_view{"nonsense"}}, {1});
  CHECK(b.take<replica_answer>().at(0).result.error().code == errc::undecodable);
  log.restock("apple", 3);
  b.give(log.part(2, 2));
  CHECK(b.take<machine_failed>().empty());
  CHECK(b.component.applied() == log_index{2});
}

namespace {

/// A log with everything in it that a client and a cluster may do.
log_book random_history(random_source& random, std::size_t length) {
  log_book log;
  std::vector<std::uint64_t> nodes{1};
  std::vector<std::uint64_t> sessions{1};
  std::map<std::uint64_t, std::uint64_t> next;
  std::int64_t ms = 0;
  while (log.last().value < length) {
    ms += static_cast<std::int64_t>(random.below(20));
    const auto session = sessions[random.below(sessions.size())];
    const auto number = next[session] + 1 - std::min(next[session], random.below(3));
    switch (random.below(12)) {
    case 0:
      sessions.push_back(log.add(open_session{}, ms).value);
      break;
    case 1:
      log.add(close_session{{session}}, ms);
      break;
    case 2:
      log.add(expire_sessions{}, ms);
      break;
    case 3:
      log.add(settle{{session}, {number}}, ms);
      break;
    case 4:
      if (random.below(2) && nodes.size() > 1)
        nodes.erase(nodes.begin());
      else
        nodes.push_back(log.last().value + 1);
      sessions.push_back(log.add(roster_of(nodes, {.session_expiry_ms = 200}), ms).value);
      break;
    default:
      next[session] = std::max(next[session], number);
      log.add(command{{session},
                      {number},
                      {number - std::min(number, random.below(9))},
                      encode_command<inventory>(inventory::restock{
                          "sku" + std::to_string(random.below(5)), static_cast<int>(number)})},
              ms);
    }
  }
  return log;
}

} // namespace

TEST_CASE("R10: fed by log, by snapshots or by both, replicas are equal at equal index") {
  const auto seed = seed_of_run();
  CAPTURE(seed);
  random_source random{seed};
  for (int run = 0; run < 40; ++run) {
    CAPTURE(run);
    const std::size_t length = 60 + random.below(200);
    const auto log = random_history(random, length);
    bench by_log;
    auto by_both = std::make_unique<bench>();
    for (std::size_t first = 1; first <= length;) {
      const auto last = std::min(length, first + random.below(20));
      by_log.give(log.part(first, last, true));
      switch (random.below(3)) {
      case 0: // A newcomer, from a snapshot.
        by_both = std::make_unique<bench>();
        by_both->give(restore_snapshot{by_log.write_snapshot()});
        break;
      case 1: // An overlap from another source.
        by_both->give(
            log.part(std::max<std::size_t>(1, first - std::min(first, random.below(9))), last));
        break;
      default:
        by_both->give(log.part(first, last));
      }
      REQUIRE(by_both->component.applied() == by_log.component.applied());
      REQUIRE(by_both->component.digest() == by_log.component.digest());
      first = last + 1;
    }
    CHECK(by_log.component.machine().stock == by_both->component.machine().stock);
    CHECK(by_log.take<machine_failed>().empty());
  }
}

} // namespace replica_test
