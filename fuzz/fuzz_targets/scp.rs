//! See `jackfield_device::invariants::scp`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| jackfield_device::invariants::scp(bytes));
