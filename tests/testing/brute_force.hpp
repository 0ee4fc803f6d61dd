// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Checks a short history by trying every order. It shares nothing with the checker but the types.

#include <understudy/testing/history_models.hpp>
#include <understudy/testing/operation_history.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace brute_force {

using namespace understudy::testing;

/// The next state of a register, if the answer fits.
inline std::optional<register_value> after(const register_value& now,
                                           const operation<register_call, register_reply>& o) {
  using result = std::optional<register_value>; // of which a register without value is one
  const bool fits = now == o.call.from;
  switch (o.call.what) {
  case register_call::kind::read:
    return !o.reply || o.reply->value == now ? result{std::in_place, now} : result{};
  case register_call::kind::write:
    return result{std::in_place, o.call.to};
  case register_call::kind::cas:
    break;
  }
  if (o.reply && o.reply->swapped != fits)
    return result{};
  return result{std::in_place, fits ? o.call.to : now};
}

/// The next text, likewise.
inline std::optional<std::string> after(const std::string& now,
                                        const operation<text_call, text_reply>& o) {
  switch (o.call.what) {
  case text_call::kind::get:
    return !o.reply || o.reply->text == now ? std::optional{now} : std::nullopt;
  case text_call::kind::put:
    return o.call.text;
  case text_call::kind::append:
    break;
  }
  return now + o.call.text;
}

template <class History, class State>
bool explains(const History& all, const std::map<std::string, State>& now, std::vector<bool> used,
              const State& initial) {
  auto first_return = never;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (!used[i] && all[i].ended == operation_end::succeeded)
      first_return = std::min(first_return, all[i].returned);
  if (first_return == never)
    return true;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (used[i] || all[i].ended == operation_end::failed || all[i].called > first_return)
      continue;
    const auto held = now.find(all[i].key);
    const auto next = after(held == now.end() ? initial : held->second, all[i]);
    if (!next)
      continue;
    auto then = now;
    then[all[i].key] = *next;
    used[i] = true;
    if (explains(all, then, used, initial))
      return true;
    used[i] = false;
  }
  return false;
}

/// Whether some order explains the whole history.
template <class History, class State> bool explains(const History& all, const State& initial) {
  return explains(all, std::map<std::string, State>{}, std::vector<bool>(all.size()), initial);
}

/// What the history was when the operation at `place` had just returned.
template <class History> History cut_after(const History& all, std::size_t place) {
  History part;
  for (auto o : all) {
    if (o.called > all[place].returned)
      continue;
    if (o.ended == operation_end::succeeded && o.returned > all[place].returned) {
      o.ended = operation_end::unknown;
      o.reply.reset();
      o.returned = never;
    }
    part.push_back(o);
  }
  return part;
}

/// The first operation by whose return the history is not explained any more.
template <class History, class State>
std::optional<std::size_t> culprit(const History& all, const State& initial) {
  std::optional<std::size_t> first;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i].ended == operation_end::succeeded
        && (!first || all[i].returned < all[*first].returned)
        && !explains(cut_after(all, i), initial))
      first = i;
  return first;
}

} // namespace brute_force
