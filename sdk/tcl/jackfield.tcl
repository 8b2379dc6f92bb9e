# Jackfield for tests in Tcl and Expect: the lab, its devices and the run, from inside a test.
#
#     package require jackfield
#     set router [jackfield::session /lab/router]
#     if {![string match *10.0.0.0/24* [jackfield::session_command $router "show ip route"]]} {
#         jackfield::test_fail "no route to 10.0.0.0/24"
#     }
#
# Nothing is connected before the first call. A command of this namespace that is refused raises an error whose `-errorcode` is
# `JACKFIELD code field`. Twister's camelCase names (`jackfield::twister`) print the error instead, and answer with an empty text.
# None of them is imported unless asked for, since Expect has a `send` and an `interact` of its own.

package require Tcl 8.6
package require jackfield::json 0.1
package provide jackfield 0.1

namespace eval jackfield {
    variable link ""
    variable lastId 0
    variable hello {}
    variable secrets
    array set secrets {}
    namespace export log_msg result part check mark set_variable artifact capture_start capture_stop power cleanup get_global set_global get_config \
        get_resource set_resource rename_resource delete_resource get_sut need needs get_bind_id get_bind_name breakpoint session session_* secret textfsm test_* step context
}

# Ask the EP, and wait for the answer. `params` is a list of names and of values in JSON (`jackfield::json::…`).
proc jackfield::call {method {params {}}} {
    variable link
    variable lastId
    Connect
    set id [incr lastId]
    set request [json::object [list jsonrpc [json::text 2.0] id $id method [json::text $method] params [json::object $params]]]
    if {[catch {
        puts $link $request
        flush $link
        Answer $id
    } answer]} {
        catch { close $link } closing
        set link ""
        # The bridge knows best why it ended.
        if {[regexp {error: ([^\n]+)} $closing -> told]} { set answer $told }
        Raise unreachable "" "no answer to `$method`: $answer"
    }
    if {![dict exists $answer error]} {
        return [dict get $answer result]
    }
    set problem [dict create]
    catch { set problem [dict get $answer error data] }
    set title [dict get $answer error message]
    Raise [Member $problem code internal] [Member $problem field ""] [Member $problem title $title]
}

# What the EP knows of this test.
proc jackfield::context {} {
    variable hello
    if {$hello eq ""} {
        set hello [call hello [list token [json::text $::env(JACKFIELD_TOKEN)]]]
    }
    return $hello
}

# Add a line to a log of the run: logRunning, logDebug, logTest, logCli, or a name of the lab's own.
proc jackfield::log_msg {log text} {
    call log [list log [json::text $log] text [json::text $text]]
}

# Declare the verdict of this test. The last word counts, and the test goes on.
proc jackfield::result {verdict {reason ""} {crashed 0}} {
    set params [list verdict [json::text $verdict]]
    if {$reason ne ""} { lappend params reason [json::text $reason] }
    if {$crashed} { lappend params crashed true }
    call result $params
}

# Add a result inside this test.
proc jackfield::part {name verdict {reason ""} {elapsedMillis ""}} {
    set params [list name [json::text $name] verdict [json::text $verdict]]
    if {$reason ne ""} { lappend params reason [json::text $reason] }
    if {$elapsedMillis ne ""} { lappend params elapsed_millis [json::number $elapsedMillis] }
    call part $params
}

# Run a body as a named part of the test. What it raised goes on.
proc jackfield::step {name body} {
    mark $name
    set begun [clock milliseconds]
    set code [catch { uplevel 1 $body } value options]
    set elapsed [expr {[clock milliseconds] - $begun}]
    if {$code == 1} {
        part $name FAIL $value $elapsed
    } else {
        part $name PASS "" $elapsed
    }
    return -options [dict incr options -level] $value
}

# Hold a value against limits, and keep both with the result: check "cpu load" $load -unit % -at_most 80
#
# Limits are the words of a step test: -at_least, -at_most, -above, -below, -equals, -not_equals, -contains, -not_contains, -matches,
# -not_matches, several of them or none; numbers may carry units. Where the value is not as it was to be the test ends with FAIL; with
# -go_on it goes on, the answer is 0, and it is FAIL all the same.
proc jackfield::check {name value args} {
    set params [list name [json::text $name] value [json::text $value]]
    set limits {}
    set goOn 0
    while {[llength $args]} {
        set args [lassign $args option]
        if {$option eq "-go_on"} {
            set goOn 1
            continue
        }
        if {![string match -* $option] || ![llength $args]} {
            Raise bad_request limits "check `$name`: `$option` is no limit with a value: write -at_most 80 -unit %"
        }
        set args [lassign $args limit]
        if {$option eq "-unit"} { lappend params unit [json::text $limit] } else { lappend limits [string range $option 1 end] $limit }
    }
    set found [call check [list {*}$params limits [json::texts $limits]]]
    if {[dict get $found verdict] eq "PASS"} {
        return 1
    }
    if {!$goOn} { End FAIL [dict get $found reason] }
    return 0
}

