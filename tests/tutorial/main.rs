//! Pages of the book, tried as they stand: every command is typed in order, every file is written, and what a page shows is
//! compared with what is seen, on a machine with nothing on it but what the page asks for.
//!
//! What cannot be tried says so in the page, with a reason; how much that is is told.

#[cfg(test)]
mod bare;
#[cfg(test)]
mod page;
#[cfg(test)]
mod reader;
#[cfg(test)]
mod terminal;

#[cfg(test)]
mod tests {
    use crate::{reader::Reader, terminal::Machine};

    #[test]
    fn the_readme_does_what_it_says() {
        let machine = Machine::start(None).unwrap();
        let mut reader = Reader::new(&machine);
        reader.follow("README.md");
        assert!(reader.commands >= 15, "only {} commands were typed", reader.commands);
    }

    #[test]
    fn the_first_hour_does_what_it_says() {
        let machine = Machine::start(None).unwrap();
        let mut reader = Reader::new(&machine);
        reader.follow("docs/first-hour.md");
        assert!(reader.commands >= 15, "only {} commands were typed", reader.commands);
    }

    /// These go on from the first hour: its lab, its EP, its router.
    #[test]
    fn what_follows_the_first_hour_is_as_the_book_shows() {
        let machine = Machine::start(None).unwrap();
        let mut reader = Reader::new(&machine);
        let pages = ["first-hour", "writing-tests", "reports", "lab-files", "operating"];
        for page in pages {
            reader.follow(&format!("docs/{page}.md"));
        }
    }
}
