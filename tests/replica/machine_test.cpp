// SPDX-License-Identifier: BSL-1.0
#include <understudy/machine.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace machine_test {

namespace {

using namespace understudy;

/// A request of one number, answered by one; `Name` keeps types apart.
template <class Name, class Reply = int> struct number_request {
  using reply = Reply;
  int value = 0;
  template <class Archive> void serialize(Archive& archive) { archive(value); }
};

using add = number_request<struct add_name>;
using note_index = number_request<struct note_index_name, std::uint64_t>;
using get = number_request<struct get_name>;
using blow_up = number_request<struct blow_up_name, std::string>;

/// A machine with all that is optional.
struct full {
  using commands = understudy::commands<add, note_index>;
  using queries = understudy::queries<get, blow_up>;

  static std::optional<std::string> check(const add& c) {
    if (c.value == 13)
      throw std::runtime_error{"unlucky"};
    if (c.value < 0)
      return "negative";
    return std::nullopt;
  }

  int apply(const add& c) { return sum += c.value; }
  std::uint64_t apply(const note_index&, const applied_at& at) {
    return noted = at.index.value * 1'000'000 + at.term.value * 1'000
                   + static_cast<std::uint64_t>(at.stamp.since_founding.count());
  }
  int query(const get& q) const { return sum + q.value; }
  std::string query(const blow_up&) const { throw std::runtime_error{"boom"}; }

  int sum = 0;
  std::uint64_t noted = 0;
  template <class Archive> void serialize(Archive& archive) { archive(sum, noted); }
};

/// A machine that has been given more commands since its first version. What is not static and
/// constant has nothing to do with versions, whatever its name.
struct grown {
  struct subtract {
    using reply = int;
    static constexpr std::uint32_t since = 2;
    int value = 0;
    template <class Archive> void serialize(Archive& archive) { archive(value); }
  };
  struct reset {
    using reply = int;
    static constexpr std::uint32_t since = 3;
    template <class Archive> void serialize(Archive&) {}
  };
  struct visit {
    using reply = int;
    std::uint64_t since = 0;
    template <class Archive> void serialize(Archive& archive) { archive(since); }
  };
  static constexpr std::uint32_t machine_version = 3;
  using commands = understudy::commands<add, subtract, reset>;
  using queries = understudy::queries<visit>;

  int apply(const add& c) { return sum += c.value; }
  int apply(const subtract& c) { return sum -= c.value; }
  int apply(const reset&) { return sum = 0; }
  [[nodiscard]] int query(const visit&) const { return sum; }

  int sum = 0;
  template <class Archive> void serialize(Archive& archive) { archive(sum); }
};
static_assert(state_machine<grown>);
static_assert(since_of<add> == 1 && since_of<grown::reset> == 3 && since_of<grown::visit> == 1);

/// Its newest command is of a version that it does not know itself.
struct boastful : grown {
  static constexpr std::uint32_t machine_version = 2;
};
static_assert(!state_machine<boastful>);

/// A command stands behind one that came later.
struct reordered : grown {
  using commands = understudy::commands<add, reset, subtract>;
};
static_assert(!state_machine<reordered>);

/// The least that a machine can be.
struct least {
  using commands = understudy::commands<add>;
  int apply(const add& c) { return c.value; }
};

/// One whose commands mean the same whenever they are applied.
struct patient : least {
  static constexpr bool accept_offline = true;
};
struct impatient : least {
  static constexpr bool accept_offline = false;
};
static_assert(allows_offline<patient> && !allows_offline<impatient> && !allows_offline<least>);

static_assert(state_machine<full>);
static_assert(state_machine<least>);
static_assert(command_of<add, full> && !command_of<get, full>);
static_assert(query_of<get, full> && !query_of<add, full> && !query_of<get, least>);

// Each of these lacks one thing, and the concept named after it says so.

struct no_commands {
  int apply(const add&) { return 0; }
};
static_assert(!lists_commands<no_commands> && !state_machine<no_commands>);

struct empty_list {
  using commands = understudy::commands<>;
};
static_assert(!lists_commands<empty_list> && !state_machine<empty_list>);

struct listed_twice {
  using commands = understudy::commands<add, add>;
  int apply(const add&) { return 0; }
};
static_assert(!lists_commands<listed_twice> && !state_machine<listed_twice>);

struct unsendable {
  struct hold {
    using reply = int;
    std::shared_ptr<int> what;
    int* raw = nullptr;
  };
  using commands = understudy::commands<hold>;
  int apply(const hold&) { return 0; }
};
static_assert(!lists_commands<unsendable> && applies_commands<unsendable>);

struct without_reply {
  struct order {
    int value = 0;
    template <class Archive> void serialize(Archive& archive) { archive(value); }
  };
  using commands = understudy::commands<order>;
  int apply(const order&) { return 0; }
};
static_assert(!lists_commands<without_reply> && !state_machine<without_reply>);

struct applies_half {
  using commands = understudy::commands<add, note_index>;
  int apply(const add&) { return 0; }
};
static_assert(lists_commands<applies_half> && !applies_commands<applies_half>);

struct wrong_reply {
  using commands = understudy::commands<add>;
  std::string apply(const add&) { return {}; }
};
static_assert(!applies_commands<wrong_reply> && !state_machine<wrong_reply>);

struct query_changes {
  using commands = understudy::commands<add>;
  using queries = understudy::queries<get>;
  int apply(const add&) { return 0; }
  int query(const get&) { return 0; } // not const
};
static_assert(applies_commands<query_changes> && !answers_queries<query_changes>);

struct check_looks_at_state {
  using commands = understudy::commands<add>;
  int apply(const add&) { return 0; }
  std::optional<std::string> check(const add&) const { return {}; } // not static
};
static_assert(!checks_commands<check_looks_at_state> && !state_machine<check_looks_at_state>);

struct check_says_bool {
  using commands = understudy::commands<add>;
  int apply(const add&) { return 0; }
  static bool check(const add&) { return true; }
};
static_assert(!checks_commands<check_says_bool>);

struct not_copyable : least {
  std::unique_ptr<int> own;
};
static_assert(!writes_snapshots<not_copyable> && !state_machine<not_copyable>);

struct not_serializable : least {
  int state = 0;
};
static_assert(!writes_snapshots<not_serializable> && applies_commands<not_serializable>);

bytes raw(std::initializer_list<int> values) {
  std::vector<std::byte> result;
  for (const int value : values)
    result.push_back(static_cast<std::byte>(value));
  return bytes{result};
}

} // namespace

