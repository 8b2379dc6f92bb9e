package jackfield;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.xml.stream.XMLOutputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamWriter;

/** The tests inside a test, written as a JUnit file. Not for tests to call. */
public final class Results {
    private final Map<String, Case> cases = new LinkedHashMap<>();

    private static final class Case {
        String group;
        String name;
        long began = System.nanoTime();
        double seconds;
        String element;
        String message = "";
        Throwable trace;
    }

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
    }

    boolean has(String id) {
        return cases.containsKey(id);
    }

    /** Whether every one passed or was skipped. */
    boolean good() {
        return cases.values().stream().allMatch(one -> one.element == null || one.element.equals("skipped"));
    }

    void write(Path file) throws IOException {
        try (var out = Files.newBufferedWriter(file)) {
            XMLStreamWriter xml = XMLOutputFactory.newFactory().createXMLStreamWriter(out);
            xml.writeStartDocument();
            xml.writeStartElement("testsuite");
            for (Case one : cases.values()) {
                write(xml, one);
            }
            xml.writeEndElement();
            xml.writeEndDocument();
            xml.close();
        } catch (XMLStreamException e) {
            throw new IOException(e);
        }
    }

    private static void write(XMLStreamWriter xml, Case one) throws XMLStreamException {
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
