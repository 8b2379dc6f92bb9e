package Jackfield::Session;

use 5.014;
use strict;
use warnings;

# A live dialogue with a device. The EP owns it, and it stays open for the following tests of the run until it is closed.

# Send a command, wait for the prompt; the answer is what stands between. Times in seconds.
sub command {
    my ($self, $command, $timeout) = @_;
    my %params = (session => $self->{name}, command => "$command", timeout_millis => Jackfield::_millis($timeout));
    return Jackfield::call('session_command', %params)->{output};
}

# Send text, and press enter unless told not to.
sub send {
    my ($self, $text, $enter) = @_;
    my $pressed = ($enter // 1) ? JSON::PP::true() : JSON::PP::false();
    Jackfield::call('session_send', session => $self->{name}, text => "$text", enter => $pressed);
    return;
}

# Wait until one of the patterns has come: a text with a regular expression, or { exact => text }.
# The answer: { index, before, match, groups }.
sub expect {
    my ($self, $patterns, $timeout) = @_;
    my $wanted = ref $patterns eq 'ARRAY' ? $patterns : [$patterns];
    my %params = (session => $self->{name}, patterns => $wanted, timeout_millis => Jackfield::_millis($timeout));
    return Jackfield::call('session_expect', %params);
}

# Close it for everyone.
sub close { Jackfield::call('session_close', session => $_[0]{name}); return }

sub name { return $_[0]{name} }

1;
