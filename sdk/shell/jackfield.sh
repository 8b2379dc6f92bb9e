# Jackfield for tests in shell: the lab, its devices and the run, from inside a test. To be sourced; needs a POSIX shell, sed and awk.
#
#     . jackfield.sh
#     jf_session /lab/router r1
#     jf_command r1 'show ip route' | grep -q 10.0.0.0/24 || jf_fail 'no route to 10.0.0.0/24'
#
# Each function is one request to the EP. A request that is refused prints the problem to standard error and returns 1.

# The request itself: jf_call METHOD '{"json": "params"}' [--raw]. The result goes to standard output, as JSON unless --raw.
jf_call() {
    if [ -z "${JACKFIELD_BIN:-}" ]; then
        echo 'JACKFIELD_BIN is not set: this script was not started by an EP; start it with `jackfield run`' >&2
        return 1
    fi
    if [ "${3:-}" = --raw ]; then
        "$JACKFIELD_BIN" call --raw "$1" "${2:-{\}}" </dev/null
    else
        "$JACKFIELD_BIN" call "$1" "${2:-{\}}" </dev/null
    fi
}

# A text, quoted for JSON.
jf_json() {
    printf '%s.' "$1" | LC_ALL=C awk '
        BEGIN {
            for (code = 1; code < 32; code++) escape[sprintf("%c", code)] = sprintf("\\u%04x", code)
            escape["\\"] = "\\\\"; escape["\""] = "\\\""; escape["\t"] = "\\t"; escape["\r"] = "\\r"
        }
        {
            # The full stop that keeps trailing newlines out of the shell'"'"'s hands is taken off at the end.
            if (NR > 1) out = out "\\n"
            if ($0 !~ /[\001-\037"\\]/) { out = out $0; next }
            count = length($0)
            for (at = 1; at <= count; at++) {
                character = substr($0, at, 1)
                out = out (character in escape ? escape[character] : character)
            }
        }
        END { printf "\"%s\"", substr(out, 1, length(out) - 1) }'
}

# An object of names and texts: jf_object name1 text1 name2 text2 …
# A name that ends in `:` takes its value as JSON; empty values are left out.
jf_object() {
    _jf_members=
    while [ $# -ge 2 ]; do
        if [ -n "$2" ]; then
            case $1 in
                *:) _jf_member="\"${1%:}\":$2" ;;
                *) _jf_member="\"$1\":$(jf_json "$2")" ;;
            esac
            _jf_members="${_jf_members:+$_jf_members,}$_jf_member"
        fi
        shift 2
    done
    printf '{%s}' "$_jf_members"
}

# A list of texts.
jf_list() {
    _jf_items=
    for _jf_item in "$@"; do
        _jf_items="${_jf_items:+$_jf_items,}$(jf_json "$_jf_item")"
    done
    printf '[%s]' "$_jf_items"
}

# For requests without an answer worth printing.
jf_tell() {
    jf_call "$1" "$2" >/dev/null
}

# jf_context: what the EP knows of this test, in JSON.
jf_context() { jf_call hello "{\"token\":$(jf_json "${JACKFIELD_TOKEN:-}")}"; }

# jf_log LOG TEXT: logRunning, logDebug, logTest, logCli, or a name of the lab's own.
jf_log() {
    jf_tell log "{\"log\":$(jf_json "$1"),\"text\":$(jf_json "$2")}"
}

# jf_result VERDICT [REASON]: the last word counts, and the test goes on.
jf_result() {
    jf_tell result "$(jf_object verdict "$1" reason "${2:-}")"
}

# jf_fail, jf_skip, jf_abort, jf_timeout [REASON]: end the test. Not from a subshell, which ends only itself, but its verdict stands.
jf_fail() { jf_result FAIL "${1:-}"; exit 1; }
jf_skip() { jf_result SKIPPED "${1:-}"; exit 77; }
jf_abort() { jf_result ABORTED "${1:-}"; exit 1; }
jf_timeout() { jf_result TIMEOUT "${1:-}"; exit 1; }

# jf_part NAME VERDICT [REASON]: a result inside this test.
jf_part() {
    jf_tell part "$(jf_object name "$1" verdict "$2" reason "${3:-}")"
}

# jf_step NAME COMMAND …: run a command as a named part of the test.
jf_step() {
    _jf_step=$1
    shift
    jf_mark "$_jf_step"
    if "$@"; then
        jf_part "$_jf_step" PASS
    else
        _jf_status=$?
        jf_part "$_jf_step" FAIL "exit status $_jf_status of: $*"
        return "$_jf_status"
    fi
}

# jf_check NAME VALUE [unit UNIT] [RELATION LIMIT …]: hold a value against limits, and keep both with the result:
# jf_check 'cpu load' "$load" unit % at_most 80. Relations are those of a step test: at_least, at_most, above, below, equals, not_equals,
# contains, not_contains, matches, not_matches; numbers may carry units. Returns 1 where the value is not as it was to be: the test is FAIL then,
# whatever follows.
jf_check() {
    _jf_name=$1 _jf_value=$2 _jf_unit= _jf_limits=
    shift 2
    while [ $# -ge 2 ]; do
        if [ "$1" = unit ]; then
            _jf_unit=$2
        else
            _jf_limits="${_jf_limits:+$_jf_limits,}$(jf_json "$1"):$(jf_json "$2")"
        fi
        shift 2
    done
    if [ $# -gt 0 ]; then
        echo "jf_check $_jf_name: \`$1\` has no limit: write at_most 80" >&2
        return 1
    fi
    _jf_found=$(jf_call check "{\"name\":$(jf_json "$_jf_name"),\"value\":$(jf_json "$_jf_value"),\"unit\":$(jf_json "$_jf_unit"),\"limits\":{$_jf_limits}}") || return 1
    case $_jf_found in *'"verdict":"PASS"'* | *'"verdict": "PASS"'*) return 0 ;; esac
    printf '%s\n' "$(printf '%s\n' "$_jf_found" | _jf_unquote reason)" >&2
    return 1
}

# jf_mark LABEL: a mark in the recordings of this test's sessions; jf_step makes one by itself.
jf_mark() { jf_tell mark "{\"label\":$(jf_json "$1")}"; }

# jf_breakpoint [TEXT]: stop here, with this text shown, until a person lets the test go on.
jf_breakpoint() { jf_tell breakpoint "$(jf_object locals "${1:-}")"; }

# jf_variable NAME VALUE: `$NAME` in the lab's SQL and mail.
jf_variable() {
    jf_tell variable "{\"name\":$(jf_json "$1"),\"value\":$(jf_json "$2")}"
}

# jf_artifact PATH [NAME]: keep a file with this attempt.
jf_artifact() {
    case $1 in
        /*) _jf_path=$1 ;;
        *) _jf_path=$PWD/$1 ;;
    esac
    jf_tell artifact "$(jf_object name "${2:-${1##*/}}" path "$_jf_path")"
}

