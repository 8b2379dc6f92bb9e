//! Every limit on what a person may write, in one place. What goes beyond is refused with a position and a remedy.

/// Largest project file. A hundred thousand tests in Twister's own layout take about 50 MB.
pub const PROJECT_BYTES_MAX: u64 = 64 * MIB;
/// Test files of a lab that are listed for who chooses some of them.
pub const TEST_FILES_MAX: usize = 100_000;
/// Files of predefined suites of a lab that are listed; of more the first.
pub const SUITES_MAX: usize = 2_000;
/// Test configurations of a lab that are listed; of more the first.
pub const TEST_CONFIGS_MAX: usize = 10_000;
/// Largest other XML, JSON, INI or TOML file.
pub const FILE_BYTES_MAX: u64 = 16 * MIB;
/// Elements in one XML file.
pub const XML_ELEMENTS_MAX: usize = 2_500_000;
/// Elements inside elements; far more than any lab nests, far less than a stack holds.
pub const XML_DEPTH_MAX: usize = 96;
/// Attributes of one element.
pub const XML_ATTRIBUTES_MAX: usize = 256;
/// Test configurations that one suite or test names.
pub const CONFIGS_MAX: usize = 200;
/// Lines of an INI file.
pub const INI_LINES_MAX: usize = 20_000;
/// Problems told about one file; the rest are counted.
pub const PROBLEMS_MAX: usize = 500;
/// Tests of one run, after repeats, SUTs, EPs and iterators have multiplied them.
pub const RUN_TESTS_MAX: u64 = 1_000_000;
/// Suites of one run, after the same.
pub const RUN_SUITES_MAX: u64 = 1_000_000;
/// Pairs of a test and a test it waits for, after the same.
pub const RUN_DEPENDENCIES_MAX: usize = 5_000_000;
/// Values of one iterator.
pub const ITERATOR_VALUES_MAX: usize = 100_000;
/// The same, with each value counted as often as it is written.
pub const ITERATOR_VALUES_WRITTEN_MAX: usize = 1_000_000;
/// Values of all iterators of one test configuration.
pub const CONFIG_VALUES_MAX: usize = 1_000_000;
/// Longest time limit a file may set: a year.
pub const TIMEOUT_MILLIS_MAX: u64 = 366 * 24 * 3600 * 1000;

const MIB: u64 = 1024 * 1024;
/// Bytes of a profile of a device.
pub const PROFILE_BYTES_MAX: u64 = 256 * 1024;
/// Profiles of a lab that a run takes with it; further ones are left out.
pub const PROFILES_MAX: usize = 200;
/// Bytes of one TextFSM template, or of their index.
pub const TEMPLATE_BYTES_MAX: u64 = 1024 * 1024;
/// Bytes of all templates of a lab; those beyond are left out, and told of.
pub const TEMPLATES_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Templates of a lab; those beyond are left out, and told of.
pub const TEMPLATES_MAX: usize = 5_000;

/// Files that come along with the tests of one folder; where there are more, only those right beside them do, or none.
pub const BESIDE_FILES_MAX: usize = 2_000;
/// Their bytes, likewise.
pub const BESIDE_BYTES_MAX: u64 = 64 << 20;
/// One of them; a larger one is left out and told.
pub const BESIDE_FILE_BYTES_MAX: u64 = 16 << 20;
/// Files that come along with all tests of a run.
pub const BESIDE_RUN_FILES_MAX: usize = 20_000;
/// Of a test that is larger, the text is not looked through for files that it names.
pub const REFERENCES_BYTES_MAX: u64 = 1 << 20;
