//! A lab in a box.
