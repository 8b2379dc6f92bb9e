package jackfield;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A dialogue with a device, made by {@link Jackfield#session}. The EP owns it: left open, it is joined by the next tests of the run.
 *
 * <p>Every call takes a time limit of its own as its last argument, where the usual one does not do.
 */
public final class Session implements AutoCloseable {
    private final String name;

    Session(String name) {
        this.name = name;
    }

    /** What {@link Session#expect} found: which of the patterns, the text before it, the text that matched, and its groups. */
    public record Match(int index, String before, String match, List<String> groups) {}

    /** What a command beside the dialogue left: its status is null where a signal ended it, or the device does not tell. */
    public record Executed(String output, String error, Integer status, String signal, boolean cut) {}

    /** A pattern for {@link Session#expect} that is no regular expression. */
    public static final class Pattern {
        private final Map<String, Object> wire;

        private Pattern(String kind, Object value) {
            wire = Map.of(kind, value);
        }
    }

    /** Text for {@link Session#send} that nobody is to read: recordings and logs show stars in its place. */
    public static final class Secret {
        private final String text;

        private Secret(String text) {
            this.text = text;
        }

        @Override
        public String toString() {
            return "********";
        }
    }

    /** Text that nobody is to read: {@code router.send(secret(password))}, {@code given("login").answer("[Pp]assword", secret(password))}. */
    public static Secret secret(String text) {
        return new Secret(text);
    }

    /** The device closes the dialogue. */
    public static final Pattern END = new Pattern("end", true);
    /** Nothing else came in time. */
    public static final Pattern TIMEOUT = new Pattern("timeout", true);

    /** A text as it stands. */
    public static Pattern exact(String text) {
        return new Pattern("exact", text);
    }

    /** The name under which other tests of the run join it. */
    public String name() {
        return name;
    }

    /** What the device answers, without echo, pager and prompt. A line that it refuses is an error, see {@link #given}. */
    public String command(String command, Duration... limit) {
        return text(call("session_command", limit, "command", command), "output");
    }

    /** How a command is given: {@code Session.given("reload").answer("confirm", "")}. */
    public static final class Given {
        private final Map<String, Object> wire = new LinkedHashMap<>();
        private final List<Map<String, Object>> answers = new ArrayList<>();

        private Given(String command) {
            wire.put("command", command);
            wire.put("answers", answers);
        }

        /** Answers a question that the command may ask, by a regular expression for its line. */
        public Given answer(String asks, String answer) {
            return with(asks, answer, true, false);
        }

        /** Answers it with a text that nobody is to read. */
        public Given answer(String asks, Secret answer) {
            return with(asks, answer.text, true, true);
        }

        /** Answers it without enter behind it. */
        public Given key(String asks, String key) {
            return with(asks, key, false, false);
        }

        private Given with(String asks, String answer, boolean enter, boolean secret) {
            answers.add(Map.of("asks", asks, "answer", answer, "enter", enter, "secret", secret));
            return this;
        }

        /** A line that the device refuses is fine. */
        public Given unchecked() {
            wire.put("check", false);
            return this;
        }

        /** Lines that look as if they had come unasked stay in the answer. */
        public Given keepUnasked() {
            wire.put("keep_unasked", true);
            return this;
        }
    }

    /** A command, to be told how it is given. */
    public static Given given(String command) {
        return new Given(command);
    }

    /** What the device answers to a command that may ask something, or may be refused. */
    public String command(Given given, Duration... limit) {
        return text(call("session_command", limit, pairs(given)), "output");
    }

    /**
     * The answer goes into a file as it comes, however large it is; answers with the size of the file. It appears when the answer is whole, or when
     * the session breaks: then its last line says why.
     */
    public long commandToFile(Given given, Path file, Duration... limit) {
        return toFile(given, file, false, limit);
    }

    /** The same, and the file is kept with the test. */
    public long commandToArtifact(Given given, Path file, Duration... limit) {
        return toFile(given, file, true, limit);
    }

    private long toFile(Given given, Path file, boolean artifact, Duration[] limit) {
        Object[] pairs = pairs(given, "path", file.toAbsolutePath().toString(), "artifact", artifact);
        return ((Number) call("session_command_to_file", limit, pairs).get("bytes")).longValue();
    }

    private static Object[] pairs(Given given, Object... more) {
        List<Object> pairs = new ArrayList<>(List.of(more));
        given.wire.forEach((key, value) -> pairs.addAll(List.of(key, value)));
        return pairs.toArray();
    }

    /** What the device has said without being asked since this was asked last: log lines, answers that came too late. */
    public String unasked() {
        return text(call("session_unasked", new Duration[0]), "text");
    }

    /** Sends a command, and makes a table of its answer by the text of a TextFSM template: a map for each row. */
    public List<Map<String, Object>> rows(String command, String template, Duration... limit) {
        return Jackfield.rows(call("session_rows", limit, "command", command, "template", template));
    }

    /** Applies lines of configuration. The first that the device refuses is named in the error; those after it are not sent. */
    public String config(List<String> lines, Duration... limit) {
        return text(call("session_config", limit, "lines", lines), "output");
    }

    /** Goes to a privilege level of the device's profile, up or down. */
    public void level(String level, Duration... limit) {
        call("session_level", limit, "level", level);
    }

    /** Starts the device anew, and logs in when it is back. */
    public void reboot(Duration... limit) {
        call("session_reboot", limit);
    }

    /** Sends a line. */
    public void send(String text) {
        send(text, true);
    }

    /** Sends text, and presses enter after it or not. */
    public void send(String text, boolean enter) {
        call("session_send", new Duration[0], "text", text, "enter", enter);
    }

    /** Sends a line that nobody is to read. */
    public void send(Secret text) {
        send(text, true);
    }

    /** Sends text that nobody is to read, and presses enter after it or not. */
    public void send(Secret text, boolean enter) {
        call("session_send", new Duration[0], "text", text.text, "enter", enter, "secret", true);
    }

    /** Waits for the first of these: regular expressions, {@link #exact}, {@link #END}, {@link #TIMEOUT}. */
    public Match expect(Duration limit, Object... patterns) {
        Map<String, Object> found = call("session_expect", new Duration[] {limit}, "patterns", wire(patterns));
        int index = ((Number) found.get("index")).intValue();
        List<String> groups = new ArrayList<>();
        for (Object group : (List<?>) found.get("groups")) {
            groups.add((String) group);
        }
        return new Match(index, text(found, "before"), text(found, "match"), groups);
    }

    private static List<Object> wire(Object... patterns) {
        List<Object> wanted = new ArrayList<>();
        for (Object pattern : patterns) {
            wanted.add(pattern instanceof Pattern special ? special.wire : String.valueOf(pattern));
        }
        return wanted;
    }

    /** What a full-screen program shows: its lines from the top, as one text, too, what is in reverse, and where the cursor is, from 0. */
    public record Screen(List<String> lines, String text, List<String> highlighted, int row, int column, int rows, int columns) {}

    /** What a full-screen program shows, once it has been quiet for a moment. The first call turns the screen on. */
    public Screen screen() {
        return screen(call("session_screen", new Duration[0]));
    }

    /** The same after the terminal was given this size. */
    public Screen screen(int rows, int columns) {
        return screen(call("session_screen", new Duration[0], "rows", rows, "columns", columns));
    }

    /** Waits until one of these patterns stands on the screen; {@code ^} and {@code $} are the ends of its lines. */
    public Screen waitScreen(Duration limit, Object... patterns) {
        return waitScreen(false, limit, patterns);
    }

    /** Waits until none of these patterns stands on the screen any more. */
    public Screen waitScreenWithout(Duration limit, Object... patterns) {
        return waitScreen(true, limit, patterns);
    }

    private Screen waitScreen(boolean gone, Duration limit, Object... patterns) {
        Map<String, Object> found = call("session_screen_wait", new Duration[] {limit}, "patterns", wire(patterns), "gone", gone);
        return screen(Jackfield.object(found.get("screen")));
    }

    private static Screen screen(Map<String, Object> view) {
        List<String> lines = new ArrayList<>();
        for (Object line : (List<?>) view.get("lines")) {
            lines.add((String) line);
        }
        List<String> highlighted = new ArrayList<>();
        for (Object piece : (List<?>) view.get("highlighted")) {
            highlighted.add(text(Jackfield.object(piece), "text"));
        }
        Map<String, Object> cursor = Jackfield.object(view.get("cursor"));
        return new Screen(
                lines, text(view, "text"), highlighted, number(cursor, "row"), number(cursor, "column"), number(view, "rows"), number(view, "columns"));
    }

    private static int number(Map<String, Object> value, String key) {
        return ((Number) value.get(key)).intValue();
    }

    /** Presses keys by their names: up, F5, ctrl-c, tab, page-down, or one character. */
    public void press(String... keys) {
        call("session_press", new Duration[0], "keys", List.of(keys));
    }

    /** Runs a command beside the dialogue, without a terminal (SSH), and waits for its end. */
    public Executed execute(String command, Duration... limit) {
        Map<String, Object> left = call("session_execute", limit, "command", command);
        Integer status = left.get("status") instanceof Number number ? number.intValue() : null;
        return new Executed(text(left, "output"), text(left, "error"), status, (String) left.get("signal"), Boolean.TRUE.equals(left.get("cut")));
    }

    /** Copies a file to the device (SSH); a remote name that ends with a slash is a folder. Answers with its size. */
    public long put(Path local, String remote, Duration... limit) {
        return move("session_put", local, remote, limit);
    }

    /** Copies a file of the device here. Answers with its size. */
    public long get(String remote, Path local, Duration... limit) {
        return move("session_get", local, remote, limit);
    }

    private long move(String method, Path local, String remote, Duration[] limit) {
        return ((Number) call(method, limit, "local", local.toAbsolutePath().toString(), "remote", remote).get("bytes")).longValue();
    }

    /** Sets the serial line under the session: {@code Map.of("speed", 115200, "framing", "8N1")}; also flow, dtr, rts. */
    public void setLine(Map<String, ?> line) {
        Map<String, Object> params = new LinkedHashMap<>(line);
        params.put("session", name);
        Jackfield.call("session_line", params);
    }

    /** The modem lines under the session as the other end has them: cts, dsr, ri and cd. */
    public Map<String, Boolean> modemLines() {
        Map<String, Boolean> lines = new LinkedHashMap<>();
        call("session_modem", new Duration[0]).forEach((line, is) -> lines.put(line, (Boolean) is));
        return lines;
    }

    /** Holds the serial line down; over telnet its own break. */
    public void sendBreak(Duration span) {
        call("session_break", new Duration[0], "millis", span.toMillis());
    }

    /** Waits until the device has held the serial line down, which is a break; one that came and was not told counts. */
    public void waitBreak(Duration... limit) {
        call("session_wait_break", limit);
    }

    /** Closes it for everyone. Closing it twice does no harm. */
    @Override
    public void close() {
        try {
            call("session_close", new Duration[0]);
        } catch (Jackfield.Refused refused) {
            if (!refused.code().equals("not_found")) {
                throw refused;
            }
        }
    }

    private Map<String, Object> call(String method, Duration[] limit, Object... pairs) {
        Map<String, Object> params = new LinkedHashMap<>();
        params.put("session", name);
        for (int at = 0; at < pairs.length; at += 2) {
            params.put((String) pairs[at], pairs[at + 1]);
        }
        Jackfield.limit(params, limit);
        return Jackfield.object(Jackfield.call(method, params));
    }

    private static String text(Map<String, Object> value, String key) {
        return String.valueOf(value.get(key));
    }
}
