# Keeps one server in the directory $1; $2 is the signal that ends it for good.
# Words come from the pipe: start (answers the pid), wait (answers the status).
dir=$1 signal=$2 pid=
while read -r word; do
  case $word in
  start)
    sh "$dir/command" </dev/null >>"$dir/log" 2>&1 &
    pid=$!
    echo "$pid"
    ;;
  wait)
    wait "$pid"
    echo "$?"
    pid=
    ;;
  esac
done
# The pipe ended: nobody needs the server any more.
if [ -n "$pid" ]; then
  kill -s "$signal" "$pid" 2>/dev/null
  kill -s CONT "$pid" 2>/dev/null
  wait "$pid"
fi
# A dying server's last children may still write: try for a while.
cd /
tries=0
while [ "$tries" -lt 100 ]; do
  rm -rf "$dir" 2>/dev/null
  [ -e "$dir" ] || exit 0
  tries=$((tries + 1))
  sleep 0.1
done
exit 1
