import jackfield.Jackfield;
import java.nio.file.Path;
import java.time.Duration;

public class Wrong {
    static void told(Runnable call) {
        try {
            call.run();
        } catch (Jackfield.Refused refused) {
            System.out.println(refused.getMessage());
            return;
        }
        throw new AssertionError("nothing went wrong");
    }

    public static void main(String[] arguments) {
        told(() -> Jackfield.session("/lab/ruoter"));
        told(() -> Jackfield.getResource("/lab/router:prot"));
        var gone = Jackfield.session("/lab/router", "unheard");
        gone.close();
        told(() -> gone.command("show version"));
        var first = Jackfield.session("/lab/router");
        told(() -> first.expect(Duration.ofMillis(500), "never"));
        told(() -> first.expect(Duration.ofMillis(500), "("));
        told(() -> first.command("debug hang", Duration.ofSeconds(1)));
        first.close();
        var router = Jackfield.session("/lab/router");
        told(() -> router.command("debug drop"));
        told(() -> router.command("show version"));
        told(() -> router.level("root"));
        told(() -> router.execute("uname"));
        told(() -> router.put(Path.of("nothing.txt"), "flash:"));
        told(() -> Jackfield.power("/lab/router", "on"));
        told(() -> Jackfield.interact("guess", "what?", "", Duration.ofSeconds(1)));
        told(() -> Jackfield.getConfig("nothing", ""));
        told(() -> Jackfield.textfsm("Value", "x"));
        router.close();
    }
}
