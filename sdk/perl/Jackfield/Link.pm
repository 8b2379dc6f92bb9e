package Jackfield::Link;

use 5.014;
use strict;
use warnings;

# One connection that has said hello: JSON-RPC 2.0, one object per line.
use IO::Socket::UNIX ();
use JSON::PP ();
use Socket ();

use Jackfield::Error;

my $json = JSON::PP->new->allow_nonref->canonical;

sub new {
    my ($class) = @_;
    my ($path, $token) = @ENV{qw(JACKFIELD_SOCKET JACKFIELD_TOKEN)};
    _lost('JACKFIELD_SOCKET and JACKFIELD_TOKEN are not set: '
            . 'this script was not started by an EP; start it with `jackfield run`')
        if !defined $path || !defined $token;
    my $socket = IO::Socket::UNIX->new(Type => Socket::SOCK_STREAM(), Peer => $path)
        or _lost("the EP does not answer at $path: $!; is it still running?");
    my $self = bless { socket => $socket, pid => $$, last_id => 0 }, $class;
    $self->{hello} = $self->request('hello', { token => $token });
    return $self;
}

sub request {
    my ($self, $method, $params) = @_;
    my $id = ++$self->{last_id};
    my $line = eval { $json->encode({ jsonrpc => '2.0', id => $id, method => $method, params => _characters($params) }) };
    die Jackfield::Error->new(code => 'bad_request', title => "the parameters of `$method` cannot be sent: $@")
        if !defined $line;
    utf8::encode($line);
    local $SIG{PIPE} = 'IGNORE';
    my $socket = $self->{socket};
    my $answer = eval {
        print {$socket} "$line\n" or die "$!\n";
        $socket->flush or die "$!\n";
        local $/ = "\n";
        my $read = readline($socket) // die "the EP closed the connection\n";
        utf8::decode($read);
        _bytes($json->decode($read));
    };
    if (!$answer || ref $answer ne 'HASH' || ($answer->{id} // '') ne $id) {
        my $why = $@ || 'an answer to another request came';
        $self->{lost} = 1;
        $why =~ s/\s+\z//;
        _lost("no answer to `$method`: $why");
    }
    return $answer->{result} if !$answer->{error};
    my ($error, $problem) = ($answer->{error}, $answer->{error}{data} // {});
    die Jackfield::Error->new(
        code  => $problem->{code}  // 'internal',
        title => $problem->{title} // $error->{message} // "`$method` was refused",
        field => $problem->{field},
    );
}

# Texts are UTF-8 bytes in a script without `use utf8`, and characters in one with it: both are taken.
sub _characters {
    my ($value) = @_;
    return { map { $_ => _characters($value->{$_}) } keys %$value } if ref $value eq 'HASH';
    return [ map { _characters($_) } @$value ]                     if ref $value eq 'ARRAY';
    return $value if !defined $value || ref $value || $value !~ /[^\x00-\x7f]/;
    my $text = "$value";
    utf8::decode($text) if !utf8::is_utf8($text);
    return $text;
}

# What is answered are bytes, as literals are without `use utf8`: they compare with those, and print as they are.
sub _bytes {
    my ($value) = @_;
    return { map { $_ => _bytes($value->{$_}) } keys %$value } if ref $value eq 'HASH';
    return [ map { _bytes($_) } @$value ]                     if ref $value eq 'ARRAY';
    utf8::encode($value) if defined $value && !ref $value && $value =~ /[^\x00-\x7f]/;
    return $value;
}

# Whether it can still be used, by this process.
sub is_good { my ($self) = @_; return !$self->{lost} && $self->{pid} == $$ }

sub hello { return $_[0]{hello} }

sub _lost { die Jackfield::Error->new(code => 'unreachable', title => $_[0]) }

1;
