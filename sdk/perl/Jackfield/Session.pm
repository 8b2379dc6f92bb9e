package Jackfield::Secret;

use 5.014;
use strict;
use warnings;
use overload '""' => sub {'********'}, fallback => 1;

# Text that nobody is to read: whoever prints it sees stars.
sub new { my ($class, $text) = @_; return bless {text => $text}, $class }

# The text itself.
sub reveal { return $_[0]{text} }

package Jackfield::Session;

use 5.014;
use strict;
use warnings;
use File::Spec;

# A live dialogue with a device. The EP owns it, and it stays open for the following tests of the run until it is closed.

# Send a command, wait for the prompt; the answer is what stands between. Times in seconds. Also: answers => [['confirm', ''], ['[Pp]assword',
# secret($word)]], pairs of a pattern for a question that the command may ask and its answer (a third value 0: no enter behind it); check => 0:
# a line that the device refuses is fine; keep_unasked => 1: lines that look as if they had come unasked stay.
sub command {
    my ($self, $command, $timeout, %more) = @_;
    my %params = (session => $self->{name}, command => "$command", timeout_millis => Jackfield::_millis($timeout));
    return Jackfield::call('session_command', %params, _given('command', \%more, 0))->{output};
}

# Send a command whose answer goes into a file as it comes, however large it is; the answer is the size of the file. It appears when the answer
# is whole, or when the session breaks: then its last line says why. Also: timeout, answers, check, keep_unasked, artifact => 1: kept with the test.
sub command_to_file {
    my ($self, $command, $path, %more) = @_;
    my %params = (session => $self->{name}, command => "$command", path => File::Spec->rel2abs($path));
    my $timeout = Jackfield::_millis(delete $more{timeout});
    return Jackfield::call('session_command_to_file', %params, timeout_millis => $timeout, _given('command_to_file', \%more, 1))->{bytes};
}

# How a command is given, as it goes over the wire.
sub _given {
    my ($call, $more, $may_keep) = @_;
    my @flags = ('check', 'keep_unasked', $may_keep ? 'artifact' : ());
    my %left = %$more;
    my %given = map { exists $left{$_} ? ($_ => delete $left{$_} ? JSON::PP::true() : JSON::PP::false()) : () } @flags;
    my $answers = delete $left{answers} // [];
    die "$call has no ", join(', ', sort keys %left), '; it has answers, ', join(', ', @flags), "\n" if %left;
    $given{answers} = [map { _answer($_) } @$answers];
    return %given;
}

