// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/observed_texts.hpp>
#include <understudy/testing/random.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace observed_texts_test {

using namespace understudy::testing;

std::string drawn(random_stream& random, std::uint64_t size_max) {
  std::string text(random.below(size_max + 1), 'a');
  for (auto& c : text)
    c = random.chance(0.5) ? 'a' : 'b';
  return text;
}

TEST_CASE("a beginning has one place, and goes on where a text does") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    random_stream random{seed};
    std::vector<std::string> all(random.below(12));
    for (auto& text : all)
      text = drawn(random, 6);
    const observed_texts texts{all};
    for (int i = 0; i < 20; ++i) {
      const auto some = drawn(random, 3);
      const auto more = drawn(random, 3);
      const auto whole = some + more;
      const bool begins = std::ranges::any_of(all, [&](auto& t) { return t.starts_with(whole); });
      const auto place = texts.extended({}, some);
      const auto further = place ? texts.extended(*place, more) : place;
      REQUIRE(further.has_value() == begins);
      if (!further)
        continue;
      CHECK(*further == *texts.extended({}, whole));
      for (const auto& text : all) {
        const auto number = texts.number(text);
        CHECK(texts.begins(*further, number) == text.starts_with(whole));
        if (text.starts_with(whole))
          CHECK(texts.beginning(number, static_cast<std::uint32_t>(whole.size())) == *further);
      }
    }
  }
}

} // namespace observed_texts_test
