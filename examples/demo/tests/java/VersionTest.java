import static org.junit.Assert.assertEquals;

import jackfield.Jackfield;
import jackfield.Session;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;

/** What the router says of itself, by JUnit; each test is a part of the result. */
public class VersionTest {
    private Session router;

    @Before
    public void open() {
        router = Jackfield.session("/lab/router");
    }

    @After
    public void close() {
        router.close();
    }

    @Test
    public void everyInterfaceHasTheUsualMtu() {
        router.level("privileged");
        for (String line : router.command("show running-config").split("\n")) {
            if (line.startsWith(" mtu ")) {
                assertEquals(" mtu 1500", line.stripTrailing());
            }
        }
    }

    @Test
    public void thereIsMemoryLeft() {
        String free = router.command("show version").replaceAll("(?s).* total, (.*) free.*", "$1");
        Jackfield.check("memory", free, "", "at_least", "256 MB");
    }
}
