# Redis: the one that Rspamd has for itself.

REDIS_SOCKET=/run/smtp-setup-redis/redis.sock

redis_ask() {
  timeout 10 redis-cli -s "$REDIS_SOCKET" "$@" </dev/null 2>&1
}

# redis_probe: it keeps and forgets a value, writes nothing to disk, and nobody but Rspamd's user reaches it.
redis_probe() {
  local said=''
  within 60 redis_keeps || { problem "redis on $REDIS_SOCKET: $(short_text "$said")"; return 1; }
  [ "$(redis_ask get smtp-setup:probe)" = here ] || { problem 'redis forgot a value at once'; return 1; }
  redis_ask del smtp-setup:probe >/dev/null
  said=$(redis_ask config get save | tail -n 1)
  [ -z "$said" ] || { problem "redis would write to disk: save $(short_text "$said")"; return 1; }
  said=$(stat -c '%a %U' "${REDIS_SOCKET%/*}")
  [ "$said" = '700 _rspamd' ] || { problem "redis is open to others: ${REDIS_SOCKET%/*} is $said"; return 1; }
}

redis_keeps() {
  said=$(redis_ask set smtp-setup:probe here EX 60) && [ "$said" = OK ]
}
