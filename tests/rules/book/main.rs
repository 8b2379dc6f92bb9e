//! The book says what is: its pages are all reachable, its links lead somewhere, its files can be read, its commands exist.

#[cfg(test)]
mod address;
#[cfg(test)]
mod command;
#[cfg(test)]
mod file;
#[cfg(test)]
mod link;
#[cfg(test)]
mod page;
#[cfg(test)]
mod wire;
