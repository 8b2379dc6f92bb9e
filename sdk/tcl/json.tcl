# JSON for the local API, since Tcl has none of its own.
#
# Reading: an object becomes a dictionary, an array a list, null an empty string, and true and false 1 and 0.
# Writing: Tcl values have no type, so the caller says what each is: `jackfield::json::text`, `number`, `list`, `object`.

package provide jackfield::json 0.1

namespace eval jackfield::json {
    # Deeper nesting than this is no answer of an EP.
    variable depthMax 200
    variable escapes [dict create \" \\\" \\ \\\\ \b \\b \f \\f \n \\n \r \\r \t \\t]
}

# A text, quoted.
proc jackfield::json::text {value} {
    variable escapes
    set quoted [string map $escapes $value]
    if {[regexp {[\u0000-\u001f\u007f]} $quoted]} {
        set plain ""
        foreach character [split $quoted ""] {
            scan $character %c code
            if {$code < 32 || $code == 127} { set character [format {\u%04x} $code] }
            append plain $character
        }
        set quoted $plain
    }
    return "\"$quoted\""
}

# A number as it is; an error if it is none.
proc jackfield::json::number {value} {
    if {![string is double -strict $value]} {
        error "`$value` is not a number"
    }
    return [expr {$value + 0}]
}

# An array of texts.
proc jackfield::json::list {values} {
    return "\[[join [lmap value $values {text $value}] ,]\]"
}

# An object of names and values that are JSON already.
proc jackfield::json::object {pairs} {
    set members {}
    foreach {name value} $pairs {
        lappend members "[text $name]:$value"
    }
    return "{[join $members ,]}"
}

# An object of names and texts.
proc jackfield::json::texts {pairs} {
    return [object [concat {*}[lmap {name value} $pairs {::list $name [text $value]}]]]
}

# The value of a JSON text. An error names the place.
proc jackfield::json::read {json} {
    set at 0
    set value [Value $json at 0]
    Space $json at
    if {$at < [string length $json]} {
        error "unexpected text at character $at of the JSON"
    }
    return $value
}

proc jackfield::json::Space {json atName} {
    upvar 1 $atName at
    while {[string index $json $at] in {" " "\t" "\n" "\r"}} {
        incr at
    }
}

proc jackfield::json::Value {json atName depth} {
    variable depthMax
    upvar 1 $atName at
    if {$depth > $depthMax} {
        error "the JSON is nested more than $depthMax deep"
    }
    Space $json at
    switch -- [string index $json $at] {
        "\{" { return [Object $json at [expr {$depth + 1}]] }
        "\[" { return [Array $json at [expr {$depth + 1}]] }
        "\"" { return [Text $json at] }
    }
    if {![regexp -start $at {\A(?:true|false|null|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)} $json word]} {
        error "unexpected text at character $at of the JSON"
    }
    incr at [string length $word]
    return [switch -- $word { true { expr 1 } false { expr 0 } null { string cat "" } default { string cat $word } }]
}

proc jackfield::json::Object {json atName depth} {
    upvar 1 $atName at
    incr at
    set result [dict create]
    Space $json at
    while {[string index $json $at] ne "\}"} {
        Expect $json at "\""
        incr at -1
        set name [Text $json at]
        Space $json at
        Expect $json at :
        dict set result $name [Value $json at $depth]
        Separator $json at "\}"
    }
    incr at
    return $result
}

proc jackfield::json::Array {json atName depth} {
    upvar 1 $atName at
    incr at
    set result {}
    Space $json at
    while {[string index $json $at] ne "\]"} {
        lappend result [Value $json at $depth]
        Separator $json at "\]"
    }
    incr at
    return $result
}

# A comma, or the end, which is left where it is.
proc jackfield::json::Separator {json atName end} {
    upvar 1 $atName at
    Space $json at
    if {[string index $json $at] ne $end} {
        Expect $json at ,
        Space $json at
    }
}

proc jackfield::json::Expect {json atName character} {
    upvar 1 $atName at
    if {[string index $json $at] ne $character} {
        error "expected `$character` at character $at of the JSON"
    }
    incr at
}

proc jackfield::json::Text {json atName} {
    upvar 1 $atName at
    if {![regexp -start $at {\A"((?:[^"\\]|\\.)*)"} $json whole inner]} {
        error "a text without end at character $at of the JSON"
    }
    incr at [string length $whole]
    if {[string first \\ $inner] < 0} {
        return $inner
    }
    set result ""
    set from 0
    foreach place [regexp -all -inline -indices {\\(?:u[0-9a-fA-F]{4}|.)} $inner] {
        lassign $place first last
        append result [string range $inner $from $first-1] [Escape [string range $inner $first+1 $last]]
        set from [expr {$last + 1}]
    }
    append result [string range $inner $from end]
    return $result
}

proc jackfield::json::Escape {word} {
    switch -glob -- $word {
        b { return \b }
        f { return \f }
        n { return \n }
        r { return \r }
        t { return \t }
        u?* { return [format %c 0x[string range $word 1 end]] }
    }
    return $word
}