# jf_power RESOURCE on|off|cycle|status: switches its mains, and prints on, off or unknown.
jf_power() {
    jf_call power "$(jf_object resource "$1" action "$2")" | _jf_unquote state
}

# jf_capture_start INTERFACE [FILTER] [NAME]: write packets into NAME.pcap, kept with this attempt, until jf_capture_stop.
jf_capture_start() {
    jf_tell capture_start "$(jf_object interface "$1" filter "${2:-}" name "${3:-}")"
}

# jf_capture_stop NAME: prints {"packets": …, "dropped": …, "bytes": …}; the name is the interface's where none was given.
jf_capture_stop() {
    jf_call capture_stop "$(jf_object capture "$1")"
}

# jf_cleanup NAME PROGRAM ARGUMENT …: the EP runs it after this test, however it ends.
jf_cleanup() {
    _jf_name=$1
    shift
    jf_tell cleanup "$(jf_object name "$_jf_name" command: "$(jf_list "$@")")"
}

# jf_get_global PATH: a text as it is, a folder as JSON, nothing where there is none.
jf_get_global() { jf_call get_global "$(jf_object path "$1")" --raw; }

# jf_set_global PATH VALUE
jf_set_global() { jf_tell set_global "{\"path\":$(jf_json "$1"),\"value\":$(jf_json "$2")}"; }

