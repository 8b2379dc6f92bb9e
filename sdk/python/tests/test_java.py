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
            ('int x = "a";', 1, ("FAIL", "it does not compile: Test.java:6: incompatible types: java.lang.String cannot be converted to int", True)),
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
                is(refused.getMessage(), "there is no resource `/tb1/dev_2/m2`");
            }
            is(Jackfield.getConfig("tc_config", "comp/iterator_1"), "3");
            is(Jackfield.call("get_bind_name", Map.of("component", "comp")), "/user_sut.user/dev_1");
            try (var router = Jackfield.session("/lab/router")) {
                router.command("ip route 10.0.0.0/24");
                is(router.command("show ip route").strip(), "10.0.0.0/24");
            }
            is(Jackfield.power("/lab/router", "off"), "off");
            Jackfield.captureStart("lo", "tcp port 23", "wire");
            is(Jackfield.captureStop("wire").get("packets"), 7L);
            Jackfield.result("SKIPPED", "all calls were made");
            """
        )
        self.ended(done, 0, ("SKIPPED", "all calls were made", False))


if __name__ == "__main__":
    unittest.main()
