package Jackfield::Error;

use 5.014;
use strict;
use warnings;

# A call that the EP or the engine refused, or that could not be made at all (`unreachable`).
use overload '""' => \&text, fallback => 1;

sub text {
    my ($self) = @_;
    my $where = $self->{field} ? " (parameter `$self->{field}`)" : '';
    return "$self->{title}$where [$self->{code}]";
}

sub new { my ($class, %fields) = @_; return bless {%fields}, $class }
sub code  { return $_[0]{code} }
sub title { return $_[0]{title} }
sub field { return $_[0]{field} }

1;
