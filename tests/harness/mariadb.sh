# A MariaDB of its own in a temporary folder, with an empty database `lab`: for tests of the engine and for measures. Its first line is the path of its
# socket. It lives as long as its standard input is open, and then removes everything, however whoever started it ends. Arguments are its settings.
set -e
PATH="$PATH:/usr/sbin"
dir=$(mktemp -d /tmp/jackfield-mariadb.XXXXXX)
trap 'rm -rf "$dir"' EXIT
mariadb-install-db --no-defaults --user="$(id -un)" --datadir="$dir/data" --auth-root-authentication-method=normal --skip-test-db >"$dir/log" 2>&1 || { cat "$dir/log" >&2; exit 1; }
mariadbd --no-defaults --user="$(id -un)" --datadir="$dir/data" --socket="$dir/s" --skip-networking --skip-name-resolve --innodb-flush-log-at-trx-commit=0 --character-set-server=utf8mb4 "$@" >>"$dir/log" 2>&1 &
server=$!
until mariadb --no-defaults --user=root --socket="$dir/s" -e 'CREATE DATABASE lab' >/dev/null 2>&1; do
    kill -0 $server || { cat "$dir/log" >&2; exit 1; }
    sleep 0.05
done
echo "$dir/s"
cat >/dev/null
kill -TERM $server
wait $server || true
