import jackfield.Jackfield;
import jackfield.Session;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;

public class All {
    static final String FOLDER = "@FOLDER@/java";
    static final String TEMPLATE = """
            Value NAME (\\S+)
            Value STATE (up|down)

            Start
              ^${NAME}\\s.*\\s${STATE}\\s*$$ -> Record
            """;

    static void is(Object value, Object expected) {
        if (!Objects.equals(value, expected)) {
            throw new AssertionError("<" + value + "> is not <" + expected + ">");
        }
    }

    static void refused(Runnable call, String... words) {
        try {
            call.run();
        } catch (Jackfield.Refused refused) {
            for (String word : words) {
                is(refused.getMessage().contains(word) ? word : refused.getMessage(), word);
            }
            return;
        }
        throw new AssertionError("it was not refused: " + String.join(", ", words));
    }

    public static void main(String[] arguments) throws Exception {
        itself();
        lab();
        router();
        @SuppressWarnings("unchecked")
        Map<String, Object> way = (Map<String, Object>) Jackfield.json("""
                @WAY@""");
        try (var host = Jackfield.connect("host", way)) {
            is(Jackfield.json(host.command("echo '{\"mtu\": 1500}'")), Map.of("mtu", 1500L));
            is(host.put(Path.of("note.txt"), FOLDER), 4L);
            is(host.get(FOLDER, Path.of("back.txt")), 4L);
            asked(host);
            host.screen(24, 80);
            host.send("printf '\\033[2J\\033[3;5Hmenu'; read answer; printf '\\033[2J'");
            is(host.waitScreen(Duration.ofSeconds(20), "^ *me(nu)").lines().get(2), "    menu");
            host.press("x", "enter");
            host.waitScreenWithout(Duration.ofSeconds(20), "menu");
            is(host.execute("cat " + FOLDER + "; exit 3"), new Session.Executed("kept", "", 3, null, false));
        }
        try (var box = Jackfield.session("/lab/box-@NAME@")) {
            box.setLine(Map.of("speed", 38400));
            box.sendBreak(Duration.ofMillis(10));
            try {
                box.waitBreak(Duration.ofMillis(10));
                throw new IllegalStateException("nobody has sent a break");
            } catch (Jackfield.Refused error) {
                is(error.getMessage().contains("a break"), true);
            }
            try {
                throw new IllegalStateException("a pseudo terminal has modem lines: " + box.modemLines());
            } catch (Jackfield.Refused error) {
                is(error.getMessage().contains("modem lines"), true);
            }
            is(box.command("echo on"), "on");
            box.send(Session.secret("echo geheim"));
            box.expect(Duration.ofSeconds(20), "geheim");
            box.close();
        }
        Jackfield.result("PASS", "all calls were made");
    }

    static void itself() throws Exception {
        is(Jackfield.context().get("ep"), "EP-1");
        Jackfield.logMsg("logTest", "hello from Java");
        Jackfield.part("login", "PASS", "");
        Jackfield.step("figures", () -> {
            Jackfield.check("cpu load", 12.5, "%", "at_most", 80);
            is(Jackfield.checkAndGoOn("delay", "12 ms", "", "below", "10 ms"), false);
            Jackfield.check("build", "10.2.1", "");
            refused(() -> Jackfield.check("cpu load", 1, "", "maximum", 80), "`maximum` is no limit", "at_most");
        });
        Jackfield.mark("after the figures");
        Jackfield.setCustomFileInfo("build", 7);
        Files.writeString(Path.of("note.txt"), "kept");
        Jackfield.artifact(Path.of("note.txt"));
        Jackfield.cleanup("leave a trace", "touch", FOLDER + ".cleaned");
        is(Jackfield.interact("input", "who?", "nobody", Duration.ofMinutes(1)), "ana");
        Jackfield.breakpoint("in Java");
    }

    static void lab() {
        Jackfield.setGlobal("sdk/java", "\u00f6");
        is(Jackfield.getGlobal("sdk/java"), "\u00f6");
        is(Jackfield.getConfig("speeds", "line/speed"), "9600");
        Jackfield.setResource("java", "/lab", Map.of("port", "23"));
        is(Jackfield.getResource("/lab/java:port"), "23");
        Jackfield.renameResource("/lab/java", "island");
        Jackfield.deleteResource("/lab/island");
        refused(() -> Jackfield.getResource("/lab/island"), "/lab/island", "[not_found]");
        is(Jackfield.getSut("/bench.system/wan:colour"), "blue");
        is(Jackfield.getBindName("comp"), "/bench.system/wan");
        is(Jackfield.getBindId("comp"), ((Map<?, ?>) Jackfield.getSut("/bench.system/wan")).get("id"));
        is(Jackfield.power("/lab/router", "off"), "off");
        is(Jackfield.power("/lab/router", "cycle"), "on");
    }

    static void router() {
        Jackfield.captureStart("lo", "tcp", "java");
        try (var router = Jackfield.session("/lab/router", "java")) {
            is(Jackfield.sessions(), List.of("java"));
            is(router.command("show version").contains("version 10.2.1"), true);
            is(router.rows("show ip interface brief", TEMPLATE).get(0), Map.of("NAME", "eth0", "STATE", "up"));
            router.level("privileged");
            router.config(List.of("ip route 10.9.0.0/16 192.0.2.9"));
            is(router.command("show ip route").contains("10.9.0.0/16"), true);
            refused(() -> router.config(List.of("hostname ok", "ip rute 10.9.0.0/16")), "`ip rute 10.9.0.0/16`");
            router.send("ping 192.0.2.1", false);
            router.send("");
            var found = router.expect(Duration.ofSeconds(5), "never", Session.exact("(5/5)"), "rate is (\\d+) percent");
            is(found.index() + " " + found.groups(), "2 [100]");
            is(router.expect(Duration.ofMillis(100), "never", Session.TIMEOUT).index(), 1);
            router.reboot();
            is(router.command("show ip route").contains("10.9.0.0/16"), false);
            router.send("exit");
            is(router.expect(Duration.ofSeconds(10), Session.TIMEOUT, Session.END).index(), 1);
        }
        is((long) Jackfield.captureStop("java").get("packets") > 0, true);
        is(Jackfield.textfsm(TEMPLATE, "eth7 none down\n"), List.of(Map.of("NAME", "eth7", "STATE", "down")));
    }

    static void asked(Session host) throws Exception {
        var asking = Session.given("read -p 'Sure? ' sure; read -s -p 'Password: ' word; echo; echo $sure-${#word}");
        asking.answer("Sure\\?", "yes").answer("Password", Session.secret("geheim-wort"));
        is(host.command(asking).endsWith("yes-11"), true);
        var news = "printf 'a\\n[   12.345678] eth0: link up\\nb\\n'";
        is(host.command(news) + "|" + host.unasked(), "a\nb|[   12.345678] eth0: link up");
        is(host.command(Session.given(news).keepUnasked()).contains("eth0") + host.unasked(), "true");
        refused(() -> host.command("nonsuch"), "the device refused `nonsuch`", "not found");
        is(host.command(Session.given("nonsuch").unchecked()).contains("not found"), true);
        refused(() -> host.rows("nonsuch", TEMPLATE), "the device refused `nonsuch`");
        is(host.commandToArtifact(Session.given("seq 100000"), Path.of("numbers.txt")), 588895L);
        is(Files.size(Path.of("numbers.txt")), 588895L);
        refused(() -> host.commandToFile(Session.given("nonsuch"), Path.of("nonsuch.txt")), "the device refused `nonsuch`", "what came is in");
        refused(() -> host.command(Session.given("true").key("(", "x")), "`(`");
    }
}
