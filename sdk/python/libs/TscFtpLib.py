"""Twister's calls for one FTP connection, on Python's own `ftplib`. A call that the server refuses raises `ftplib.error_perm`.

    ftp_open("10.0.0.1", 21)
    ftp_login("admin", "secret")
    print(ftp_size("image.bin"))
    ftp_quit()

Files themselves are moved by `FTP`, the connection: `FTP.storbinary("STOR image.bin", file)`, `FTP.retrbinary("RETR image.bin", file.write)`.
"""

import ftplib

__all__ = [
    "FTP", "ftp_open", "ftp_login", "ftp_dir", "ftp_close", "ftp_quit", "ftp_delete", "ftp_cwd", "ftp_mkd", "ftp_pwd", "ftp_rmd", "ftp_size",
]  # fmt: skip

# A server that is not there must not hold a test for as long as the system would wait.
TIMEOUT_SECONDS = 60

FTP = ftplib.FTP(timeout=TIMEOUT_SECONDS)


def ftp_open(host, port=ftplib.FTP_PORT):
    """Connect; the answer is the server's greeting."""
    return FTP.connect(host, int(port))


def ftp_login(user="", passwd=""):
    """Log in; without a user as `anonymous`."""
    return FTP.login(user, passwd)


def ftp_dir():
    """Print what the folder holds."""
    return FTP.dir()


def ftp_cwd(pathname):
    """Go to a folder."""
    return FTP.cwd(pathname)


def ftp_pwd():
    """The folder at hand."""
    return FTP.pwd()


def ftp_mkd(pathname):
    """Make a folder; the answer is its path."""
    return FTP.mkd(pathname)


def ftp_rmd(dirname):
    """Remove a folder."""
    return FTP.rmd(dirname)


def ftp_size(filename):
    """How many bytes a file has. Servers count those of the mode at hand, and many only in binary mode: it is taken here."""
    FTP.voidcmd("TYPE I")
    return FTP.size(filename)


def ftp_delete(filename):
    """Delete a file."""
    return FTP.delete(filename)


def ftp_quit():
    """Say good-bye, and close the connection."""
    return FTP.quit()


def ftp_close():
    """Close the connection without a word."""
    return FTP.close()
