// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Declares to CAF what the table and its callers send each other.

#include <understudy/actors/caf_version.hpp>

#include "key_value.hpp"

UNDERSTUDY_MESSAGES(node_program_messages, node_program::key_value::put,
                    node_program::key_value::erase, node_program::key_value::compare_and_set,
                    node_program::key_value::add, node_program::key_value::limit,
                    node_program::key_value::clear, node_program::key_value::written,
                    node_program::key_value::get, node_program::key_value::size,
                    node_program::key_value::totals, node_program::key_value::lookup)
