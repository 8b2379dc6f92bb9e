"""Twister's base class for libraries: its calls as methods, and what the test at hand is as properties."""

from jackfield import injected, twister

__all__ = ["TscCommonLib"]


class TscCommonLib(object):
    """To be used as it is, or as the base of a library's own class."""

    @property
    def sutName(self):
        """The SUT of this suite."""
        return injected.names()["SUT"]

    SUT = sutName

    @property
    def SUITE_ID(self):
        """The id of this suite."""
        return injected.names()["SUITE_ID"]

    @property
    def SUITE_NAME(self):
        """The name of this suite."""
        return injected.names()["SUITE_NAME"]

    @property
    def FILE_ID(self):
        """The id of this test."""
        return injected.names()["FILE_ID"]

    @property
    def FILE_NAME(self):
        """The file name of this test."""
        return injected.names()["FILE_NAME"]

    @property
    def userName(self):
        """Who runs it."""
        return injected.names()["USER"]

    @property
    def epName(self):
        """Which EP runs it."""
        return injected.names()["EP"]

    @property
    def ce_proxy(self):
        """What is left of the raw connection to the server."""
        return twister.NAMES["PROXY"]


def _add_calls():
    for name, call in twister.NAMES.items():
        if callable(call) and name not in ("PROXY", "step"):
            setattr(TscCommonLib, name, staticmethod(call))


_add_calls()
