# Run one test by hand: `perl run.pl FILE [ARGUMENT …]`. The EP says `perl -MJackfield::Script FILE` itself, with one start of Perl less.
use 5.014;
use strict;
use warnings;

use Cwd ();
use File::Basename ();

if (!@ARGV) {
    print {*STDERR} "usage: run.pl FILE [ARGUMENT ...]\n";
    exit 2;
}
my $folder = File::Basename::dirname(Cwd::abs_path(__FILE__));
if (!-r $ARGV[0]) {
    unshift @INC, $folder;
    require Jackfield;
    Jackfield::_end('INVALID', "the test cannot be read: $!");
}
exec {$^X} $^X, "-I$folder", '-MJackfield::Script', @ARGV or die "$^X: $!\n";
