# Run one test: `tclsh run.tcl FILE ?ARGUMENT …?`, or `expect run.tcl FILE …`.
#
# The test finds Twister's commands and variables. Its result is `_RESULT` (with `_REASON`), also where it leaves by `exit`, or, where that is
# not set, the value of its last statement; no value at all is PASS. An error is FAIL with its message as the reason.

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
    interp bgerror {} ::jackfield::Background
    rename ::exit ::jackfield::Leave
    interp alias {} ::exit {} ::jackfield::Exit
    set code [catch { uplevel #0 [list source $file] } value options]
    if {$code == 1} {
        puts stderr [dict get $options -errorinfo]
        End FAIL "crashed: $value" 1
    }
    if {$code > 2} {
        set word [expr {$code == 3 ? "break" : $code == 4 ? "continue" : "return -code $code"}]
        End FAIL "crashed: `$word` outside of a loop: the test stopped there" 1
    }
    Tcltest
    if {[info exists ::_RESULT]} {
        Declare
    } elseif {$value eq ""} {
        Pass
    }
    lassign [twister::verdict $value] verdict reason
    if {[info exists ::_REASON]} {
        set reason $::_REASON
    }
    if {$verdict eq "PASS"} {
        Pass $reason
    }
    if {$reason eq ""} {
        set reason "the value of the last statement, `[string range $value 0 79]`, stands for $verdict; `set _RESULT PASS` at its end says otherwise"
    }
    End $verdict $reason
}

# Tests of tcltest that failed: it prints them, and leaves with 0. After `cleanupTests` it remembers only that there were some.
proc jackfield::Tcltest {} {
    if {![info exists ::tcltest::numTests]} {
        return
    }
    set failed $::tcltest::numTests(Failed)
    if {$failed > 0} {
        End FAIL "tcltest: $failed of $::tcltest::numTests(Total) tests failed"
    }
    if {$::tcltest::currentFailure || [llength $::tcltest::failFiles]} {
        End FAIL "tcltest: tests failed"
    }
}

# What `_RESULT` says, which is set.
proc jackfield::Declare {} {
    lassign [twister::verdict $::_RESULT] verdict reason
    if {$reason eq "" && [info exists ::_REASON]} {
        set reason $::_REASON
    }
    if {$verdict eq "PASS"} {
        Pass $reason
    }
    End $verdict $reason
}

# An error of the event loop (`after`, `fileevent`), where no command of the test waits for it. A test that has a `bgerror` looks after it.
proc jackfield::Background {message options} {
    variable background
    if {[info commands ::bgerror] ne ""} {
        set ::errorInfo [dict get $options -errorinfo]
        return [::bgerror $message]
    }
    puts stderr [dict get $options -errorinfo]
    if {![info exists background]} {
        set background $message
    }
}

# Leave with a PASS, unless something went wrong that no command of the test was told.
proc jackfield::Pass {{reason ""}} {
    variable background
    if {[info exists background]} {
        End FAIL "$background, which nothing caught in the event loop"
    }
    if {$reason eq ""} {
        Leave 0
    }
    End PASS $reason
}

# `exit` of the test: what it left in `_RESULT` counts, unless the exit status says something worse. Expect's options go to Expect.
proc jackfield::Exit {args} {
    set status [expr {[llength $args] ? [lindex $args 0] : 0}]
    if {[llength $args] > 1 || ![string is integer -strict $status]} {
        return [uplevel 1 [list ::jackfield::Leave {*}$args]]
    }
    if {[info exists ::_RESULT]} {
        set verdict [lindex [twister::verdict $::_RESULT] 0]
        if {$status == 0 || $verdict ne "PASS"} {
            Declare
        }
    }
    if {$status == 0} {
        Tcltest
        Pass
    }
    if {$status != 0 && ($status & 255) == 0} {
        # The system keeps eight bits, of which this failure has none.
        End FAIL "exit $status"
    }
    Leave $status
}

set argv0 [lindex $argv 0]
set argv [lrange $argv 1 end]
set argc [llength $argv]
jackfield::Run $argv0
