//! See `jackfield_device::invariants::clean`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| jackfield_device::invariants::clean(bytes));
