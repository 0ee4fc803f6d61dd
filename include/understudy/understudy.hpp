// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The one include for applications.

#include <understudy/client.hpp>
#include <understudy/machine.hpp>
#include <understudy/node.hpp>
#include <understudy/recovery/remains_image.hpp>
#include <understudy/recovery/survivors.hpp>
#include <understudy/version.hpp>
