use strict;
use warnings;
use Jackfield qw(:DEFAULT context result);
use JSON::PP ();

my $folder   = '@FOLDER@/pl';
my $template = <<'END_OF_TEMPLATE';
Value NAME (\S+)
Value STATE (up|down)

Start
  ^${NAME}\s.*\s${STATE}\s*$$ -> Record
END_OF_TEMPLATE

sub is {
    my ($value, $expected) = @_;
    test_fail("`$value` is not `$expected`") if $value ne $expected;
}

sub refused {
    my ($code, @words) = @_;
    test_fail("it was not refused: @words") if eval { $code->(); 1 };
    for my $word (@words) { test_fail("no `$word` in: $@") if index("$@", $word) < 0 }
}

# The test itself
is(context()->{ep}, 'EP-1');
log_msg('logTest', 'hello from Perl');
part('login', 'PASS', undef, 0.5);
step('figures', sub {
    is(check('cpu load', 12.5, unit => '%', at_most => 80), 1);
    is(check('delay', '12 ms', below => '10 ms', go_on => 1), 0);
    check('build', '10.2.1');
    refused(sub { check('cpu load', 1, maximum => 80) }, '`maximum` is no limit', 'at_most');
});
mark('after the figures');
variable('build', 7);
open my $file, '>', 'note.txt' or die; print {$file} 'kept'; close $file;
artifact('note.txt');
cleanup('leave a trace', ['touch', "$folder.cleaned"]);
is(interact('input', 'who?', timeout => 60, default => 'nobody'), 'ana');
breakpoint(folder => $folder);

# Parameters and the lab
set_global('sdk/perl', 'ö');
is(get_global('sdk/perl'), 'ö');
is(get_config('speeds', 'line/speed'), 9600);
is(set_resource('perl', '/lab', { port => '23' })->{created}, 1);
is(get_resource('/lab/perl:port'), 23);
rename_resource('/lab/perl', 'camel');
delete_resource('/lab/camel');
refused(sub { get_resource('/lab/camel') }, '/lab/camel', '[not_found]');
is(get_sut('/bench.system/wan:colour'), 'blue');
is(get_bind_name('comp'), '/bench.system/wan');
is(get_bind_id('comp'), get_sut('/bench.system/wan')->{id});
is(power('/lab/router', 'off'), 'off');
is(power('/lab/router', 'cycle'), 'on');

# A router
my $running = capture_start('lo', 'tcp', 'perl');
my $router  = Jackfield->session('/lab/router', name => 'pl');
is(join(' ', Jackfield::sessions()), 'pl');
test_fail('no version') if $router->command('show version') !~ /version 10\.2\.1/;
is(join(' ', map { "$_->{NAME} $_->{STATE}" } $router->rows('show ip interface brief', $template)->[0]), 'eth0 up');
$router->level('privileged');
$router->config(['ip route 10.9.0.0/16 192.0.2.9']);
test_fail('no route') if $router->command('show ip route') !~ m{10\.9\.0\.0/16};
refused(sub { $router->config(['hostname ok', 'ip rute 10.9.0.0/16']) }, '`ip rute 10.9.0.0/16`');
$router->send('ping 192.0.2.1', 0);
$router->send('');
my $found = $router->expect(['never', exact('(5/5)'), 'rate is (\d+) percent']);
is("$found->{index} $found->{groups}[0]", '2 100');
is($router->expect(['never', timed_out()], 0.1)->{index}, 1);
$router->reboot;
test_fail('the route is still there') if $router->command('show ip route') =~ m{10\.9\.0\.0/16};
$router->send('exit');
is($router->expect([timed_out(), ended()], 10)->{index}, 1);
$router->close;
test_fail('no packets') if capture_stop($running)->{packets} == 0;
is(textfsm($template, "eth7 none down\n")->[0]{STATE}, 'down');

# A host, and a serial line
my $host = Jackfield->session(undef, connect => JSON::PP::decode_json('@WAY@'), name => 'host');
is(JSON::PP::decode_json($host->command(q(echo '{"mtu": 1500}')))->{mtu}, 1500);
is($host->put('note.txt', $folder), 4);
is($host->get($folder, 'back.txt'), 4);
my $asking = q(read -p 'Sure? ' sure; read -s -p 'Password: ' word; echo; echo $sure-${#word});
my $answered = $host->command($asking, 20, answers => [['Sure\?', 'yes'], ['Password', secret('geheim-wort')]]);
test_fail("answered: $answered") if $answered !~ /yes-11\z/;
my $news = q(printf 'a\n[   12.345678] eth0: link up\nb\n');
is($host->command($news) . '|' . $host->unasked, "a\nb|[   12.345678] eth0: link up");
test_fail('the news are gone') if $host->command($news, undef, keep_unasked => 1) !~ /eth0/ || $host->unasked ne '';
refused(sub { $host->command('nonsuch') }, 'the device refused `nonsuch`', 'not found');
test_fail('it was found') if $host->command('nonsuch', undef, check => 0) !~ /not found/;
refused(sub { $host->rows('nonsuch', $template) }, 'the device refused `nonsuch`');
is($host->command_to_file('seq 100000', 'numbers.txt', artifact => 1) . ' ' . -s 'numbers.txt', '588895 588895');
refused(sub { $host->command_to_file('nonsuch', 'nonsuch.txt') }, 'the device refused `nonsuch`', 'what came is in', 'nonsuch.txt');
refused(sub { $host->command('true', undef, answers => [['(', 'x']]) }, '`(`');
refused(sub { $host->command('true', undef, anwsers => []) }, 'no anwsers');
$host->screen(rows => 24, columns => 80);
$host->send(q(printf '\033[2J\033[3;5Hmenu'; read answer; printf '\033[2J'));
is($host->wait_screen('^ *me(nu)', timeout => 20)->{groups}[0], 'nu');
$host->press('x', 'enter');
$host->wait_screen('menu', timeout => 20, gone => 1);
my $left = $host->execute("cat $folder; exit 3");
is("$left->{output} $left->{status}", 'kept 3');
$host->close;
my $box = Jackfield->session('/lab/box-@NAME@');
$box->set_line(speed => 38400);
$box->send_break(0.01);
die 'nobody has sent a break' if eval { $box->wait_break(0.01); 1 } || "$@" !~ /a break/;
die 'a pseudo terminal has modem lines' if eval { $box->modem_lines; 1 } || "$@" !~ /modem lines/;
is($box->command('echo on'), 'on');
$box->send(secret('echo geheim'));
$box->expect('geheim', 20);
$box->close;
result('PASS', 'all calls were made');
