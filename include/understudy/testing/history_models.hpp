// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The models whose histories can be checked: a register that is read, written and exchanged, texts
/// under keys, and any machine that a cluster can replicate. model_rules.hpp says what another one
/// would have to bring.

#include <understudy/testing/key_value_model.hpp> // IWYU pragma: export
#include <understudy/testing/machine_model.hpp>   // IWYU pragma: export
#include <understudy/testing/register_model.hpp>  // IWYU pragma: export