sub _answer {
    my ($one) = @_;
    die "an answer is a pair of a pattern and a text: ['confirm', 'y']\n" if ref $one ne 'ARRAY' || @$one < 2 || @$one > 3;
    my ($asks, $answer, $enter) = @$one;
    my $secret = ref $answer && $answer->isa('Jackfield::Secret');
    my %flags = (enter => ($enter // 1) ? JSON::PP::true() : JSON::PP::false(), secret => $secret ? JSON::PP::true() : JSON::PP::false());
    return {asks => "$asks", answer => $secret ? $answer->reveal : "$answer", %flags};
}

# What the device has said without being asked since this was asked last: log lines, answers that came too late.
sub unasked { return Jackfield::call('session_unasked', session => $_[0]{name})->{text} }

# Send a command, and make a table of its answer by the text of a TextFSM template: a list of hashes. check => 0 as in command.
sub rows {
    my ($self, $command, $template, $timeout, %more) = @_;
    my %params = (session => $self->{name}, command => "$command", template => "$template");
    $params{check} = JSON::PP::false() if !($more{check} // 1);
    return Jackfield::call('session_rows', %params, timeout_millis => Jackfield::_millis($timeout))->{rows};
}

# Apply lines of configuration; dies with the first that the device refuses.
sub config {
    my ($self, $lines, $timeout) = @_;
    my $wanted = ref $lines eq 'ARRAY' ? $lines : [split /\n/, $lines];
    my %params = (session => $self->{name}, lines => $wanted, timeout_millis => Jackfield::_millis($timeout));
    return Jackfield::call('session_config', %params)->{output};
}

# Go to a privilege level of the device's profile, up or down.
sub level {
    my ($self, $level, $timeout) = @_;
    Jackfield::call('session_level', session => $self->{name}, level => "$level", timeout_millis => Jackfield::_millis($timeout));
    return;
}

# Start the device anew, and log in when it is back.
sub reboot {
    my ($self, $timeout) = @_;
    Jackfield::call('session_reboot', session => $self->{name}, timeout_millis => Jackfield::_millis($timeout));
    return;
}

# Send text, and press enter unless told not to. What must stay secret is sent as secret($text).
sub send {
    my ($self, $text, $enter) = @_;
    my %params = (session => $self->{name}, enter => ($enter // 1) ? JSON::PP::true() : JSON::PP::false());
    if (ref $text && $text->isa('Jackfield::Secret')) {
        Jackfield::call('session_send', %params, text => $text->reveal, secret => JSON::PP::true());
    }
    else {
        Jackfield::call('session_send', %params, text => "$text");
    }
    return;
}

# Wait until one of the patterns has come: a text with a regular expression, exact($text), ended() or timed_out().
# The answer: { index, before, match, groups }.
sub expect {
    my ($self, $patterns, $timeout) = @_;
    my $wanted = ref $patterns eq 'ARRAY' ? $patterns : [$patterns];
    my %params = (session => $self->{name}, patterns => $wanted, timeout_millis => Jackfield::_millis($timeout));
    return Jackfield::call('session_expect', %params);
}

# What a full-screen program shows, once it has been quiet for a moment: { lines, text, cursor, rows, columns, highlighted }. The first call
# turns the screen on; a size that is given is told to the device: screen(rows => 50, columns => 132).
sub screen {
    my ($self, %more) = @_;
    my %size = map { $_ => defined $more{$_} ? $more{$_} + 0 : undef } qw(rows columns);
    return Jackfield::call('session_screen', session => $self->{name}, %size, quiet_millis => Jackfield::_millis($more{quiet}));
}

# Wait until one of the patterns stands on the screen, or, with gone => 1, until none does: { index, match, groups, screen }.
sub wait_screen {
    my ($self, $patterns, %more) = @_;
    my $wanted = ref $patterns eq 'ARRAY' ? $patterns : [$patterns];
    my %params = (session => $self->{name}, patterns => $wanted, gone => $more{gone} ? JSON::PP::true() : undef);
    return Jackfield::call('session_screen_wait', %params, timeout_millis => Jackfield::_millis($more{timeout}));
}

# Press keys by their names: press('up', 'F5', 'ctrl-c', 'tab', 'page-down', 'x').
sub press {
    my ($self, @keys) = @_;
    Jackfield::call('session_press', session => $self->{name}, keys => [ map {"$_"} @keys ]);
    return;
}

# Run a command beside the dialogue, without a terminal (SSH). The answer: { output, error, status, signal, cut }.
sub execute {
    my ($self, $command, $timeout) = @_;
    my %params = (session => $self->{name}, command => "$command", timeout_millis => Jackfield::_millis($timeout));
    return Jackfield::call('session_execute', %params);
}

# Copy a file to the device (SSH), by SFTP or else by SCP; the answer is its size. A remote name that ends with / is a folder.
sub put { my ($self, $local, $remote, %more) = @_; return $self->_move('session_put', $local, $remote, %more) }

# Copy a file of the device here; the answer is its size.
sub get { my ($self, $remote, $local, %more) = @_; return $self->_move('session_get', $local, $remote, %more) }

sub _move {
    my ($self, $method, $local, $remote, %more) = @_;
    my %params = (session => $self->{name}, local => File::Spec->rel2abs($local), remote => "$remote");
    my %limits = (way => $more{way} // 'auto', timeout_millis => Jackfield::_millis($more{timeout}));
    return Jackfield::call($method, %params, %limits)->{bytes};
}

# Set the serial line under the session: set_line(speed => 115200, framing => '8N1', flow => 'none', dtr => 1, rts => 0), any of them.
sub set_line {
    my ($self, %line) = @_;
    $line{speed} += 0 if defined $line{speed};
    for my $name (grep { defined $line{$_} } qw(dtr rts)) {
        $line{$name} = $line{$name} ? JSON::PP::true() : JSON::PP::false();
    }
    Jackfield::call('session_line', session => $self->{name}, %line);
    return;
}

# The modem lines under the session as the other end has them: a hash of cts, dsr, ri and cd.
sub modem_lines {
    my ($self) = @_;
    my $lines = Jackfield::call('session_modem', session => $self->{name});
    return {map { $_ => $lines->{$_} ? 1 : 0 } keys %$lines};
}

# Wait until the device has held the serial line down, which is a break; one that came and was not told counts.
sub wait_break {
    my ($self, $timeout) = @_;
    Jackfield::call('session_wait_break', session => $self->{name}, timeout_millis => Jackfield::_millis($timeout));
    return;
}

# Hold the serial line down for some seconds; over telnet its own break.
sub send_break {
    my ($self, $seconds) = @_;
    Jackfield::call('session_break', session => $self->{name}, millis => Jackfield::_millis($seconds // 0.25));
    return;
}

# Close it for everyone.
sub close { Jackfield::call('session_close', session => $_[0]{name}); return }

sub name { return $_[0]{name} }

1;
