//! The crate as others use it: whole files and whole labs in, plans and problems out.

#[cfg(test)]
mod it {
    mod carry;
    mod change;
    mod circles;
    mod config_change;
    mod conformance;
    mod edit;
    mod expand;
    mod lab;
    mod limits;
    mod mutation;
    mod params_edit;
    mod rooms;
    mod texts;
}
