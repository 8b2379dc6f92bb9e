//! Tools that run tests, each writing its format: what a real one can leave, however it ends.

/// A format.
#[derive(Clone, Copy, Debug)]
pub(super) enum Format {
    Junit,
    Nunit,
    Xunit,
    Testng,
    GoogleTest,
    GoTest,
    Tap,
    /// All of it inside one test, of which its line says that it is well.
    TapInside,
}

/// How a test inside a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Passed,
    Failed,
    Skipped,
    /// It began, and the tool ended in it.
    Never,
}

/// What goes wrong beside the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Around {
    Nothing,
    /// A set-up or clean-up of the whole fails, after every test has ended.
    Broken,
    /// The tool counts a failure that it does not show.
    Uncounted,
}

impl Format {
    pub(super) const ALL: [Self; 8] = [
        Self::Junit,
        Self::Nunit,
        Self::Xunit,
        Self::Testng,
        Self::GoogleTest,
        Self::GoTest,
        Self::Tap,
        Self::TapInside,
    ];

    pub(super) fn write(self, ends: &[End], around: Around) -> String {
        match self {
            Self::Junit => junit(ends, around),
            Self::Nunit => nunit(ends, around),
            Self::Xunit => xunit(ends, around),
            Self::Testng => testng(ends, around),
            Self::GoogleTest => google_test(ends, around),
            Self::GoTest => go_test(ends, around),
            Self::Tap => tap(ends, around),
            Self::TapInside => tap_inside(ends, around),
        }
    }
}

impl End {
    pub(super) const ALL: [Self; 4] = [Self::Passed, Self::Failed, Self::Skipped, Self::Never];

    fn word(self, [passed, failed, skipped, never]: [&str; 4]) -> &str {
        match self {
            Self::Passed => passed,
            Self::Failed => failed,
            Self::Skipped => skipped,
            Self::Never => never,
        }
    }
}

impl Around {
    pub(super) const ALL: [Self; 3] = [Self::Nothing, Self::Broken, Self::Uncounted];

    /// How many failures the head tells of.
    fn told(self, ends: &[End]) -> usize {
        let shown = ends.iter().filter(|end| **end == End::Failed).count();
        if self == Self::Uncounted { shown + 1 } else { shown }
    }
}

