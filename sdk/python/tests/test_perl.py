"""Perl: the module, Twister's names, and how a script's end is read."""

from __future__ import annotations

import os
import unittest

from lab import SDK_DIR, Lab

PERL_DIR = os.path.join(SDK_DIR, "perl")


class Perl(Lab):
    def run_script(self, text, *arguments, **env):
        return self.execute(["perl", os.path.join(PERL_DIR, "run.pl"), self.write("t.plx", text), *arguments], **env)

    def test_ends(self):
        place = f"at {self.folder}/t.plx line"
        for text, status, result in [
            ("", 0, None),
            ("use strict; print \"$USER\\n\"; 0;", 0, None),
            ("exit 3", 3, None),
            ("exit 77", 77, None),
            ("$_RESULT = 'PASS'", 0, None),
            ("use strict; $_RESULT = 'FAIL'; exit 0", 1, ("FAIL", "", False)),
            ("$_RESULT = ['fail', 'no link']", 1, ("FAIL", "no link", False)),
            ("$_RESULT = 4; $_REASON = 'no card'", 77, ("SKIPPED", "no card", False)),
            ("$_RESULT = 'PASS'; exit 5", 5, None),
            ("eval { test_fail('no \"link\"') }; 1", 1, ("FAIL", 'no "link"', False)),
            ("eval { check('load', 9, unit => '%', at_most => 8) }", 1, ("FAIL", "`load` is more than `8`; it is: `9 %`", False)),
            ("testSkip('later')", 77, ("SKIPPED", "later", False)),
            ("\ndie 'no link'", 255, ("FAIL", f"crashed: no link {place} 2.", True)),
            ("eval { die 'caught' }; exit 0", 0, None),
            ("my $p = fork // die; die 'a child' if !$p; waitpid $p, 0; exit(($? >> 8) == 255 ? 0 : 9)", 0, None),
            ("$_RESULT = 'FAIL'; my $p = fork // die; exit 0 if !$p; waitpid $p, 0; $_RESULT = 'PASS'; exit $?", 0, None),
            ("get_resource('/none')", 255, ("FAIL", "crashed: there is no resource `/none` (parameter `query`) [not_found]", True)),
        ]:
            self.ep.result = None
            with self.subTest(text):
                self.ended(self.run_script(text), status, result)
        self.assertEqual(self.run_script("$_RESULT = 'fine'").returncode, 1)
        self.assertIn("`fine` is no verdict", self.ep.result[1])
        self.assertEqual(self.run_script("use strict; $undeclared = 1;").returncode, 255)
        self.assertIn('crashed: Global symbol "$undeclared"', self.ep.result[1])

    def test_what_it_dies_of_need_not_look_like_an_error(self):
        for text, reason in [
            ("package Odd; use overload '\"\"' => sub { '' }; package main; die bless {}, 'Odd'", "crashed: Odd without a text"),
            ("package Odd; use overload 'ne' => sub { 0 }, 'eq' => sub { 1 }, '\"\"' => sub { 'odd' }; package main; die bless {}, 'Odd'", "crashed: odd"),
            ("package Odd; use overload '\"\"' => sub { die 'no text' }; package main; die bless {}, 'Odd'", "crashed: Odd without a text"),
            ("$_RESULT = 'PASS'; die { code => 5 }", None),
        ]:
            self.ep.result = None
            with self.subTest(text):
                self.assertEqual(self.run_script(text).returncode, 255)
                self.assertEqual((self.ep.result[0], self.ep.result[2]), ("FAIL", True))
                self.assertIn(reason or "crashed: HASH", self.ep.result[1])

    def test_it_is_the_program_that_perl_runs(self):
        for text, status in [
            ("my $line = <DATA>; exit($line eq \"kept\\n\" ? 0 : 9);\n__END__\nkept\n", 0),
            ("my $line = <main::DATA>; exit($line eq \"kept\\n\" ? 0 : 9);\n__DATA__\nkept\n", 0),
            ("sub main { exit 4 } main() unless caller; exit 0", 4),
            ("exit($0 eq __FILE__ ? 0 : 9)", 0),
            ("#!/usr/bin/perl -w -l\nprint 'x'; exit($^W ? 0 : 9)", 0),
            ("BEGIN { eval { require No::Such } } eval 'use No::Such; 1'; exit 0", 0),
            ("BEGIN { eval { require No::Such } } exit 3", 3),
        ]:
            self.ep.result = None
            with self.subTest(text):
                self.ended(self.run_script(text), status)
        self.assertEqual(self.run_script("use No::Such::Module;").returncode, 255)
        self.assertIn("crashed: Can't locate No/Such/Module.pm", self.ep.result[1])

    def test_a_file_that_is_not_there(self):
        done = self.execute(["perl", os.path.join(PERL_DIR, "run.pl"), "/nowhere/t.pl"])
        self.assertEqual((done.returncode, self.ep.result[0]), (1, "INVALID"))

    def test_without_the_wrapper(self):
        path = self.write("t.pl", "use Jackfield; log_msg('logTest', 'x'); die \"no link\\n\"")
        self.ended(self.execute(["perl", path], PERL5LIB=PERL_DIR), 255, ("FAIL", "crashed: no link", True))
        self.assertEqual(self.ep.logs, [("logTest", "x")])

    def test_calls(self):
        done = self.run_script(
            r"""
            use strict; use warnings;
            sub is { my ($value, $expected) = @_; die "`$value` is not `$expected`" if ($value // 'undef') ne $expected }
            is("$USER $EP $SUT @CONFIG", 'ana EP-1001 /user_sut.user tc_config other');
            is($PROPERTIES{colour}, 'blue "sky"');
            is("$FIRST_ITERATOR_COMP $FIRST_ITERATOR_NAME $FIRST_ITERATOR_VAL", 'comp iterator_1 3');
            is("@ARGV", 'a b -c');
            logMsg('logTest', "Grüße\n\"2\"");
            { use utf8; log_msg('logTest', "Grüße 中"); }
            is(getGlobal('Level_A/global1'), 'value 1');
            setGlobal('Level_A/new', 'ö');
            is(getGlobal('Level_A')->{new}, 'ö');
            is(getResource('/none'), 'undef');
            my $id = setResource('module1', '/tb1/dev_2', '{"ip":"10.0.0.1", "port":"80"}');
            is(getResource("$id:ip"), '10.0.0.1');
            is(setResource('module1', '/tb1/dev_2', { port => 81 }), 1);
            is(get_resource($id)->{meta}{port}, 81);
            is(renResource('/tb1/dev_2/module1', 'm2'), 1);
            is(deleteResource('/tb1/dev_2/m2'), 1);
            is(getBindName('comp'), '/user_sut.user/dev_1');
            is(need('dut'), '/tb1/dev_2');
            is(join(' ', needs('phone')), '/lab/p1 /lab/p2');
            is(eval { need('other'); 1 } // 0, 0);
            is("$@" =~ /no resource was given as `other`; there is dut, phone/ ? 1 : 0, 1);
            is(getConfig('tc_config', 'comp/iterator_1'), 3);
            is(join(' ', countProjectFiles(), currentFileIndex(), countSuiteFiles(), currentFSuiteIndex()), '30 17 9 2');
            is(interact('options', 'which?', options => ['a', 'b'], default => 'a', timeout => 5), 'b');
            my $r = Jackfield->session('/lab/router', name => 'r1');
            $r->command('ip route 10.0.0.0/24');
            is($r->command('show ip route'), "10.0.0.0/24\n");
            $r->send(secret('geheim'));
            is('' . secret('geheim'), '********');
            $r->send('show ip route');
            is($r->expect(['never', '(\w+)# '], 0.5)->{groups}[0], 'router');
            is(join(',', Jackfield::sessions()), 'r1');
            is($r->rows('show ip route', 'Value LINE x')->[0]{LINE}, '10.0.0.0/24');
            is(textfsm('Value LINE x', 'a')->[0]{LINE}, 'a');
            is($r->command('copy', 5, answers => [['confirm', ''], ['key', 'q', 0], ['word', secret('wort')]]), "confirm=|\nkey=q\n");
            is($r->command('show log') . $r->unasked, "a\nb\nnews");
            is($r->command('show log', undef, keep_unasked => 1), "a\nnews\nb\n");
            die 'it was taken' if eval { $r->command('nonsense'); 1 } || "$@" !~ /% Unknown command/;
            is($r->command('nonsense', undef, check => 0), "% Unknown command: nonsense\n");
            is($r->rows('nonsense', 'Value LINE x', undef, check => 0)->[0]{LINE}, '% Unknown command: nonsense');
            is($r->command_to_file('show log', 'perl.log', artifact => 1, timeout => 9), 4);
            die 'half a pair was taken' if eval { $r->command('copy', undef, answers => ['confirm']); 1 } || "$@" !~ /a pair/;
            die 'a wrong name was taken' if eval { $r->command('copy', undef, artifact => 1); 1 } || "$@" !~ /no artifact/;
            $r->config(['ip route 10.1.0.0/24']);
            $r->level('privileged');
            $r->reboot(9);
            $r->send('show ip route');
            is($r->expect([ended(), exact('(x)'), 'rou(t)er# '], 0.5)->{groups}[0], 't');
            is($r->expect(['never', timed_out()], 0.01)->{index}, 1);
            is(check('load', 7, unit => '%', at_most => 8), 1);
            is(check('load', 9, go_on => 1, at_most => 8), 0);
            is($r->execute('false')->{status}, 3);
            open my $file, '>', 'here.txt' or die; print {$file} 'image'; close $file;
            is($r->put('here.txt', 'flash:image'), 5);
            is($r->get('flash:image', 'back.txt', way => 'scp'), 5);
            is(-s 'back.txt', 5);
            $r->set_line(speed => 9600, rts => 1);
            $r->send_break(0.1);
            $r->wait_break(1);
            die 'modem lines' if !$r->modem_lines->{cts} || $r->modem_lines->{ri};
            $r->close;
            is(ref(eval { $r->command('x'); 1 } ? '' : $@), 'Jackfield::Error');
            is($@->code, 'not_found');
            is(step('good', sub { 5 }), 5);
            eval { step('bad', sub { die "no link\n" }) };
            variable('build', 7);
            cleanup('reset', ['reset', '--all'], 1.5);
            artifact(__FILE__);
            is(power('/lab/router', 'off'), 'off');
            is(capture_stop(capture_start('lo', 'tcp port 23'))->{packets}, 7);
            my $pid = fork // die; if (!$pid) { log_msg('logTest', 'child'); exit 0 } waitpid $pid, 0;
            print "ö ok\n";
            """,
            "a b",
            "-c",
        )
        self.ended(done, 0)
        self.assertEqual(done.stdout, "ö ok\n")
        self.assertEqual(done.stderr.count("*ERROR*"), 1, done.stderr)
        self.assertEqual([text for _, text in self.ep.logs], ['Grüße\n"2"', "Grüße 中", "child"])
        self.assertEqual(self.ep.parts, [("good", "PASS", ""), ("bad", "FAIL", "no link")])
        self.assertEqual((self.ep.variables, self.ep.cleanups), ({"build": "7"}, [("reset", ["reset", "--all"], 1500)]))
        self.assertEqual((self.ep.marks, sorted(self.ep.secrets)), (["good", "bad"], ["geheim", "wort"]))
        self.assertEqual([(unit, verdict) for _, _, unit, _, verdict in self.ep.checks], [("%", "PASS"), ("", "FAIL")])
        self.assertEqual(self.ep.artifacts[-1][0], "t.plx")
        self.assertEqual(self.ep.captures, [["lo", "lo", "tcp port 23"]])

    def test_without_an_ep_the_error_says_what_to_do(self):
        done = self.run_script("get_global('x')", JACKFIELD_SOCKET="/none")
        self.assertEqual(done.returncode, 255)
        self.assertIn("the EP does not answer at /none", done.stderr)


if __name__ == "__main__":
    unittest.main()