# jf_get_config CONFIG [PATH]
jf_get_config() { jf_call get_config "$(jf_object config "$1" path "${2:-}")" --raw; }

# jf_get_resource QUERY: a node as JSON, or one property (/tb1/dev2:port) as it is.
jf_get_resource() { jf_call get_resource "$(jf_object query "$1")" --raw; }

# jf_set_resource NAME PARENT [PROPERTIES as JSON]
jf_set_resource() { jf_call set_resource "$(jf_object name "$1" parent "$2" properties: "${3:-{\}}")"; }

# jf_rename_resource QUERY NAME
jf_rename_resource() { jf_tell rename_resource "$(jf_object query "$1" name "$2")"; }

# jf_delete_resource QUERY
jf_delete_resource() { jf_tell delete_resource "$(jf_object query "$1")"; }

# jf_need NAME: the paths of the resources that were given for what the project or the suite needs, one on each line
jf_need() { printenv "JACKFIELD_NEED_$(printf %s "$1" | tr 'a-z-' 'A-Z_')"; }

# jf_get_sut QUERY
jf_get_sut() { jf_call get_sut "$(jf_object query "$1")" --raw; }

# jf_get_bind_id, jf_get_bind_name COMPONENT [CONFIG]: nothing where there is none.
jf_get_bind_id() { jf_call get_bind_id "$(jf_object component "$1" config "${2:-}")" --raw; }
jf_get_bind_name() { jf_call get_bind_name "$(jf_object component "$1" config "${2:-}")" --raw; }

