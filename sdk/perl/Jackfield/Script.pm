package Jackfield::Script;

# Makes a plain Perl script a test: `perl -MJackfield::Script FILE`, which is how the EP runs one.
#
# Perl itself runs the file, so that `__END__` and `DATA`, `unless caller`, `$0` and the switches of its first line mean what they always mean.
# The script finds Twister's functions and variables in package main. Its result is `$_RESULT` (with `$_REASON`), if it sets that, or its
# exit status; what it dies of is FAIL with the message as the reason.
use 5.014;
use strict;
use warnings;

use JSON::PP ();
use Jackfield ();

$| = 1;

our ($result, $reason);

# A process that the script forked does not speak for the test.
my $owner = $$;

# Assigned from another package, so that a script under `use strict` may use them without declaring them.
sub inject {
    my %env = map { $_ => $ENV{"JACKFIELD_$_"} // '' } qw(USER EP SUT SUITE_ID SUITE_NAME TEST_ID TEST_NAME CONFIG ITERATION PROPERTIES);
    my ($component, $name, $value) = $env{ITERATION} =~ /\A[^#=]*#(?:([^#=]*)#)?([^#=]*)=(.*?)(?:, |\z)/;
    my %names = (
        (map { $_ => $env{$_} } qw(USER EP SUT SUITE_ID SUITE_NAME ITERATION)),
        FILE_ID => $env{TEST_ID}, FILE_NAME => $env{TEST_NAME},
        FIRST_ITERATOR_COMP => $component // '', FIRST_ITERATOR_NAME => $name // '', FIRST_ITERATOR_VAL => $value // '',
    );
    no strict 'refs';
    *{"main::$_"} = \(my $copy = $names{$_}) for keys %names;
    *{'main::PROPERTIES'} = JSON::PP->new->utf8->decode($env{PROPERTIES} || '{}');
    *{'main::CONFIG'}     = [ split /;/, $env{CONFIG} ];
    *{'main::_RESULT'}    = \$result;
    *{'main::_REASON'}    = \$reason;
}

my %words = (
    0 => 'PASS', 2 => 'PASS', 3 => 'FAIL', 4 => 'SKIPPED', 5 => 'ABORTED', 6 => 'NOT_EXECUTED', 7 => 'TIMEOUT', 8 => 'INVALID',
    PASS => 'PASS', PASSED => 'PASS', FAIL => 'FAIL', FAILED => 'FAIL', SKIP => 'SKIPPED', SKIPPED => 'SKIPPED', ABORT => 'ABORTED',
    ABORTED => 'ABORTED', NOT_EXEC => 'NOT_EXECUTED', NO_EXEC => 'NOT_EXECUTED', NOT_EXECUTED => 'NOT_EXECUTED', TIMEOUT => 'TIMEOUT',
    INVALID => 'INVALID',
);

# The verdict that a script's result stands for, and a reason where it needs one. Anything that is no verdict is FAIL.
sub verdict {
    my ($value) = @_;
    if (ref $value eq 'ARRAY' && @$value == 2) {
        my ($word, $why) = verdict($value->[0]);
        return ($word, $value->[1] // $why);
    }
    my $text = Jackfield::_reason($value);
    my $word = uc $text;
    $word =~ s/\A\s+|\s+\z//g;
    $word =~ tr/- /__/;
    return ($words{$word}, undef) if exists $words{$word};
    my $shown = substr $text, 0, 80;
    return ('FAIL', "the script's result `$shown` is no verdict: PASS, FAIL, SKIPPED, ABORTED, NOT_EXECUTED, TIMEOUT or INVALID");
}

# `exit` in the script, or its end: what it left in `$_RESULT` counts, unless the exit status says something worse.
END {
    if (defined $result && $$ == $owner && !Jackfield::_has_died()) {
        my $status = $?;
        my ($word, $why) = verdict($result);
        if ($status == 0 || $word ne 'PASS') {
            my $said = defined $reason ? Jackfield::_reason($reason) : $why;
            if (($word ne 'PASS' || defined $said) && !eval { Jackfield::result($word, $said); 1 }) {
                print {*STDERR} "this test is $word, but the EP could not be told: $@\n";
            }
            $status ||= $word eq 'PASS' ? 0 : $word eq 'SKIPPED' ? Jackfield::SKIPPED_STATUS : 1;
        }
        $? = $status;
    }
}

package main;

Jackfield->import;
Jackfield::Script::inject();

1;
