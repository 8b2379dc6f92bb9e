package Jackfield;

=encoding utf8

=head1 NAME

Jackfield - the lab, its devices and the run, from inside a test in Perl

=head1 SYNOPSIS

    use Jackfield;

    my $router = Jackfield->session('/lab/router');
    test_fail('no route to 10.0.0.0/24') unless $router->command('show ip route') =~ m{10\.0\.0\.0/24};

Nothing is connected before the first call. A call that is refused dies with a C<Jackfield::Error> (C<code>, C<title>, C<field>), whose
text says what to do. Texts may be given as UTF-8 bytes or as characters; those answered are bytes. The camelCase names are Twister's:
they print the error instead, and return C<undef>.

=cut

use 5.014;
use strict;
use warnings;

our $VERSION = '0.1';

use Exporter 'import';
use Cwd ();
use File::Basename ();
use JSON::PP ();
use Time::HiRes ();

use Jackfield::Error;
use Jackfield::Link;
use Jackfield::Session;

my @SNAKE = qw(
    log_msg get_global set_global get_config get_resource set_resource rename_resource delete_resource get_sut need needs
    get_bind_id get_bind_name artifact capture_start capture_stop power cleanup variable part check mark step interact breakpoint
    textfsm exact ended timed_out secret
    test_fail test_abort test_timeout test_skip
);
my @CAMEL = qw(
    logMsg logMessage getGlobal setGlobal getConfig getResource setResource renameResource renResource deleteResource getSut
    getBindId getBindName setCustomFileInfo countProjectFiles currentFileIndex countSuiteFiles currentFSuiteIndex
    testFail testAbort testTimeout testSkip
    getBinding getResourceStatus allocResource reserveResource freeResource
);
our @EXPORT    = (@SNAKE, @CAMEL);
our @EXPORT_OK = qw(call context result);

use constant SKIPPED_STATUS => 77;

my $link;

# Ask the EP, and wait for the answer. Parameters that are undefined are left out.
sub call {
    my ($method, %params) = @_;
    delete @params{ grep { !defined $params{$_} } keys %params };
    return _link()->request($method, \%params);
}

# What the EP said about this test when the connection was made.
sub context {
    return _link()->hello;
}

sub _link {
    $link = Jackfield::Link->new if !$link || !$link->is_good;
    return $link;
}

# Declare the verdict of this test. The last word counts, and the test goes on.
sub result {
    my ($verdict, $reason, $crashed) = @_;
    call('result', verdict => "$verdict", reason => _text($reason), crashed => $crashed ? JSON::PP::true : undef);
    return;
}

# Add a line to a log of the run: logRunning, logDebug, logTest, logCli, or a name of the lab's own.
sub log_msg {
    my ($log, $text) = @_;
    call('log', log => "$log", text => "$text");
    return;
}

# Add a result inside this test; the time in seconds.
sub part {
    my ($name, $verdict, $reason, $elapsed) = @_;
    call('part', name => "$name", verdict => "$verdict", reason => _text($reason), elapsed_millis => _millis($elapsed));
    return;
}

# Run a piece of code as a named part of the test. What it dies of goes on.
sub step {
    my ($name, $code) = @_;
    mark($name);
    my $begun = Time::HiRes::time();
    my @value = eval { $code->() };
    my $error = $@;
    my $text  = _reason($error);
    part($name, $text eq '' ? 'PASS' : 'FAIL', $text, Time::HiRes::time() - $begun);
    die $error if $text ne '';
    return wantarray ? @value : $value[-1];
}

# Hold a value against limits, and keep both with the result: check('cpu load', $load, unit => '%', at_most => 80).
#
# Limits are the words of a step test: at_least, at_most, above, below, equals, not_equals, contains, not_contains, matches,
# not_matches, several of them or none; numbers may carry units. Where the value is not as it was to be the test ends with FAIL; with
# go_on => 1 it goes on, the answer is 0, and it is FAIL all the same.
sub check {
    my ($name, $value, %limits) = @_;
    my ($unit, $go_on) = delete @limits{qw(unit go_on)};
    my %words = map { $_ => defined $limits{$_} ? "$limits{$_}" : '' } keys %limits;
    my $found = call('check', name => "$name", value => defined $value ? "$value" : '', unit => _text($unit), limits => \%words);
    return 1 if $found->{verdict} eq 'PASS';
    _end('FAIL', $found->{reason}) if !$go_on;
    return 0;
}

# Put a mark into the recordings of this test's sessions; `step` does so by itself.
sub mark { call('mark', label => "$_[0]"); return }

# A table of any text by the text of a TextFSM template: a reference to a list of hashes.
sub textfsm {
    my ($template, $text) = @_;
    return call('textfsm', template => "$template", text => "$text")->{rows};
}

