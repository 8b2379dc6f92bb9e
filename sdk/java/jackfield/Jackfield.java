package jackfield;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

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
    private long count;

    /** A request that the EP or the engine refused. */
    public static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Refused(String message) {
            super(message);
        }
    }

    /** A dialogue with a device; closing it twice does no harm. */
    public static final class Session implements AutoCloseable {
        private final Object name;

        private Session(Object name) {
            this.name = name;
        }

        /** What the device answers, without echo, pager and prompt. */
        public String command(String command) {
            return text(call("session_command", Map.of("session", name, "command", command)), "output");
        }

        /** The same with a limit of its own. */
        public String command(String command, long timeoutMillis) {
            return text(call("session_command", Map.of("session", name, "command", command, "timeout_millis", timeoutMillis)), "output");
        }

        /** Sends a line. */
        public void send(String text) {
            call("session_send", Map.of("session", name, "text", text));
        }

        /** Waits for one of these regular expressions; answers with what came before, what fitted, its groups, and which it was. */
        public Map<String, Object> expect(long timeoutMillis, String... patterns) {
            return object(call("session_expect", Map.of("session", name, "patterns", List.of(patterns), "timeout_millis", timeoutMillis)));
        }

        /** Runs a command beside the dialogue, without a terminal (SSH): output, error, status, signal, cut. */
        public Map<String, Object> execute(String command) {
            return object(call("session_execute", Map.of("session", name, "command", command)));
        }

        /** Copies a file to the device (SSH); a remote name that ends with a slash is a folder. */
        public void put(java.nio.file.Path local, String remote) {
            move("session_put", local, remote);
        }

        /** Copies a file of the device here. */
        public void get(String remote, java.nio.file.Path local) {
            move("session_get", local, remote);
        }

        private void move(String method, java.nio.file.Path local, String remote) {
            call(method, Map.of("session", name, "local", local.toAbsolutePath().toString(), "remote", remote));
        }

        /** Holds the serial line down; over telnet its own break. */
        public void sendBreak(long millis) {
            call("session_break", Map.of("session", name, "millis", millis));
        }

        @Override
        public void close() {
            try {
                call("session_close", Map.of("session", name));
            } catch (Refused gone) {
                // It was closed already, by the test or by the device.
            }
        }
    }

    private Jackfield() throws IOException {
        String socket = System.getenv("JACKFIELD_SOCKET");
        if (socket == null) {
            throw new Refused("JACKFIELD_SOCKET is not set: this test was not started by an EP; start it with `jackfield run`");
        }
        channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        channel.connect(UnixDomainSocketAddress.of(socket));
        answers = new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8));
        request("hello", Map.of("token", System.getenv("JACKFIELD_TOKEN")));
    }

    /** Any method of the local API: texts, numbers, booleans, lists and maps in and out. */
    public static synchronized Object call(String method, Map<String, ?> params) {
        try {
            if (link == null) {
                link = new Jackfield();
            }
            return link.request(method, params);
        } catch (IOException e) {
            throw new UncheckedIOException("the EP does not answer", e);
        }
    }

    /** Writes a line into a log: logRunning, logDebug, logTest, logCli, or a name of the lab's own. */
    public static void logMsg(String log, Object text) {
        call("log", Map.of("log", log, "text", String.valueOf(text)));
    }

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

    /** Opens a session to a resource, or joins the one that is open already in this run. */
    public static Session session(String resource) {
        return new Session(object(call("session_open", Map.of("resource", resource))).get("session"));
    }

    /** The last word counts, and the test goes on. */
    public static void result(String verdict, String reason) {
        call("result", Map.of("verdict", verdict, "reason", reason));
    }

    /** A result inside this test. */
    public static void part(String name, String verdict, String reason) {
        call("part", Map.of("name", name, "verdict", verdict, "reason", reason));
    }

    /** A value for the lab's SQL and mail: {@code $name}. */
    public static void setCustomFileInfo(String name, Object value) {
        call("variable", Map.of("name", name, "value", String.valueOf(value)));
    }

    /** Keeps a file with the attempt. */
    public static void artifact(String name, String path) {
        call("artifact", Map.of("name", name, "path", path));
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

    /** The EP runs this program after the test, however that ended. */
    public static void cleanup(String name, String... command) {
        call("cleanup", Map.of("name", name, "command", List.of(command)));
    }

    /** For the wrapper: how the test ended, where there is an EP to tell. */
    public static void end(String verdict, String reason, boolean crashed) {
        if (System.getenv("JACKFIELD_SOCKET") != null) {
            call("result", Map.of("verdict", verdict, "reason", reason, "crashed", crashed));
        }
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
        if (error != null) {
            throw new Refused(text(error, "message"));
        }
        return answer.get("result");
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> object(Object value) {
        return (Map<String, Object>) value;
    }

    private static String text(Object value, String key) {
        return String.valueOf(object(value).get(key));
    }
}
