use strict;
use warnings;

sub told {
    my ($code) = @_;
    die "nothing went wrong\n" if eval { $code->(); 1 };
    print "$@\n";
}

told(sub { Jackfield->session('/lab/ruoter') });
told(sub { get_resource('/lab/router:prot') });
told(sub { Jackfield->session('/lab/router', name => 'x')->close; bless({ name => 'unheard' }, 'Jackfield::Session')->command('show version') });
my $router = Jackfield->session('/lab/router');
told(sub { $router->expect('never', 0.5) });
told(sub { $router->expect('(', 0.5) });
told(sub { $router->command('debug hang', 1) });
$router->close;
$router = Jackfield->session('/lab/router');
told(sub { $router->command('debug drop') });
told(sub { $router->command('show version') });
told(sub { $router->level('root') });
told(sub { $router->execute('uname') });
told(sub { $router->put('nothing.txt', 'flash:') });
told(sub { power('/lab/router', 'on') });
told(sub { interact('guess', 'what?') });
told(sub { get_config('nothing') });
told(sub { textfsm('Value', 'x') });
$router->close;
