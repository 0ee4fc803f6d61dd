// SPDX-License-Identifier: BSL-1.0
#include <understudy/membership/scene.hpp>

#include <doctest/doctest.h>

#include "group.hpp"

#include <memory>

namespace scene_test {

using namespace understudy;
using membership_test::group;

TEST_CASE("the ground is firm when what stands in the log can not be taken back") {
  core_view view{.leads = true, .term_committed = true};
  view.newest = view.committed = {{5}, std::make_shared<const configuration>(group(2, {1}))};
  const signs_of_life signs;
  ticket_line tickets;
  journal notes;
  outbox out;
  const auto firm = [&] { return scene{{1}, view, signs, {}, tickets, notes, out}.is_firm(); };
  CHECK(firm());
  view.leads = false;
  CHECK_FALSE(firm());
  view.leads = true;
  view.term_committed = false;
  CHECK_FALSE(firm());
  view.term_committed = true;
  view.newest.index = {6};
  CHECK_FALSE(firm());
  auto joint = group(2, {2});
  joint.outgoing = {{1}};
  view.committed = view.newest = {{6}, std::make_shared<const configuration>(joint)};
  CHECK_FALSE(firm());
}

} // namespace scene_test
