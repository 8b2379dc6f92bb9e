package jackfield;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.xml.stream.XMLOutputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamWriter;

/**
 * The tests inside a test, written as a JUnit file. Not for tests to call.
 *
 * <p>Each is written when it has ended, and the end of the file only when all have: a machine that ends in between, by
 * {@code System.exit} of a test, leaves a file that whoever reads it sees to be cut off.
 */
public final class Results {
    private final Map<String, Case> cases = new LinkedHashMap<>();
    private final BufferedWriter out;
    private final XMLStreamWriter xml;

    Results(Path file) throws IOException {
        out = Files.newBufferedWriter(file);
        try {
            xml = XMLOutputFactory.newFactory().createXMLStreamWriter(out);
            xml.writeStartDocument();
            xml.writeStartElement("testsuite");
            flush();
        } catch (XMLStreamException e) {
            throw new IOException(e);
        }
        Runtime.getRuntime().addShutdownHook(new Thread(this::leave));
    }

    private static final class Case {
        String group;
        String name;
        long began = System.nanoTime();
        double seconds;
        String element;
        String message = "";
        Throwable trace;
        boolean written;
    }

    private boolean finished;

    void began(String id, String group, String name) {
        Case one = new Case();
        one.group = group;
        one.name = name;
        cases.put(id, one);
    }

    /** The first word counts: what a clean-up says after a failure does not hide it. */
    void say(String id, String element, String message, Throwable trace) {
        Case one = cases.get(id);
        if (one.element == null) {
            one.element = element;
            one.message = message == null ? "" : message;
            one.trace = trace;
        }
    }

    void failed(String id, Throwable error) {
        cut(error);
        if (error instanceof Jackfield.Ended end) {
            String element = switch (end.verdict()) {
                case "SKIPPED" -> "skipped";
                case "FAIL" -> "failure";
                default -> "error";
            };
            say(id, element, end.getMessage(), null);
            return;
        }
        error.printStackTrace();
        say(id, error instanceof AssertionError ? "failure" : "error", error.getMessage() == null ? error.toString() : error.getMessage(), error);
    }

    /** Leaves of a trace what the test's author wrote: the rest is how the test was called. */
    public static void cut(Throwable error) {
        for (Throwable one = error; one != null; one = one.getCause()) {
            StackTraceElement[] trace = one.getStackTrace();
            int end = 0;
            while (end < trace.length && !trace[end].getClassName().matches("(jdk\\.internal|java\\.lang)\\.(reflect|invoke)\\..*")) {
                end++;
            }
            one.setStackTrace(java.util.Arrays.copyOf(trace, end));
        }
    }

    void ended(String id) {
        Case one = cases.get(id);
        one.seconds = (System.nanoTime() - one.began) / 1e9;
        // A class is told again where a second thing around it fails: once is enough.
        if (!one.written) {
            one.written = true;
            write(one);
        }
    }

    boolean has(String id) {
        return cases.containsKey(id);
    }

    /** Whether every one passed or was skipped. */
    boolean good() {
        return cases.values().stream().allMatch(one -> one.element == null || one.element.equals("skipped"));
    }

    /** All tests have ended. */
    synchronized void finish() throws IOException {
        for (Case one : cases.values()) {
            if (!one.written) {
                one.written = true;
                write(one);
            }
        }
        finished = true;
        try {
            xml.writeEndElement();
            xml.writeEndDocument();
            xml.close();
        } catch (XMLStreamException e) {
            throw new IOException(e);
        }
        out.close();
    }

    /** The machine ends: whatever still runs did not end by itself. */
    private synchronized void leave() {
        if (finished) {
            return;
        }
        for (Case one : cases.values()) {
            if (!one.written) {
                one.element = "error";
                one.message = "the Java machine ended while this test ran (System.exit)";
                write(one);
            }
        }
    }

    private synchronized void write(Case one) {
        try {
            element(one);
            flush();
        } catch (IOException | XMLStreamException e) {
            throw new IllegalStateException("the results cannot be written: " + e, e);
        }
    }

    private void flush() throws IOException, XMLStreamException {
        // An element is only closed when the next begins; text without meaning does it, too.
        xml.writeCharacters("\n");
        xml.flush();
        out.flush();
    }

    private void element(Case one) throws XMLStreamException {
        xml.writeStartElement("testcase");
        xml.writeAttribute("classname", one.group);
        xml.writeAttribute("name", printable(one.name));
        xml.writeAttribute("time", String.format(java.util.Locale.ROOT, "%.3f", one.seconds));
        if (one.element != null) {
            xml.writeStartElement(one.element);
            xml.writeAttribute("message", printable(one.message));
            if (one.trace != null) {
                var text = new java.io.StringWriter();
                one.trace.printStackTrace(new java.io.PrintWriter(text));
                xml.writeCharacters(printable(text.toString()));
            }
            xml.writeEndElement();
        }
        xml.writeEndElement();
    }

    /** XML has no place for most control characters. */
    private static String printable(String text) {
        return text.replaceAll("[^\\t\\n\\r\\x20-\\uD7FF\\uE000-\\uFFFD\\x{10000}-\\x{10FFFF}]", "\uFFFD");
    }
}
