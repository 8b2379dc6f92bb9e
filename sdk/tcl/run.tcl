# Run one test: `tclsh run.tcl FILE ?ARGUMENT …?`, or `expect run.tcl FILE …`.
#
# The test finds Twister's commands and variables. Its result is `_RESULT` (with `_REASON`) or, where that is not set, the value of its
# last statement; no value at all is PASS. An error is FAIL with its message as the reason.

encoding system utf-8
fconfigure stdout -encoding utf-8 -buffering line
fconfigure stderr -encoding utf-8

if {$argc < 1} {
    puts stderr "usage: run.tcl FILE ?ARGUMENT …?"
    exit 2
}
lappend auto_path [file dirname [file normalize [info script]]]
package require jackfield

proc jackfield::Run {file} {
    twister::inject
    if {[catch { open $file r } opened]} {
        puts stderr $opened
        End INVALID "the test cannot be read: $opened"
    }
    close $opened
    set code [catch { uplevel #0 [list source $file] } value options]
    if {$code == 1} {
        puts stderr [dict get $options -errorinfo]
        End FAIL "crashed: $value" 1
    }
    if {[info exists ::_RESULT]} {
        set value $::_RESULT
    } elseif {$value eq ""} {
        exit 0
    }
    lassign [twister::verdict $value] verdict reason
    if {$reason eq "" && [info exists ::_REASON]} {
        set reason $::_REASON
    }
    if {$verdict eq "PASS" && $reason eq ""} {
        exit 0
    }
    End $verdict $reason
}

set argv0 [lindex $argv 0]
set argv [lrange $argv 1 end]
set argc [llength $argv]
jackfield::Run $argv0
