// SPDX-License-Identifier: BSL-1.0
#include <understudy/membership/peers.hpp>

#include <doctest/doctest.h>

namespace peers_test {

using namespace understudy;

TEST_CASE("of whom the core says nothing, nothing good is known") {
  core_view view;
  view.peers = {{.id = {2}, .caught_up = true}, {.id = {3}, .in_contact = true}};
  CHECK(detail::peer_of(view, {2}) == view.peers.data());
  CHECK(detail::peer_of(view, {4}) == nullptr);
  CHECK(detail::is_caught_up(view, {2}));
  CHECK_FALSE(detail::is_in_contact(view, {2}));
  CHECK(detail::is_in_contact(view, {3}));
  CHECK_FALSE(detail::is_caught_up(view, {4}));
  CHECK_FALSE(detail::is_in_contact(view, {4}));
}

} // namespace peers_test
