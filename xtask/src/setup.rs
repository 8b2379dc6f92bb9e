//! What a bare Debian 12 machine needs besides Rust: the real devices and tools that the tests drive.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, bail};

use crate::{
    command::{self, root, succeeds},
    guest,
};

/// What the build itself needs besides Rust and a C compiler: OpenSSL's static libraries, for libssh2.
const BUILD_PACKAGES: [(&str, &str); 1] = [("libssl-dev", "/usr/include/openssl/ssl.h")];

/// Debian packages, each with the command or file that shows it is there.
const PACKAGES: [(&str, &str); 38] = [
    ("frr", "/usr/lib/frr/zebra"),
    ("openvswitch-switch", "/usr/sbin/ovs-vswitchd"),
    ("osmo-hlr", "/usr/bin/osmo-hlr"),
    ("iputils-ping", "/usr/bin/ping"),
    ("openssh-server", "/usr/sbin/sshd"),
    ("openssh-client", "/usr/bin/ssh"),
    ("inetutils-telnetd", "/usr/sbin/telnetd"),
    ("inetutils-telnet", "/usr/bin/inetutils-telnet"),
    ("socat", "/usr/bin/socat"),
    ("ser2net", "/usr/sbin/ser2net"),
    ("iproute2", "/usr/bin/ip"),
    ("tcpdump", "/usr/bin/tcpdump"),
    ("snmp", "/usr/bin/snmpset"),
    ("faketime", "/usr/bin/faketime"),
    ("snmpd", "/usr/sbin/snmpd"),
    ("procps", "/usr/bin/ps"),
    ("less", "/usr/bin/less"),
    ("busybox", "/usr/bin/busybox"),
    ("vim-tiny", "/usr/bin/vi"),
    ("whiptail", "/usr/bin/whiptail"),
    ("tcl", "/usr/bin/tclsh"),
    ("expect", "/usr/bin/expect"),
    ("perl", "/usr/bin/perl"),
    ("default-jdk-headless", "/usr/bin/javac"),
    ("junit4", "/usr/share/java/junit4.jar"),
    ("junit5", "/usr/share/java/junit-jupiter-engine.jar"),
    ("python3-venv", "/usr/bin/python3"),
    ("python3-pytest", "/usr/lib/python3/dist-packages/pytest"),
    ("python3-pyftpdlib", "/usr/lib/python3/dist-packages/pyftpdlib"),
    ("python3-icalendar", "/usr/lib/python3/dist-packages/icalendar"),
    ("python3-aiosmtpd", "/usr/lib/python3/dist-packages/aiosmtpd"),
    ("python3-junitparser", "/usr/lib/python3/dist-packages/junitparser"),
    ("postgresql", "/usr/lib/postgresql"),
    ("mariadb-server", "/usr/sbin/mariadbd"),
    ("qemu-system-x86", "/usr/bin/qemu-system-x86_64"),
    ("u-boot-qemu", "/usr/lib/u-boot/qemu-x86/u-boot.rom"),
    ("cpio", "/usr/bin/cpio"),
    ("chromium", "/usr/bin/chromium"),
];

/// Python packages that Debian 12 does not have, in an environment of the project's own.
const PYTHON_PACKAGES: [&str; 1] = ["robotframework==7.3.2"];

/// What the measures compare with, each with what shows that it is there.
const BENCH_PACKAGES: [(&str, &str); 2] = [("cmake", "/usr/bin/ctest"), ("bats", "/usr/bin/bats")];
const BENCH_PYTHON_PACKAGES: [&str; 6] = [
    "avocado-framework==113.0",
    "labgrid==26.0.1",
    "netmiko==4.8.0",
    "paramiko==5.1.0",
    "pexpect==4.9.0",
    "scrapli==2025.1.30",
];

/// Installs what the build needs; quick when it is there.
pub(crate) fn run_for_build() -> Result<()> {
    let missing = missing(&BUILD_PACKAGES);
    if missing.is_empty() { Ok(()) } else { install(&missing) }
}

/// Installs whatever is missing; quick when nothing is.
pub(crate) fn run_quietly_if_complete() -> Result<()> {
    run_for_build()?;
    let complete = missing(&PACKAGES).is_empty() && python_environment_is_complete() && guest::is_complete();
    if complete { Ok(()) } else { self::run() }
}

/// Installs whatever is missing.
pub(crate) fn run() -> Result<()> {
    run_for_build()?;
    let missing = missing(&PACKAGES);
    if missing.is_empty() {
        eprintln!("setup: every Debian package is there");
    } else {
        install(&missing)?;
    }
    if !python_environment_is_complete() {
        make_python_environment()?;
    }
    if !guest::is_complete() {
        if missing.is_empty() {
            update()?;
        }
        guest::fetch()?;
    }
    eprintln!("setup: done");
    Ok(())
}

/// Installs the runners and clients that the measures compare with. nextest comes with `cargo install --locked cargo-nextest`.
pub(crate) fn run_for_bench() -> Result<()> {
    let missing = missing(&BENCH_PACKAGES);
    if !missing.is_empty() {
        install(&missing)?;
    }
    // Quick when every one of them is there.
    let pip = python_environment().join("bin/pip");
    command::run(Command::new(pip).args(["install", "--quiet"]).args(BENCH_PYTHON_PACKAGES))
        .context("installing runners and clients to compare with")?;
    eprintln!("setup: the measures have whom to compare with");
    Ok(())
}

fn missing(packages: &[(&'static str, &str)]) -> Vec<&'static str> {
    packages.iter().filter(|(_, shows)| fs::metadata(shows).is_err()).map(|(package, _)| *package).collect()
}

fn install(packages: &[&str]) -> Result<()> {
    if !succeeds(Command::new("apt-get").arg("--version")) {
        bail!("this is no Debian machine; install by hand what answers to: {}", packages.join(", "));
    }
    update()?;
    let mut install = as_root();
    install.args([
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "install",
        "-y",
        "-qq",
        "--no-install-recommends",
    ]);
    command::run(install.args(packages)).context("installing Debian packages")
}

fn update() -> Result<()> {
    command::run(as_root().args(["apt-get", "update", "-qq"]))
}

/// `env`, or `sudo env` for those who are not root.
fn as_root() -> Command {
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    Command::new(if is_root { "env" } else { "sudo" })
}

/// Where Python packages of the tests live; below the target folder, so that `cargo clean` takes them too.
fn python_environment() -> std::path::PathBuf {
    root().join("target/python")
}

fn python_environment_is_complete() -> bool {
    succeeds(Command::new(python_environment().join("bin/robot")).arg("--version"))
        || robot_version_exits_251(&python_environment())
}

/// `robot --version` ends with 251, its code for help and version.
fn robot_version_exits_251(environment: &Path) -> bool {
    Command::new(environment.join("bin/robot"))
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.code() == Some(251))
}

fn make_python_environment() -> Result<()> {
    let folder = python_environment();
    command::run(
        Command::new("/usr/bin/python3").args(["-m", "venv", "--system-site-packages"]).arg(&folder),
    )?;
    command::run(Command::new(folder.join("bin/pip")).args(["install", "--quiet"]).args(PYTHON_PACKAGES))
        .context("installing Python packages")
}
