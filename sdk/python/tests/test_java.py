"""Java: the wrapper, the calls, and how a test's end is read."""

from __future__ import annotations

import os
import unittest

from lab import SDK_DIR, Lab

JAVA_DIR = os.path.join(SDK_DIR, "java")


class Java(Lab):
    def run_main(self, statements):
        """Runs a class whose `main` is these statements."""
        text = f"""
            import jackfield.Jackfield;
            import jackfield.Session;
            import java.time.Duration;
            import java.util.*;
            public class Test {{
                static void is(Object a, Object b) {{ if (!Objects.equals(a, b)) throw new AssertionError("<" + a + "> is not <" + b + ">"); }}
                public static void main(String[] arguments) throws Exception {{ {statements} }}
            }}"""
        file = self.write("Test.java", text)
        run = os.path.join(JAVA_DIR, "jackfield", "Run.java")
        results = os.path.join(os.path.dirname(file), "results.xml")
        return self.execute(["java", "-XX:TieredStopAtLevel=1", f"-Djackfield.sdk={JAVA_DIR}", run, results, file, "a b", "-c"])

    def test_ends(self):
        for statements, status, result in [
            ("", 0, None),
            ("System.exit(77);", 77, None),
            ('throw new IllegalStateException("no link");', 1, ("FAIL", "crashed: java.lang.IllegalStateException: no link", True)),
            ('int x = "a";', 1, ("FAIL", "it does not compile: Test.java:8: incompatible types: java.lang.String cannot be converted to int", True)),
            ("assert false : 1; throw new AssertionError(\"no route\");", 1, ("FAIL", "no route", False)),
            ('Jackfield.check("load", 9, "%", "at_most", 8);', 1, ("FAIL", "`load` is more than `8`; it is: `9 %`", False)),
            ('try { Jackfield.testSkip("no lab"); } catch (Exception e) {}', 1, ("SKIPPED", "no lab", False)),
            (
                'new Thread(() -> { throw new IllegalStateException("lost"); }, "worker").start();',
                0,
                ("FAIL", "java.lang.IllegalStateException: lost, which nothing caught in worker", False),
            ),
            ("Thread.setDefaultUncaughtExceptionHandler((t, e) -> {}); new Thread(() -> { throw new Error(); }).start();", 0, None),
            ("org.junit.Assert.fail();", 1, "INVALID"),
        ]:
            self.ep.result = None
            with self.subTest(statements):
                done = self.run_main(statements)
                if result == "INVALID":
                    self.assertEqual((done.returncode, self.ep.result[0]), (status, result))
                    self.assertIn("junit4", self.ep.result[1])
                else:
                    self.ended(done, status, result)

    def test_calls(self):
        done = self.run_main(
            r"""
            is(String.join("|", arguments), "a b|-c");
            Jackfield.logMsg("logTest", "Gr\u00fc\u00dfe\n\t\"2\" \\ \ud83d\ude80");
            is(Jackfield.getGlobal("Level_A/global1"), "value 1");
            is(Jackfield.getGlobal("nowhere"), null);
            Jackfield.setGlobal("Level_A/new", "\u00f6 \"x\"");
            is(Jackfield.getGlobal("Level_A/new"), "\u00f6 \"x\"");
            Jackfield.setResource("module1", "/tb1/dev_2", Map.of("ip", "10.0.0.1"));
            is(Jackfield.getResource("/tb1/dev_2/module1:ip"), "10.0.0.1");
            Jackfield.renameResource("/tb1/dev_2/module1", "m2");
            Jackfield.deleteResource("/tb1/dev_2/m2");
            try {
                Jackfield.getResource("/tb1/dev_2/m2");
                throw new AssertionError("a deleted resource was found");
            } catch (Jackfield.Refused refused) {
                is(refused.getMessage(), "there is no resource `/tb1/dev_2/m2` (parameter `query`) [not_found]");
                is(refused.code(), "not_found");
            }
            is(Jackfield.getConfig("tc_config", "comp/iterator_1"), "3");
            is(Jackfield.call("get_bind_name", Map.of("component", "comp")), "/user_sut.user/dev_1");
            is(Jackfield.need("dut"), "/tb1/dev_2");
            is(Jackfield.needs("phone").get(1), "/lab/p2");
            try (var router = Jackfield.session("/lab/router")) {
                router.command("ip route 10.0.0.0/24");
                is(router.command("show ip route").strip(), "10.0.0.0/24");
                is(router.rows("show ip route", "Value LINE x"), List.of(Map.of("LINE", "10.0.0.0/24")));
                is(router.command(Session.given("copy").answer("confirm", "").key("key", "q").answer("word", Session.secret("wort"))), "confirm=|\nkey=q\n");
                is(router.command("show log") + router.unasked(), "a\nb\nnews");
                is(router.command(Session.given("show log").keepUnasked(), Duration.ofSeconds(5)), "a\nnews\nb\n");
                try {
                    throw new AssertionError(router.command("nonsense"));
                } catch (Jackfield.Refused refused) {
                    is(refused.getMessage().contains("% Unknown command"), true);
                }
                is(router.command(Session.given("nonsense").unchecked()), "% Unknown command: nonsense\n");
                is(router.commandToFile(Session.given("show log"), java.nio.file.Path.of("java.log"), Duration.ofSeconds(5)), 4L);
                is(router.commandToArtifact(Session.given("show log"), java.nio.file.Path.of("java.log")), 4L);
                router.config(List.of("ip route 10.1.0.0/24"));
                router.level("privileged");
                router.reboot(Duration.ofSeconds(9));
                router.send(Session.secret("geheim"));
                router.send("show ip route");
                is(router.expect(Duration.ofSeconds(1), Session.END, Session.exact("(x)"), "rou(t)er# ").groups(), List.of("t"));
                is(router.expect(Duration.ofMillis(1), "never", Session.TIMEOUT).index(), 1);
                is(router.execute("false").status(), 3);
                router.setLine(Map.of("speed", 9600, "dtr", true));
                router.sendBreak(Duration.ofMillis(100));
                router.waitBreak(Duration.ofSeconds(1));
                is(router.modemLines().get("cts") && !router.modemLines().get("ri"), true);
                is(Jackfield.sessions(), List.of("/lab/router"));
            }
            is(Jackfield.textfsm("Value LINE x", "a").size(), 1);
            is(Jackfield.json("[1, {\"a\": null}]"), Arrays.asList(1L, Collections.singletonMap("a", null)));
            Jackfield.check("load", 7, "%", "at_most", 8);
            is(Jackfield.checkAndGoOn("load", 9, "%", "at_most", 8), false);
            Jackfield.step("good", () -> Jackfield.mark("inside"));
            is(Jackfield.step("value", () -> 5), 5);
            is(Jackfield.context().get("ep"), "EP-1001");
            is(Jackfield.power("/lab/router", "off"), "off");
            Jackfield.captureStart("lo", "tcp port 23", "wire");
            is(Jackfield.captureStop("wire").get("packets"), 7L);
            Jackfield.result("SKIPPED", "all calls were made");
            """
        )
        self.ended(done, 0, ("SKIPPED", "all calls were made", False))
        self.assertEqual((self.ep.marks, sorted(self.ep.secrets)), (["good", "inside", "value"], ["geheim", "wort"]))
        self.assertEqual([name for name, *_ in self.ep.parts], ["good", "value"])
        self.assertEqual([check[-1] for check in self.ep.checks], ["PASS", "FAIL"])


if __name__ == "__main__":
    unittest.main()
