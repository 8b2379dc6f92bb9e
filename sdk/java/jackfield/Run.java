package jackfield;

import java.io.File;
import java.io.IOException;
import java.lang.annotation.Annotation;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * Runs one test file: {@code java -cp CLASSPATH Run.java RESULTS FILE [ARGUMENT ...]}.
 *
 * <p>The class of the file's name is run or, where there is none, the first one in the file that can be run. A class with JUnit tests is
 * run by the JUnit that it was written for, and each of its tests is told in RESULTS. Any other class is run by its {@code main}; threads
 * that it leaves behind are waited for, as java itself does. Libraries of the lab are found as sources, as classes, and as jars.
 */
public final class Run {
    private static final int FAILED = 1;
    /** What a test throws that ends itself. */
    static final String ENDED = "jackfield.Jackfield$Ended";

    private final Path sdk = Path.of(System.getProperty("jackfield.sdk"));
    private final Path results;
    private final Path file;
    private final String[] arguments;
    private final Path classes;
    private final String classPath;
    private boolean byTool;

    private Run(String[] arguments) throws IOException {
        this.results = Path.of(arguments[0]);
        this.file = Path.of(arguments[1]);
        this.arguments = Arrays.copyOfRange(arguments, 2, arguments.length);
        this.classes = Files.createTempDirectory(results.toAbsolutePath().getParent(), ".classes");
        this.classPath = String.join(File.pathSeparator, places());
    }

    public static void main(String[] arguments) throws Exception {
        Run run = new Run(arguments);
        // However the machine ends: a thread of the test may still load classes when this method is over.
        Runtime.getRuntime().addShutdownHook(new Thread(run::removeClasses));
        int status = run.all();
        System.out.flush();
        if (status != 0 || run.byTool) {
            System.exit(status);
        }
    }

    private int all() throws Exception {
        String problem = compile(file, sdk.resolve("jackfield/Jackfield.java"), sdk.resolve("jackfield/Results.java"));
        URLClassLoader loader = loader();
        Thread.currentThread().setContextClassLoader(loader);
        if (problem != null) {
            return refuse(loader, problem);
        }
        List<String> names = classNames();
        for (String name : names) {
            Class<?> test = loader.loadClass(name);
            String tool = tool(test);
            if (tool != null) {
                byTool = true;
                return callTool(loader, tool, test);
            }
            Method main = mainOf(test);
            if (main != null) {
                return callMain(loader, main);
            }
        }
        String there = names.isEmpty() ? "no class" : "the class" + (names.size() > 1 ? "es " : " ") + String.join(", ", names);
        String reason = file.getFileName() + " has " + there + ", and none with JUnit tests or `static void main(String[])`";
        return say(loader, "INVALID", reason, false);
    }

    /** What java would call; null where there is nothing. */
    private static Method mainOf(Class<?> test) {
        try {
            Method main = test.getDeclaredMethod("main", String[].class);
            return Modifier.isStatic(main.getModifiers()) && Modifier.isPublic(main.getModifiers()) ? main : null;
        } catch (NoSuchMethodException e) {
            try {
                return test.getSuperclass() == null ? null : test.getMethod("main", String[].class);
            } catch (NoSuchMethodException none) {
                return null;
            }
        }
    }

    /** The name of the tool of ours that runs this class; null where it has no JUnit tests. */
    private static String tool(Class<?> test) {
        for (Class<?> type = test; type != null; type = type.getSuperclass()) {
            if (type.getName().equals("junit.framework.TestCase")) {
                return "JUnit4";
            }
            for (Annotation annotation : type.getAnnotations()) {
                if (annotation.annotationType().getName().equals("org.junit.runner.RunWith")) {
                    return "JUnit4";
                }
            }
            for (Method method : type.getDeclaredMethods()) {
                for (Annotation annotation : method.getAnnotations()) {
                    String name = annotation.annotationType().getName();
                    if (name.equals("org.junit.Test")) {
                        return "JUnit4";
                    }
                    if (name.startsWith("org.junit.jupiter.") || name.startsWith("org.junit.platform.")) {
                        return "JUnit5";
                    }
                }
            }
        }
        return null;
    }

    private int callTool(URLClassLoader loader, String tool, Class<?> test) throws Exception {
        String problem = compile(sdk.resolve("jackfield").resolve(tool + ".java"));
        if (problem != null) {
            return refuse(loader, problem);
        }
        Method run = loader.loadClass("jackfield." + tool).getMethod("run", Class.class, Path.class);
        return (boolean) run.invoke(null, test, results) ? 0 : FAILED;
    }

    private int callMain(URLClassLoader loader, Method main) throws Exception {
        main.setAccessible(true);
        Thread.setDefaultUncaughtExceptionHandler((thread, error) -> uncaught(loader, thread, error));
        try {
            main.invoke(null, (Object) arguments);
            return 0;
        } catch (InvocationTargetException e) {
            Throwable error = e.getCause();
            loader.loadClass("jackfield.Results").getMethod("cut", Throwable.class).invoke(null, error);
            if (error.getClass().getName().equals(ENDED)) {
                // It has told the EP itself.
                System.err.println(error.getMessage());
                return FAILED;
            }
            error.printStackTrace();
            if (error instanceof AssertionError) {
                return say(loader, "FAIL", String.valueOf(error.getMessage()), false);
            }
            return say(loader, "FAIL", "crashed: " + error, true);
        }
    }