/// A place to cut a file at, so that something of it is missing: all of the formats may lack their last line end.
pub(super) fn cut_at(whole: &str, cut: f64) -> usize {
    let most = whole.trim_end().len().saturating_sub(1);
    let wanted = (0..=most)
        .rev()
        .find(|at| f64::from(u32::try_from(*at).unwrap()) <= cut * f64::from(u32::try_from(most).unwrap()));
    let mut at = wanted.unwrap_or(0);
    while !whole.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn each(ends: &[End], mut one: impl FnMut(usize, End) -> String) -> String {
    ends.iter().enumerate().map(|(index, end)| one(index, *end)).collect()
}

fn junit(ends: &[End], around: Around) -> String {
    let cases = each(ends, |index, end| {
        let inner = end.word(["", "<failure message='no'/>", "<skipped/>", ""]);
        // What has no name is what pytest ran when it was interrupted.
        let name = if end == End::Never { String::new() } else { format!(" name='t{index}'") };
        format!("<testcase{name} time='0.1'>{inner}</testcase>\n")
    });
    let broken = if around == Around::Broken { "<error message='set-up'/>" } else { "" };
    let failed = around.told(ends);
    format!(
        "<testsuites><testsuite name='s' tests='{}' failures='{failed}'>\n{cases}{broken}</testsuite></testsuites>\n",
        ends.len()
    )
}

fn nunit(ends: &[End], around: Around) -> String {
    let cases = each(ends, |index, end| {
        let result = end.word(["Passed", "Failed", "Skipped", "Cancelled"]);
        format!("<test-case name='t{index}' result='{result}'/>\n")
    });
    let (result, site, failure) = match around {
        Around::Broken => ("Failed", "SetUp", "<failure><message>no</message></failure>"),
        Around::Nothing | Around::Uncounted => ("Passed", "Child", ""),
    };
    let failed = around.told(ends);
    format!(
        "<test-run total='{}' failed='{failed}'><test-suite name='s' result='{result}' site='{site}'>{failure}\n{cases}</test-suite></test-run>\n",
        ends.len()
    )
}

fn xunit(ends: &[End], around: Around) -> String {
    let tests = each(ends, |index, end| {
        let result = end.word(["Pass", "Fail", "Skip", ""]);
        format!("<test name='t{index}' result='{result}'/>\n")
    });
    let errors = if around == Around::Broken { "<errors><error name='fixture'/></errors>" } else { "" };
    let failed = around.told(ends);
    format!(
        "<assemblies><assembly total='{}' failed='{failed}'>{errors}<collection>\n{tests}</collection></assembly></assemblies>\n",
        ends.len()
    )
}

fn testng(ends: &[End], around: Around) -> String {
    let methods = each(ends, |index, end| {
        let status = end.word(["PASS", "FAIL", "SKIP", "STARTED"]);
        format!("<test-method name='t{index}' status='{status}'/>\n")
    });
    let broken = if around == Around::Broken {
        "<test-method name='setUp' status='FAIL' is-config='true'/>"
    } else {
        ""
    };
    let failed = around.told(ends);
    format!(
        "<testng-results total='{}' failed='{failed}'><suite><test><class name='C'>\n{methods}{broken}</class></test></suite></testng-results>\n",
        ends.len()
    )
}

fn google_test(ends: &[End], around: Around) -> String {
    let tests: Vec<String> = ends
        .iter()
        .enumerate()
        .map(|(index, end)| {
            let result = end.word(["COMPLETED", "COMPLETED", "SKIPPED", ""]);
            let failures = if *end == End::Failed { r#", "failures": [{"failure": "no"}]"# } else { "" };
            format!(
                r#"{{"name": "t{index}", "classname": "C", "status": "RUN", "result": "{result}"{failures}}}"#
            )
        })
        .collect();
    // It has no place for what breaks around a test but its count.
    let failed = if around == Around::Broken { Around::Uncounted } else { around }.told(ends);
    format!(
        "{{\"tests\": {}, \"failures\": {failed}, \"testsuites\": [{{\"name\": \"C\", \"testsuite\": [{}]}}]}}\n",
        ends.len(),
        tests.join(", ")
    )
}

fn go_test(ends: &[End], around: Around) -> String {
    let line = |action: &str, test: &str| {
        let test = if test.is_empty() { String::new() } else { format!(r#","Test":"{test}""#) };
        format!("{{\"Action\":\"{action}\",\"Package\":\"p\"{test}}}\n")
    };
    let tests = each(ends, |index, end| {
        let name = format!("Test{index}");
        let action = end.word(["pass", "fail", "skip", ""]);
        line("run", &name) + &if action.is_empty() { String::new() } else { line(action, &name) }
    });
    let is_bad = ends.iter().any(|end| matches!(end, End::Failed | End::Never)) || around != Around::Nothing;
    line("start", "") + &tests + &line(if is_bad { "fail" } else { "pass" }, "")
}

fn tap(ends: &[End], around: Around) -> String {
    let last = ends.iter().position(|end| *end == End::Never).unwrap_or(ends.len());
    let tests = each(ends.get(..last).unwrap_or(ends), |index, end| {
        let (word, directive) =
            (end.word(["ok", "not ok", "ok", ""]), if end == End::Skipped { " # SKIP" } else { "" });
        format!("{word} {} - t{index}{directive}\n", index + 1)
    });
    // It has no place for what breaks around a test: such tests bail out, or run one more than they planned. That one comes first: cut off
    // before it at the end, nothing would be missing.
    let (more, bail) = match around {
        Around::Nothing => (String::new(), ""),
        Around::Broken => (String::new(), "Bail out! set-up\n"),
        Around::Uncounted => (format!("not ok {}\n", last + 1), ""),
    };
    format!("1..{}\n{more}{tests}{bail}", ends.len())
}

fn tap_inside(ends: &[End], around: Around) -> String {
    let inside: String = tap(ends, around).lines().map(|line| format!("    {line}\n")).collect();
    format!("1..1\n# Subtest: all\n{inside}ok 1 - all\n")
}
