package jackfield;

import java.nio.file.Path;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** Runs a class of the JUnit platform (JUnit 5 and later). Not for tests to call. */
public final class JUnit5 {
    private JUnit5() {}

    /** Answers whether all went well; each test stands in the file. */
    public static boolean run(Class<?> test, Path file) throws Exception {
        Results results = new Results(file);
        var request = LauncherDiscoveryRequestBuilder.request().selectors(DiscoverySelectors.selectClass(test)).build();
        LauncherFactory.create().execute(request, new TestExecutionListener() {
            @Override
            public void executionStarted(TestIdentifier one) {
                if (one.isTest()) {
                    begin(one);
                }
            }

            @Override
            public void executionSkipped(TestIdentifier one, String reason) {
                begin(one);
                results.say(one.getUniqueId(), "skipped", reason, null);
            }

            @Override
            public void executionFinished(TestIdentifier one, TestExecutionResult result) {
                var error = result.getThrowable().orElse(null);
                if (result.getStatus() == TestExecutionResult.Status.SUCCESSFUL) {
                    // A group of tests is told only where it fails itself.
                } else if (result.getStatus() == TestExecutionResult.Status.ABORTED) {
                    begin(one);
                    results.say(one.getUniqueId(), "skipped", error == null ? "" : error.getMessage(), null);
                } else {
                    begin(one);
                    results.failed(one.getUniqueId(), error == null ? new AssertionError("it failed without a word") : error);
                }
                if (results.has(one.getUniqueId())) {
                    results.ended(one.getUniqueId());
                }
            }

            private void begin(TestIdentifier one) {
                if (!results.has(one.getUniqueId())) {
                    MethodSource method = one.getSource().filter(MethodSource.class::isInstance).map(MethodSource.class::cast).orElse(null);
                    String shown = one.getDisplayName();
                    // One of many calls with parameters is shown as `[1] 20`, without its method.
                    String name = method != null && shown.startsWith("[") ? method.getMethodName() + shown : shown.replaceFirst("\\(\\)$", "");
                    results.began(one.getUniqueId(), method == null ? test.getName() : method.getClassName(), name);
                }
            }
        });
        results.finish();
        return results.good();
    }
}
