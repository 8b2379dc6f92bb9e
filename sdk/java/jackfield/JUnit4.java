package jackfield;

import java.nio.file.Path;
import org.junit.runner.Description;
import org.junit.runner.JUnitCore;
import org.junit.runner.notification.Failure;
import org.junit.runner.notification.RunListener;

/** Runs a class of JUnit 3 or 4. Not for tests to call. */
public final class JUnit4 {
    private JUnit4() {}

    /** Answers whether all went well; each test stands in the file. */
    public static boolean run(Class<?> test, Path file) throws Exception {
        Results results = new Results(file);
        JUnitCore core = new JUnitCore();
        core.addListener(new RunListener() {
            @Override
            public void testStarted(Description test) {
                begin(test);
            }

            @Override
            public void testFailure(Failure failure) {
                begin(failure.getDescription());
                results.failed(id(failure.getDescription()), failure.getException());
            }

            @Override
            public void testAssumptionFailure(Failure failure) {
                begin(failure.getDescription());
                results.say(id(failure.getDescription()), "skipped", failure.getMessage(), null);
            }

            @Override
            public void testIgnored(Description test) {
                begin(test);
                var ignore = test.getAnnotation(org.junit.Ignore.class);
                results.say(id(test), "skipped", ignore == null ? "" : ignore.value(), null);
            }

            @Override
            public void testFinished(Description test) {
                results.ended(id(test));
            }

            // What fails around a class, such as its @BeforeClass, is in none of its tests.
            private void begin(Description test) {
                if (!results.has(id(test))) {
                    String name = test.getMethodName() == null ? "class" : test.getMethodName();
                    results.began(id(test), String.valueOf(test.getClassName()), name);
                }
            }

            private String id(Description test) {
                return test.getDisplayName();
            }
        });
        core.run(test);
        results.finish();
        return results.good();
    }
}
