"""Shell: the functions, and how a script's end is read."""

from __future__ import annotations

import os
import unittest

from lab import SDK_DIR, Lab

SHELL_DIR = os.path.join(SDK_DIR, "shell")


class Shell(Lab):
    def run_script(self, text, *arguments, **env):
        """As an EP does it, which also reads the first line."""
        shell = "bash" if text.startswith("#!/bin/bash") else "sh"
        source = f'. "{SHELL_DIR}/jackfield.sh"; . "$0"'
        return self.execute([shell, "-c", source, self.write("t.sh", text), *arguments], **env)

    def test_ends(self):
        for text, status, result in [
            ("true", 0, None),
            ("exit 3", 3, None),
            ("false", 1, None),
            ("exit 77", 77, None),
            ("jf_fail 'no \"link\"'; true", 1, ("FAIL", 'no "link"', False)),
            ("jf_skip later", 77, ("SKIPPED", "later", False)),
            ("jf_abort", 1, ("ABORTED", "", False)),
            ("jf_result PASS 'all 3 links'", 0, ("PASS", "all 3 links", False)),
            ("#!/bin/bash\n[[ $BASH_VERSION ]] && set -- ${@/a/x} && [[ $1 = x ]]", 0, None),
        ]:
            self.ep.result = None
            with self.subTest(text):
                self.ended(self.run_script(text, "a"), status, result)

    def test_calls(self):
        done = self.run_script(
            r"""
            is() { [ "$1" = "$2" ] || jf_fail "<$1> is not <$2>"; }
            is "$1|$2|$#" 'a b|-c|2'
            jf_log logTest "$(printf 'Grüße\n\t"2" \\ \001')"
            jf_log logDebug ''
            is "$(jf_get_global Level_A/global1)" 'value 1'
            is "$(jf_get_global nowhere)" ''
            jf_set_global Level_A/new 'ö "x"'
            is "$(jf_get_global Level_A/new)" 'ö "x"'
            jf_set_resource module1 /tb1/dev_2 '{"ip": "10.0.0.1"}' >made.json
            is "$(jf_get_resource /tb1/dev_2/module1:ip)" 10.0.0.1
            jf_rename_resource /tb1/dev_2/module1 m2
            jf_delete_resource /tb1/dev_2/m2
            jf_get_resource /tb1/dev_2/m2 2>error.txt && jf_fail 'a deleted resource was found'
            is "$(cat error.txt)" 'there is no resource `/tb1/dev_2/m2`'
            is "$(jf_get_bind_name comp)" /user_sut.user/dev_1
            is "$(jf_need dut)" /tb1/dev_2
            is "$(jf_need phone | tail -n 1)" /lab/p2
            is "$(jf_get_config tc_config comp/iterator_1)" 3
            is "$(jf_interact options 'which?' a 5000 a b)" b
            jf_session /lab/nowhere 2>error.txt && jf_fail 'a session was opened to nothing'
            grep -q nowhere error.txt
            is "$(jf_session /lab/router r1)" r1
            jf_command r1 'ip route 10.0.0.0/24'
            jf_command r1 'ip route "ö" \ x'
            is "$(jf_command r1 'show ip route')" "$(printf '10.0.0.0/24\n"ö" \\ x')"
            is "$(jf_command r1 copy -answer confirm '' -key key q -secret word wort)" "$(printf 'confirm=|\nkey=q')"
            is "$(jf_command r1 'show log' 500)|$(jf_unasked r1)" "$(printf 'a\nb|news')"
            is "$(jf_command r1 'show log' -keep-unasked)" "$(printf 'a\nnews\nb')"
            jf_command r1 nonsense 2>error.txt && jf_fail 'it was taken'
            grep -q '% Unknown command' error.txt || jf_fail "no reason: $(cat error.txt)"
            is "$(jf_command r1 nonsense 500 -no-check)" '% Unknown command: nonsense'
            jf_command_to_file r1 'show log' shell.log -artifact
            is "$(cat shell.log)" "$(printf 'a\nb')"
            jf_command r1 copy -answer confirm 2>error.txt && jf_fail 'half a pair was taken'
            grep -q 'needs a pattern and a text' error.txt || jf_fail "no reason: $(cat error.txt)"
            jf_send_secret r1 geheim
            jf_send r1 'show ip route'
            is "$(jf_expect r1 'rou[a-z]*# ' 500)" 'router# '
            jf_expect r1 never 10 2>error.txt && jf_fail 'what never came was found'
            grep -q 'timed out waiting for' error.txt || jf_fail "no reason: $(cat error.txt)"
            jf_session /lab/none >session.txt 2>error.txt && jf_fail 'a session with nothing was opened'
            is "$(cat session.txt)" ''
            is "$(jf_connect c host=10.0.0.1 'password=a=b')" c
            is "$(jf_sessions)" '["c","r1"]'
            printf 'Value LINE x' >template
            is "$(jf_textfsm template a)" '{"header":["LINE"],"rows":[{"LINE":"a"}]}'
            jf_rows r1 'show ip route' template >/dev/null || jf_fail 'no table'
            jf_config r1 'ip route 10.1.0.0/24' >/dev/null
            jf_level r1 privileged
            jf_reboot r1 9000
            jf_send r1 'show ip route'
            is "$(jf_expect_any r1 500 -end -ex '(x)' 'rou[a-z]*# ')" "$(printf '2\nrouter# ')"
            is "$(jf_expect_any r1 5 never -timeout)" 1
            jf_check load 7 unit % at_most 8 || jf_fail 'a good value was refused'
            jf_check load 9 at_most 8 2>error.txt && jf_fail 'a bad value went through'
            is "$(cat error.txt)" '`load` is more than `8`; it is: `9 `'
            jf_check load 9 at_most 2>error.txt && jf_fail 'half a limit went through'
            is "$(jf_execute r1 true)" 'ran true'
            jf_execute r1 false >/dev/null && jf_fail 'a command that failed went through'
            printf image >here.txt
            jf_put r1 here.txt flash:image
            jf_get r1 flash:image back.txt scp
            is "$(cat back.txt)" image
            jf_line r1 9600 8N1
            jf_break r1
            jf_wait_break r1 1000
            jf_modem r1 | grep -q '"cts": *true'
            jf_close r1
            jf_command r1 x 2>error.txt && jf_fail 'a closed session took a command'
            jf_part login PASS
            jf_step good true
            jf_step bad sh -c 'exit 4' && jf_fail 'a failed step went through'
            jf_variable build 7
            jf_cleanup reset reset --all 'x y'
            jf_artifact made.json
            [ "$(jf_power /lab/router off)" = off ] || jf_fail 'it is not off'
            jf_capture_start lo 'tcp port 23'
            jf_capture_stop lo | grep -q '"packets": *7' || jf_fail 'packets were not counted'
            echo ok
            """,
            "a b",
            "-c",
        )
        self.ended(done, 0)
        self.assertEqual(done.stdout, "ok\n")
        self.assertEqual(self.ep.logs, [("logTest", 'Grüße\n\t"2" \\ \x01'), ("logDebug", "")])
        self.assertEqual(self.ep.parts, [("login", "PASS", ""), ("good", "PASS", ""), ("bad", "FAIL", "exit status 4 of: sh -c exit 4")])
        self.assertEqual((self.ep.variables, self.ep.cleanups), ({"build": "7"}, [("reset", ["reset", "--all", "x y"], None)]))
        self.assertEqual((self.ep.marks, sorted(self.ep.secrets)), (["good", "bad"], ["geheim", "wort"]))
        self.assertEqual([(unit, verdict) for _, _, unit, _, verdict in self.ep.checks], [("%", "PASS"), ("", "FAIL")])
        self.assertEqual(self.ep.sessions["c"]["target"], {"host": "10.0.0.1", "password": "a=b"})
        self.assertEqual(self.ep.artifacts[1:], [("made.json", self.folder + "/made.json")])
        self.assertEqual([where for _, *where in self.ep.captures], [["lo", "tcp port 23"]])

    def test_sourced_by_name(self):
        path = self.write("t", "#!/bin/sh\n. jackfield.sh\njf_log logTest hello\n")
        self.ended(self.execute(["sh", path], PATH=SHELL_DIR + ":" + os.environ["PATH"]), 0)
        self.assertEqual(self.ep.logs, [("logTest", "hello")])

    def test_without_an_ep_the_error_says_what_to_do(self):
        done = self.run_script("jf_get_global x", JACKFIELD_BIN="")
        self.assertEqual(done.returncode, 1)
        self.assertIn("start it with `jackfield run`", done.stderr)


if __name__ == "__main__":
    unittest.main()
