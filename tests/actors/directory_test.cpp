// SPDX-License-Identifier: BSL-1.0
#include <understudy/actors/config.hpp>
#include <understudy/actors/directory.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

namespace directory_test {

using namespace understudy;

namespace {

caf::behavior idle() {
  return {[](int) {}};
}

/// Some actors, and a directory that finds them.
struct fixture {
  config prepared;
  caf::actor_system system{prepared};
  directory peers{{100'000}, std::make_unique<local_links>(system)};
  std::vector<any_actor> owned;

  ~fixture() {
    peers.close();
    for (const auto& actor : owned)
      kill(actor);
  }

  any_actor spawn() { return owned.emplace_back(forget_type(system.spawn(idle))); }

  /// A node's worth of actors, published. Returns its address.
  std::string publish(std::uint64_t number) {
    const auto address = local_links::new_address(number);
    local_links::publish(system, address, {spawn(), spawn(), spawn(), spawn()});
    return address;
  }
};

configuration_ptr roster(std::vector<member> members) {
  return std::make_shared<const configuration>(
      configuration{.cluster = {1}, .members = std::move(members)});
}

member member_at(std::uint64_t id, std::string address) {
  return {.id = {id}, .address = std::move(address)};
}

} // namespace

TEST_CASE_FIXTURE(fixture, "members of the roster are found at each desk") {
  const auto a = publish(4'000'000);
  const auto b = publish(4'000'004);
  auto news = peers.learn(nullptr, roster({member_at(1, a), member_at(2, b)}));
  REQUIRE(news.to_watch.size() == 2);
  CHECK(news.to_watch[0].first == member_id{1});
  CHECK(news.to_watch[0].second == owned[0]);
  CHECK(news.gone.empty());
  CHECK(peers.find({1}, desk::core) == owned[0]);
  CHECK(peers.find({1}, desk::puller) == owned[1]);
  CHECK(peers.find({2}, desk::monitor) == owned[6]);
  CHECK(peers.find({2}, desk::front) == owned[7]);
  CHECK(peers.find({3}, desk::core) == nullptr);

  // In the committed one still: known still.
  news = peers.learn(roster({member_at(1, a), member_at(2, b)}), roster({member_at(1, a)}));
  CHECK(news.to_watch.empty());
  CHECK(peers.find({2}, desk::core) != nullptr);
}

TEST_CASE_FIXTURE(fixture,
                  "who has left the roster is a guest, and can be answered while it lives") {
  const auto a = publish(4'000'000);
  const auto b = publish(4'000'004);
  const auto both = roster({member_at(1, a), member_at(2, b)});
  const auto one = roster({member_at(1, a)});
  CHECK(peers.learn(both, both).to_watch.size() == 2);
  CHECK(peers.learn(one, one).to_watch.empty());
  CHECK(peers.find({2}, desk::monitor) == owned[6]);
  CHECK(peers.learn(both, both).to_watch.empty()); // an uncommitted entry came back
  CHECK(peers.learn(one, one).to_watch.empty());
  CHECK(peers.size() == 2);
  CHECK(peers.lose({2}));
  CHECK(peers.find({2}, desk::monitor) == nullptr);
  CHECK(peers.size() == 1);
}

TEST_CASE_FIXTURE(fixture, "who was gone when it left the roster is forgotten") {
  const auto a = publish(4'000'000);
  const auto both = roster({member_at(1, a), member_at(2, "")});
  const auto one = roster({member_at(1, a)});
  CHECK(peers.learn(both, both).gone == std::vector<member_id>{{2}});
  CHECK(peers.learn(one, one).to_watch.empty());
  CHECK(peers.size() == 1);
}

TEST_CASE_FIXTURE(fixture, "a member behind whose address nobody is counts as gone, once") {
  for (const auto* address : {"", "local:", "local:4000000", "local:12x", "10.0.0.1:4711"}) {
    CAPTURE(address);
    directory one{{100'000}, std::make_unique<local_links>(system)};
    const auto first = roster({member_at(1, address)});
    CHECK(one.learn(first, first).gone == std::vector<member_id>{{1}});
    const auto second = roster({member_at(1, address), member_at(2, address)});
    CHECK(one.learn(second, second).gone == std::vector<member_id>{{2}});
    CHECK(one.find({1}, desk::core) == nullptr);
  }
}

TEST_CASE_FIXTURE(fixture, "what another node's roster says is not forgotten over an old one") {
  const auto a = publish(4'000'000);
  const auto b = publish(4'000'004);
  CHECK(peers.learn_from_afar(*roster({member_at(1, a), member_at(2, b)})).to_watch.size() == 2);
  const auto old = roster({member_at(1, a)});
  CHECK(peers.learn(old, old).to_watch.empty());
  CHECK(peers.find({2}, desk::core) != nullptr);
  const auto later = roster({member_at(1, a), member_at(2, b)});
  CHECK(peers.learn(later, later).to_watch.empty());
  CHECK(peers.learn(old, old).to_watch.empty());
  CHECK(peers.size() == 2); // a guest now
}

TEST_CASE_FIXTURE(fixture, "of whom a client has heard is looked up again when it was lost") {
  const auto a = publish(4'000'000);
  const auto b = publish(4'000'004);
  CHECK(peers.learn(std::vector<member_place>{{{1}, a}, {{2}, b}}).to_watch.size() == 2);
  CHECK(peers.lose({2}));
  publish(4'000'004); // it is back before anybody has said anything
  CHECK(peers.find({2}, desk::front) != nullptr);
  CHECK(peers.learn(std::vector<member_place>{{{2}, b}}).gone.empty());
  CHECK(peers.find({2}, desk::front) != nullptr);
}

TEST_CASE_FIXTURE(fixture, "a later roster from afar takes the place of an earlier one") {
  const auto a = member_at(1, publish(4'000'000));
  const auto b = member_at(2, publish(4'000'004));
  const auto c = member_at(3, "");
  CHECK(peers.learn_from_afar(*roster({a, b, c})).gone == std::vector<member_id>{{3}});
  CHECK(peers.learn_from_afar(*roster({b})).to_watch.empty());
  CHECK(peers.find({1}, desk::core) == nullptr);
  CHECK(peers.find({2}, desk::core) != nullptr);
  CHECK(peers.size() == 1);
}

TEST_CASE_FIXTURE(fixture, "a guest is answered where it wrote from, and becomes a member") {
  const auto guest = spawn();
  CHECK(peers.meet({9}, desk::monitor, guest));
  CHECK_FALSE(peers.meet({9}, desk::monitor, guest));
  CHECK_FALSE(peers.meet({8}, desk::monitor, nullptr));
  CHECK(peers.find({9}, desk::monitor) == guest);
  CHECK(peers.find({9}, desk::core) == nullptr);

  const auto address = publish(4'000'000);
  const auto with_it = roster({member_at(9, address)});
  CHECK(peers.learn(with_it, with_it).to_watch.size() == 1);
  CHECK(peers.find({9}, desk::monitor) == owned[3]);
  CHECK(peers.find({9}, desk::core) == owned[1]);
}

TEST_CASE_FIXTURE(fixture, "a guest too many pushes the oldest out") {
  const auto guest = spawn();
  for (std::uint64_t id = 1; id <= directory::guests_max + 1; ++id)
    CHECK(peers.meet({id}, desk::front, guest));
  CHECK(peers.size() == directory::guests_max);
  CHECK(peers.find({1}, desk::front) == nullptr);
  CHECK(peers.find({2}, desk::front) == guest);
}

TEST_CASE_FIXTURE(fixture, "who left the roster is a guest as any other, and may be pushed out") {
  const auto both = roster({member_at(1, publish(4'000'000)), member_at(2, publish(4'000'004))});
  const auto one = roster({both->members[0]});
  CHECK(peers.learn(both, both).to_watch.size() == 2);
  CHECK(peers.learn(one, one).gone.empty());
  const auto guest = spawn();
  for (std::uint64_t id = 11; id <= directory::guests_max + 10; ++id)
    CHECK(peers.meet({id}, desk::front, guest));
  CHECK(peers.find({2}, desk::core) == nullptr);
  CHECK(peers.find({1}, desk::core) == owned[0]);
}

TEST_CASE_FIXTURE(fixture, "whoever is lost is found no more, and a seed stays one") {
  const auto a = publish(4'000'000);
  CHECK(peers.add_seed({1}, a).to_watch.size() == 1);
  CHECK(peers.meet({9}, desk::front, spawn()));
  CHECK(peers.lose({1}));
  CHECK_FALSE(peers.lose({1}));
  CHECK(peers.lose({9}));
  CHECK_FALSE(peers.lose({7}));
  CHECK(peers.find({1}, desk::core) == nullptr);
  CHECK(peers.find({9}, desk::front) == nullptr);
  CHECK(peers.size() == 1);
  CHECK_FALSE(peers.meet({1}, desk::core, owned[0]));
}

TEST_CASE_FIXTURE(fixture, "a closed directory knows nobody and learns nothing") {
  const auto a = publish(4'000'000);
  CHECK(peers.learn_address({1}, a).to_watch.size() == 1);
  peers.close();
  CHECK(peers.find({1}, desk::core) == nullptr);
  CHECK(peers.learn_address({1}, a).to_watch.empty());
  CHECK_FALSE(peers.meet({1}, desk::core, owned[0]));
  CHECK(peers.size() == 0);
}

TEST_CASE_FIXTURE(fixture, "an actor that has ended is found at no address") {
  const auto a = publish(4'000'000);
  local_links links{system};
  REQUIRE(links.reach(a));
  local_links::withdraw(system, a, {});
  CHECK(links.reach(a)); // another's
  local_links::withdraw(system, a, owned);
  CHECK_FALSE(links.reach(a));
}

TEST_CASE_FIXTURE(fixture, "a node that comes back under its id is found again") {
  const auto a = publish(4'000'000);
  const auto both = roster({member_at(1, a)});
  REQUIRE(peers.learn(both, both).to_watch.size() == 1);
  const auto before = owned[0];
  REQUIRE(peers.lose({1}));
  CHECK(publish(4'000'000) == a);
  SUBCASE("by its first word") {
    CHECK(peers.meet({1}, desk::monitor, owned[6]));
    CHECK(peers.find({1}, desk::core) == owned[4]);
    CHECK_FALSE(peers.meet({1}, desk::core, owned[4]));
  }
  SUBCASE("by whoever writes to it") {
    CHECK(peers.take_news().to_watch.empty());
    CHECK(peers.find({1}, desk::core) == owned[4]);
    const auto news = peers.take_news();
    REQUIRE(news.to_watch.size() == 1);
    CHECK(news.to_watch[0].second == owned[4]);
    CHECK(peers.take_news().to_watch.empty());
  }
  SUBCASE("and not by a late one of its earlier life") {
    CHECK_FALSE(peers.meet({1}, desk::core, before));
  }
}

TEST_CASE_FIXTURE(fixture, "a node's directory leaves out the node itself") {
  const auto own = publish(4'000'000);
  const auto both = roster({member_at(100'000, own), member_at(1, publish(4'000'004))});
  CHECK(peers.learn(both, both).to_watch.size() == 1);
  CHECK(peers.find({100'000}, desk::core) == nullptr);
  CHECK_FALSE(peers.meet({100'000}, desk::core, owned[0]));
  CHECK(peers.size() == 1);
}

} // namespace directory_test
