"""Tcl and Expect: the commands, Twister's names, and how a script's end is read."""

from __future__ import annotations

import os
import unittest

from lab import SDK_DIR, Lab

WRAPPER = os.path.join(SDK_DIR, "tcl", "run.tcl")


class Tcl(Lab):
    interpreter = ["tclsh"]
    ending = ".tcl"

    def run_script(self, text, *arguments):
        return self.execute([*self.interpreter, WRAPPER, self.write("t" + self.ending, text), *arguments])

    def test_ends(self):
        for text, status, result in [
            ("", 0, None),
            ("puts done", 0, None),
            ("set x PASS", 0, None),
            ("return 0", 0, None),
            ("exit 3", 3, None),
            ("exit 77", 77, None),
            ("set _RESULT FAIL; puts x", 1, ("FAIL", "", False)),
            ("set _RESULT {FAIL {no link}}", 1, ("FAIL", "no link", False)),
            ("set _REASON {no card}; set _RESULT skip", 77, ("SKIPPED", "no card", False)),
            ("set _RESULT {not executed}", 1, ("NOT_EXECUTED", "", False)),
            ("set _RESULT FAIL; set _REASON {link is down}; exit; puts x", 1, ("FAIL", "link is down", False)),
            ("proc f {} { set ::_RESULT {skip later}; exit 0 }\nf", 77, ("SKIPPED", "later", False)),
            ("set _RESULT FAIL; exit 3", 1, ("FAIL", "", False)),
            ("set _RESULT PASS; exit", 0, None),
            ("set _RESULT PASS; exit 3", 3, None),
            ("exit 256", 1, ("FAIL", "exit 256", False)),
            ("break; puts x", 1, ("FAIL", "crashed: `break` outside of a loop: the test stopped there", True)),
            ("continue; puts x", 1, ("FAIL", "crashed: `continue` outside of a loop: the test stopped there", True)),
            ("set x 5", 1, ("ABORTED", "the value of the last statement, `5`, stands for ABORTED; `set _RESULT PASS` at its end says otherwise", False)),
            ("catch { testFail {no \"link\"} }; puts x", 1, ("FAIL", 'no "link"', False)),
            ("catch { check load 9 -unit % -at_most 8 }", 1, ("FAIL", "`load` is more than `8`; it is: `9 %`", False)),
            ("jackfield::test_skip later", 77, ("SKIPPED", "later", False)),
            ("proc f {} { expr {1 / 0} }\nf", 1, ("FAIL", "crashed: divide by zero", True)),
            ("after 0 {error lost}; after 20 {set x 1}; vwait x", 1, ("FAIL", "lost, which nothing caught in the event loop", False)),
            ("after 0 {error lost}; after 20 {set x 1}; vwait x; set _RESULT PASS; exit 0", 1, ("FAIL", "lost, which nothing caught in the event loop", False)),
            ("after 0 {error lost}; after 20 {set x 1}; vwait x; exit 0", 1, ("FAIL", "lost, which nothing caught in the event loop", False)),
            ("proc bgerror {message} { puts $message }; after 0 {error lost}; after 20 {set x {}}; vwait x", 0, None),
            ("no_such_command", 1, ("FAIL", 'crashed: invalid command name "no_such_command"', True)),
            ("get_resource /none", 1, ("FAIL", "crashed: there is no resource `/none` (parameter `query`) [not_found]", True)),
        ]:
            self.ep.result = None
            with self.subTest(text):
                self.ended(self.run_script(text), status, result)
        self.assertEqual(self.run_script("set x fine").returncode, 1)
        self.assertEqual(self.ep.result[0], "FAIL")
        self.assertIn("`fine` is no verdict", self.ep.result[1])

    def test_failed_tests_of_tcltest_are_no_pass(self):
        head = "package require tcltest\nnamespace import ::tcltest::test ::tcltest::cleanupTests\n"
        good, bad = "test a-1 {} -body {expr 1} -result 1\n", "test a-2 {} -body {expr 1} -result 2\n"
        for text, status, result in [
            (good + "cleanupTests\n", 0, None),
            (good + bad, 1, ("FAIL", "tcltest: 1 of 2 tests failed", False)),
            (good + bad + "cleanupTests\n", 1, ("FAIL", "tcltest: tests failed", False)),
            (bad + "cleanupTests\nexit 0\n", 1, ("FAIL", "tcltest: tests failed", False)),
            (bad + "cleanupTests\nset _RESULT PASS\n", 1, ("FAIL", "tcltest: tests failed", False)),
        ]:
            self.ep.result = None
            with self.subTest(text):
                self.ended(self.run_script(head + text), status, result)

    def test_a_file_that_is_not_there(self):
        done = self.execute([*self.interpreter, WRAPPER, "/nowhere/t" + self.ending])
        self.assertEqual((done.returncode, self.ep.result[0]), (1, "INVALID"))

    def test_calls(self):
        done = self.run_script(
            r"""
            proc is {value expected} { if {$value ne $expected} { error "`$value` is not `$expected`" } }
            is "$USER $EP $SUT $CONFIG" "ana EP-1001 /user_sut.user tc_config;other"
            is [dict get $PROPERTIES colour] {blue "sky"}
            is "$FIRST_ITERATOR_COMP $FIRST_ITERATOR_NAME $FIRST_ITERATOR_VAL" "comp iterator_1 3"
            is $argv {{a b} -c}
            is $argc 2
            is [jackfield::json::number 0x1f] 31
            proc stop_here {} { set colour blue; array set a {x 1}; jackfield::breakpoint }
            stop_here
            logMsg logTest "Grüße\n\"2\""
            logMessage logDebug \u0001
            is [getGlobal Level_A/global1] "value 1"
            is [setGlobal Level_A/new {a b}] 1
            is [dict get [getGlobal Level_A] new] {a b}
            is [getResource /none] ""
            set id [setResource module1 /tb1/dev_2 {{"ip":"10.0.0.1", "port":"80"}}]
            is [getResource $id:ip] 10.0.0.1
            is [setResource module1 /tb1/dev_2 {port 81}] 1
            is [dict get [getResource $id] meta] {ip 10.0.0.1 port 81}
            is [renameResource /tb1/dev_2/module1 m2] 1
            is [deleteResource /tb1/dev_2/m2] 1
            is [getBindName comp] /user_sut.user/dev_1
            is [jackfield::need dut] /tb1/dev_2
            is [jackfield::needs phone] "/lab/p1 /lab/p2"
            is [catch {jackfield::need other} problem] 1
            is [string match "no resource was given as `other`; there is dut, phone*" $problem] 1
            is [getConfig tc_config comp/iterator_1] 3
            is "[countProjectFiles] [currentFileIndex] [countSuiteFiles] [currentFSuiteIndex]" "30 17 9 2"
            is [jackfield::interact options which? 5000 {a b} a] b
            set r [session /lab/router r1]
            session_command $r "ip route 10.0.0.0/24"
            is [session_command $r "show ip route"] "10.0.0.0/24\n"
            session_send $r [jackfield::secret geheim]
            session_send $r "show ip route"
            is [dict get [session_expect $r {never {(\w+)# }} 500] groups] router
            is [session_list] r1
            is [session_rows $r "show ip route" "Value LINE x"] {{LINE 10.0.0.0/24}}
            is [textfsm "Value LINE x" a] {{LINE a}}
            is [session_command $r copy {} -answers [list confirm "" word [jackfield::secret wort]] -keys {key q}] "confirm=|\nkey=q\n"
            is "[session_command $r {show log}][session_unasked $r]" "a\nb\nnews"
            is [session_command $r "show log" 500 -keep_unasked 1] "a\nnews\nb\n"
            if {![catch { session_command $r nonsense } told] || ![string match "*% Unknown command*" $told]} { error "it was taken: $told" }
            is [session_command $r nonsense {} -check 0] "% Unknown command: nonsense\n"
            is [dict get [lindex [session_rows $r nonsense "Value LINE x" {} 0] 0] LINE] "% Unknown command: nonsense"
            is [session_command_to_file $r "show log" tcl.log {} -artifact 1] 4
            if {![catch { session_command $r copy {} -answers {confirm} } told] || ![string match "*pairs*" $told]} { error "half a pair was taken: $told" }
            session_config $r {"ip route 10.1.0.0/24"}
            session_level $r privileged
            session_reboot $r 9000
            session_send $r "show ip route"
            is [dict get [session_expect $r [list -end -ex (x) -re {rou(t)er# }] 500] groups] t
            is [dict get [session_expect $r {never -timeout} 5] index] 1
            is [check load 7 -unit % -at_most 8] 1
            is [check load 9 -go_on -at_most 8] 0
            is [dict get [session_execute $r false] status] 3
            set file [open here.txt w]; puts -nonewline $file image; close $file
            is [session_put $r here.txt flash:image] 5
            is [session_get $r flash:image back.txt scp] 5
            is [file size back.txt] 5
            session_line $r speed 9600 dtr 0
            session_break $r 100
            session_wait_break $r 1000
            if {![dict get [session_modem $r] cts] || [dict get [session_modem $r] ri]} { error "modem lines" }
            session_close $r
            step good { is 1 1 }
            catch { step bad { error "no link" } }
            jackfield::set_variable build 7
            jackfield::cleanup reset {reset --all} 1500
            jackfield::artifact [info script]
            is [jackfield::power /lab/router off] off
            is [dict get [jackfield::capture_stop [jackfield::capture_start lo "tcp port 23"]] packets] 7
            if {![catch { jackfield::session_command $r x } error options]} { error "a closed session took a command" }
            is [dict get $options -errorcode] {JACKFIELD not_found session}
            puts "ö ok"
            """,
            "a b",
            "-c",
        )
        self.ended(done, 0)
        self.assertEqual(done.stdout, "ö ok\n")
        self.assertEqual(done.stderr.count("*ERROR*"), 1, done.stderr)
        self.assertEqual(self.ep.logs, [("logTest", 'Grüße\n"2"'), ("logDebug", "\x01")])
        self.assertEqual(self.ep.parts, [("good", "PASS", ""), ("bad", "FAIL", "no link")])
        self.assertEqual((self.ep.variables, self.ep.cleanups), ({"build": "7"}, [("reset", ["reset", "--all"], 1500)]))
        self.assertEqual((self.ep.marks, sorted(self.ep.secrets)), (["good", "bad"], ["geheim", "wort"]))
        self.assertEqual([(unit, verdict) for _, _, unit, _, verdict in self.ep.checks], [("%", "PASS"), ("", "FAIL")])
        self.assertEqual(self.ep.breakpoints, ["a = x 1\ncolour = blue"])
        self.assertEqual(self.ep.artifacts[-1][0], "t" + self.ending)
        self.assertEqual(self.ep.captures, [["lo", "lo", "tcp port 23"]])

    def test_json(self):
        done = self.run_script(
            r"""
            package require jackfield::json
            foreach bad [list "\{" "\[1,," nul "\{\"a\" 1\}" "\[1\] x" "\{a:1\}" "\"abc" "\[1 2\]" [string repeat \[ 500]] {
                if {![catch { jackfield::json::read $bad }]} { error "`$bad` was read" }
            }
            foreach text [list "" " " "a\"b\\c" "\t\n\r\b\f" "ö\u4e2d" "{x" "\\u0041"] {
                if {[jackfield::json::read [jackfield::json::text $text]] ne $text} { error "`$text` was changed" }
            }
            if {[jackfield::json::read {[1, -2.5e3, true, null, "\u00e4\/"]}] ne [list 1 -2.5e3 1 {} ä/]} { error numbers }
            """
        )
        self.ended(done, 0)

    def test_without_an_ep_the_error_says_what_to_do(self):
        done = self.execute([*self.interpreter, WRAPPER, self.write("t" + self.ending, "get_global x")], JACKFIELD_BIN="/none")
        self.assertEqual(done.returncode, 1)
        self.assertIn("the bridge to the EP cannot be started", done.stderr)


class Expect(Tcl):
    interpreter = ["expect", "-f"]
    ending = ".exp"

    def test_expects_own_commands_stay(self):
        done = self.run_script("log_user 0\nspawn cat\nsend \"ping\\r\"\nexpect -timeout 5 ping { puts found } timeout { testFail {no echo} }\nclose\nputs [info commands interact]\n")
        self.ended(done, 0)
        self.assertEqual(done.stdout.split(), ["found", "interact"])


if __name__ == "__main__":
    unittest.main()
