# Run one test: `sh run.sh FILE [ARGUMENT …]`.
#
# The test finds the functions of jackfield.sh without sourcing it. A test whose first line asks for another shell is run by that one.
# Its exit status is its result: 0 PASS, 77 SKIPPED, anything else FAIL; or what it said with jf_result, jf_fail, jf_skip …

if [ $# -lt 1 ]; then
    echo 'usage: run.sh FILE [ARGUMENT …]' >&2
    exit 2
fi
case $0 in
    */*) _jf_dir=$(cd -- "${0%/*}" && pwd) ;;
    *) _jf_dir=$PWD ;;
esac
. "$_jf_dir/jackfield.sh"

if [ ! -r "$1" ]; then
    jf_result INVALID "the test cannot be read: $1"
    exit 1
fi
if [ -z "${_JF_SHELL:-}" ]; then
    IFS= read -r _jf_first <"$1" || :
    case $_jf_first in
        '#!'*bash* | '#!'*zsh* | '#!'*ksh*)
            _jf_shell=${_jf_first##*[/ ]}
            if command -v "$_jf_shell" >/dev/null; then
                _JF_SHELL=$_jf_shell exec "$_jf_shell" "$0" "$@"
            fi
            jf_result INVALID "the test asks for $_jf_shell, which this workstation does not have; install it"
            exit 1
            ;;
    esac
fi
unset _JF_SHELL
case $1 in
    */*) _jf_file=$1 ;;
    *) _jf_file=./$1 ;;
esac
shift
. "$_jf_file"