# Put a mark into the recordings of this test's sessions; `step` does so by itself.
proc jackfield::mark {label} {
    call mark [list label [json::text $label]]
}

# Keep a value with this test: `$name` in the lab's SQL and mail.
proc jackfield::set_variable {name value} {
    call variable [list name [json::text $name] value [json::text $value]]
}

# Keep a file with this attempt.
proc jackfield::artifact {path {name ""}} {
    set path [file normalize $path]
    if {$name eq ""} { set name [file tail $path] }
    call artifact [list name [json::text $name] path [json::text $path]]
}

# Switch the mains of a resource: on, off, cycle, status. Answers on, off or unknown.
proc jackfield::power {resource action} {
    dict get [call power [list resource [json::text $resource] action [json::text $action]]] state
}

# Write the packets on an interface of the EP's machine into NAME.pcap, kept with this attempt, until capture_stop; answers with the name.
proc jackfield::capture_start {interface {filter ""} {name ""}} {
    if {$name eq ""} { set name $interface }
    dict get [call capture_start [list interface [json::text $interface] filter [json::text $filter] name [json::text $name]]] capture
}

# Answers with a dictionary of packets, dropped and bytes.
proc jackfield::capture_stop {capture} {
    call capture_stop [list capture [json::text $capture]]
}

# Have the EP run a program (a list: program and arguments) after this test, however it ends.
proc jackfield::cleanup {name command {timeoutMillis ""}} {
    call cleanup [Timed [list name [json::text $name] command [json::list $command]] $timeoutMillis]
}

# A global parameter, or a dictionary for a folder; empty where there is none.
proc jackfield::get_global {path} {
    call get_global [list path [json::text $path]]
}

# Set a global parameter for all tests.
proc jackfield::set_global {path value} {
    call set_global [list path [json::text $path] value [json::text $value]]
}

# A value of a test configuration, or a dictionary for a folder.
proc jackfield::get_config {config {path ""}} {
    call get_config [list config [json::text $config] path [json::text $path]]
}

# A node of the test-bed tree as a dictionary (id, path, meta, children, version), or one property: /tb1/dev2:port.
proc jackfield::get_resource {query} {
    call get_resource [list query [json::text $query]]
}

# Create or change a node; properties are a dictionary, or JSON. The answer: id, created.
proc jackfield::set_resource {name parent {properties {}}} {
    call set_resource [list name [json::text $name] parent [json::text $parent] properties [Properties $properties]]
}

# Give a node or a property another name.
proc jackfield::rename_resource {query name} {
    call rename_resource [list query [json::text $query] name [json::text $name]]
}

# Delete a node with everything below it, or one property.
proc jackfield::delete_resource {query} {
    call delete_resource [list query [json::text $query]]
}

# The path of the resource that was given for what the project or the suite needs; of several, the first.
proc jackfield::need {name} {
    lindex [needs $name] 0
}

# The paths of all of them.
proc jackfield::needs {name} {
    set given [Member [context] needs {}]
    if {![dict exists $given $name]} {
        Raise not_found name "no resource was given as `$name`; there is [join [dict keys $given] {, }]"
    }
    dict get $given $name
}

# A component of a system under test, or one property of it.
proc jackfield::get_sut {query {followLinks 0}} {
    call get_sut [list query [json::text $query] follow_links [expr {$followLinks ? "true" : "false"}]]
}

# The id of the SUT component that a component of a test configuration is bound to; empty where there is none.
proc jackfield::get_bind_id {component {config default_binding}} {
    call get_bind_id [list component [json::text $component] config [json::text $config]]
}

# The path of that component.
proc jackfield::get_bind_name {component {config default_binding}} {
    call get_bind_name [list component [json::text $component] config [json::text $config]]
}

# Ask a person: message, input, decide, options. The answer is the default when nobody answers in time.
proc jackfield::interact {kind message {timeoutMillis ""} {options {}} {default ""}} {
    set params [list kind [json::text $kind] message [json::text $message] default [json::text $default]]
    if {[llength $options]} { lappend params options [json::list $options] }
    call interact [Timed $params $timeoutMillis]
}

