# <title>Serial number and version are kept with the result</title>
use strict;
use warnings;

my $router = Jackfield->session('/lab/router');
my $text   = $router->command('show version');

my ($serial)  = $text =~ /Serial number: (\S+)/ or test_fail('the router does not tell its serial number');
my ($version) = $text =~ /version ([\d.]+)/     or test_fail('the router does not tell its version');

variable('serial',  $serial);
variable('version', $version);
logMsg('logTest', "$EP found $serial with version $version");

open my $file, '>', 'inventory.txt' or die "inventory.txt: $!";
print {$file} "$serial $version\n";
close $file or die "inventory.txt: $!";
artifact('inventory.txt');
