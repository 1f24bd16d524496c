#!/bin/sh
name=$(basename "$0")
case "$name $*" in
  textclf*pr-report*) call="textclf pr-report $2"; while [ "$1" != --output ]; do shift; done; echo report > "$2" ;;
  git*ls-files*) call="git ls-files"; printf 'rows.csv.dvc\0' ;;
  *textclf.project.committed) call=committed ;;
  curl*) exec "$REAL_PYTHON" "$HOST" "$@" ;;
  python*"-P -c"*) exec "$REAL_PYTHON" "$@" ;;
  dvc*config*) echo "$REMOTE"; exit ;;
  *) call="$name $*" ;;
esac
echo "$call" >> "$CALLS"
if [ -n "$FAILING" ] && echo "$call" | grep -qE "$FAILING"; then exit 2; fi
