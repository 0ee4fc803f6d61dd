// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The version of the framework, stated here and nowhere else: the build and
/// the installed package read these three lines.

#define UNDERSTUDY_VERSION_MAJOR 0
#define UNDERSTUDY_VERSION_MINOR 1
#define UNDERSTUDY_VERSION_PATCH 0
