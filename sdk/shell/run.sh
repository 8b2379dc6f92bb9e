# Run one test: `sh run.sh FILE [ARGUMENT …]`.
#
# The test finds the functions of jackfield.sh without sourcing it. The shell of its first line runs it, with the options that stand
# there; a first line that names no shell is left to the system. `$0` is the test, so that a guard such as
# `[ "${BASH_SOURCE[0]}" = "$0" ]` and `cd "$(dirname "$0")"` mean what they mean in a script that was started by hand.
# Its exit status is its result: 0 PASS, 77 SKIPPED, anything else FAIL; or what it said with jf_result, jf_fail, jf_skip …

if [ $# -lt 1 ]; then
    echo 'usage: run.sh FILE [ARGUMENT …]' >&2
    exit 2
fi
case $0 in
    /*) _jf_dir=${0%/*} ;;
    */*) _jf_dir=$(cd -- "${0%/*}" && pwd) ;;
    *) _jf_dir=$PWD ;;
esac

# The test cannot be run as it stands: _jf_refuse REASON
_jf_refuse() {
    . "$_jf_dir/jackfield.sh"
    jf_result INVALID "$1"
    printf '%s\n' "$1" >&2
    exit 1
}

if [ ! -r "$1" ]; then
    _jf_refuse "the test cannot be read: $1"
fi
case $1 in
    */*) _jf_file=$1 ;;
    *) _jf_file=./$1 ;;
esac
shift
_jf_odd=$(printf '\r:\357\273\277')
_jf_cr=${_jf_odd%%:*} _jf_bom=${_jf_odd#*:}
IFS= read -r _jf_first <"$_jf_file" || :
case $_jf_first in
    *"$_jf_cr") _jf_refuse "${_jf_file##*/} has Windows line endings (CR LF); convert it with: sed -i 's/\\r\$//' ${_jf_file##*/}" ;;
    "$_jf_bom"*) _jf_refuse "${_jf_file##*/} begins with a byte order mark; save it as UTF-8 without one" ;;
esac

_jf_shell=
_jf_options=
case $_jf_first in
    '#!'*)
        # The words of the line: a program, behind `env` the one it starts, and options, of which `-` and `--` mean none.
        set -f
        for _jf_word in ${_jf_first#'#!'}; do
            if [ -n "$_jf_shell" ]; then
                case $_jf_word in
                    - | --) ;;
                    *) _jf_options="$_jf_options $_jf_word" ;;
                esac
            else
                case $_jf_word in
                    env | */env | -S | --split-string | -i | -) ;;
                    -S?*) _jf_shell=${_jf_word#-S} ;;
                    --split-string=*) _jf_shell=${_jf_word#*=} ;;
                    *=*) export "$_jf_word" ;;
                    *) _jf_shell=$_jf_word ;;
                esac
            fi
        done
        set +f
        ;;
esac
case ${_jf_shell##*/} in
    '') _jf_shell=${_JF_SH:-sh} ;;
    sh | dash | ash | bash | rbash | zsh | ksh | ksh93 | mksh | lksh | posh | yash)
        if [ ! -x "$_jf_shell" ]; then
            _jf_named=$_jf_shell
            _jf_shell=$(command -v "${_jf_shell##*/}") ||
                _jf_refuse "the test asks for $_jf_named, which this workstation does not have; install it"
        fi
        ;;
    *)
        # No shell that our functions are written for: what the kernel makes of the line.
        exec "$_jf_file" "$@"
        ;;
esac
_JF_LIBRARY=$_jf_dir/jackfield.sh
export _JF_LIBRARY
# Options may hold no blanks of their own, and are split on purpose.
# shellcheck disable=SC2086
exec "$_jf_shell" $_jf_options -c '. "$_JF_LIBRARY"; unset _JF_LIBRARY; . "$0"' "$_jf_file" "$@"