# Stop here, with the local variables shown, until a person lets the test go on.
proc jackfield::breakpoint {} {
    set shown {}
    foreach name [lsort [uplevel 1 { info locals }]] {
        upvar 1 $name value
        if {[array exists value]} {
            lappend shown "$name = [array get value]"
        } elseif {[info exists value]} {
            lappend shown "$name = $value"
        }
    }
    call breakpoint [list locals [json::text [join $shown \n]]]
}

# Open a session with a resource of the lab, or join it if that name is open already; the answer is its name.
proc jackfield::session {resource {name ""} {timeoutMillis ""}} {
    set params [list resource [json::text $resource]]
    if {$name ne ""} { lappend params name [json::text $name] }
    dict get [call session_open [Timed $params $timeoutMillis]] session
}

# Open a session with what a dictionary describes: protocol, host, port, user, password, profile.
proc jackfield::session_connect {connect {name ""} {timeoutMillis ""}} {
    set params [list connect [json::texts $connect]]
    if {$name ne ""} { lappend params name [json::text $name] }
    dict get [call session_open [Timed $params $timeoutMillis]] session
}

# Send a command, wait for the prompt; the answer is what stands between.
#
# -answers {PATTERN TEXT PATTERN TEXT …} answers what the command may ask (a text may be [secret $word]); -keys PATTERN TEXT pairs likewise without
# enter behind them; -check 0: a line that the device refuses is fine; -keep_unasked 1: lines that look as if they had come unasked stay:
# session_command $r "reload" 60000 -answers {confirm ""}
proc jackfield::session_command {session command {timeoutMillis ""} args} {
    set params [list session [json::text $session] command [json::text $command]]
    dict get [call session_command [Timed [concat $params [Given $args]] $timeoutMillis]] output
}

# Send a command whose answer goes into a file as it comes, however large it is; the answer is the size of the file. It appears when the answer is
# whole, or when the session breaks: then its last line says why. Options as session_command has, and -artifact 1: it is kept with the test.
proc jackfield::session_command_to_file {session command path {timeoutMillis ""} args} {
    set params [list session [json::text $session] command [json::text $command] path [json::text [file normalize $path]]]
    dict get [call session_command_to_file [Timed [concat $params [Given $args -artifact]] $timeoutMillis]] bytes
}

# What the device has said without being asked since this was asked last: log lines, answers that came too late.
proc jackfield::session_unasked {session} {
    dict get [call session_unasked [list session [json::text $session]]] text
}

# How a command is given, as it goes over the wire.
proc jackfield::Given {options args} {
    set flags [concat {-check -keep_unasked} $args]
    set params {}
    set answers {}
    foreach {option value} $options {
        if {$option in {-answers -keys}} {
            if {[llength $value] % 2} { Raise bad_request $option "answers are pairs of a pattern and a text: $option {confirm y}" }
            foreach {asks answer} $value { lappend answers [Reply $asks $answer [expr {$option eq "-answers"}]] }
        } elseif {$option in $flags} {
            lappend params [string range $option 1 end] [expr {$value ? "true" : "false"}]
        } else {
            Raise bad_request $option "a command has no option `$option`; it has -answers, -keys, [join $flags {, }]"
        }
    }
    lappend params answers "\[[join $answers ,]\]"
}

proc jackfield::Reply {asks answer enter} {
    variable secrets
    set isSecret [info exists secrets($answer)]
    set text [expr {$isSecret ? $secrets($answer) : $answer}]
    set flags [list enter [expr {$enter ? "true" : "false"}] secret [expr {$isSecret ? "true" : "false"}]]
    json::object [concat [list asks [json::text $asks] answer [json::text $text]] $flags]
}

# Send a command, and make a table of its answer by the text of a TextFSM template: a list of dictionaries. Where check is
# 0, a line that the device refuses is fine.
proc jackfield::session_rows {session command template {timeoutMillis ""} {check 1}} {
    set params [list session [json::text $session] command [json::text $command] template [json::text $template]]
    lappend params check [expr {$check ? "true" : "false"}]
    dict get [call session_rows [Timed $params $timeoutMillis]] rows
}

# Apply lines of configuration, a list; the first that the device refuses is an error.
proc jackfield::session_config {session lines {timeoutMillis ""}} {
    dict get [call session_config [Timed [list session [json::text $session] lines [json::list $lines]] $timeoutMillis]] output
}

# Go to a privilege level of the device's profile, up or down.
proc jackfield::session_level {session level {timeoutMillis ""}} {
    call session_level [Timed [list session [json::text $session] level [json::text $level]] $timeoutMillis]
}

