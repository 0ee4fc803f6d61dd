// SPDX-License-Identifier: BSL-1.0
// Empty: a precompiled header has to belong to some program, and this is the one.
