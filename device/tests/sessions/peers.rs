//! The system's own servers: OpenSSH and inetutils' telnetd, each with its folder and its port.
