# The rules of the house, one function each. POSIX awk: mawk is what a bare Debian has.
# Input: the table of rooms, then the files to check.

BEGIN {
  columns_max = 100
  header_lines_max = 400
  function_lines_max = 70
}

function complain(line, rule) {
  print file ":" line ": " rule
  complaints++
}

# --- the table of rooms ---

function read_room(    i) {
  known[$1] = 1
  kind[$1] = $2
  for (i = 3; i <= NF; i++) {
    if (!($i in known) || $i == $1)
      complain(FNR, "the row of " $1 " names " $i ", which has no row above it")
    if ($2 == "pure" && kind[$i] == "caf")
      complain(FNR, "the pure room " $1 " may include " $i ", which knows CAF")
    may[$1, $i] = 1
  }
}

# --- one file ---

function begin_file() {
  if (file != "")
    end_file()
  file = FILENAME
  lines = 0
  is_cpp = file ~ /\.[ch]pp$/
  is_header = file ~ /\.hpp$/
  is_public = file ~ /^include\/understudy\//
  is_test = file ~ /^tests\// && is_cpp
  has_once = has_spdx = 0
  room = file
  sub(/^include\/understudy\//, "", room)
  sub(/\/.*/, "", room)
  if (is_public && !(room in known))
    complain(1, "the room " room " has no row in tools/cmake/rooms.txt")
  begin_functions()
}

function end_file() {
  if (!is_header)
    return
  if (!has_spdx)
    complain(1, "a header begins with // SPDX-License-Identifier: BSL-1.0")
  if (!has_once)
    complain(1, "a header has #pragma once")
  if (lines > header_lines_max)
    complain(lines, "a header has at most " header_lines_max " lines; this has " lines)
}

function check_columns(text) {
  # Continuation bytes of UTF-8 take no column.
  gsub(/[\200-\277]/, "", text)
  if (length(text) > columns_max)
    complain(FNR, "a line has at most " columns_max " columns; this has " length(text))
}

function check_words() {
  if ($0 ~ /(^|[^A-Za-z_])([T]ODO|[F]IXME)([^A-Za-z_]|$)/)
    complain(FNR, "unfinished work is an issue, not a word in the code")
  if (is_test && $0 ~ /(^|[^a-z_])(sleep_for|sleep_until|usleep|nanosleep)([^a-z_]|$)/)
    complain(FNR, "a test does not sleep: it waits for a condition, or moves its own clock")
}

function check_include(    target, other) {
  if ($0 !~ /^[ \t]*#[ \t]*include[ \t]*[<"]/)
    return
  target = $0
  sub(/^[^<"]*[<"]/, "", target)
  sub(/[>"].*/, "", target)
  if (!is_public)
    return
  if ($0 ~ /"/)
    complain(FNR, "a header is included as <understudy/...>, so that users and we name it alike")
  if (target ~ /^caf\// && kind[room] == "pure")
    complain(FNR, "the room " room " does without CAF")
  if (target !~ /^understudy\//)
    return
  other = target
  sub(/^understudy\//, "", other)
  sub(/\/.*/, "", other)
  if (other != room && other != "version.hpp" && !((room, other) in may))
    complain(FNR, "the room " room " does not include " other " (tools/cmake/rooms.txt)")
}

# --- the length of functions ---
#
# Braces are counted outside of comments and literals. A block is a function if the text before it
# has a parenthesis and does not introduce a namespace or a type; blocks within it are its own.
# It relies on the layout of clang-format, which puts a space before a block and none before the
# braces of a value.

function begin_functions() {
  depth = 0
  function_depth = 0
  value_depth = 0
  parentheses = 0
  statement = ""
  statement_line = 0
  in_comment = in_macro = 0
  raw_end = ""
}

# The line without comments, literals and directives.
function code_of(text,    out, at, end, quote) {
  out = ""
  if (in_macro || (!in_comment && raw_end == "" && text ~ /^[ \t]*#/)) {
    in_macro = text ~ /\\$/
    return ""
  }
  while (text != "") {
    if (in_comment) {
      at = index(text, "*/")
      if (!at)
        return out
      text = substr(text, at + 2)
      in_comment = 0
    } else if (raw_end != "") {
      at = index(text, raw_end)
      if (!at)
        return out
      text = substr(text, at + length(raw_end))
      raw_end = ""
    } else if (match(text, /R"[^(]*\(|\/\/|\/\*|["']/)) {
      quote = substr(text, RSTART, RLENGTH)
      at = RSTART
      # 1'000 separates digits; it opens nothing.
      if (quote == "'" && substr(text, 1, at - 1) ~ /[0-9A-Fa-f]$/ \
          && substr(text, at + 1) ~ /^[0-9A-Fa-f]/ && substr(text, at + 2, 1) != "'") {
        out = out substr(text, 1, at - 1)
        text = substr(text, at + 1)
        continue
      }
      out = out substr(text, 1, at - 1)
      text = substr(text, at + RLENGTH)
      if (quote == "//")
        return out
      if (quote == "/*") {
        in_comment = 1
      } else if (quote ~ /^R/) {
        raw_end = ")" substr(quote, 3, length(quote) - 3) "\""
      } else {
        # To the closing quote; a backslash shields what follows it.
        end = quote == "'" ? "^([^'\\\\]|\\\\.)*'" : "^([^\"\\\\]|\\\\.)*\""
        if (!match(text, end))
          return out
        text = substr(text, RLENGTH + 1)
        out = out "0"
      }
    } else {
      return out text
    }
  }
  return out
}

function opens_type(text) {
  gsub(/[ \t]+/, " ", text)
  sub(/^ /, "", text)
  while (text ~ /^template ?</)
    text = without_angles(text)
  while (sub(/^(inline|export|typedef|static|constexpr|const|friend|alignas\([^)]*\)|\[\[[^]]*\]\]) ?/, "",
             text))
    ;
  return text ~ /^(namespace|class|struct|union|enum|extern)([^a-zA-Z0-9_]|$)/
}

# Without the leading template<...>, and a requires clause as plain as a name and its arguments.
function without_angles(text,    i, c, level) {
  level = 0
  for (i = index(text, "<"); i <= length(text); i++) {
    c = substr(text, i, 1)
    if (c == "<")
      level++
    else if (c == ">" && --level == 0)
      break
  }
  text = substr(text, i + 1)
  sub(/^ /, "", text)
  if (text ~ /^requires /)
    sub(/^requires .*[^a-z_](class|struct|union) /, "struct ", text)
  return text
}

function opens_value() {
  return parentheses > 0 || statement ~ /[A-Za-z0-9_>]$/ || statement ~ /(=|,|return)[ \t]*$/
}

function check_functions(    code, i, n, c) {
  code = code_of($0)
  n = length(code)
  for (i = 1; i <= n; i++) {
    c = substr(code, i, 1)
    if (function_depth) {
      if (c == "{")
        depth++
      else if (c == "}" && depth-- == function_depth)
        end_function()
    } else if (value_depth) {
      value_depth += (c == "{") - (c == "}")
    } else if (c == "{" && opens_value()) {
      value_depth = 1
    } else if (c == "{") {
      depth++
      if (statement ~ /\(/ && !opens_type(statement)) {
        function_depth = depth
        function_line = statement_line
      }
      statement = ""
    } else if (c == "}") {
      depth--
      statement = ""
    } else if (c == ";" || (c == ":" && statement ~ /^(public|private|protected)$/)) {
      statement = ""
      parentheses = 0
    } else if (statement != "" || c ~ /[^ \t]/) {
      if (statement == "")
        statement_line = FNR
      parentheses += (c == "(") - (c == ")")
      statement = statement c
    }
  }
  # A macro's call ends with its line, semicolon or not.
  if (parentheses == 0 && statement ~ /^[A-Z][A-Z0-9_]*\(.*\)[ \t]*$/)
    statement = ""
  if (statement != "")
    statement = statement " "
}

function end_function(    lines_now) {
  function_depth = 0
  statement = ""
  lines_now = FNR - function_line + 1
  if (lines_now > function_lines_max)
    complain(function_line,
             "a function has at most " function_lines_max " lines; this has " lines_now)
}

# --- all of it ---

NR == FNR {
  file = FILENAME
  if ($1 ~ /^[a-z]/)
    read_room()
  file = ""
  next
}

FNR == 1 { begin_file() }

{
  lines = FNR
  check_words()
  if (file !~ /rooms\.txt$/)
    check_columns($0)
}

is_cpp {
  if ($0 == "#pragma once")
    has_once = 1
  if (FNR == 1 && $0 == "// SPDX-License-Identifier: BSL-1.0")
    has_spdx = 1
  check_include()
  check_functions()
}

END {
  if (file != "")
    end_file()
  exit complaints > 0
}
