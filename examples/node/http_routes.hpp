// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A table of routes: requests go by it, and so does the documentation.

#include "error_answer.hpp"
#include "http_message.hpp"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <string>
#include <string_view>

namespace node_program {

/// One line of the table of an `Api`.
template <class Api> struct http_route {
  using handler = http_answer (Api::*)(const http_request&, const std::string& rest);

  std::string_view method;
  std::string_view path;
  bool prefix = false;        ///< what follows `path` goes to the handler
  std::string_view rest = {}; ///< what that is
  handler serve = nullptr;
  std::string_view parameters = {};
  std::string_view help = {};
};

/// Has the route that is asked for answer. Does not throw.
template <class Api, class Routes>
[[nodiscard]] http_answer answer_by(const Routes& routes, Api& api, const http_request& asked) {
  try {
    std::string allowed;
    const auto method = asked.method == "HEAD" ? std::string{"GET"} : asked.method;
    for (const auto& r : routes) {
      if (r.prefix ? !asked.path.starts_with(r.path) : asked.path != r.path)
        continue;
      if (r.method == method)
        return (api.*r.serve)(asked, asked.path.substr(r.path.size()));
      allowed += (allowed.empty() ? "" : ", ") + std::string{r.method};
    }
    if (allowed.empty())
      return error_answer("no_such_route", "there is nothing at '" + asked.path.substr(0, 80)
                                               + "'; GET / lists what there is");
    auto refused = error_answer("method_not_allowed", "this path takes " + allowed);
    refused.headers.emplace_back("Allow", allowed);
    return refused;
  } catch (const std::exception& e) { // out of memory, say
    return error_answer("internal", e.what());
  }
}

/// The routes as the documentation has them.
template <class Routes> [[nodiscard]] std::string as_markdown(const Routes& routes) {
  std::string text = "| request | parameters | what it does |\n| --- | --- | --- |\n";
  for (const auto& r : routes)
    text += "| `" + std::string{r.method} + ' ' + std::string{r.path} + std::string{r.rest} + "` | "
            + std::string{r.parameters} + " | " + std::string{r.help} + " |\n";
  return text;
}

/// The routes as `GET /` lists them.
template <class Routes> [[nodiscard]] http_answer list_of(const Routes& routes) {
  std::string text;
  for (const auto& r : routes) {
    auto line = std::string{r.method} + ' ' + std::string{r.path} + std::string{r.rest};
    line.resize(std::max<std::size_t>(line.size(), 26), ' ');
    text += line + ' ' + std::string{r.help} + '\n';
  }
  std::erase(text, '`');
  return {.type = "text/plain", .body = text};
}

} // namespace node_program