# jf_interact KIND MESSAGE [DEFAULT [MILLISECONDS [OPTION …]]]: message, input, decide or options; prints the answer.
jf_interact() {
    _jf_kind=$1 _jf_message=$2 _jf_default=${3:-} _jf_millis=${4:-}
    if [ $# -gt 4 ]; then
        shift 4
        _jf_options=$(jf_list "$@")
    else
        _jf_options=
    fi
    jf_call interact "$(jf_object kind "$_jf_kind" message "$_jf_message" options: "$_jf_options" default "$_jf_default" \
        timeout_millis: "$_jf_millis")" --raw
}

# jf_session RESOURCE [NAME [MILLISECONDS]]: open a session, or join it; its name is NAME, or what this prints.
jf_session() {
    jf_call session_open "$(jf_object resource "$1" name "${2:-}" timeout_millis: "${3:-}")" | _jf_unquote session
}

# jf_connect NAME PROPERTY=VALUE …: open a session with what the properties describe: protocol, host, port, user, password, profile; prints its name.
jf_connect() {
    _jf_name=$1 _jf_connect=
    shift
    for _jf_item in "$@"; do
        _jf_connect="${_jf_connect:+$_jf_connect,}$(jf_json "${_jf_item%%=*}"):$(jf_json "${_jf_item#*=}")"
    done
    jf_call session_open "$(jf_object name "$_jf_name" connect: "{$_jf_connect}")" | _jf_unquote session
}

# jf_sessions: the names of the open sessions of this run on this EP, as a list in JSON.
jf_sessions() { jf_call session_list; }

# jf_command SESSION COMMAND [MILLISECONDS] [OPTION …]: the answer without echo and prompt. Options: `-answer PATTERN TEXT` answers a question that
# the command may ask, `-secret PATTERN TEXT` likewise with a text that nobody is to read, `-key PATTERN TEXT` without enter behind it;
# `-no-check`: a line that the device refuses is fine; `-keep-unasked`: lines that look as if they had come unasked stay.
jf_command() {
    _jf_session=$1 _jf_command=$2
    shift 2
    _jf_given "$@" || return 1
    jf_call session_command "$(jf_object session "$_jf_session" command "$_jf_command" timeout_millis: "$_jf_millis" \
        answers: "[$_jf_answers]" check: "$_jf_check" keep_unasked: "$_jf_unasked")" | _jf_unquote output
}

# jf_command_to_file SESSION COMMAND FILE [MILLISECONDS] [OPTION …]: the answer goes into the file as it comes, however large it is. The file appears
# when the answer is whole, or when the session breaks: then its last line says why. Options as jf_command has; `-artifact`: kept with the test.
jf_command_to_file() {
    _jf_session=$1 _jf_command=$2
    case $3 in /*) _jf_path=$3 ;; *) _jf_path=$PWD/$3 ;; esac
    shift 3
    _jf_given "$@" || return 1
    jf_tell session_command_to_file "$(jf_object session "$_jf_session" command "$_jf_command" path "$_jf_path" timeout_millis: "$_jf_millis" \
        answers: "[$_jf_answers]" check: "$_jf_check" keep_unasked: "$_jf_unasked" artifact: "$_jf_artifact")"
}

# jf_unasked SESSION: what the device has said without being asked since this was asked last: log lines, answers that came too late.
jf_unasked() { jf_call session_unasked "$(jf_object session "$1")" | _jf_unquote text; }

# How a command is given, left in _jf_millis, _jf_answers, _jf_check, _jf_unasked and _jf_artifact.
_jf_given() {
    _jf_millis= _jf_answers= _jf_check=true _jf_unasked=false _jf_artifact=false
    case ${1:-} in -*) ;; *) _jf_millis=${1:-}; [ $# -gt 0 ] && shift ;; esac
    while [ $# -gt 0 ]; do
        case $1 in
            -no-check) _jf_check=false ;;
            -keep-unasked) _jf_unasked=true ;;
            -artifact) _jf_artifact=true ;;
            -answer | -secret | -key)
                if [ $# -lt 3 ]; then
                    echo "$1 needs a pattern and a text: $1 confirm y" >&2
                    return 1
                fi
                _jf_enter=true _jf_secret=false
                [ "$1" = -key ] && _jf_enter=false
                [ "$1" = -secret ] && _jf_secret=true
                _jf_answer="{\"asks\":$(jf_json "$2"),\"answer\":$(jf_json "$3"),\"enter\":$_jf_enter,\"secret\":$_jf_secret}"
                _jf_answers="${_jf_answers:+$_jf_answers,}$_jf_answer"
                shift 2
                ;;
            *)
                echo "a command has no option \`$1\`; it has -answer, -secret, -key, -no-check, -keep-unasked, and into a file -artifact" >&2
                return 1
                ;;
        esac
        shift
    done
}

# jf_rows SESSION COMMAND TEMPLATE-FILE [MILLISECONDS]: the answer as a table by a TextFSM template, in JSON: {"header", "rows", "output"}.
jf_rows() {
    jf_call session_rows "$(jf_object session "$1" command "$2" template "$(cat -- "$3")" timeout_millis: "${4:-}")"
}

# jf_config SESSION LINE...: apply lines of configuration; fails at the first that the device refuses.
jf_config() {
    _jf_session=$1
    shift
    jf_call session_config "$(jf_object session "$_jf_session" lines: "$(jf_list "$@")")" | _jf_unquote output
}

# jf_level SESSION LEVEL [MILLISECONDS]: go to a privilege level of the device's profile, up or down.
jf_level() { jf_tell session_level "$(jf_object session "$1" level "$2" timeout_millis: "${3:-}")"; }

# jf_reboot SESSION [MILLISECONDS]: start the device anew, and log in when it is back.
jf_reboot() { jf_tell session_reboot "$(jf_object session "$1" timeout_millis: "${2:-}")"; }

# jf_textfsm TEMPLATE-FILE TEXT: a table of any text, in JSON: {"header", "rows"}.
jf_textfsm() { jf_call textfsm "{\"template\":$(jf_json "$(cat -- "$1")"),\"text\":$(jf_json "$2")}"; }

# jf_send SESSION TEXT [false]: send text, and press enter unless told `false`.
jf_send() { jf_tell session_send "{\"session\":$(jf_json "$1"),\"text\":$(jf_json "$2"),\"enter\":${3:-true}}"; }

# jf_send_secret SESSION TEXT [false]: the same with a text that nobody is to read: recordings and logs show stars in its place.
jf_send_secret() { jf_tell session_send "{\"session\":$(jf_json "$1"),\"text\":$(jf_json "$2"),\"enter\":${3:-true},\"secret\":true}"; }

# jf_expect SESSION PATTERN [MILLISECONDS]: wait for a regular expression; prints what matched.
jf_expect() {
    jf_call session_expect "$(jf_object session "$1" patterns: "$(jf_list "$2")" timeout_millis: "${3:-}")" | _jf_unquote match
}

# jf_expect_any SESSION MILLISECONDS PATTERN …: wait for the first of several; prints its number, from 0, and on the next line what matched.
# A pattern is a regular expression, or `-ex TEXT` as it stands, `-end` for the end of the dialogue, `-timeout` where nothing else came in time.
jf_expect_any() {
    _jf_session=$1 _jf_millis=$2
    shift 2
    _jf_patterns "$@"
    _jf_found=$(jf_call session_expect "$(jf_object session "$_jf_session" patterns: "$_jf_list" timeout_millis: "$_jf_millis")") || return 1
    printf '%s\n' "$_jf_found" | LC_ALL=C sed -n 's/.*"index" *: *\([0-9]*\).*/\1/p'
    printf '%s\n' "$_jf_found" | _jf_unquote match
}

# jf_screen SESSION [ROWS COLUMNS]: prints what a full-screen program shows, once it has been quiet for a moment. The first call turns the screen on;
# a size that is given is told to the device.
jf_screen() {
    jf_call session_screen "$(jf_object session "$1" rows: "${2:-}" columns: "${3:-}")" | _jf_unquote text
}

# jf_screen_wait SESSION MILLISECONDS [-gone] PATTERN …: wait until one of the patterns stands on the screen, or none any more; prints the screen.
jf_screen_wait() {
    _jf_session=$1 _jf_millis=$2 _jf_gone=false
    shift 2
    if [ "${1:-}" = -gone ]; then
        _jf_gone=true
        shift
    fi
    _jf_patterns "$@"
    jf_call session_screen_wait \
        "$(jf_object session "$_jf_session" patterns: "$_jf_list" gone: "$_jf_gone" timeout_millis: "$_jf_millis")" | _jf_unquote text
}

# jf_press SESSION KEY …: press keys by their names: up, F5, ctrl-c, tab, page-down, or one character.
jf_press() {
    _jf_session=$1
    shift
    jf_tell session_press "$(jf_object session "$_jf_session" keys: "$(jf_list "$@")")"
}

# Patterns as a list in JSON, left in _jf_list.
_jf_patterns() {
    _jf_list=
    while [ $# -gt 0 ]; do
        case $1 in
            -end) _jf_pattern='{"end":true}' ;;
            -timeout) _jf_pattern='{"timeout":true}' ;;
            -ex)
                [ $# -gt 1 ] && shift
                _jf_pattern="{\"exact\":$(jf_json "$1")}"
                ;;
            *) _jf_pattern=$(jf_json "$1") ;;
        esac
        _jf_list="${_jf_list:+$_jf_list,}$_jf_pattern"
        shift
    done
    _jf_list="[$_jf_list]"
}

