# Twister's names for Tcl: its commands, which print an error instead of raising it, and the variables of the test at hand.

namespace eval jackfield::twister {
    # Twister's name, and the command that does it.
    variable names {
        logMsg log_msg logMessage log_msg getGlobal get_global setGlobal set_global getConfig get_config
        getResource get_resource setResource set_resource deleteResource delete_resource
        renameResource rename_resource renResource rename_resource
        getSut get_sut getBindId get_bind_id getBindName get_bind_name setCustomFileInfo set_variable
    }
    # Ending a test is no error to be printed.
    variable ends {testFail test_fail testAbort test_abort testTimeout test_timeout testSkip test_skip}
    # Not there yet: they say so, and what to do instead.
    variable absent {
        py_exec {each test is a process of its own; share values with `setGlobal`}
        getBinding {ask for one component at a time with `getBindId` or `getBindName`}
        getResourceStatus {a run has its resources for itself as its project says; name the SUT there}
        allocResource {a run has its resources for itself as its project says; name the SUT there}
        reserveResource {a run has its resources for itself as its project says; name the SUT there}
        freeResource {a run has its resources for itself as its project says; name the SUT there}
    }
    variable counts {countProjectFiles currentFileIndex countSuiteFiles currentFSuiteIndex}
}

# Put the commands and the variables where a test finds them without asking.
proc jackfield::twister::inject {} {
    variable names
    variable ends
    variable counts
    foreach {name command} $names {
        interp alias {} ::$name {} ::jackfield::twister::Say $command
    }
    foreach {name command} $ends {
        interp alias {} ::$name {} ::jackfield::$command
    }
    variable absent
    foreach {name instead} $absent {
        interp alias {} ::$name {} ::jackfield::twister::NotYet $name $instead
    }
    foreach name $counts {
        interp alias {} ::$name {} ::jackfield::twister::Count $name
    }
    foreach command [namespace eval ::jackfield { namespace export }] {
        if {[info commands ::$command] eq ""} {
            namespace eval :: [list namespace import ::jackfield::$command]
        }
    }
    # Expect's own `interact` is another thing.
    if {[info commands ::interact] eq ""} {
        interp alias {} ::interact {} ::jackfield::interact
    }
    Variables
}

proc jackfield::twister::Say {command args} {
    if {[catch { ::jackfield::$command {*}$args } value options]} {
        puts stderr "*ERROR* $command: $value"
        return ""
    }
    # No `expr` around a value: it would take an id such as 0000000006 for a number.
    if {$command eq "set_resource" && [dict get $value created]} {
        return [dict get $value id]
    }
    if {$command in {set_resource rename_resource delete_resource set_global set_variable}} {
        return 1
    }
    return $value
}

proc jackfield::twister::NotYet {name instead args} {
    error "`$name` of Twister is not there yet: $instead (docs/moving-from-twister.md)"
}

proc jackfield::twister::Count {name} {
    if {[catch { ::jackfield::context } known]} {
        puts stderr "*ERROR* $name: $known"
        return -1
    }
    switch -- $name {
        countProjectFiles { return [dict get $known tests_total] }
        currentFileIndex { return [lindex [split [dict get $known attempt] .] 1] }
        countSuiteFiles { return [lindex [dict get $known suite_position] 1] }
        default { return [lindex [dict get $known suite_position] 0] }
    }
}

proc jackfield::twister::Variables {} {
    foreach {name source} {
        USER JACKFIELD_USER EP JACKFIELD_EP SUT JACKFIELD_SUT SUITE_ID JACKFIELD_SUITE_ID SUITE_NAME JACKFIELD_SUITE_NAME
        FILE_ID JACKFIELD_TEST_ID FILE_NAME JACKFIELD_TEST_NAME CONFIG JACKFIELD_CONFIG ITERATION JACKFIELD_ITERATION
    } {
        set ::$name [Environment $source ""]
    }
    set ::PROPERTIES [::jackfield::json::read [Environment JACKFIELD_PROPERTIES "{}"]]
    # `file#component#name=value, …`; the component may be missing.
    lassign {} ::FIRST_ITERATOR_COMP ::FIRST_ITERATOR_NAME ::FIRST_ITERATOR_VAL
    regexp {^[^#=]*#(?:([^#=]*)#)?([^#=]*)=((?:(?!, ).)*)} $::ITERATION -> ::FIRST_ITERATOR_COMP ::FIRST_ITERATOR_NAME ::FIRST_ITERATOR_VAL
}

proc jackfield::twister::Environment {name otherwise} {
    if {[info exists ::env($name)] && $::env($name) ne ""} {
        return $::env($name)
    }
    return $otherwise
}

# The verdict that a script's result stands for, and a reason where it needs one. Anything that is no verdict is FAIL.
proc jackfield::twister::verdict {value} {
    set word [Word $value]
    if {$word ne ""} {
        return [list $word ""]
    }
    if {![catch { llength $value } length] && $length == 2 && [Word [lindex $value 0]] ne ""} {
        return [list [Word [lindex $value 0]] [lindex $value 1]]
    }
    set words "PASS, FAIL, SKIPPED, ABORTED, NOT_EXECUTED, TIMEOUT or INVALID"
    list FAIL "the script's result `[string range $value 0 79]` is no verdict: $words"
}

proc jackfield::twister::Word {value} {
    switch -- [string map {- _ " " _} [string toupper [string trim $value]]] {
        0 - 2 - PASS - PASSED { return PASS }
        1 - 3 - FAIL - FAILED { return FAIL }
        4 - SKIP - SKIPPED { return SKIPPED }
        5 - ABORT - ABORTED { return ABORTED }
        6 - NOT_EXEC - NO_EXEC - NOT_EXECUTED { return NOT_EXECUTED }
        7 - TIMEOUT { return TIMEOUT }
        8 - INVALID { return INVALID }
    }
    return ""
}
