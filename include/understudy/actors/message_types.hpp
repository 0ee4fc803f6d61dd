// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Declares our own types to CAF.
///
/// On CAF 1.x the order decides the type ids; they stay within the process, so it may change.

#include <understudy/actors/caf_version.hpp>
#include <understudy/actors/calls.hpp>
#include <understudy/actors/control.hpp>
#include <understudy/core/messages.hpp>
#include <understudy/core/notices.hpp>

namespace understudy::detail {

/// Our block lies above what an application hands out by hand, and below `first_message_id`.
inline constexpr std::uint16_t own_message_ids = 19'000;

} // namespace understudy::detail

UNDERSTUDY_MESSAGES_FROM(
    understudy, ::understudy::detail::own_message_ids,
    // ids and errors
    understudy::member_id, understudy::errc,
    // between nodes
    understudy::request_vote, understudy::vote_reply, understudy::append_entries,
    understudy::append_reply, understudy::install_snapshot, understudy::snapshot_reply,
    understudy::timeout_now, understudy::pull_request, understudy::pull_reply,
    understudy::census_request, understudy::census_reply, understudy::enter_request,
    understudy::enter_reply, understudy::seat_request, understudy::presence,
    understudy::order_request, understudy::order_reply, understudy::requests, understudy::answers,
    understudy::members_request, understudy::members_reply,
    // between the components of a node
    understudy::store_write, understudy::store_written, understudy::store_failed,
    understudy::apply_entries, understudy::restore_snapshot, understudy::take_snapshot,
    understudy::applied_through, understudy::snapshot_taken, understudy::write_down,
    understudy::not_written, understudy::stage_snapshot, understudy::snapshot_staged,
    understudy::machine_failed, understudy::core_view, understudy::pulled_entries,
    understudy::pulled_chunk, understudy::pulled_divergence, understudy::stored_through,
    understudy::leader_hint, understudy::found_cluster, understudy::entered_cluster,
    understudy::track_members, understudy::change_roster, understudy::change_voters,
    understudy::change_taken, understudy::transfer_leadership, understudy::propose,
    understudy::proposed, understudy::read_request, understudy::read_ready,
    understudy::applied_outcomes, understudy::ask_replica, understudy::replica_answer,
    understudy::peer_lost, understudy::local_call, understudy::local_answer, understudy::node_event,
    understudy::nodes_known, understudy::seed_met, understudy::local_order,
    understudy::order_snapshot, understudy::order_done, understudy::leave_cluster,
    understudy::leave_ended, understudy::sent_away, understudy::drain_calls,
    understudy::calls_drained, understudy::members_heard,
    // within a node
    understudy::connect_siblings, understudy::begin_work, understudy::batch_over,
    understudy::timer_due, understudy::finish_work, understudy::close_front,
    understudy::watch_peers, understudy::peers_gone, understudy::component_broke,
    understudy::message_unexpected, understudy::stop_node, understudy::subscribe,
    understudy::call_from_outside, understudy::read_options, understudy::order_from_outside,
    understudy::snapshot_from_outside, understudy::core_look_from_outside,
    understudy::leave_from_outside, understudy::look_from_outside, understudy::open_doors)
