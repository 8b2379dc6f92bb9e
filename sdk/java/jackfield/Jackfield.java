package jackfield;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/**
 * The lab, its devices and the run, from inside a test in Java (16 or later).
 *
 * <pre>
 * try (var router = Jackfield.session("/lab/router")) {
 *     assertTrue(router.command("show ip route").contains("10.0.0.0/24"));
 * }
 * </pre>
 *
 * <p>Each call is one request to the EP ({@code docs/local-api.md}). A request that is refused is a {@link Refused}, whose message says
 * what to do. Names are Twister's.
 */
public final class Jackfield {
    private static Jackfield link;

    private final SocketChannel channel;
    private final BufferedReader answers;
    private Object hello;
    private long count;

    /** A request that the EP or the engine refused, or that could not be made at all ({@code unreachable}). */
    public static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 2L;

        private final String code;
        private final String field;

        Refused(String code, String title, String field) {
            super(title + (field == null ? "" : " (parameter `" + field + "`)") + " [" + code + "]");
            this.code = code;
            this.field = field;
        }

        /** One word that programs may compare: {@code not_found}, {@code held}, {@code wrong_state}, {@code unreachable} … */
        public String code() {
            return code;
        }

        /** The parameter that is to blame; null where none is. */
        public String field() {
            return field;
        }
    }

    /** The test has decided how it ends. No {@link Exception}, so that none is caught by accident. */
    public static final class Ended extends Error {
        private static final long serialVersionUID = 1L;

        private final String verdict;

        Ended(String verdict, String reason) {
            super(reason, null, false, false);
            this.verdict = verdict;
        }

        /** The verdict it ended with. */
        public String verdict() {
            return verdict;
        }
    }

    private Jackfield() throws IOException {
        String socket = System.getenv("JACKFIELD_SOCKET");
        String token = System.getenv("JACKFIELD_TOKEN");
        if (socket == null || token == null) {
            String why = "JACKFIELD_SOCKET and JACKFIELD_TOKEN are not set: this test was not started by an EP; start it with `jackfield run`";
            throw new Refused("unreachable", why, null);
        }
        channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(socket));
        } catch (IOException e) {
            channel.close();
            String why = "the EP does not answer at " + socket + ": " + e.getMessage() + "; is it still running?";
            throw new Refused("unreachable", why, null);
        }
        answers = new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8));
        hello = request("hello", Map.of("token", token));
    }

    /** Any method of the local API: texts, numbers, booleans, lists and maps in and out. Parameters that are null are left out. */
    public static synchronized Object call(String method, Map<String, ?> params) {
        Map<String, Object> given = new LinkedHashMap<>(params);
        given.values().removeIf(value -> value == null);
        try {
            return link().request(method, given);
        } catch (IOException | IllegalArgumentException e) {
            // An answer that was not read would be taken for that of the next request.
            forget();
            throw new Refused("unreachable", "no answer to `" + method + "`: " + e.getMessage(), null);
        }
    }

    /** What the EP knows of this test: attempt, run, test_id, name, suite_id, sut, user, ep, properties, iteration … */
    public static synchronized Map<String, Object> context() {
        try {
            return object(link().hello);
        } catch (IOException e) {
            throw new Refused("unreachable", "no answer to `hello`: " + e.getMessage(), null);
        }
    }

    /** The path of the resource that was given for what the project or the suite needs; of several, the first. */
    public static String need(String name) {
        return needs(name).get(0);
    }

    /** The paths of all of them. */
    public static List<String> needs(String name) {
        Map<String, Object> given = object(context().get("needs"));
        if (!(given.get(name) instanceof List<?> paths)) {
            throw new Refused("not_found", "no resource was given as `" + name + "`; there is " + String.join(", ", given.keySet()), "name");
        }
        return paths.stream().map(String::valueOf).toList();
    }

    // The logs, and the results

    /** Writes a line into a log: logRunning, logDebug, logTest, logCli, or a name of the lab's own. */
    public static void logMsg(String log, Object text) {
        call("log", Map.of("log", log, "text", String.valueOf(text)));
    }

    /** The last word counts, and the test goes on. */
    public static void result(String verdict, String reason) {
        call("result", Map.of("verdict", verdict, "reason", reason));
    }

    /** Ends the test with FAIL. */
    public static Ended testFail(String reason) {
        throw ended("FAIL", reason);
    }

    /** Ends the test with SKIPPED. */
    public static Ended testSkip(String reason) {
        throw ended("SKIPPED", reason);
    }

    /** Ends the test with ABORTED. */
    public static Ended testAbort(String reason) {
        throw ended("ABORTED", reason);
    }

    /** Ends the test with TIMEOUT. */
    public static Ended testTimeout(String reason) {
        throw ended("TIMEOUT", reason);
    }

    private static Ended ended(String verdict, String reason) {
        result(verdict, reason);
        return new Ended(verdict, reason);
    }

    /** A result inside this test. */
    public static void part(String name, String verdict, String reason) {
        call("part", Map.of("name", name, "verdict", verdict, "reason", reason));
    }

    /** A block of a test; it may throw what it likes. */
    @FunctionalInterface
    public interface Block {
        /** What is done. */
        void run() throws Exception;
    }

    /** Runs a block as a named part of the test. What it throws goes on. */
    public static void step(String name, Block block) throws Exception {
        step(name, () -> {
            block.run();
            return null;
        });
    }

    /** The same of a block with a value. */
    public static <T> T step(String name, Callable<T> block) throws Exception {
        mark(name);
        long began = System.nanoTime();
        String verdict = "PASS";
        String reason = "";
        try {
            return block.call();
        } catch (Ended end) {
            verdict = end.verdict();
            reason = String.valueOf(end.getMessage());
            throw end;
        } catch (AssertionError error) {
            verdict = "FAIL";
            reason = String.valueOf(error.getMessage());
            throw error;
        } catch (Throwable error) {
            verdict = "FAIL";
            reason = "crashed: " + error;
            throw error;
        } finally {
            long elapsed = (System.nanoTime() - began) / 1_000_000;
            call("part", Map.of("name", name, "verdict", verdict, "reason", reason, "elapsed_millis", elapsed));
        }
    }

    /**
     * Holds a value against limits, and keeps both with the result: {@code check("cpu load", load, "%", "at_most", 80)}.
     *
     * <p>Limits are pairs of a word of a step test (at_least, at_most, above, below, equals, not_equals, contains, not_contains, matches,
     * not_matches) and its value; there may be none. Numbers may carry units. Where the value is not as it was to be this is an
     * {@link AssertionError}; whoever catches it, the test is FAIL.
     */
    public static void check(String name, Object value, String unit, Object... limits) {
        String reason = checked(name, value, unit, limits);
        if (!reason.isEmpty()) {
            throw new AssertionError(reason);
        }
    }

    /** The same, and the test goes on: it is FAIL at its end. Answers whether the value is as it was to be. */
    public static boolean checkAndGoOn(String name, Object value, String unit, Object... limits) {
        return checked(name, value, unit, limits).isEmpty();
    }

    private static String checked(String name, Object value, String unit, Object... limits) {
        if (limits.length % 2 != 0) {
            throw new Refused("bad_request", "check `" + name + "`: limits are pairs of a word and a value: \"at_most\", 80", "limits");
        }
        Map<String, String> words = new LinkedHashMap<>();
        for (int at = 0; at < limits.length; at += 2) {
            words.put(String.valueOf(limits[at]), String.valueOf(limits[at + 1]));
        }
        Object found = call("check", Map.of("name", name, "value", String.valueOf(value), "unit", unit, "limits", words));
        return "PASS".equals(object(found).get("verdict")) ? "" : text(found, "reason");
    }

    /** Puts a mark into the recordings of this test's sessions; {@link #step} does so by itself. */
    public static void mark(String label) {
        call("mark", Map.of("label", label));
    }

    /** A value for the lab's SQL and mail: {@code $name}. */
    public static void setCustomFileInfo(String name, Object value) {
        call("variable", Map.of("name", name, "value", String.valueOf(value)));
    }

    /** Keeps a file with the attempt. */
    public static void artifact(Path file) {
        call("artifact", Map.of("name", file.getFileName().toString(), "path", file.toAbsolutePath().toString()));
    }

    /** The EP runs this program after the test, however that ended. */
    public static void cleanup(String name, String... command) {
        call("cleanup", Map.of("name", name, "command", List.of(command)));
    }

    // Parameters, and the lab

    /** A global parameter; a map for a folder, null where there is none. */
    public static Object getGlobal(String path) {
        return call("get_global", Map.of("path", path));
    }

    /** Sets a global parameter. */
    public static void setGlobal(String path, Object value) {
        call("set_global", Map.of("path", path, "value", value));
    }

    /** A value of a test configuration; a map for a folder. */
    public static Object getConfig(String config, String path) {
        return call("get_config", Map.of("config", config, "path", path));
    }

    /** The id of the SUT component that a component of a test configuration is bound to; null where there is none. */
    public static String getBindId(String component) {
        return (String) call("get_bind_id", Map.of("component", component));
    }

    /** The path of that component; null where there is none. */
    public static String getBindName(String component) {
        return (String) call("get_bind_name", Map.of("component", component));
    }

    /** A resource as {@code {id, path, meta, children}}, or one value of it: {@code /tb1/dev2:ip}. */
    public static Object getResource(String query) {
        return call("get_resource", Map.of("query", query));
    }

    /** Makes or changes a resource; answers with its id. */
    public static String setResource(String name, String parent, Map<String, ?> properties) {
        return text(call("set_resource", Map.of("name", name, "parent", parent, "properties", properties)), "id");
    }

    /** Renames a resource, or a property of one. */
    public static void renameResource(String query, String name) {
        call("rename_resource", Map.of("query", query, "name", name));
    }

    /** Deletes a resource, or a property of one. */
    public static void deleteResource(String query) {
        call("delete_resource", Map.of("query", query));
    }

    /** A part of a system under test. */
    public static Object getSut(String query) {
        return call("get_sut", Map.of("query", query));
    }

    /** Asks a person: message, input, decide; the answer is {@code otherwise} where nobody answers in time. */
    public static Object interact(String kind, String message, Object otherwise, Duration limit, String... options) {
        Map<String, Object> params = new LinkedHashMap<>();
        params.put("kind", kind);
        params.put("message", message);
        params.put("default", otherwise);
        params.put("options", options.length == 0 ? null : Arrays.asList(options));
        params.put("timeout_millis", limit.toMillis());
        return call("interact", params);
    }

    /** Stops here, with this text shown, until a person lets the test go on. */
    public static void breakpoint(String shown) {
        call("breakpoint", Map.of("locals", shown));
    }

    // Devices

    /** Opens a session with a resource, or joins the one of its name that is open already in this run. */
    public static Session session(String resource, Duration... limit) {
        return open(Map.of("resource", resource), limit);
    }

    /** The same under a name of its own. */
    public static Session session(String resource, String name, Duration... limit) {
        return open(Map.of("resource", resource, "name", name), limit);
    }

    /** Opens a session with what these properties describe: protocol, host, port, user, password, profile. */
    public static Session connect(String name, Map<String, ?> properties, Duration... limit) {
        return open(Map.of("connect", properties, "name", name), limit);
    }

    private static Session open(Map<String, ?> wanted, Duration[] limit) {
        Map<String, Object> params = new LinkedHashMap<>(wanted);
        limit(params, limit);
        return new Session(text(call("session_open", params), "session"));
    }

    /** The names of the open sessions of this run on this EP. */
    public static List<String> sessions() {
        List<String> names = new ArrayList<>();
        for (Object name : (List<?>) call("session_list", Map.of())) {
            names.add((String) name);
        }
        return names;
    }

    /** A table of any text by the text of a TextFSM template: a map for each row. */
    public static List<Map<String, Object>> textfsm(String template, String text) {
        return rows(call("textfsm", Map.of("template", template, "text", text)));
    }

    /** What a text in JSON says, as maps, lists, texts, numbers (Long or Double), booleans and null. */
    public static Object json(String text) {
        return Json.read(text);
    }

    /** Switches the mains of a resource: on, off, cycle, status. Answers on, off or unknown. */
    public static String power(String resource, String action) {
        return text(call("power", Map.of("resource", resource, "action", action)), "state");
    }

    /** Writes the packets on an interface of the EP's machine into NAME.pcap, kept with this attempt, until captureStop. */
    public static void captureStart(String interface_, String filter, String name) {
        call("capture_start", Map.of("interface", interface_, "filter", filter, "name", name));
    }

    /** Answers with {packets, dropped, bytes}. */
    public static Map<String, Object> captureStop(String name) {
        return object(call("capture_stop", Map.of("capture", name)));
    }

    /** For the wrapper: how the test ended, where there is an EP to tell. */
    public static void end(String verdict, String reason, boolean crashed) {
        try {
            if (System.getenv("JACKFIELD_SOCKET") != null) {
                call("result", Map.of("verdict", verdict, "reason", reason, "crashed", crashed));
            }
        } catch (Refused refused) {
            System.err.println("this test is " + verdict + ", but the EP could not be told: " + refused.getMessage());
        }
    }

    private static Jackfield link() throws IOException {
        if (link == null) {
            link = new Jackfield();
        }
        return link;
    }

    private static void forget() {
        try {
            if (link != null) {
                link.channel.close();
            }
        } catch (IOException e) {
            // It is given up in any case.
        }
        link = null;
    }

    private Object request(String method, Map<String, ?> params) throws IOException {
        Map<String, Object> request = new LinkedHashMap<>();
        request.put("jsonrpc", "2.0");
        request.put("id", ++count);
        request.put("method", method);
        request.put("params", params);
        ByteBuffer bytes = ByteBuffer.wrap((Json.write(request) + "\n").getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
        String line = answers.readLine();
        if (line == null) {
            throw new IOException("the EP closed the connection");
        }
        Map<String, Object> answer = object(Json.read(line));
        Object error = answer.get("error");
        if (error == null) {
            return answer.get("result");
        }
        Map<String, Object> problem = object(error).get("data") instanceof Map<?, ?> data ? object(data) : Map.of();
        Object title = problem.getOrDefault("title", object(error).get("message"));
        throw new Refused(String.valueOf(problem.getOrDefault("code", "internal")), String.valueOf(title), (String) problem.get("field"));
    }

    static List<Map<String, Object>> rows(Object table) {
        List<Map<String, Object>> rows = new ArrayList<>();
        for (Object row : (List<?>) object(table).get("rows")) {
            rows.add(object(row));
        }
        return rows;
    }

    static void limit(Map<String, Object> params, Duration[] limit) {
        if (limit.length > 0) {
            params.put("timeout_millis", limit[0].toMillis());
        }
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> object(Object value) {
        return (Map<String, Object>) value;
    }

    private static String text(Object value, String key) {
        return String.valueOf(object(value).get(key));
    }
}
