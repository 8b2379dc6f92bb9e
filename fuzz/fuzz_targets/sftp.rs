//! See `jackfield_device::invariants::sftp`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| jackfield_device::invariants::sftp(bytes));