# Start the device anew, and log in when it is back.
proc jackfield::session_reboot {session {timeoutMillis ""}} {
    call session_reboot [Timed [list session [json::text $session]] $timeoutMillis]
}

# A table of any text by the text of a TextFSM template: a list of dictionaries.
proc jackfield::textfsm {template text} {
    dict get [call textfsm [list template [json::text $template] text [json::text $text]]] rows
}

# Text for session_send that nobody is to read in a recording or a log: session_send $r [secret $password]. What comes back stands for it, and shows stars.
proc jackfield::secret {text} {
    variable secrets
    set name "******** (secret [array size secrets])"
    set secrets($name) $text
    return $name
}

# Send text, and press enter unless told not to. What must stay secret is sent as [secret $text].
proc jackfield::session_send {session text {enter 1}} {
    variable secrets
    set params [list session [json::text $session] enter [expr {$enter ? "true" : "false"}]]
    if {[info exists secrets($text)]} {
        lappend params text [json::text $secrets($text)] secret true
    } else {
        lappend params text [json::text $text]
    }
    call session_send $params
}

# Wait until one of the patterns has come; the answer: index, before, match, groups.
#
# A pattern is a regular expression, also as `-re PATTERN`; `-ex TEXT` is taken as it stands, `-end` is the end of the dialogue, and
# `-timeout` that nothing else came in time: session_expect $s [list {up|down} -ex "(y/n)" -timeout] 5000
proc jackfield::session_expect {session patterns {timeoutMillis ""}} {
    call session_expect [Timed [list session [json::text $session] patterns [Patterns $patterns]] $timeoutMillis]
}

# What a full-screen program shows, once it has been quiet for a moment, as a dictionary of lines, text, cursor, rows, columns and highlighted.
# The first call turns the screen on; a size that is given is told to the device: session_screen $s rows 50 columns 132
proc jackfield::session_screen {session args} {
    set params [list session [json::text $session]]
    foreach {name value} $args {
        if {$name ni {rows columns quiet_millis}} {
            Raise bad_request $name "a screen has rows, columns and quiet_millis, no `$name`"
        }
        lappend params $name [json::number $value]
    }
    call session_screen $params
}

# Wait until one of the patterns stands on the screen, or, where gone is 1, until none does; the answer: index, match, groups, screen.
proc jackfield::session_screen_wait {session patterns {timeoutMillis ""} {gone 0}} {
    set params [list session [json::text $session] patterns [Patterns $patterns] gone [expr {$gone ? "true" : "false"}]]
    call session_screen_wait [Timed $params $timeoutMillis]
}

# Press keys by their names: session_press $s up F5 ctrl-c tab page-down x
proc jackfield::session_press {session args} {
    call session_press [list session [json::text $session] keys [json::list $args]]
}

proc jackfield::Patterns {patterns} {
    set wanted {}
    while {[llength $patterns]} {
        set patterns [lassign $patterns pattern]
        switch -- $pattern {
            -end { lappend wanted {{"end":true}} }
            -timeout { lappend wanted {{"timeout":true}} }
            -re - -ex {
                if {![llength $patterns]} { Raise bad_request patterns "a pattern is missing after $pattern" }
                set patterns [lassign $patterns text]
                lappend wanted [expr {$pattern eq "-re" ? [json::text $text] : [json::object [list exact [json::text $text]]]}]
            }
            default { lappend wanted [json::text $pattern] }
        }
    }
    return "\[[join $wanted ,]\]"
}

# Run a command beside the dialogue, without a terminal (SSH); the answer: output, error, status, signal, cut.
proc jackfield::session_execute {session command {timeoutMillis ""}} {
    call session_execute [Timed [list session [json::text $session] command [json::text $command]] $timeoutMillis]
}

# Copy a file to the device (SSH), by SFTP or else by SCP; the answer is its size. A remote name that ends with / is a folder.
proc jackfield::session_put {session local remote {way auto} {timeoutMillis ""}} {
    Move session_put $session $local $remote $way $timeoutMillis
}

# Copy a file of the device here; the answer is its size.
proc jackfield::session_get {session remote local {way auto} {timeoutMillis ""}} {
    Move session_get $session $local $remote $way $timeoutMillis
}

proc jackfield::Move {method session local remote way timeoutMillis} {
    set local [file normalize $local]
    set params [list session [json::text $session] local [json::text $local] remote [json::text $remote] way [json::text $way]]
    dict get [call $method [Timed $params $timeoutMillis]] bytes
}

