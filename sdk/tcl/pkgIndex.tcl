package ifneeded jackfield 0.1 [list source [file join $dir jackfield.tcl]]
package ifneeded jackfield::json 0.1 [list source [file join $dir json.tcl]]
