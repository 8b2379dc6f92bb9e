# <title>The uplink answers</title>
# The functions of jackfield.sh are there without being asked for.
host=${1:?the address to ping is missing}

jf_session /lab/router pinger >/dev/null || jf_fail 'the router cannot be reached'
answer=$(jf_command pinger "ping $host") || jf_fail 'the router does not answer'
jf_close pinger

echo "$answer"
case $answer in
    *'100 percent'*) jf_part "ping $host" PASS ;;
    *) jf_fail "packets to $host are lost" ;;
esac
