# A PostgreSQL of its own in a temporary folder, with an empty database `lab`: for tests of the engine and for measures. Its first line is the folder of
# its socket. It lives as long as its standard input is open, and then removes everything, however whoever started it ends. Arguments are its settings.
set -e
for bin in /usr/lib/postgresql/*/bin; do PATH="$bin:$PATH"; done
dir=$(mktemp -d /tmp/jackfield-postgres.XXXXXX)
trap 'rm -rf "$dir"' EXIT
initdb --pgdata "$dir/data" --username postgres --auth trust --no-sync --encoding UTF8 --locale C >"$dir/log" 2>&1 || { cat "$dir/log" >&2; exit 1; }
postgres -D "$dir/data" -k "$dir" -c listen_addresses= -c fsync=off "$@" >>"$dir/log" 2>&1 &
server=$!
until psql -h "$dir" -U postgres -c 'CREATE DATABASE lab' >/dev/null 2>&1; do
    kill -0 $server || { cat "$dir/log" >&2; exit 1; }
    sleep 0.05
done
echo "$dir"
cat >/dev/null
kill -INT $server
wait $server || true
