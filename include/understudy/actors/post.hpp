// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// From an outbox to mailboxes.

#include <understudy/actors/backstage.hpp>
#include <understudy/actors/control.hpp>
#include <understudy/actors/interface.hpp>

#include <cstddef>
#include <utility>
#include <variant>

namespace understudy {

/// Tells everybody in the node who takes this kind of notice, but for the actor that says it: what
/// concerns its own components they have heard already.
inline void post_notice(const origin& from, const call_sheet& sheet, sibling_message&& notice) {
  const auto& receivers = sheet.notices[notice.index()];
  const auto is_sender = [&](const any_actor& who) { return who == from.sender; };
  if (receivers.empty())
    return;
  std::visit(
      [&]<class N>(N& what) {
        for (std::size_t i = 0; i + 1 < receivers.size(); ++i)
          if (!is_sender(receivers[i]))
            post(from, receivers[i], N{what});
        if (!is_sender(receivers.back()))
          post(from, receivers.back(), std::move(what));
      },
      notice);
}

/// Sends a letter to another node, or to nobody if nobody is known behind its address.
inline void post_letter(const origin& from, backstage& stage, letter&& what) {
  std::visit(
      [&]<class M>(M& message) {
        post(from, stage.peers.find(what.to, receiving_desk<M>()), member_id{stage.self},
             std::move(message));
      },
      what.what);
}

/// Has the supervisor look after what is new in the directory.
inline void post_changes(const origin& from, const any_actor& supervisor,
                         directory::changes&& news) {
  if (!news.to_watch.empty())
    post(from, supervisor, watch_peers{std::move(news.to_watch)});
  if (!news.gone.empty())
    post(from, supervisor, peers_gone{std::move(news.gone)});
}

} // namespace understudy