    /** A thread that ends with an exception which nothing catches has not passed. */
    private void uncaught(URLClassLoader loader, Thread thread, Throwable error) {
        System.err.print("Exception in thread \"" + thread.getName() + "\" ");
        error.printStackTrace();
        if (!error.getClass().getName().equals(ENDED)) {
            try {
                say(loader, "FAIL", error + ", which nothing caught in " + thread.getName(), false);
            } catch (Exception problem) {
                problem.printStackTrace();
            }
        }
    }

    private int refuse(URLClassLoader loader, String problem) throws Exception {
        System.err.println(problem);
        // What the test would have compiled along with itself.
        compile(sdk.resolve("jackfield/Jackfield.java"));
        boolean noJunit = problem.contains("package org.junit") || problem.contains("package junit.");
        if (noJunit) {
            String remedy = "JUnit is not there: install junit4 or junit5, or name its jar in `classpath` of [runners.java] in ep.toml";
            return say(loader, "INVALID", remedy, false);
        }
        return say(loader, "FAIL", "it does not compile: " + problem.lines().findFirst().orElse(""), true);
    }

    /** Tells the EP how the test ended. */
    private static int say(URLClassLoader loader, String verdict, String reason, boolean crashed) throws Exception {
        System.err.println(verdict + ": " + reason);
        Method result = loader.loadClass("jackfield.Jackfield").getMethod("end", String.class, String.class, boolean.class);
        result.invoke(null, verdict, reason, crashed);
        return FAILED;
    }

    /** Compiles files and the sources that they name; null when all is well, otherwise what is wrong, a line each. */
    private String compile(Path... units) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        DiagnosticCollector<JavaFileObject> said = new DiagnosticCollector<>();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(said, Locale.ENGLISH, null)) {
            String roots = String.join(File.pathSeparator, sdk.toString(), library(), String.valueOf(units[0].getParent()));
            List<String> options = List.of(
                    "-d", classes.toString(), "-cp", classPath, "-sourcepath", roots, "-g", "-nowarn", "-proc:none", "-encoding", "UTF-8");
            var sources = files.getJavaFileObjectsFromPaths(List.of(units));
            if (compiler.getTask(null, files, said, options, null, sources).call()) {
                return null;
            }
        }
        List<String> lines = new ArrayList<>();
        for (Diagnostic<? extends JavaFileObject> one : said.getDiagnostics()) {
            if (one.getKind() == Diagnostic.Kind.ERROR) {
                String name = one.getSource() == null ? units[0].getFileName().toString() : Path.of(one.getSource().getName()).getFileName().toString();
                lines.add(name + ":" + one.getLineNumber() + ": " + one.getMessage(Locale.ENGLISH).replaceAll("\\s*\\R\\s*", ", "));
            }
        }
        return String.join("\n", lines);
    }

    /** The classes of the file, with their package: that of the file's name alone, else all in the order in which they stand there. */
    private List<String> classNames() throws IOException {
        String wanted = file.getFileName().toString().replaceFirst("\\.java$", "");
        String source = Files.readString(file, java.nio.charset.StandardCharsets.UTF_8);
        var declared = Pattern.compile("\\b(?:class|interface|enum|record)\\s+(\\w+)").matcher(source);
        Map<String, String> made = new HashMap<>();
        try (Stream<Path> walk = Files.walk(classes)) {
            walk.map(path -> classes.relativize(path).toString()).filter(name -> name.endsWith(".class")).forEach(name -> {
                String full = name.replaceFirst("\\.class$", "").replace(File.separatorChar, '.');
                made.put(full.substring(full.lastIndexOf('.') + 1), full);
            });
        }
        List<String> found = new ArrayList<>();
        while (declared.find()) {
            String full = made.get(declared.group(1));
            if (full != null && declared.group(1).equals(wanted)) {
                return List.of(full);
            }
            if (full != null && !found.contains(full)) {
                found.add(full);
            }
        }
        return found;
    }

    private URLClassLoader loader() throws MalformedURLException {
        List<URL> urls = new ArrayList<>();
        for (String place : classPath.split(File.pathSeparator)) {
            urls.add(Path.of(place).toUri().toURL());
        }
        return new URLClassLoader(urls.toArray(URL[]::new), Run.class.getClassLoader());
    }

    private static String library() {
        String folder = System.getenv("JACKFIELD_LIB_DIR");
        return folder == null ? "." : folder;
    }

    /** Compiled classes, the libraries of the test, and what ep.toml names. */
    private List<String> places() throws IOException {
        List<String> places = new ArrayList<>(List.of(classes.toString(), library()));
        try (Stream<Path> found = Files.walk(Path.of(library()))) {
            found.map(Path::toString).filter(name -> name.endsWith(".jar")).sorted().forEach(places::add);
        }
        places.addAll(Arrays.asList(System.getProperty("java.class.path").split(File.pathSeparator)));
        places.removeIf(String::isEmpty);
        return places;
    }

    private void removeClasses() {
        try (Stream<Path> all = Files.walk(classes)) {
            all.sorted((a, b) -> b.compareTo(a)).forEach(path -> path.toFile().delete());
        } catch (IOException e) {
            // They stand in the work folder of the test, which is removed after it.
            System.err.println("the compiled classes stay behind: " + e);
        }
    }
}