# Set the serial line under the session: session_line $s speed 115200 framing 8N1 flow none dtr 1 rts 0, any of them.
proc jackfield::session_line {session args} {
    set params [list session [json::text $session]]
    foreach {name value} $args {
        switch -- $name {
            speed { lappend params speed [expr {int($value)}] }
            framing - flow { lappend params $name [json::text $value] }
            dtr - rts { lappend params $name [expr {$value ? "true" : "false"}] }
            default { error "a line has speed, framing, flow, dtr and rts, no `$name`" }
        }
    }
    call session_line $params
}

# The modem lines under the session as the other end has them: a dictionary of cts, dsr, ri and cd.
proc jackfield::session_modem {session} {
    call session_modem [list session [json::text $session]]
}

# Hold the serial line down; over telnet its own break.
proc jackfield::session_break {session {millis 250}} {
    call session_break [list session [json::text $session] millis [expr {int($millis)}]]
}

# Wait until the device has held the serial line down, which is a break; one that came and was not told counts.
proc jackfield::session_wait_break {session {timeoutMillis ""}} {
    call session_wait_break [Timed [list session [json::text $session]] $timeoutMillis]
}

# Close it for everyone.
proc jackfield::session_close {session} {
    call session_close [list session [json::text $session]]
}

# The names of the open sessions of this run on this EP.
proc jackfield::session_list {} {
    call session_list
}

# End this test, with a reason, whatever `catch` stands around it.
proc jackfield::test_fail {{reason ""}} { End FAIL $reason }
proc jackfield::test_abort {{reason ""}} { End ABORTED $reason }
proc jackfield::test_timeout {{reason ""}} { End TIMEOUT $reason }
proc jackfield::test_skip {{reason ""}} { End SKIPPED $reason }

# The exit status that says the same as a verdict, as far as one can.
proc jackfield::status {verdict} {
    expr {$verdict eq "PASS" ? 0 : $verdict eq "SKIPPED" ? 77 : 1}
}

# Declare the verdict, and leave.
proc jackfield::End {verdict reason {crashed 0}} {
    if {[catch { result $verdict $reason $crashed } error]} {
        # A test that died of an EP that is gone has said so.
        if {$reason eq ""} { set reason $error }
        puts stderr "this test is $verdict, but the EP could not be told: $reason"
    }
    if {[info commands ::jackfield::Leave] ne ""} {
        # The test's own `exit` asks what it declared, which was just told.
        ::jackfield::Leave [status $verdict]
    }
    exit [status $verdict]
}

# The bridge to the EP: Tcl itself has no Unix sockets.
proc jackfield::Connect {} {
    variable link
    if {$link ne ""} {
        return
    }
    foreach name {JACKFIELD_BIN JACKFIELD_SOCKET JACKFIELD_TOKEN} {
        if {![info exists ::env($name)]} {
            Raise unreachable "" "$name is not set: this script was not started by an EP; start it with `jackfield run`"
        }
    }
    if {[catch { open |[list $::env(JACKFIELD_BIN) bridge] r+ } opened]} {
        Raise unreachable "" "the bridge to the EP cannot be started: $opened"
    }
    set link $opened
    fconfigure $link -encoding utf-8 -translation lf -buffering full
}

# The answer to a request; answers to others, such as the bridge's own hello, are passed over.
proc jackfield::Answer {id} {
    variable link
    while {[gets $link line] >= 0} {
        set answer [json::read $line]
        if {[Member $answer id ""] eq $id} {
            return $answer
        }
    }
    error "the EP closed the connection"
}

proc jackfield::Raise {code field title} {
    set where [expr {$field eq "" ? "" : " (parameter `$field`)"}]
    return -level 2 -code error -errorcode [list JACKFIELD $code $field] "$title$where \[$code\]"
}

proc jackfield::Member {dictionary name otherwise} {
    if {[dict exists $dictionary $name]} { dict get $dictionary $name } else { set otherwise }
}

proc jackfield::Timed {params timeoutMillis} {
    if {$timeoutMillis ne ""} { lappend params timeout_millis [json::number $timeoutMillis] }
    return $params
}

proc jackfield::Properties {properties} {
    if {[regexp {^\s*\{\s*("|\})} $properties] && ![catch { json::read $properties }]} {
        return $properties
    }
    if {[catch { dict size $properties }]} {
        Raise bad_request properties "properties are a dictionary or JSON, not `$properties`"
    }
    json::texts $properties
}

source [file join [file dirname [info script]] twister.tcl]
