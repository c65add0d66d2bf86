//! Why the local system does not start, in words that say what to do.

/// The local system cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody else listens there.
    #[error("Port {0} is taken; end what uses it, or choose another with --port.")]
    PortTaken(u16),
    /// The port cannot be listened on.
    #[error("Port {0} cannot be listened on ({1}); choose another with --port.")]
    Port(u16, std::io::Error),
    /// The data folder cannot be written.
    #[error(
        "The folder {folder} cannot be written ({cause}); choose another with --data, or keep nothing with --ephemeral."
    )]
    Folder {
        /// The folder.
        folder: String,
        /// What the system says.
        #[source]
        cause: std::io::Error,
    },
    /// The disk has no space left; no data file is touched.
    #[error("The disk of {0} is full; free some space and start again. Your data is whole: leave its files there.")]
    Full(String),
    /// A data file cannot be read or written, for a reason that is not in the file.
    #[error("{file} cannot be used ({cause}); change that and start again, or choose another folder with --data.")]
    File {
        /// The file.
        file: String,
        /// The answer of the system.
        #[source]
        cause: std::io::Error,
    },
    /// A data file cannot be used; the sentence names it.
    #[error("{0}; move it away to begin anew, or choose another folder with --data.")]
    Data(String),
    /// Another process has the data open.
    #[error("{0}; end that process, or choose another folder with --data.")]
    InUse(String),
    /// An emulator does not do what it should.
    #[error("The local system does not come up: {0}")]
    Start(String),
}
