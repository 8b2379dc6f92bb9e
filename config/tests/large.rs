//! A project of a hundred thousand tests, in a process of its own so that its memory can be seen.

#[cfg(test)]
mod large {
    use std::fmt::Write;

    use jackfield_config::{ExpandOptions, Lab, check_project_text};

    const TESTS: usize = 100_000;
    const PEAK_BYTES_MAX: u64 = 300 << 20;

    /// With IDs, and every tenth test waiting for the one before it.
    fn project() -> String {
        let mut text = String::from("<Root>\n");
        for at in 0..TESTS {
            if at % 1000 == 0 {
                let end = if at == 0 { "" } else { "    </TestSuite>\n" };
                write!(
                    text,
                    "{end}    <TestSuite>\n        <tsName>S{at}</tsName>\n        <ID>suite-{at}</ID>\n"
                )
                .unwrap();
            }
            let depends = if at % 10 == 9 {
                format!("<Dependency>7d0fe343-7546-4337-8431-{:012}:pass</Dependency>", at - 1)
            } else {
                String::new()
            };
            let (file, id) = (
                format!("$HOME/twister/demo/smoke/test{at}.py"),
                format!("7d0fe343-7546-4337-8431-{at:012}"),
            );
            writeln!(text, "        <TestCase><tcName>{file}</tcName><ID>{id}</ID>{depends}</TestCase>")
                .unwrap();
        }
        text.push_str("    </TestSuite>\n</Root>\n");
        text
    }

    fn peak_bytes() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }

    #[test]
    fn a_hundred_thousand_tests_fit() {
        let text = project();
        let size = text.len();
        let checked = check_project_text("large.xml", text, &Lab::nowhere(), &ExpandOptions::default());
        assert_eq!(checked.problems, []);
        let plan = checked.plan.unwrap();
        assert_eq!(plan.tests.len(), TESTS);
        assert_eq!(plan.tests.iter().filter(|test| !test.depends.is_empty()).count(), TESTS / 10);
        let peak = peak_bytes();
        println!("{} MB of text, {} MB at the peak", size >> 20, peak >> 20);
        assert!(peak < PEAK_BYTES_MAX, "{} MB", peak >> 20);
        drop(plan);

        let text = "<Root><TestSuite><tsName>S</tsName><Repeat>1000</Repeat><TestCase><tcName>a.py</tcName><Repeat>100</Repeat></TestCase></TestSuite></Root>";
        let checked =
            check_project_text("small.xml", text.to_owned(), &Lab::nowhere(), &ExpandOptions::default());
        assert_eq!(checked.plan.unwrap().tests.len(), TESTS);
    }
}
