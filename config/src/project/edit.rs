//! Changes to a project file: only what is edited changes in the text.