# Patterns for `expect` that are no regular expressions: a text as it stands, the end of the dialogue, the end of the time.
sub exact     { return { exact   => "$_[0]" } }
sub ended     { return { end     => JSON::PP::true() } }
sub timed_out { return { timeout => JSON::PP::true() } }

# Text for `send` that nobody is to read in a recording or a log: $r->send(secret($password)).
sub secret { return Jackfield::Secret->new("$_[0]") }

# Keep a value with this test: `$name` in the lab's SQL and mail.
sub variable {
    my ($name, $value) = @_;
    call('variable', name => "$name", value => "$value");
    return;
}

# Keep a file with this attempt.
sub artifact {
    my ($path, $name) = @_;
    my $full = Cwd::abs_path($path) // $path;
    call('artifact', name => $name // File::Basename::basename($full), path => $full);
    return;
}

# Switch the mains of a resource: on, off, cycle, status. Answers on, off or unknown.
sub power {
    my ($resource, $action) = @_;
    return call('power', resource => "$resource", action => "$action")->{state};
}

# Write the packets on an interface of the EP's machine into NAME.pcap, kept with this attempt, until capture_stop; answers with the name.
sub capture_start {
    my ($interface, $filter, $name) = @_;
    return call('capture_start', interface => "$interface", filter => $filter // '', name => $name)->{capture};
}

# Answers with a reference to { packets, dropped, bytes }.
sub capture_stop { return call('capture_stop', capture => "$_[0]") }

# Have the EP run a program (a reference to a list) after this test, however it ends; the time in seconds.
sub cleanup {
    my ($name, $command, $timeout) = @_;
    call('cleanup', name => "$name", command => [ map {"$_"} @$command ], timeout_millis => _millis($timeout));
    return;
}

# A global parameter, or a reference to a hash for a folder; undef where there is none.
sub get_global { return call('get_global', path => "$_[0]") }

# Set a global parameter for all tests.
sub set_global { call('set_global', path => "$_[0]", value => $_[1]); return 1 }

# A value of a test configuration, or a reference to a hash for a folder.
sub get_config { return call('get_config', config => "$_[0]", path => _text($_[1])) }

# A node of the test-bed tree, or one property of it: /tb1/dev2:port.
sub get_resource { return call('get_resource', query => "$_[0]") }

# Create or change a node; properties are a reference to a hash, or JSON. The answer: { id, created }.
sub set_resource {
    my ($name, $parent, $properties) = @_;
    return call('set_resource', name => "$name", parent => $parent // '/', properties => _properties($properties));
}

# Give a node or a property another name.
sub rename_resource { call('rename_resource', query => "$_[0]", name => "$_[1]"); return 1 }

# Delete a node with everything below it, or one property.
sub delete_resource { call('delete_resource', query => "$_[0]"); return 1 }

# The path of the resource that was given for what the project or the suite needs; of several, the first.
sub need { return (needs(@_))[0] }

# The paths of all of them.
sub needs {
    my ($name) = @_;
    my $given = context()->{needs} // {};
    return @{ $given->{$name} } if exists $given->{$name};
    my $there = join(', ', sort keys %$given) || 'nothing: write <Needs> into the project or the suite';
    die Jackfield::Error->new(
        code  => 'not_found',
        title => "no resource was given as `$name`; there is $there",
        field => 'name',
    );
}

# A component of a system under test, or one property of it.
sub get_sut { return call('get_sut', query => "$_[0]", follow_links => $_[1] ? JSON::PP::true : undef) }

# The id, or the path, of the SUT component that a component of a test configuration is bound to.
sub get_bind_id   { return call('get_bind_id',   component => "$_[0]", config => $_[1]) }
sub get_bind_name { return call('get_bind_name', component => "$_[0]", config => $_[1]) }

# Ask a person: message, input, decide, options (with options => [...]); default and timeout (seconds) as named arguments.
sub interact {
    my ($kind, $message, %more) = @_;
    my %wanted = (options => $more{options}, default => $more{default}, timeout_millis => _millis($more{timeout}));
    return call('interact', kind => "$kind", message => "$message", %wanted);
}

# Stop here, with what is given shown, until a person lets the test go on. Perl cannot list a caller's variables by itself.
sub breakpoint {
    my (%shown) = @_;
    my (undef, $file, $line) = caller;
    call('breakpoint', locals => join "\n", "$file:$line", map { "$_ = " . ($shown{$_} // 'undef') } sort keys %shown);
    return;
}

# Open a session with a resource of the lab, or join it if that name is open already:
# Jackfield->session('/lab/router', name => 'r1').
sub session {
    my ($class, $resource, %more) = @_;
    my %wanted = (connect => $more{connect}, name => $more{name}, timeout_millis => _millis($more{timeout}));
    my $opened = call('session_open', resource => $resource, %wanted);
    return bless { name => $opened->{session} }, 'Jackfield::Session';
}

# The names of the open sessions of this run on this EP.
sub sessions { return @{ call('session_list') } }

# End this test with a reason, whatever `eval` stands around it.
sub test_fail    { return _end('FAIL',    $_[0]) }
sub test_abort   { return _end('ABORTED', $_[0]) }
sub test_timeout { return _end('TIMEOUT', $_[0]) }
sub test_skip    { return _end('SKIPPED', $_[0]) }

# Declare the verdict, and leave.
sub _end {
    my ($verdict, $reason, $crashed) = @_;
    if (!eval { result($verdict, $reason, $crashed); 1 }) {
        # A test that died of an EP that is gone has said so.
        my $said = $reason // '';
        $said = "$@; $said" if index($said, "$@") < 0;
        print {*STDERR} "this test is $verdict, but the EP could not be told: $said\n";
    }
    exit($verdict eq 'PASS' ? 0 : $verdict eq 'SKIPPED' ? SKIPPED_STATUS : 1);
}

# A script ends with a reason: what it dies of outside any `eval` is declared at its end. While it is compiled, perl does not tell whether it is
# inside of one; a script that gets as far as to run has survived all that.
my ($died, $has_died);
my $owner = $$;
$SIG{__DIE__} = sub {
    # The first that nobody catches is the end: what its own text dies of comes after it.
    return if defined $^S ? $^S || $has_died : ${^GLOBAL_PHASE} ne 'START';
    ($died, $has_died) = ($_[0], 1);
};
{
    no warnings 'void';
    INIT { $has_died = 0 }
}
sub _has_died { return $has_died && $$ == $owner }

END {
    if (_has_died()) {
        eval { result('FAIL', 'crashed: ' . _reason($died), 1) };
        # Perl would take it from `$!`, whatever that happens to be.
        $? = 255;
    }
}

# Twister's names: print the error, and answer with undef.
my %twister = (
    logMsg             => \&log_msg,
    logMessage         => \&log_msg,
    getGlobal          => \&get_global,
    setGlobal          => \&set_global,
    getConfig          => \&get_config,
    getSut             => \&get_sut,
    getBindId          => \&get_bind_id,
    getBindName        => \&get_bind_name,
    getResource        => \&get_resource,
    renameResource     => \&rename_resource,
    renResource        => \&rename_resource,
    deleteResource     => \&delete_resource,
    setCustomFileInfo  => sub { variable(@_); 1 },
    setResource        => sub { my $done = set_resource(@_); $done->{created} ? $done->{id} : 1 },
    countProjectFiles  => sub { context()->{tests_total} },
    currentFileIndex   => sub { (split /\./, context()->{attempt})[1] },
    countSuiteFiles    => sub { context()->{suite_position}[1] },
    currentFSuiteIndex => sub { context()->{suite_position}[0] },
);
for my $name (keys %twister) {
    my $call = $twister{$name};
    no strict 'refs';
    *{$name} = sub {
        my $value = eval { $call->(@_) };
        print {*STDERR} "*ERROR* $name: $@\n" if $@;
        return $value;
    };
}
# Not there yet: they say so, and what to do instead.
my $reserve = 'a run has its resources for itself as its project says; name the SUT there';
my %absent = (
    getBinding => 'ask for one component at a time with `getBindId` or `getBindName`',
    map { $_ => $reserve } qw(getResourceStatus allocResource reserveResource freeResource),
);
for my $name (keys %absent) {
    my $instead = $absent{$name};
    no strict 'refs';
    *{$name} = sub {
        my $title = "`$name` of Twister is not there yet: $instead (docs/moving-from-twister.md)";
        die Jackfield::Error->new(code => 'unavailable', title => $title);
    };
}
*testFail    = \&test_fail;
*testAbort   = \&test_abort;
*testTimeout = \&test_timeout;
*testSkip    = \&test_skip;

sub _millis { return defined $_[0] ? int($_[0] * 1000 + 0.5) : undef }
sub _text   { return defined $_[0] && $_[0] ne '' ? "$_[0]" : undef }

sub _properties {
    my ($given) = @_;
    return {}     if !defined $given || (!ref $given && $given eq '');
    return $given if ref $given eq 'HASH';
    my $read = eval { JSON::PP->new->decode($given) };
    return $read if ref $read eq 'HASH';
    my $title = "properties are a reference to a hash, or JSON, not `$given`";
    die Jackfield::Error->new(code => 'bad_request', title => $title, field => 'properties');
}

# What was died of, without the place for people to read in a table; the place is in the log.
sub _reason {
    my ($error) = @_;
    return '' if !defined $error;
    my $text = eval { my $said = "$error"; $said };
    # An object need not have a text, or may refuse to give one.
    $text = ref($error) . ' without a text' if !defined $text || ($text !~ /\S/ && ref $error);
    $text =~ s/\s+\z//;
    return $text;
}

1;