# jf_execute SESSION COMMAND [MILLISECONDS]: run it beside the dialogue (SSH); prints its output. Returns 1 where its status is not 0.
jf_execute() {
    _jf_left=$(jf_call session_execute "$(jf_object session "$1" command "$2" timeout_millis: "${3:-}")") || return 1
    printf '%s\n' "$_jf_left" | _jf_unquote output
    case $_jf_left in *'"status":0'[,}]* | *'"status": 0'[,}]*) return 0 ;; esac
    return 1
}

# jf_put SESSION LOCAL REMOTE [WAY]: copy a file to the device (SSH).
jf_put() { _jf_move session_put "$1" "$2" "$3" "${4:-auto}"; }

# jf_get SESSION REMOTE LOCAL [WAY]: copy a file of the device here.
jf_get() { _jf_move session_get "$1" "$3" "$2" "${4:-auto}"; }

_jf_move() {
    case $3 in /*) _jf_local=$3 ;; *) _jf_local=$PWD/$3 ;; esac
    jf_tell "$1" "$(jf_object session "$2" local "$_jf_local" remote "$4" way "$5")"
}

# jf_line SESSION SPEED [FRAMING] [FLOW] [DTR] [RTS]: set the serial line under the session, DTR and RTS to true or false; an empty argument
# leaves it as it is.
jf_line() {
    jf_tell session_line "$(jf_object session "$1" speed: "${2:-}" framing "${3:-}" flow "${4:-}" dtr: "${5:-}" rts: "${6:-}")"
}

# jf_modem SESSION: the modem lines under the session as the other end has them, in JSON: cts, dsr, ri and cd.
jf_modem() { jf_call session_modem "$(jf_object session "$1")"; }

# jf_wait_break SESSION [MILLISECONDS]: wait until the device has held the serial line down; a break that came and was not told counts.
jf_wait_break() { jf_tell session_wait_break "$(jf_object session "$1" timeout_millis: "${2:-}")"; }

# jf_break SESSION [MILLISECONDS]: hold the serial line down.
jf_break() { jf_tell session_break "$(jf_object session "$1" millis: "${2:-250}")"; }

# jf_close SESSION
jf_close() { jf_tell session_close "$(jf_object session "$1")"; }

# The text of one member of an object on one line, unquoted. Fails where there is none, which is where the request failed.
_jf_unquote() {
    LC_ALL=C awk -v wanted="$1" '
        function unicode(code) {
            if (code < 128) return sprintf("%c", code)
            if (code < 2048) return sprintf("%c%c", 192 + int(code / 64), 128 + code % 64)
            if (code < 65536) return sprintf("%c%c%c", 224 + int(code / 4096), 128 + int(code / 64) % 64, 128 + code % 64)
            return sprintf("%c%c%c%c", 240 + int(code / 262144), 128 + int(code / 4096) % 64, 128 + int(code / 64) % 64, 128 + code % 64)
        }
        function number(digits,    at, value) {
            value = 0
            for (at = 1; at <= 4; at++) value = value * 16 + index("0123456789abcdef", tolower(substr(digits, at, 1))) - 1
            return value
        }
        {
            if (!match($0, "\"" wanted "\" *: *\"")) next
            rest = substr($0, RSTART + RLENGTH)
            out = ""
            while ((at = match(rest, /["\\]/)) > 0) {
                out = out substr(rest, 1, at - 1)
                if (substr(rest, at, 1) == "\"") break
                letter = substr(rest, at + 1, 1)
                rest = substr(rest, at + 2)
                if (letter == "n") out = out "\n"
                else if (letter == "t") out = out "\t"
                else if (letter == "r") out = out "\r"
                else if (letter == "b") out = out "\b"
                else if (letter == "f") out = out "\f"
                else if (letter == "u") {
                    code = number(substr(rest, 1, 4)); rest = substr(rest, 5)
                    if (code >= 55296 && code < 56320 && substr(rest, 1, 2) == "\\u") {
                        code = 65536 + (code - 55296) * 1024 + number(substr(rest, 3, 4)) - 56320; rest = substr(rest, 7)
                    }
                    out = out unicode(code)
                }
                else out = out letter
            }
            printf "%s", out
            found = 1
        }
        END { exit !found }'
}