TEST_CASE("a command is its place in the list and its body, and goes through the machine") {
  full machine;
  const auto encoded = encode_command<full>(add{2});
  CHECK(encoded == raw({0, 2, 0, 0, 0}));
  const auto reply = apply_command(machine, encoded, {});
  REQUIRE(reply);
  CHECK(decode_reply<add>(*reply).value() == 2);
  CHECK(machine.sum == 2);
}

TEST_CASE("a machine may ask where in the log a command stands") {
  full machine;
  const auto encoded = encode_command<full>(note_index{});
  const applied_at at{.index = {7}, .term = {3}, .stamp = {interval{9}}};
  const auto reply = apply_command(machine, encoded, at);
  REQUIRE(reply);
  CHECK(decode_reply<note_index>(*reply).value() == 7'003'009);
}

TEST_CASE("a query is answered by the machine as it is, and its exceptions pass") {
  full machine;
  machine.sum = 40;
  const auto reply = answer_query(machine, encode_query<full>(get{2}));
  REQUIRE(reply);
  CHECK(decode_reply<get>(*reply).value() == 42);
  CHECK_THROWS_AS(static_cast<void>(answer_query(machine, encode_query<full>(blow_up{}))),
                  std::runtime_error);
}

TEST_CASE("what is no command or query is refused, and the machine stays as it is") {
  full machine;
  for (const auto& body :
       {raw({}), raw({2, 0, 0, 0, 0}), raw({0, 1, 2, 3}), raw({0, 1, 2, 3, 4, 5}), raw({0x80}),
        raw({0x80, 0x00}), raw({0x80, 0x80, 0x01}), raw({255})}) {
    CHECK(apply_command(machine, body, {}).error().code == errc::undecodable);
    CHECK_FALSE(check_command<full>(body));
    CHECK(answer_query(machine, body).error().code == errc::undecodable);
  }
  CHECK(machine.sum == 0);
  CHECK(apply_command(machine, raw({5}), {}).error().detail
        == "command: tag 5, and this version knows 2");
  CHECK(answer_query(least{}, raw({0})).error().code == errc::undecodable);
}

TEST_CASE("check refuses a command with its reason, and only where there is a check") {
  CHECK(check_command<full>(encode_command<full>(add{1})));
  const auto refused = check_command<full>(encode_command<full>(add{-1}));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::rejected);
  CHECK(refused.error().detail == "negative");
  CHECK(check_command<full>(encode_command<full>(add{13})).error().detail
        == "check threw: unlucky");
  CHECK(check_command<full>(encode_command<full>(note_index{-1})));
  CHECK(check_command<least>(encode_command<least>(add{-1})));
}

TEST_CASE("U4: a command tells which version brought it, and to an older build it is too new") {
  CHECK(version_of<grown> == 3);
  CHECK(version_of<full> == 1);
  const auto later = encode_command<grown>(grown::subtract{1});
  const auto latest = encode_command<grown>(grown::reset{});
  CHECK(since_in<grown>(encode_command<grown>(add{1})) == 1);
  CHECK(since_in<grown>(later) == 2);
  CHECK(since_in<grown>(latest) == 3);
  CHECK(check_command<grown>(latest));
  CHECK(check_command<full>(latest).error().code == errc::version_not_in_use);
  full machine;
  CHECK(apply_command(machine, latest, {}).error().code == errc::undecodable);
}

TEST_CASE("every tag that a list can be long enough for is read as it was written") {
  for (std::size_t tag = 0; tag < detail::tags_max; ++tag) {
    const auto encoded = wire::encode(cereal::make_size_tag(tag), 'x');
    const auto parts = detail::split_tag(encoded.view());
    REQUIRE(parts);
    REQUIRE(parts->tag == tag);
    REQUIRE(parts->body.size() == 1);
  }
  const auto beyond = wire::encode(cereal::make_size_tag(std::size_t{detail::tags_max}));
  CHECK_FALSE(detail::split_tag(beyond.view()));
}

TEST_CASE("a reply that is not one is refused") {
  CHECK(decode_reply<add>(raw({1, 0})).error().code == errc::undecodable);
}

} // namespace machine_test
