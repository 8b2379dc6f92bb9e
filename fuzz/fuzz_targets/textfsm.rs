//! See `jackfield_device::invariants::textfsm`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| jackfield_device::invariants::textfsm(bytes));
